#!/usr/bin/env python3
"""Writes the classifier classifier.safetensors beside this file, and classifier.json with what it must give.

Needs numpy alone, and shares nothing with this project. classifier.json holds "points" [n][d], exact in float32, and
"cases": each a "level", the "log_probabilities" [n][classes] and, by label, the "gradients" [classes][n][d] of each
with respect to the points. They are computed in float64 on the weights as stored; a gradient is the imaginary part of
a step of 1e-30 i, which loses no digits to a difference.
"""
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
DIMENSION, HIDDEN, WIDEN, BLOCKS, EMBEDDING, LEVELS, CLASSES, POINTS = 2, 16, 2, 2, 8, 10, 3, 7
WIDE = WIDEN * HIDDEN

SHAPES = {"time_embedding.weight": (LEVELS, EMBEDDING), "input.weight": (HIDDEN, DIMENSION), "input.bias": (HIDDEN,)}
for i in range(BLOCKS):
    SHAPES |= {f"blocks.{i}.norm.weight": (HIDDEN,), f"blocks.{i}.norm.bias": (HIDDEN,)}
    maps = {"hidden": (WIDE, HIDDEN), "time": (WIDE, EMBEDDING), "inner": (WIDE, WIDE), "output": (HIDDEN, WIDE)}
    for name, shape in maps.items():
        SHAPES |= {f"blocks.{i}.{name}.weight": shape, f"blocks.{i}.{name}.bias": shape[:1]}
SHAPES |= {"output.weight": (CLASSES, HIDDEN), "output.bias": (CLASSES,)}


def draw(random, name, shape):
    """No parameter stays at a value, such as 0 or 1, that would hide a mistake in its use."""
    values = random.standard_normal(shape)
    if "norm.weight" in name:
        values = 1 + 0.3 * values
    elif name.endswith("bias"):
        values = 0.3 * values
    elif "embedding" not in name:
        values = values / shape[1] ** 0.5
    return values.astype(np.float32)


def silu(x):
    return x / (1 + np.exp(-x))


def log_probabilities(weights, x, level):
    def linear(name, x):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    condition = weights["time_embedding.weight"][level]
    h = linear("input", x)
    for i in range(BLOCKS):
        block = f"blocks.{i}"
        centred = h - h.mean(axis=1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        u = silu(normed * weights[block + ".norm.weight"] + weights[block + ".norm.bias"])
        u = silu(linear(block + ".hidden", u) + linear(block + ".time", condition))
        h = h + linear(block + ".output", silu(linear(block + ".inner", u)))
    logits = linear("output", h)
    shifted = logits - logits.real.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def case(weights, points, level):
    gradients = np.zeros((CLASSES, *points.shape))
    for axis in range(DIMENSION):
        moved = points.astype(complex)
        moved[:, axis] += 1e-30j
        gradients[:, :, axis] = log_probabilities(weights, moved, level).imag.T / 1e-30
    values = log_probabilities(weights, points, level)
    return {"level": level, "log_probabilities": values.tolist(), "gradients": gradients.tolist()}


def save(weights, description, path):
    header, data = {"__metadata__": {"rrr.model": json.dumps(description)}}, b""
    for name, values in weights.items():
        header[name] = {
            "dtype": "F32", "shape": values.shape, "data_offsets": [len(data), len(data) + values.nbytes]
        }
        data += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


if __name__ == "__main__":
    random = np.random.default_rng(7)
    weights = {name: draw(random, name, shape) for name, shape in SHAPES.items()}
    architecture = {
        "kind": "residual_mlp_classifier", "dimension": DIMENSION, "hidden": HIDDEN, "widen": WIDEN, "blocks": BLOCKS,
        "embedding": EMBEDDING, "levels": LEVELS, "classes": CLASSES,
    }
    schedule = {"kind": "cosine", "levels": LEVELS}
    description = {"format": 1, "architecture": architecture, "schedule": schedule}
    save(weights, description, FOLDER / "classifier.safetensors")

    weights = {name: values.astype(np.float64) for name, values in weights.items()}
    points = random.standard_normal((POINTS, DIMENSION))
    points[0], points[-1] = 0, 4 * points[-1]  # the origin, and a point far out
    points = np.round(points * 256) / 256
    rows = ",\n    ".join(json.dumps(case(weights, points, level)) for level in (0, 4, LEVELS - 1))
    text = f'{{\n  "points": {json.dumps(points.tolist())},\n  "cases": [\n    {rows}\n  ]\n}}\n'
    (FOLDER / "classifier.json").write_text(text)
