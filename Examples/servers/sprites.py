"""The U-Net of Examples/models/sprites.safetensors in PyTorch, conditioned on a label or on none: the same density as a
model of the kind "network" has, evaluated on a GPU where there is one.

python sprites.py [FILE]
"""

import json
import math
import os
import sys

import torch
import torch.nn.functional as F
from rrr_server import serve

FILE = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../models/sprites.safetensors")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WIDTH, GROUPS, HEAD, CLASSES = 32, 8, 32, 23
# Residual blocks that halve the resolution or double it.
DOWN, UP = {"input_blocks.2.0", "input_blocks.4.0"}, {"output_blocks.1.2", "output_blocks.3.1"}


def read(path):
    """The tensors of a safetensors file, by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    tensors = {}
    for name, entry in header.items():
        tensor = torch.frombuffer(
            data, dtype=types[entry["dtype"]], offset=entry["data_offsets"][0], count=math.prod(entry["shape"])
        )
        tensors[name] = tensor.reshape(entry["shape"]).float().to(DEVICE)
    return tensors


P = read(FILE)


def linear(name, x):
    return F.linear(x, P[name + ".weight"].flatten(1), P[name + ".bias"])


def convolution(name, x):
    weight = P[name + ".weight"]
    return F.conv2d(x, weight, P[name + ".bias"], padding=weight.shape[2] // 2)


def norm(name, x):
    return F.group_norm(x, GROUPS, P[name + ".weight"], P[name + ".bias"])


def doubled(x):
    # Each pixel four times; interpolate() has no deterministic gradient on GPUs.
    n, c, h, w = x.shape
    return x[:, :, :, None, :, None].expand(n, c, h, 2, w, 2).reshape(n, c, 2 * h, 2 * w)


def residual(name, x, embedding):
    a = F.silu(norm(name + ".in_layers.0", x))
    if name in DOWN:
        a, x = F.avg_pool2d(a, 2), F.avg_pool2d(x, 2)
    if name in UP:
        a, x = doubled(a), doubled(x)
    a = convolution(name + ".in_layers.2", a) + linear(name + ".emb_layers.1", F.silu(embedding))[:, :, None, None]
    a = convolution(name + ".out_layers.3", F.silu(norm(name + ".out_layers.0", a)))
    return a + (convolution(name + ".skip_connection", x) if name + ".skip_connection.weight" in P else x)


def attention(name, x):
    n, c, h, w = x.shape
    heads = linear(name + ".qkv", norm(name + ".norm", x).flatten(2).transpose(1, 2))
    q, k, v = heads.reshape(n, h * w, c // HEAD, 3, HEAD).permute(3, 0, 2, 1, 4)
    mixed = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(HEAD), dim=-1) @ v
    return x + linear(name + ".proj_out", mixed.transpose(1, 2).reshape(n, h * w, c)).transpose(1, 2).reshape(x.shape)


def block(name, x, embedding):
    """The parts of a block, as far as the file has them."""
    part = 0
    while True:
        inner = f"{name}.{part}"
        if inner + ".in_layers.0.weight" in P:
            x = residual(inner, x, embedding)
        elif inner + ".norm.weight" in P:
            x = attention(inner, x)
        elif inner + ".weight" in P:
            x = convolution(inner, x)
        else:
            return x
        part += 1


def network(x, level, labels):
    """f(x, t) [rows, 3, 32, 32]; the label CLASSES is none."""
    frequencies = torch.exp(torch.arange(WIDTH // 2, device=DEVICE) * (-math.log(10000) / (WIDTH // 2)))
    angles = level.original * frequencies
    time = torch.cat([angles.cos(), angles.sin()])[None]
    embedding = linear("time_embed.2", F.silu(linear("time_embed.0", time)))
    embedding = embedding + torch.cat([P["label_emb.weight"], P["null_emb.weight"]])[labels]
    kept = []
    for index in range(6):
        x = block(f"input_blocks.{index}", x, embedding)
        kept.append(x)
    x = block("middle_block", x, embedding)
    for index in range(6):
        x = block(f"output_blocks.{index}", torch.cat([x, kept.pop()], dim=1), embedding)
    return convolution("out.2", F.silu(norm("out.0", x)))


def energy(x, level, labels):
    """1/2 |x - f|^2 / sigma, as networks of the kind denoising with the scale 1/2 have it."""
    return 0.5 * (x - network(x, level, labels)).square().sum(dim=(1, 2, 3)) / level.noise


def encode(conditions):
    return torch.tensor([condition.get("label", CLASSES) for condition in conditions], device=DEVICE)


if __name__ == "__main__":
    serve(
        energy=energy, shape=[3, 32, 32], rows=32, name="sprites", framework="torch", conditions=["label"], encode=encode,
        weights=P if DEVICE == "cpu" else {name: tensor.cpu() for name, tensor in P.items()},
    )  # fmt: skip
