#!/usr/bin/env python3
"""Writes the U-Nets unet-NAME.safetensors beside this file, and unet-NAME.json with what they must give.

Needs torch and safetensors. The modules below bear the names of the parameters in a model file, so that the names are
those that PyTorch makes of them. unet-NAME.json holds "points" [n][channels * height * width], exact in float32, and
"cases" as make_fixtures.py and make_classifier_fixture.py have them, from automatic differentiation in float64 on the
weights as stored, in float16.
"""
import json
import math
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent
POINTS = 2


class Attend(nn.Module):
    def __init__(self, a, channels):
        super().__init__()
        self.heads = a["heads"] if "heads" in a else channels // a["head_channels"]
        self.split = a.get("qkv") == "split"
        self.norm = nn.GroupNorm(a["groups"], channels, eps=a.get("norm_epsilon", 1e-5))
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x, _):
        n, channels = x.shape[:2]
        mixed = self.qkv(self.norm(x).reshape(n, channels, -1))
        return x + self.proj_out(attention(mixed, self.heads, self.split)).reshape(x.shape)


def attention(mixed, heads, split):
    """[n, 3 channels, tokens] -> [n, channels, tokens]."""
    n, triple, tokens = mixed.shape
    width = triple // 3 // heads
    if split:
        q, k, v = mixed.reshape(n, 3, heads, width, tokens).unbind(1)
    else:
        q, k, v = mixed.reshape(n, heads, 3, width, tokens).unbind(2)
    weight = torch.einsum("nhct,nhcs->nhts", q * width**-0.25, k * width**-0.25).softmax(-1)
    return torch.einsum("nhts,nhcs->nhct", weight, v).reshape(n, heads * width, tokens)


class Residual(nn.Module):
    def __init__(self, a, inputs, outputs, change=None):
        super().__init__()
        self.shifts, self.change = a.get("scale_shift", False), change
        epsilon = a.get("norm_epsilon", 1e-5)
        embedding = 4 * a["model_channels"]
        self.in_layers = nn.Sequential(
            nn.GroupNorm(a["groups"], inputs, eps=epsilon), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, outputs * (2 if self.shifts else 1)))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(a["groups"], outputs, eps=epsilon), nn.SiLU(), nn.Identity(),
            nn.Conv2d(outputs, outputs, 3, padding=1))
        if inputs != outputs:
            self.skip_connection = nn.Conv2d(inputs, outputs, 1)

    def resize(self, x):
        if self.change == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.change == "up" else x

    def forward(self, x, embedding):
        h = self.in_layers[2](self.resize(self.in_layers[:2](x)))
        x = self.resize(x)
        e = self.emb_layers(embedding)[:, :, None, None]
        if self.shifts:
            scale, shift = e.chunk(2, 1)
            h = self.out_layers[1:](self.out_layers[0](h) * (1 + scale) + shift)
        else:
            h = self.out_layers(h + e)
        return (self.skip_connection(x) if hasattr(self, "skip_connection") else x) + h


class Entrance(nn.Conv2d):
    def forward(self, x, _):
        return super().forward(x)


class Down(nn.Module):
    def __init__(self, a, channels):
        super().__init__()
        self.right_bottom = a.get("padding") == "right_bottom"
        if a["resample"] == "convolution":
            self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=0 if self.right_bottom else 1)

    def forward(self, x, _):
        if not hasattr(self, "op"):
            return F.avg_pool2d(x, 2)
        return self.op(F.pad(x, (0, 1, 0, 1)) if self.right_bottom else x)


class Up(nn.Module):
    def __init__(self, a, channels):
        super().__init__()
        if a["resample"] == "convolution":
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, _):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return self.conv(x) if hasattr(self, "conv") else x


class Pool(nn.Module):
    """Attention of the mean over the pixels to itself and to them."""

    def __init__(self, a, channels, pixels):
        super().__init__()
        self.heads = channels // a["head_channels"]
        self.positional_embedding = nn.Parameter(torch.zeros(channels, pixels + 1))
        self.qkv_proj = nn.Conv1d(channels, 3 * channels, 1)
        self.c_proj = nn.Conv1d(channels, a["classes"], 1)

    def forward(self, x):
        x = x.flatten(2)
        x = torch.cat([x.mean(2, keepdim=True), x], 2) + self.positional_embedding
        return self.c_proj(attention(self.qkv_proj(x), self.heads, True))[:, :, 0]


class Network(nn.Module):
    def __init__(self, a, null_row=True):
        super().__init__()
        self.a = a
        features, (height, width) = [int(m * a["model_channels"]) for m in a["multipliers"]], a["size"]
        embedding = 4 * a["model_channels"]
        self.time_embed = nn.Sequential(nn.Linear(a["model_channels"], embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        classifies = a["kind"] == "unet_classifier"
        if "classes" in a and not classifies:
            self.label_emb = nn.Embedding(a["classes"], embedding)
            if null_row:
                self.null_emb = nn.Embedding(1, embedding)
        by_block = a.get("resample", "block") == "block"

        def block(inputs, outputs):
            return [Residual(a, inputs, outputs)] + ([Attend(a, outputs)] if width in a["attention"] else [])

        channels, kept = features[0], [features[0]]
        down = [[Entrance(a["channels"], channels, 3, padding=1)]]
        for depth, outputs in enumerate(features):
            for _ in range(a["blocks"]):
                down.append(block(channels, outputs))
                channels = outputs
                kept.append(channels)
            if depth < len(features) - 1:
                down.append([Residual(a, channels, channels, "down") if by_block else Down(a, channels)])
                kept.append(channels)
                width //= 2
        self.input_blocks = nn.ModuleList(nn.Sequential(*layers) for layers in down)
        middle = [Attend(a, channels)] if a.get("middle_attention", True) else []
        self.middle_block = nn.Sequential(Residual(a, channels, channels), *middle, Residual(a, channels, channels))
        if classifies:
            last = Pool(a, channels, width * (height >> (len(features) - 1)))
        else:
            up = []
            for depth, outputs in reversed(list(enumerate(features))):
                for number in range(a["blocks"] + 1):
                    layers = block(channels + kept.pop(), outputs)
                    channels = outputs
                    if depth and number == a["blocks"]:
                        layers.append(Residual(a, channels, channels, "up") if by_block else Up(a, channels))
                        width *= 2
                    up.append(layers)
            self.output_blocks = nn.ModuleList(nn.Sequential(*layers) for layers in up)
            last = nn.Conv2d(channels, a.get("outputs", a["channels"]), 3, padding=1)
        self.out = nn.Sequential(
            nn.GroupNorm(a["groups"], channels, eps=a.get("norm_epsilon", 1e-5)), nn.SiLU(), last)

    def forward(self, x, level, label):
        time = {"order": "cos_sin", "shift": 0, "scale": 1} | self.a.get("time", {})
        half = self.a["model_channels"] // 2
        angles = level * time["scale"] * torch.exp(
            -math.log(10000) * torch.arange(half, dtype=x.dtype) / (half - time["shift"]))
        features = [angles.cos(), angles.sin()]
        embedding = self.time_embed(torch.cat(features if time["order"] == "cos_sin" else features[::-1]))[None]
        if hasattr(self, "label_emb"):
            embedding = embedding + (self.null_emb.weight[0] if label is None else self.label_emb.weight[label])
        h, kept = x, []

        def through(layers, h):
            for layer in layers:
                h = layer(h, embedding)
            return h

        for layers in self.input_blocks:
            h = through(layers, h)
            kept.append(h)
        h = through(self.middle_block, h)
        for layers in getattr(self, "output_blocks", []):
            h = through(layers, torch.cat([h, kept.pop()], 1))
        return self.out(h)


def energy(kind, scale, x, f):
    forms = {"denoising": (x - f) ** 2, "squared_norm": 0.5 * f**2, "inner_product": x * f}
    return scale * forms[kind].sum(dim=(1, 2, 3))


def abar(levels):
    """Of the cosine schedule."""
    square = [math.cos((t / levels + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(levels + 1)]
    signal, all_levels = 1.0, []
    for t in range(levels):
        signal *= 1 - min(1 - square[t + 1] / square[t], 0.999)
        all_levels.append(signal)
    return all_levels


def noise(prediction, x, f, signal):
    sigma = math.sqrt(1 - signal)
    if prediction == "v":
        return math.sqrt(signal) * f + sigma * x
    return (x - math.sqrt(signal) * f) / sigma if prediction == "sample" else f


def rounded(numbers):
    return [[float(f"{number:.9g}") for number in row] for row in numbers.flatten(1).tolist()]


def case(network, form, points, level, label):
    x = points.clone().requires_grad_(True)
    f = network(x, level, label)
    if "classes" in network.a and network.a["kind"] == "unet_classifier":
        f = f.log_softmax(1)
        slopes = [torch.autograd.grad(f[:, c].sum(), x, retain_graph=True)[0] for c in range(f.shape[1])]
        return {"level": level, "log_probabilities": f.tolist(), "gradients": [rounded(s) for s in slopes]}
    f = f[:, : x.shape[1]]
    result = {"level": level, "label": label, "energy": None}
    if form["kind"] == "noise":
        signal = abar(network.a["levels"])[level]
        gradient = form.get("scale", 1) * f
        gradient = noise(form.get("prediction", "epsilon"), x, gradient, signal)
    else:
        e = energy(form["kind"], form.get("scale", 1), x, f)
        (gradient,) = torch.autograd.grad(e.sum(), x)
        result["energy"] = e.tolist()
    return result | {"gradient": rounded(gradient)}


def fixture(name, form, architecture, labels=(None,), levels=(0, 61, 99), null_row=True):
    torch.manual_seed(len(name))
    network = Network(architecture, null_row)
    with torch.no_grad():
        for path, weights in network.named_parameters():
            if weights.dim() == 1 and "bias" not in path:  # a norm's
                weights.copy_(1 + 0.2 * torch.randn_like(weights))
            elif weights.dim() == 1:
                weights.normal_(0, 0.2)
            else:
                weights.normal_(0, 0.5 if "emb.weight" in path else 1 / math.sqrt(weights[0].numel()))
            weights.copy_(weights.half())
    schedule = {"kind": "cosine", "levels": architecture["levels"]}
    description = {"format": 1, "architecture": architecture} | ({"energy": form} if form else {}) | {"schedule": schedule}
    save_file(
        {path: weights.detach().half().contiguous() for path, weights in network.named_parameters()},
        FOLDER / f"unet-{name}.safetensors", metadata={"rrr.model": json.dumps(description)})
    points = (torch.randn(POINTS, architecture["channels"], *architecture["size"]) * 64).round().double() / 64
    write(name, network, form, points, levels, labels)


def write(name, network, form, points, levels, labels):
    network.double()
    cases = [case(network, form, points, level, label) for level in levels for label in labels]
    rows = ",\n    ".join(json.dumps(row) for row in cases)
    text = f'{{\n  "points": {json.dumps(points.flatten(1).tolist())},\n  "cases": [\n    {rows}\n  ]\n}}\n'
    (FOLDER / f"unet-{name}.json").write_text(text)


def trained(name, levels, labels):
    """What a network of the examples gives at a point: unet-NAME.json alone."""
    with safe_open(FOLDER.parents[2] / f"Examples/models/{name}.safetensors", "pt") as file:
        description = json.loads(file.metadata()["rrr.model"])
        weights = {tensor: file.get_tensor(tensor) for tensor in file.keys()}
    network = Network(description["architecture"])
    network.load_state_dict(weights)
    torch.manual_seed(1)
    shape = description["architecture"]["channels"], *description["architecture"]["size"]
    points = (torch.randn(1, *shape) * 4).round().double() / 4
    write(name, network, description["energy"], points, levels, labels)


BASE = {
    "kind": "unet", "size": [8, 8], "channels": 3, "model_channels": 4, "multipliers": [1, 2], "blocks": 1,
    "attention": [8, 4], "groups": 2, "levels": 100,
}

if __name__ == "__main__":
    # The layout of reduce_reuse_recycle's energies: labels and a row for none.
    fixture("energy", {"kind": "denoising", "scale": 0.5}, BASE | {"head_channels": 2, "classes": 3}, labels=(None, 2), levels=(0, 99))
    # Guided diffusion: scale and shift, queries first, a variance learned too, labels without a row for none.
    fixture(
        "guided", {"kind": "noise"},
        BASE | {"head_channels": 4, "scale_shift": True, "qkv": "split", "outputs": 6, "classes": 2}, labels=(0, 1),
        levels=(5, 80), null_row=False)
    # Strided convolutions, so many heads, two blocks, one channel, another form of prediction.
    fixture(
        "convolution", {"kind": "noise", "prediction": "v", "scale": 0.75},
        BASE | {"channels": 1, "heads": 2, "resample": "convolution", "blocks": 2, "attention": [4]})
    # Means alone, images that are not square, half as many features at first.
    fixture(
        "pool", {"kind": "noise", "prediction": "sample"},
        BASE | {"size": [4, 12], "model_channels": 8, "multipliers": [0.5, 1, 0.5], "heads": 1, "resample": "pool",
                "attention": [6], "scale_shift": True})
    # As diffusers' DDPM: padding to the right and below, sines first with a shift, one head, a small epsilon.
    fixture(
        "ddpm", {"kind": "noise"},
        BASE | {"heads": 1, "qkv": "split", "resample": "convolution", "padding": "right_bottom", "norm_epsilon": 1e-6,
                "attention": [4], "time": {"order": "sin_cos", "shift": 1}})
    # No attention at all, scaled times, the other energies.
    fixture(
        "product", {"kind": "inner_product", "scale": 0.25},
        BASE | {"heads": 1, "attention": [], "middle_attention": False, "time": {"scale": 2.5}})
    fixture("norm", {"kind": "squared_norm"}, BASE | {"head_channels": 8, "attention": [], "qkv": "split", "scale_shift": True})
    fixture(
        "classifier", None,
        BASE | {"kind": "unet_classifier", "head_channels": 2, "attention": [4], "scale_shift": True,
                "classes": 3}, levels=(0, 90))
    trained("sprites", levels=(30,), labels=(17,))
