#!/usr/bin/env bash
# Makes Sources/Wire/CWireMessages and the messages of python/rrr_server from the .proto files; with --check it only says
# whether those are current.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
module=$here/../Sources/Wire/CWireMessages
package=$here/../python/rrr_server
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
mkdir -p "$made/module/include" "$made/package"
protoc-c --proto_path="$here" --c_out="$made/module" rrr.proto model_server.proto
mv "$made"/module/*.h "$made/module/include/"
protoc --proto_path="$here" --python_out="$made/package" model_server.proto
if [ "${1:-}" = --check ]; then
    diff -r "$made/module" "$module" && diff "$made/package/model_server_pb2.py" "$package/model_server_pb2.py" \
        || { echo "the messages' code is not current: run proto/regenerate.sh" >&2; exit 1; }
else
    mkdir -p "$module/include"
    cp "$made"/module/*.c "$module/"
    cp "$made"/module/include/*.h "$module/include/"
    cp "$made/package/model_server_pb2.py" "$package/"
fi
