#!/usr/bin/env python3
"""Writes unet-losses.json beside this file: the first losses of trainings of a tiny U-Net, one for each kind of energy.

Needs jax and numpy. Weights, points and noise are numbers of a formula, so that whoever compares has the same without a
file: number k is sqrt(12) times (((31 k + 17) k + 5) mod 65537) / 65537 - 1/2. Steps are Adam's with the gradient's norm
clipped to 1.
"""
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

SIZE, CHANNELS, MODEL, MULTIPLIERS, GROUPS, HEAD, LEVELS, CLASSES = 8, 2, 8, (1, 2), 4, 4, 10, 3
STEPS, ROWS, RATE, CLIP = 20, 4, 3e-3, 1.0
EMBEDDING = 4 * MODEL


def numbers(first, shape, scale=1.0):
    k = np.arange(first, first + int(np.prod(shape)), dtype=np.int64)
    values = ((31 * k + 17) * k + 5) % 65537 / 65537 - 0.5
    return (scale * np.sqrt(12) * values).reshape(shape).astype(np.float32)


def shapes():
    """Every parameter in the order of a forward pass; a dict keeps it."""
    found = {}

    def add(name, *shape):
        found[name + ".weight"], found[name + ".bias"] = shape, shape[:1]

    def residual(name, inputs, outputs):
        add(name + ".in_layers.0", inputs)
        add(name + ".in_layers.2", outputs, inputs, 3, 3)
        add(name + ".emb_layers.1", outputs, EMBEDDING)
        add(name + ".out_layers.0", outputs)
        add(name + ".out_layers.3", outputs, outputs, 3, 3)
        if inputs != outputs:
            add(name + ".skip_connection", outputs, inputs, 1, 1)

    def attention(name, channels):
        add(name + ".norm", channels)
        add(name + ".qkv", 3 * channels, channels, 1)
        add(name + ".proj_out", channels, channels, 1)

    a, b = (m * MODEL for m in MULTIPLIERS)
    add("time_embed.0", EMBEDDING, MODEL)
    add("time_embed.2", EMBEDDING, EMBEDDING)
    found["label_emb.weight"], found["null_emb.weight"] = (CLASSES, EMBEDDING), (1, EMBEDDING)
    add("input_blocks.0.0", a, CHANNELS, 3, 3)
    residual("input_blocks.1.0", a, a)
    residual("input_blocks.2.0", a, a)
    residual("input_blocks.3.0", a, b)
    attention("input_blocks.3.1", b)
    residual("middle_block.0", b, b)
    attention("middle_block.1", b)
    residual("middle_block.2", b, b)
    residual("output_blocks.0.0", b + b, b)
    attention("output_blocks.0.1", b)
    residual("output_blocks.1.0", b + a, b)
    attention("output_blocks.1.1", b)
    residual("output_blocks.1.2", b, b)
    residual("output_blocks.2.0", b + a, a)
    residual("output_blocks.3.0", a + a, a)
    add("out.0", a)
    add("out.2", CHANNELS, a, 3, 3)
    return found


def start():
    """Norms near the identity, the rest within what keeps the output near 1."""
    weights, first = {}, 0
    for name, shape in shapes().items():
        count = int(np.prod(shape))
        isNorm = any(name.rsplit(".", 1)[0].endswith(end) for end in (".in_layers.0", ".out_layers.0", ".norm", "out.0"))
        inputs = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        values = numbers(first, shape, 0.1 if len(shape) == 1 else 1 / np.sqrt(inputs))
        weights[name] = values + np.float32(1) if isNorm and name.endswith(".weight") else values
        first += count
    return weights


def network(w, x, level, label):
    def convolve(name, h):
        dims = ("NCHW", "OIHW", "NCHW")
        return jax.lax.conv_general_dilated(h, w[name + ".weight"], (1, 1), "SAME", dimension_numbers=dims) + (
            w[name + ".bias"][:, None, None])

    def linear(name, h):
        return h @ w[name + ".weight"].reshape(w[name + ".weight"].shape[:2]).T + w[name + ".bias"]

    def norm(name, h):
        n, c = h.shape[:2]
        g = h.reshape(n, GROUPS, -1)
        g = (g - g.mean(-1, keepdims=True)) / jnp.sqrt(g.var(-1, keepdims=True) + 1e-5)
        return g.reshape(h.shape) * w[name + ".weight"][:, None, None] + w[name + ".bias"][:, None, None]

    def halved(h):
        n, c, height, width = h.shape
        return h.reshape(n, c, height // 2, 2, width // 2, 2).mean((3, 5))

    def doubled(h):
        return h.repeat(2, 2).repeat(2, 3)

    def residual(name, h, resize=lambda h: h):
        inner = convolve(name + ".in_layers.2", resize(jax.nn.silu(norm(name + ".in_layers.0", h))))
        inner = inner + linear(name + ".emb_layers.1", jax.nn.silu(embedding))[:, :, None, None]
        inner = convolve(name + ".out_layers.3", jax.nn.silu(norm(name + ".out_layers.0", inner)))
        h = resize(h)
        return inner + (convolve(name + ".skip_connection", h) if name + ".skip_connection.weight" in w else h)

    def attention(name, h):
        n, c = h.shape[:2]
        tokens = norm(name + ".norm", h).reshape(n, c, -1).transpose(0, 2, 1)
        parts = linear(name + ".qkv", tokens).reshape(n, -1, c // HEAD, 3, HEAD)
        q, k, v = (parts[:, :, :, i] for i in range(3))
        scores = jax.nn.softmax(jnp.einsum("nthd,nshd->nhts", q, k) / np.sqrt(HEAD), -1)
        mixed = jnp.einsum("nhts,nshd->nthd", scores, v).reshape(n, -1, c)
        return h + linear(name + ".proj_out", mixed).transpose(0, 2, 1).reshape(h.shape)

    angles = level[:, None] * 10000.0 ** (-np.arange(MODEL // 2) / (MODEL // 2))
    features = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], -1)
    embedding = linear("time_embed.2", jax.nn.silu(linear("time_embed.0", features)))
    embedding = embedding + jnp.concatenate([w["label_emb.weight"], w["null_emb.weight"]])[label]
    kept = [convolve("input_blocks.0.0", x)]
    kept.append(residual("input_blocks.1.0", kept[-1]))
    kept.append(residual("input_blocks.2.0", kept[-1], halved))
    kept.append(attention("input_blocks.3.1", residual("input_blocks.3.0", kept[-1])))
    h = residual("middle_block.0", kept[-1])
    h = residual("middle_block.2", attention("middle_block.1", h))
    joined = lambda h: jnp.concatenate([h, kept.pop()], 1)
    h = attention("output_blocks.0.1", residual("output_blocks.0.0", joined(h)))
    h = attention("output_blocks.1.1", residual("output_blocks.1.0", joined(h)))
    h = residual("output_blocks.1.2", h, doubled)
    h = residual("output_blocks.2.0", joined(h))
    h = residual("output_blocks.3.0", joined(h))
    return convolve("out.2", jax.nn.silu(norm("out.0", h)))


def prediction(kind, w, x, level, label):
    """The noise, or the gradient of the energy that predicts it."""
    if kind == "noise":
        return network(w, x, level, label)

    def energy(x):
        f = network(w, x, level, label)
        return {"denoising": 0.5 * (x - f) ** 2, "squared_norm": 0.5 * f**2, "inner_product": x * f}[kind].sum()

    return jax.grad(energy)(x)


def losses(kind):
    @jax.jit
    def slope(w, x, noise, level, label):
        return jax.value_and_grad(
            lambda w: ((prediction(kind, w, x, level, label) - noise) ** 2).mean())(w)

    w = {name: jnp.asarray(values) for name, values in start().items()}
    m = {name: jnp.zeros_like(values) for name, values in w.items()}
    v, found = dict(m), []
    for step in range(STEPS):
        shape = (ROWS, CHANNELS, SIZE, SIZE)
        first = 2 * step * int(np.prod(shape))
        x, noise = numbers(first, shape), numbers(first + int(np.prod(shape)), shape)
        rows = np.arange(step, step + ROWS)
        loss, g = slope(w, x, noise, (3 * rows % LEVELS).astype(np.float32), rows % (CLASSES + 1))
        found.append(float(loss))
        scale = min(1.0, CLIP / (float(jnp.sqrt(sum((values**2).sum() for values in g.values()))) + 1e-6))
        for name in w:
            clipped = g[name] * scale
            m[name] = 0.9 * m[name] + 0.1 * clipped
            v[name] = 0.999 * v[name] + 0.001 * clipped**2
            root = jnp.sqrt(v[name]) / np.sqrt(1 - 0.999 ** (step + 1)) + 1e-8
            w[name] = w[name] - RATE / (1 - 0.9 ** (step + 1)) * m[name] / root
    return found


result = {kind: losses(kind) for kind in ("denoising", "squared_norm", "inner_product", "noise")}
(Path(__file__).parent / "unet-losses.json").write_text(json.dumps(result, indent=1) + "\n")
