#!/usr/bin/env bash
# Makes Sources/Wire/CWireMessages from rrr.proto; with --check it only says whether that is current.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
module=$here/../Sources/Wire/CWireMessages
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
protoc-c --proto_path="$here" --c_out="$made" rrr.proto
mkdir -p "$made/include"
mv "$made/rrr.pb-c.h" "$made/include/"
if [ "${1:-}" = --check ]; then
    diff -r "$made" "$module" || { echo "Sources/Wire/CWireMessages is not current: run proto/regenerate.sh" >&2; exit 1; }
else
    mkdir -p "$module/include"
    cp "$made/rrr.pb-c.c" "$module/"
    cp "$made/include/rrr.pb-c.h" "$module/include/"
fi
