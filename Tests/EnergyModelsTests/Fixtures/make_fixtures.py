#!/usr/bin/env python3
"""Writes the networks NAME.safetensors beside this file, and NAME.json with what they must give.

Needs torch and safetensors: these networks are made without this project, as a user's would be.
NAME.json holds "points" [n][d], exact in float32, and "cases": each a "level", a "label" (null:
none), the "energy" [n] (null where the form has none) and the "gradient" [n][d], dE/dx or, without
an energy, the noise prediction. They come from automatic differentiation in float64 on the weights
as stored.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import silu

FOLDER = Path(__file__).parent
LEVELS, EMBEDDING, WIDEN, POINTS = 10, 8, 2, 7

ENERGIES = {
    "denoising": lambda x, f: ((x - f) ** 2).sum(dim=1),
    "squared_norm": lambda x, f: 0.5 * (f**2).sum(dim=1),
    "inner_product": lambda x, f: (x * f).sum(dim=1),
}


class Block(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        wide = WIDEN * hidden
        self.norm = nn.LayerNorm(hidden, eps=1e-5)
        self.hidden = nn.Linear(hidden, wide)
        self.time = nn.Linear(EMBEDDING, wide)
        self.inner = nn.Linear(wide, wide)
        self.output = nn.Linear(wide, hidden)

    def forward(self, h, condition):
        u = silu(self.norm(h))
        u = silu(self.hidden(u) + self.time(condition))
        return h + self.output(silu(self.inner(u)))


class Network(nn.Module):
    """The residual network; its parameters bear the names of a model file."""

    def __init__(self, dimension, hidden, blocks, classes):
        super().__init__()
        self.time_embedding = nn.Embedding(LEVELS, EMBEDDING)
        if classes:
            self.label_embedding = nn.Embedding(classes + 1, EMBEDDING)
        self.input = nn.Linear(dimension, hidden)
        self.blocks = nn.ModuleList(Block(hidden) for _ in range(blocks))
        self.output = nn.Linear(hidden, dimension)

    def forward(self, x, level, label):
        condition = self.time_embedding.weight[level]
        if hasattr(self, "label_embedding"):  # the last row stands for no label
            condition = condition + self.label_embedding.weight[-1 if label is None else label]
        h = self.input(x)
        for block in self.blocks:
            h = block(h, condition)
        return self.output(h)


def randomise(network):
    """No parameter stays at a value, such as 0 or 1, that would hide a mistake in its use."""
    for name, weight in network.named_parameters():
        values = torch.randn(weight.shape)
        if "norm.weight" in name:
            values = 1 + 0.3 * values
        elif name.endswith("bias"):
            values = 0.3 * values
        elif "embedding" not in name:
            values = values / weight.shape[1] ** 0.5
        weight.data = values


def case(network, kind, scale, points, level, label):
    x = points.clone().requires_grad_()
    f = network(x, level, label)
    if kind == "noise":
        energy, gradient = None, scale * f
    else:
        energy = scale * ENERGIES[kind](x, f)
        (gradient,) = torch.autograd.grad(energy.sum(), x)
        energy = energy.tolist()
    return {"level": level, "label": label, "energy": energy, "gradient": gradient.tolist()}


def write(name, kind, scale=1.0, dimension=2, hidden=16, blocks=1, classes=None, dtype=torch.float32):
    torch.manual_seed(7)
    network = Network(dimension, hidden, blocks, classes)
    randomise(network)
    network.to(dtype)
    architecture = {
        "kind": "residual_mlp", "dimension": dimension, "hidden": hidden, "widen": WIDEN, "blocks": blocks,
        "embedding": EMBEDDING, "levels": LEVELS,
    }
    if classes:
        architecture["classes"] = classes
    description = {
        "format": 1,
        "architecture": architecture,
        "energy": {"kind": kind, "scale": scale},
        "schedule": {"kind": "cosine", "levels": LEVELS},
    }
    save_file(network.state_dict(), FOLDER / f"{name}.safetensors", metadata={"rrr.model": json.dumps(description)})

    network.double()
    points = torch.randn(POINTS, dimension)
    points[0], points[-1] = 0, 4 * points[-1]  # the origin, and a point far out
    points = ((points * 256).round() / 256).double()
    conditions = [(0, None), (4, None), (LEVELS - 1, None)]
    if classes:
        conditions += [(0, 0), (4, classes - 1), (LEVELS - 1, 1)]
    cases = [case(network, kind, scale, points, *condition) for condition in conditions]
    rows = ",\n    ".join(json.dumps(each) for each in cases)
    text = f'{{\n  "points": {json.dumps(points.tolist())},\n  "cases": [\n    {rows}\n  ]\n}}\n'
    (FOLDER / f"{name}.json").write_text(text)


if __name__ == "__main__":
    write("denoising", "denoising", blocks=2)
    write("denoising-half", "denoising", scale=0.5)
    write("squared-norm", "squared_norm")
    write("inner-product", "inner_product")
    write("noise", "noise", scale=0.75)
    write("labelled", "denoising", blocks=2, classes=3)
    write("float16", "denoising", blocks=2, dtype=torch.float16)
    write("bfloat16", "denoising", blocks=2, dtype=torch.bfloat16)
    write("five-dimensional", "denoising", dimension=5, hidden=12)
