#!/usr/bin/env bash
# Installs the libraries that a Debian 12 host lacks for building and running rrr; without root it says which.
set -euo pipefail

packages=(libopenblas-dev libzmq3-dev libprotobuf-c-dev libsqlite3-dev libpng-dev)

if ! command -v swift >/dev/null; then
    echo "setup.sh: there is no swift; install a toolchain of 6.1 or later from https://www.swift.org/install" >&2
    exit 69
fi
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit
if [ "$(id -u)" -ne 0 ]; then
    echo "setup.sh: as root, run: apt-get install ${missing[*]}" >&2
    exit 69
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${missing[@]}"
