"""U-Nets of model files in JAX: reading, writing, first weights, energies and the noise that they see in pictures.

Pictures are [n, height, width, channels] here, and weights as they stand in the file.
"""

import json
import math
import os
import struct
import sys

import jax
import jax.numpy as jnp
import numpy as np

TYPES = {"F32": np.float32, "F16": np.float16}
# What the energy of each kind adds up over the coordinates.
TERMS = {
    "denoising": lambda x, f: (x - f) ** 2,
    "squared_norm": lambda x, f: f**2 / 2,
    "inner_product": lambda x, f: x * f,
}


def read_model(path):
    """The tensors of a model file by name, float32, and its description."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    description = json.loads(header.pop("__metadata__")["rrr.model"])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = np.frombuffer(data[begin:end], TYPES[entry["dtype"]])
        tensors[name] = numbers.reshape(entry["shape"]).astype(np.float32)
    return tensors, description


def write_model(path, tensors, description):
    """Writes a model file in float32, in one step."""
    header, offset = {"__metadata__": {"rrr.model": json.dumps(description)}}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + 4 * tensor.size]}
        offset += 4 * tensor.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(np.ascontiguousarray(tensor, "<f4").tobytes())
    os.replace(path + ".part", path)


def blocks(a):
    """The blocks of a U-Net in the order of evaluation: name, and its layers (kind, inputs, outputs, change of resolution)."""
    width, features, side = a["model_channels"], a["model_channels"], a["size"][1]
    found, kept = [("input_blocks.0", [("convolution", a["channels"], width, None)])], [width]

    def block(inputs, outputs):
        attention = [("attention", outputs, outputs, None)] if side in a["attention"] else []
        return [("residual", inputs, outputs, None)] + attention

    for level, multiplier in enumerate(a["multipliers"]):
        for _ in range(a["blocks"]):
            found.append((f"input_blocks.{len(found)}", block(features, multiplier * width)))
            features = multiplier * width
            kept.append(features)
        if level + 1 < len(a["multipliers"]):
            found.append((f"input_blocks.{len(found)}", [("residual", features, features, "down")]))
            kept.append(features)
            side //= 2
    middle = [("residual", features, features, None)]
    attention = [("attention", features, features, None)] if a.get("middle_attention", True) else []
    found.append(("middle_block", middle + attention + middle))
    count = 0
    for level in reversed(range(len(a["multipliers"]))):
        for index in range(a["blocks"] + 1):
            layers = block(features + kept.pop(), a["multipliers"][level] * width)
            features = a["multipliers"][level] * width
            if level > 0 and index == a["blocks"]:
                layers.append(("residual", features, features, "up"))
                side *= 2
            found.append((f"output_blocks.{count}", layers))
            count += 1
    return found


def initial(model, seed):
    """Weights as rrr-model starts from: a block's last map and the network's are zero, so that f = 0, but for an energy of
    f alone, which has no slope there."""
    a, random, tensors = model["architecture"], np.random.default_rng(seed), {}
    embedding = 4 * a["model_channels"]

    def layer(name, *shape, zero=False):
        bound = 0 if zero else 1 / math.sqrt(math.prod(shape[1:]))
        tensors[name + ".weight"] = random.uniform(-bound, bound, shape).astype(np.float32)
        tensors[name + ".bias"] = random.uniform(-bound, bound, shape[0]).astype(np.float32)

    def norm(name, features):
        tensors[name + ".weight"] = np.ones(features, np.float32)
        tensors[name + ".bias"] = np.zeros(features, np.float32)

    layer("time_embed.0", embedding, a["model_channels"])
    layer("time_embed.2", embedding, embedding)
    if a.get("classes"):
        tensors["label_emb.weight"] = random.standard_normal((a["classes"], embedding)).astype(np.float32)
        tensors["null_emb.weight"] = random.standard_normal((1, embedding)).astype(np.float32)
    for block, layers in blocks(a):
        for index, (kind, inputs, outputs, _) in enumerate(layers):
            name = f"{block}.{index}"
            if kind == "convolution":
                layer(name, outputs, inputs, 3, 3)
            elif kind == "attention":
                norm(name + ".norm", inputs)
                layer(name + ".qkv", 3 * inputs, inputs, 1)
                layer(name + ".proj_out", inputs, inputs, 1, zero=True)
            else:
                norm(name + ".in_layers.0", inputs)
                layer(name + ".in_layers.2", outputs, inputs, 3, 3)
                layer(name + ".emb_layers.1", (2 if a.get("scale_shift") else 1) * outputs, embedding)
                norm(name + ".out_layers.0", outputs)
                layer(name + ".out_layers.3", outputs, outputs, 3, 3, zero=True)
                if inputs != outputs:
                    layer(name + ".skip_connection", outputs, inputs, 1, 1)
    norm("out.0", a["model_channels"] * a["multipliers"][0])
    zero = model["energy"]["kind"] != "squared_norm"
    layer("out.2", a["channels"], a["model_channels"] * a["multipliers"][0], 3, 3, zero=zero)
    return tensors


def network(p, a, x, t, y):
    """f of pictures x [n, height, width, channels] at levels t [n] with labels y [n], the number of classes for none."""
    swish = jax.nn.silu

    def linear(name, h):
        return h @ p[name + ".weight"].reshape(p[name + ".weight"].shape[0], -1).T + p[name + ".bias"]

    def convolution(name, h):
        numbers = ("NHWC", "OIHW", "NHWC")
        weight = p[name + ".weight"]
        return jax.lax.conv_general_dilated(h, weight, (1, 1), "SAME", dimension_numbers=numbers) + p[name + ".bias"]

    def norm(name, h):
        grouped = h.reshape(h.shape[0], -1, a["groups"], h.shape[-1] // a["groups"])
        centred = grouped - grouped.mean((1, 3), keepdims=True)
        variance = (centred**2).mean((1, 3), keepdims=True)
        scaled = (centred * jax.lax.rsqrt(variance + a.get("norm_epsilon", 1e-5))).reshape(h.shape)
        return scaled * p[name + ".weight"] + p[name + ".bias"]

    def resampled(h, change):
        n, height, width, features = h.shape
        if change == "down":
            return h.reshape(n, height // 2, 2, width // 2, 2, features).mean((2, 4))
        return h.repeat(2, 1).repeat(2, 2) if change == "up" else h

    def residual(name, h, change):
        inner = resampled(swish(norm(name + ".in_layers.0", h)), change)
        inner, h = convolution(name + ".in_layers.2", inner), resampled(h, change)
        told = linear(name + ".emb_layers.1", swish(embedding))[:, None, None]
        if a.get("scale_shift"):
            scale, shift = jnp.split(told, 2, -1)
            inner = norm(name + ".out_layers.0", inner) * (1 + scale) + shift
        else:
            inner = norm(name + ".out_layers.0", inner + told)
        inner = convolution(name + ".out_layers.3", swish(inner))
        return inner + (convolution(name + ".skip_connection", h) if name + ".skip_connection.weight" in p else h)

    def attention(name, h):
        n, height, width, features = h.shape
        size = a["head_channels"]
        # Head by head, the queries, keys and values of each.
        heads = linear(name + ".qkv", norm(name + ".norm", h).reshape(n, height * width, features))
        q, k, v = jnp.moveaxis(heads.reshape(n, height * width, features // size, 3, size), 3, 0)
        weights = jax.nn.softmax(jnp.einsum("nthd,nshd->nhts", q, k) / math.sqrt(size), -1)
        values = jnp.einsum("nhts,nshd->nthd", weights, v).reshape(n, height * width, features)
        return h + linear(name + ".proj_out", values).reshape(h.shape)

    half = a["model_channels"] // 2
    angles = t[:, None] * jnp.exp(-math.log(10000) / half * jnp.arange(half))
    waves = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], 1)
    embedding = linear("time_embed.2", swish(linear("time_embed.0", waves)))
    if a.get("classes"):
        embedding = embedding + jnp.concatenate([p["label_emb.weight"], p["null_emb.weight"]])[y]
    h, kept = x, []
    for block, layers in blocks(a):
        if block.startswith("output"):
            h = jnp.concatenate([h, kept.pop()], -1)
        for index, (kind, _, _, change) in enumerate(layers):
            name = f"{block}.{index}"
            if kind == "residual":
                h = residual(name, h, change)
            else:
                h = attention(name, h) if kind == "attention" else convolution(name, h)
        if block.startswith("input"):
            kept.append(h)
    return convolution("out.2", swish(norm("out.0", h)))


def energy(p, model, x, t, y):
    """E of each picture, [n]; a model of the kind "noise" has none."""
    terms = TERMS[model["energy"]["kind"]](x, network(p, model["architecture"], x, t, y))
    return model["energy"].get("scale", 1) * terms.sum((1, 2, 3))


def noise(p, model, x, t, y):
    """What the model takes for the noise in x: the energy's gradient, or f itself."""
    if model["energy"]["kind"] == "noise":
        return network(p, model["architecture"], x, t, y)
    return jax.grad(lambda x: energy(p, model, x, t, y).sum())(x)


def kept_variance(schedule):
    """What is left of the data's variance at each level, float64."""
    levels, kind = schedule["levels"], schedule["kind"]
    if kind == "cosine":
        curve = np.cos((np.arange(levels + 1) / levels + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.cumprod(1 - np.minimum(1 - curve[1:] / curve[:-1], 0.999))
    if kind != "linear":
        sys.exit(f"schedule/kind: is {kind}; cosine and linear are known here")
    beta = np.linspace(schedule.get("first", 0.1 / levels), schedule.get("last", 20 / levels), levels)
    return np.cumprod(1 - np.minimum(beta, 0.999))
