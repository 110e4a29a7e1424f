#!/usr/bin/env python3
"""Times training steps of the sprites network, second order, beside JAX and PyTorch, on one core.

    image_training.py --trainer .build/release/rrr-model [--batch N] [--repeats N] [--json]

Pictures per second: the gradient of mean((dE/dx - eps)^2) in all weights for a batch of N images, levels mixed, then
Adam, and for ours the drawing and noising of the batch and the moving average too. JAX runs compiled (jit) in float32,
PyTorch eagerly (oneDNN). Ours is `rrr-model train --threads 1` with batches in shards of 8; what it takes before the
second step is not counted. Every figure is the median (least - most) of repeats that take turns.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import image_peers  # first: it sees to it that everything stays on one core
from image_peers import NETWORKS, np, output
from peers import calls_per_second, show

STEPS = 4


def jax_step(peer, network, batch):
    import jax
    import jax.numpy as jnp

    x, noise = batch

    def loss(table):
        energy = lambda x: 0.5 * ((x - peer.output(x, table)) ** 2).sum()
        return ((jax.grad(energy)(x) - noise) ** 2).mean()

    @jax.jit
    def step(state):
        w, m, v, n = state
        g, n, each = jax.grad(loss)(w), n + 1, jax.tree.map
        m, v = each(lambda m, g: 0.9 * m + 0.1 * g, m, g), each(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        root = jnp.sqrt(1 - 0.999**n)
        w = each(lambda p, m, v: p - 1e-3 / (1 - 0.9**n) * m / (jnp.sqrt(v) / root + 1e-8), w, m, v)
        return w, m, v, n

    state = [(peer.table, *(jax.tree.map(jnp.zeros_like, peer.table) for _ in range(2)), jnp.float32(0))]

    def call():
        state[0] = jax.block_until_ready(step(state[0]))

    return call


def torch_step(peer, network, batch):
    import torch

    x, noise = (torch.from_numpy(np.ascontiguousarray(a.transpose(0, 3, 1, 2))) for a in batch)
    x.requires_grad_()
    peer.output(x)  # draws the weights
    parameters = [w.requires_grad_() for w in peer.weights.table.values()]
    optimiser = torch.optim.Adam(parameters, lr=1e-3, fused=True)

    def call():
        energy = 0.5 * ((x - peer.output(x)) ** 2).sum()
        (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
        optimiser.zero_grad()
        ((gradient - noise) ** 2).mean().backward(inputs=parameters)
        optimiser.step()

    return call


def ours(trainer, batch, folder):
    """Pictures per second of a training of a few steps, the first two left out."""
    points = folder / "points.npy"
    np.save(points, np.random.default_rng(3).standard_normal((64, 3, 32, 32), np.float32))
    spec = {
        "rrr_training": 1, "iterations": 2 + STEPS, "batch": batch, "shard": min(8, batch), "report_every": 2,
        "architecture": {
            "kind": "unet", "size": [32, 32], "channels": 3, "model_channels": 32, "multipliers": [1, 2, 3], "blocks": 1,
            "attention": [8], "head_channels": 32, "groups": 8, "levels": 100},
        "energy": {"kind": "denoising", "scale": 0.5}, "data": {"kind": "npy", "file": str(points)},
    }  # fmt: skip
    (folder / "spec.json").write_text(json.dumps(spec))
    history = folder / "history.csv"
    arguments = ["--output", folder / "model", "--history", history, "--threads", "1", "--force"]
    done = subprocess.run([trainer, "train", folder / "spec.json", *arguments], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{trainer}: status {done.returncode}")
    seconds = [float(line.split(",")[3]) for line in history.read_text().splitlines()[1:]]
    return STEPS * batch / (seconds[-1] - seconds[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainer", required=True, help="rrr-model")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    network, random = NETWORKS["sprites"], np.random.default_rng(11)
    batch = [random.standard_normal((options.batch, 32, 32, 3), np.float32) for _ in range(2)]
    steps = {"JAX": (image_peers.JAX, jax_step), "PyTorch": (image_peers.PyTorch, torch_step)}
    calls = {name: step(make(network), network, batch) for name, (make, step) in steps.items()}
    found = {name: [] for name in ("ours", *calls)}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            for name, call in calls.items():
                found[name].append(options.batch * calls_per_second(call, 2))
            found["ours"].append(ours(options.trainer, options.batch, Path(folder)))
    spread = lambda x: {"median": statistics.median(x), "least": min(x), "most": max(x)}
    report = {name: {"training": spread(x)} for name, x in found.items()}
    print(json.dumps(report)) if options.json else show(report)


if __name__ == "__main__":
    main()
