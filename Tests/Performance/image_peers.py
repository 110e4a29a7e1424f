#!/usr/bin/env python3
"""Times JAX and PyTorch on the U-Nets of image-benchmark, on one core.

    image_peers.py [--network sprites|clevr] [--rows N ...] [--alongside COMMAND] [--json]

Evaluations per second: energy 1/2 |x - f|^2 and gradient of ROWS images at one noise level, an image being an
evaluation; each call waits for its result, as a sampler must. sprites is the network of Examples/models, of 2 million
parameters; clevr that of reduce_reuse_recycle, 125 million, 64 x 64 pixels. Weights are random. Every figure is the
median (least - most) of repeats that take turns. JAX runs compiled (jit) in float32, PyTorch eagerly (oneDNN). COMMAND
is image-benchmark with --json for the same network and rows; it runs once a repeat on the same core.
"""
import argparse
import json
import math
import sys

import peers  # first: it sees to it that everything stays on one core
from peers import np

NETWORKS = {
    "sprites": dict(size=32, width=32, multipliers=(1, 2, 3), blocks=1, attention=(8,), head=32, groups=8),
    "clevr": dict(size=64, width=128, multipliers=(1, 2, 3, 4), blocks=3, attention=(32, 16, 8), head=64, groups=32),
}
CHANNELS = 3


class Weights:
    """Random weights, drawn when a layer first asks for them, by the layer's name: the same for every framework."""

    def __init__(self, convert):
        self.table, self.convert, self.random = {}, convert, np.random.default_rng(7)

    def __call__(self, name, *shape):
        if name not in self.table:
            scale = np.float32(math.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.1)
            draw = self.random.standard_normal(shape, dtype=np.float32) * scale
            self.table[name] = self.convert(draw + np.float32(name.endswith("norm.weight")))
        return self.table[name]


def output(x, w, network, layers):
    """f(x), for images in the framework's own order; a twin of ImageNetwork.swift."""
    conv, norm, swish, down, up, join, attention = layers
    width, embedding = network["width"], 4 * network["width"]
    condition = w("condition", 1, embedding)

    def residual(h, name, inputs, outputs, resize=lambda h: h):
        u = conv(w, f"{name}.in", resize(swish(norm(w, f"{name}.in_norm", h, inputs))), inputs, outputs, 3)
        shift = swish(condition) @ w(f"{name}.emb", embedding, outputs) + w(f"{name}.emb.bias", outputs)
        u = swish(norm(w, f"{name}.out_norm", layers.shift(u, shift), outputs))
        skip = resize(h)
        skip = skip if inputs == outputs else conv(w, f"{name}.skip", skip, inputs, outputs, 1)
        return skip + conv(w, f"{name}.out", u, outputs, outputs, 3)

    def attend(h, name, channels, size, always=False):
        if not always and size not in network["attention"]:
            return h
        u = conv(w, f"{name}.qkv", norm(w, f"{name}.norm", h, channels), channels, 3 * channels, 1)
        return h + conv(w, f"{name}.proj", attention(u, channels // network["head"]), channels, channels, 1)

    h, channels, size = conv(w, "entrance", x, CHANNELS, width, 3), width, network["size"]
    kept, last = [(h, channels)], len(network["multipliers"]) - 1
    for level, multiplier in enumerate(network["multipliers"]):
        for block in range(network["blocks"]):
            h = residual(h, f"down.{level}.{block}", channels, multiplier * width)
            channels = multiplier * width
            h = attend(h, f"down.{level}.{block}.attention", channels, size)
            kept.append((h, channels))
        if level < last:
            h, size = residual(h, f"down.{level}", channels, channels, down), size // 2
            kept.append((h, channels))
    h = residual(h, "middle.0", channels, channels)
    h = residual(attend(h, "middle.1", channels, size, True), "middle.2", channels, channels)
    for level, multiplier in reversed(list(enumerate(network["multipliers"]))):
        for block in range(network["blocks"] + 1):
            other, more = kept.pop()
            h = residual(join(h, other), f"up.{level}.{block}", channels + more, multiplier * width)
            channels = multiplier * width
            h = attend(h, f"up.{level}.{block}.attention", channels, size)
            if level > 0 and block == network["blocks"]:
                h, size = residual(h, f"up.{level}", channels, channels, up), 2 * size
    return conv(w, "exit", swish(norm(w, "exit_norm", h, channels)), channels, CHANNELS, 3)


class Layers(tuple):
    """conv, norm, swish, down, up, join and attention of a framework; `shift` adds [1, channels] to images."""

    def __new__(cls, shift, *functions):
        layers = super().__new__(cls, functions)
        layers.shift = shift
        return layers


class JAX:
    def __init__(self, network):
        import jax
        import jax.numpy as jnp

        def conv(w, name, x, inputs, outputs, kernel):
            weight = w(f"{name}.weight", outputs, inputs, kernel, kernel).transpose(2, 3, 1, 0)
            order = ("NHWC", "HWIO", "NHWC")
            y = jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=order)
            return y + w(f"{name}.bias", outputs)

        def norm(w, name, x, channels):
            n, height, width, _ = x.shape
            grouped = x.reshape(n, height * width, network["groups"], -1)
            centred = grouped - grouped.mean((1, 3), keepdims=True)
            scaled = centred * jax.lax.rsqrt((centred**2).mean((1, 3), keepdims=True) + 1e-5)
            return scaled.reshape(x.shape) * w(f"{name}.weight", channels) + w(f"{name}.bias", channels)

        def attention(x, heads):
            n, height, width, channels = x.shape
            q, k, v = jnp.moveaxis(x.reshape(n, height * width, heads, 3, -1), 3, 0)
            weights = jax.nn.softmax(jnp.einsum("nqhd,nkhd->nhqk", q, k) / math.sqrt(q.shape[-1]), -1)
            return jnp.einsum("nhqk,nkhd->nqhd", weights, v).reshape(n, height, width, channels // 3)

        halve = lambda x: x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2, x.shape[3]).mean((2, 4))
        double = lambda x: jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)
        layers = Layers(
            lambda x, shift: x + shift, conv, norm, jax.nn.silu, halve, double,
            lambda a, b: jnp.concatenate([a, b], -1), attention)  # fmt: skip
        weights = Weights(lambda numbers: numbers)
        jax.eval_shape(lambda x: output(x, weights, network, layers), np.zeros((1, *shape(network)), np.float32))

        def total(x, table):
            f = self.output(x, table)
            values = 0.5 * ((x - f) ** 2).sum((1, 2, 3))
            return values.sum(), values

        evaluate, table = jax.jit(jax.grad(total, has_aux=True)), jax.device_put(weights.table)
        self.call = lambda x: jax.block_until_ready(evaluate(x, table))
        self.put, self.table = jax.device_put, table
        self.output = lambda x, table: output(x, lambda name, *_: table[name], network, layers)

    def evaluation(self, x):
        x = self.put(x)
        return lambda: self.call(x)


class PyTorch:
    def __init__(self, network):
        import torch
        from torch.nn import functional as F

        torch.set_num_threads(1)
        conv = lambda w, name, x, inputs, outputs, kernel: F.conv2d(
            x, w(f"{name}.weight", outputs, inputs, kernel, kernel), w(f"{name}.bias", outputs), padding=kernel // 2)
        norm = lambda w, name, x, channels: F.group_norm(
            x, network["groups"], w(f"{name}.weight", channels), w(f"{name}.bias", channels), 1e-5)

        def attention(x, heads):
            n, channels, height, width = x.shape
            q, k, v = x.reshape(n, heads, 3, -1, height * width).transpose(-1, -2).unbind(2)
            weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
            return (weights @ v).transpose(-1, -2).reshape(n, channels // 3, height, width)

        layers = Layers(
            lambda x, shift: x + shift[:, :, None, None], conv, norm, F.silu, lambda x: F.avg_pool2d(x, 2),
            lambda x: F.interpolate(x, scale_factor=2), lambda a, b: torch.cat([a, b], 1), attention)  # fmt: skip
        self.torch, self.weights = torch, Weights(torch.from_numpy)
        self.output = lambda x: output(x, self.weights, network, layers)

    def evaluation(self, x):
        x = self.torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).requires_grad_()

        def call():
            values = 0.5 * ((x - self.output(x)) ** 2).sum((1, 2, 3))
            return self.torch.autograd.grad(values.sum(), x)[0].permute(0, 2, 3, 1), values.detach()

        return call


def shape(network):
    return network["size"], network["size"], CHANNELS


def prepare(network, rows):
    """The calls to time, {framework: {rows: call}}; the frameworks' energies and gradients must agree."""
    calls, wanted = {}, {}
    for name, make in {"JAX": JAX, "PyTorch": PyTorch}.items():
        try:
            peer = make(network)
        except ImportError as missing:
            print(f"{name} is left out: {missing}.", file=sys.stderr)
            continue
        random = np.random.default_rng(11)
        calls[name] = {n: peer.evaluation(random.standard_normal((n, *shape(network)), np.float32)) for n in rows}
        for n, call in calls[name].items():
            found = [np.asarray(part) for part in call()]
            for ours, theirs in zip(found, wanted.setdefault(n, found)):
                np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max(), err_msg=name)
    return calls


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="sprites")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8, 32], help="images evaluated together")
    parser.add_argument("--alongside", metavar="COMMAND", help="our own benchmark, run once a repeat")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="least length of one repeat of one figure")
    options = parser.parse_args()
    calls = prepare(NETWORKS[options.network], options.rows) if np else {}
    report = peers.measure(calls, options)
    print(json.dumps(report)) if options.json else peers.show(report)


if __name__ == "__main__":
    main()
