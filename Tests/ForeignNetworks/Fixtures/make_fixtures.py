#!/usr/bin/env python3
"""Writes NAME.json beside this file: networks of three public layouts, and what they give.

Needs torch, diffusers, and on the path guided_diffusion (openai/guided-diffusion) and, as composable_diffusion, that of
reduce_reuse_recycle at commit e5e0871: their own modules tell names and shapes, and compute what is expected.

Weights are not stored: a number follows from the tensor's place in the file and its own place, by a formula that the
tests have too. NAME.json holds "tensors" [name, shape, first, spread], each number being first + spread * u with u from
-1 to 127/128 in steps of 1/128, so that half precision holds it; "files", the JSON files that stand beside; "points"
[n][channels * height * width]; and "cases": level, label, energy (null for none) and gradient, that of the energy or the
noise that is predicted, or log_probabilities and, for each label, their gradient, all from automatic differentiation in
double precision.
"""
import json
import math
from pathlib import Path

import numpy as np
import torch
from composable_diffusion.unet import Energy_UNetModel_full
from diffusers import DDPMScheduler, UNet2DModel
from guided_diffusion.unet import EncoderUNetModel, UNetModel

FOLDER = Path(__file__).parent
POINTS = 2


def units(place, count):
    """u of each number of the tensor at a place: SplitMix64 of both, of which the upper 8 bits."""
    z = (np.uint64(place) << np.uint64(32)) + np.arange(1, count + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(56)).astype(np.int64) - 128) / 128


def fill(network):
    """Gives weights and says what they are: [name, shape, first, spread] for each tensor."""
    tensors = []
    state = network.state_dict()
    for place, (name, tensor) in enumerate(sorted(state.items())):
        shape = list(tensor.shape)
        if len(shape) > 1:
            first, spread = 0, 2.0 ** -round(math.log2(math.sqrt(math.prod(shape[1:]) / 3)))
            if "emb" in name and "time" not in name:
                first, spread = 0, 0.5
        else:
            first, spread = (0, 0.25) if name.endswith("bias") else (1, 0.25)
        numbers = first + spread * units(place, math.prod(shape))
        tensor.copy_(torch.from_numpy(numbers.reshape(shape)))
        tensors.append([name, shape, first, spread])
    return tensors


def rounded(numbers):
    return [[float(f"{number:.8g}") for number in row] for row in numbers.flatten(1).tolist()]


def widened(network):
    """In double precision, also where modules ask for single: for norms and the features of levels."""
    network.double().eval()
    if not hasattr(type(network), "dtype"):
        network.dtype = torch.float64
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float, torch.float32 = torch.Tensor.double, torch.float64


def restored():
    torch.Tensor.float, torch.float32 = SINGLE
    torch.set_default_dtype(torch.float32)


SINGLE = torch.Tensor.float, torch.float32


def fixture(name, network, shape, options, cases, output, form=None, files=None):
    """output(network, x, level, label) is f; form is of an energy, or what is predicted, or "classifier"."""
    tensors = fill(network)
    widened(network)
    torch.manual_seed(len(name))
    points = (torch.randn(POINTS, *shape, dtype=torch.float64) * 64).round() / 64
    rows = []
    for level, label in cases:
        def given():
            x = points.clone().requires_grad_(True)
            y = None if label is None else torch.full((POINTS,), label)
            return x, output(network, x, torch.full((POINTS,), level), y)

        x, f = given()
        row = {"level": level, "label": label}
        if form == "classifier":
            row |= {"log_probabilities": f.log_softmax(1).tolist(), "gradients": []}
            for c in range(f.shape[1]):  # Its checkpoints allow for one gradient a pass.
                x, f = given()
                row["gradients"].append(rounded(torch.autograd.grad(f.log_softmax(1)[:, c].sum(), x)[0]))
        elif form == "epsilon":
            row |= {"energy": None, "gradient": rounded(f[:, : shape[0]])}
        else:
            e = form(x, f).sum(dim=(1, 2, 3))
            row |= {"energy": e.tolist(), "gradient": rounded(torch.autograd.grad(e.sum(), x)[0])}
        rows.append(row)
    restored()
    text = {
        "options": options, "shape": shape, "tensors": tensors, "files": files or {},
        "points": points.flatten(1).tolist(), "cases": rows}
    lines = [f"{json.dumps(key)}: {lined(value)}" for key, value in text.items()]
    (FOLDER / f"{name}.json").write_text("{" + ",\n".join(lines) + "}\n")


def lined(value):
    if not isinstance(value, list) or not value or not isinstance(value[0], (list, dict)):
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(row) for row in value) + "]"


def guided(network, x, level, label):
    return network(x, level) if label is None else network(x, level, label)


def reused(network, x, level, label):
    """f of reduce_reuse_recycle's energy, whose forward gives the gradient alone."""
    kept = []
    hook = network.out.register_forward_hook(lambda module, inputs, output: kept.append(output))
    y = torch.zeros(POINTS, dtype=torch.long) if label is None else label
    network(x, level, y=y, masks=torch.full((POINTS,), label is not None))
    hook.remove()
    return kept[0]


def diffused(network, x, level, label):
    return network(x, level, class_labels=label).sample


def pipeline(network, **scheduler):
    """config.json and scheduler_config.json as diffusers write them."""
    config = json.loads(network.to_json_string())
    return {"config.json": config, "scheduler_config.json": json.loads(DDPMScheduler(**scheduler).to_json_string())}


if __name__ == "__main__":
    small = dict(in_channels=3, model_channels=32, num_res_blocks=1, channel_mult=(1, 2))
    energy = lambda **more: Energy_UNetModel_full(
        **small, out_channels=3, attention_resolutions=(2,), num_head_channels=16, resblock_updown=True,
        num_classes="3,", dataset="clevr_norel", **more)
    half = ["--size", "8", "--head-channels", "16"]
    fixture(
        "reduce-reuse-recycle", energy(), [3, 8, 8], half + ["--energy", "denoising", "--scale", "0.5"],
        [(0, None), (700, 2), (999, 0)], reused, lambda x, f: 0.5 * (x - f) ** 2)
    fixture(
        "reduce-reuse-recycle-norm", Energy_UNetModel_full(
            **small | {"channel_mult": (1, 1)}, out_channels=3, attention_resolutions=(1, 2), num_heads=2,
            num_classes="3,", dataset="clevr_norel"), [3, 8, 8],
        ["--size", "8", "--heads", "2", "--energy", "squared_norm", "--linear", "1e-4", "0.02", "--levels", "100"],
        [(20, None), (99, 1)], reused, lambda x, f: 0.5 * f**2)

    model = lambda **more: UNetModel(**dict(small, image_size=8, dropout=0.1, out_channels=6) | more)
    fixture(
        "guided-new-order", model(
            attention_resolutions=(1, 2), num_head_channels=16, use_scale_shift_norm=True, resblock_updown=True,
            use_new_attention_order=True, num_classes=5), [3, 8, 8], half + ["--qkv", "split", "--cosine"],
        [(3, 0), (700, 4)], guided, "epsilon")
    fixture(
        "guided-unconditional", model(
            attention_resolutions=(2,), num_heads=4, use_scale_shift_norm=True, resblock_updown=True, num_res_blocks=2,
            channel_mult=(0.5, 1), model_channels=64), [3, 8, 8],
        ["--size", "8", "--heads", "4", "--qkv", "interleaved", "--linear", "1e-4", "0.02"], [(3, None), (700, None)],
        guided, "epsilon")
    fixture(
        "guided-convolutions", model(
            attention_resolutions=(), num_head_channels=32, out_channels=3, channel_mult=(1, 1, 1)), [3, 8, 12],
        ["--size", "8x12", "--head-channels", "32", "--qkv", "interleaved", "--linear", "1e-4", "0.02"],
        [(400, None)], guided, "epsilon")
    fixture(
        "guided-pooling", model(
            attention_resolutions=(), num_heads=1, out_channels=3, channel_mult=(1, 1), conv_resample=False),
        [3, 8, 8], ["--size", "8", "--heads", "1", "--scaled-linear", "1e-4", "0.02"], [(400, None)], guided, "epsilon")
    fixture(
        "guided-classifier", EncoderUNetModel(
            image_size=8, in_channels=3, model_channels=32, out_channels=4, num_res_blocks=2, channel_mult=(1, 2),
            attention_resolutions=(1, 2), num_head_channels=16, use_scale_shift_norm=True, resblock_updown=True,
            pool="attention"), [3, 8, 8], ["--head-channels", "16", "--cosine"], [(0, None), (900, None)], guided,
        "classifier")

    down, up = ("DownBlock2D", "AttnDownBlock2D"), ("AttnUpBlock2D", "UpBlock2D")
    ddpm = UNet2DModel(
        sample_size=8, block_out_channels=(32, 64), layers_per_block=2, down_block_types=down, up_block_types=up,
        downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6, attention_head_dim=None)
    fixture(
        "diffusers-ddpm", ddpm, [3, 8, 8], [], [(0, None), (999, None)], diffused, "epsilon",
        pipeline(ddpm, num_train_timesteps=1000, beta_schedule="linear"))
    usual = UNet2DModel(
        sample_size=(8, 12), in_channels=1, out_channels=1, block_out_channels=(32, 32, 64), layers_per_block=1,
        down_block_types=("AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D"), norm_num_groups=8, add_attention=False)
    fixture(
        "diffusers-defaults", usual, [1, 8, 12], [], [(500, None)], diffused, "epsilon",
        pipeline(usual, beta_schedule="squaredcos_cap_v2"))
    ported = UNet2DModel(
        sample_size=8, out_channels=6, block_out_channels=(32, 64), layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"), downsample_type="resnet", upsample_type="resnet",
        resnet_time_scale_shift="scale_shift", attn_norm_num_groups=32, attention_head_dim=16, num_class_embeds=5)
    fixture(
        "diffusers-ported", ported, [3, 8, 8], [], [(2, 0), (90, 4)], diffused, "epsilon",
        pipeline(ported, num_train_timesteps=100, beta_start=1e-3, beta_end=0.05, beta_schedule="scaled_linear"))
