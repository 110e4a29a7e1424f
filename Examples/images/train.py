"""Trains U-Nets as `rrr-model train` does, from the same specs to the same model files, in JAX: on a GPU where there is one.

python train.py SPEC.json --output FILE.safetensors [--seconds S] [--from FILE] [--teacher FILE] [--sheet FILE.png]

Specs have a U-Net, data of the kind npy or sprites, and Adam with a batch as a whole; what else they may say is refused. The
random numbers are not those of rrr-model, so that the weights are others, of the same quality.

--seconds   ends after so long, with the learning rate of the spec stretched over it, whatever its iterations
--from      starts from the weights of a model file of the same architecture, whoever trained it
--teacher   the energy's gradient is fitted to what this network says the noise is, not to the noise that was added: a
            network of the kind "noise" that was trained before, which costs a third of an energy's training a step
            (the gradient of an energy as a network's score: Thornton and others 2025, arXiv 2502.12786)
--sheet     draws samples by ancestral steps, a row of ten for each of the first eight labels

FILE.state.npz is written now and then; the same command goes on from it, and removes it at the end. Needs jax and numpy.
"""

import argparse
import json
import math
import os
import struct
import sys
import time
import zlib

import jax
import jax.numpy as jnp
import numpy as np

import unet

# Keys of a spec that are known here; others could change what is trained.
SPEC = {
    "rrr_training", "seed", "architecture", "energy", "schedule", "data", "iterations", "batch", "shard", "optimizer", "ema",
    "label_dropout", "report_every", "checkpoint_every",
}  # fmt: skip
NEEDED = (
    "kind", "size", "channels", "model_channels", "multipliers", "blocks", "attention", "head_channels", "groups", "levels",
)  # fmt: skip
ARCHITECTURE = {*NEEDED, "classes", "scale_shift", "norm_epsilon", "middle_attention"}
COLOURS = jnp.array([[0.9, -0.7, -0.7], [-0.7, 0.8, -0.6], [-0.6, -0.4, 0.95], [0.9, 0.8, -0.7]])


def read_spec(path):
    """A spec, all of whose keys are known here."""
    with open(path) as file:
        spec = json.load(file)
    for key in sorted(set(spec) - SPEC) + sorted(set(spec["architecture"]) - ARCHITECTURE):
        sys.exit(f"{path}: \"{key}\" is not known here; train with rrr-model, or leave it out")
    for key in NEEDED:
        if key not in spec["architecture"]:
            sys.exit(f"{path}: /architecture/{key}: is missing")
    if spec["architecture"]["kind"] != "unet" or spec["data"]["kind"] not in ("npy", "sprites"):
        sys.exit(f"{path}: U-Nets, and data of the kinds npy and sprites, are trained here; use rrr-model for others")
    if spec.get("energy", {}).get("kind", "denoising") not in unet.TERMS and spec["energy"]["kind"] != "noise":
        sys.exit(f"{path}: /energy/kind: is {spec['energy']['kind']}; {', '.join(unet.TERMS)} and noise are known here")
    if "prediction" in spec.get("energy", {}):
        sys.exit(f"{path}: /energy/prediction: a network predicts the noise here; leave it out")
    return spec


def sprites(key, n):
    """Pictures of one to five sprites, each in a cell of its own, on grey, and a label for each: as rrr-model draws them."""
    keys = iter(jax.random.split(key, 10))

    def between(low, high, *shape):
        return jax.random.uniform(next(keys), (n, *shape), minval=low, maxval=high)

    count = jax.random.randint(next(keys), (n,), 1, 6)
    cells = between(0, 1, 16).argsort(1)[:, :5]
    form, colour = (jax.random.randint(next(keys), (n, 5), 0, most) for most in (3, 4))
    offsets, radius = between(-1, 1, 5, 2), between(2.2, 3, 5)
    picture = jnp.broadcast_to(between(-0.5, -0.3)[:, None, None, None], (n, 32, 32, 3))
    places = jnp.arange(32) + 0.5
    for i in range(5):
        dx = (places - (8 * (cells[:, i] % 4) + 4 + offsets[:, i, 0])[:, None])[:, None, :]
        dy = (places - (8 * (cells[:, i] // 4) + 4 + offsets[:, i, 1])[:, None])[:, :, None]
        r = radius[:, i, None, None]
        distances = [
            jnp.sqrt(dx**2 + dy**2) - r,
            jnp.maximum(abs(dx), abs(dy)) - 0.88 * r,
            jnp.maximum(math.sqrt(0.75) * abs(dx) - dy / 2, dy) - 0.6 * r,
        ]
        cover = jnp.clip(0.5 - jnp.choose(form[:, i, None, None], distances, mode="clip"), 0, 1)
        cover = (cover * (i < count)[:, None, None])[..., None]
        picture = (1 - cover) * picture + cover * COLOURS[colour[:, i]][:, None, None]
    one = jnp.minimum((between(0, 1) * count).astype(int), 4)
    cell, form, colour = (jnp.take_along_axis(these, one[:, None], 1)[:, 0] for these in (cells, form, colour))
    which = between(0, 1)
    return picture, jnp.where(which < 0.7, cell, jnp.where(which < 0.85, 16 + form, 19 + colour))


def data_source(spec, folder):
    """A function of a key and a number that draws so many pictures and labels."""
    data, classes = spec["data"], spec["architecture"].get("classes", 0)
    if data["kind"] == "sprites":
        return sprites
    pictures = np.load(os.path.join(folder, data["file"]))
    pictures = pictures / np.float32(127.5) - 1 if pictures.dtype == np.uint8 else pictures.astype(np.float32)
    labels = np.load(os.path.join(folder, data["labels"])) if "labels" in data else np.full(len(pictures), classes)
    rows = len(pictures) - data.get("held_out", 0)
    pictures, labels = jnp.asarray(pictures[:rows].transpose(0, 2, 3, 1)), jnp.asarray(labels[:rows].astype(np.int32))

    def draw(key, n):
        keys = jax.random.split(key)
        chosen = jax.random.randint(keys[0], (n,), 0, rows)
        flipped = jax.random.bernoulli(keys[1], 0.5 if data.get("flip") else 0.0, (n, 1, 1, 1))
        return jnp.where(flipped, pictures[chosen][:, :, ::-1], pictures[chosen]), labels[chosen]

    return draw


def trainer(spec, model, draw, teacher):
    """The step of a training: (state, key, learning rate) to the state behind it and the loss. A state is the weights, the
    means of gradients and of their squares, the averaged weights, and the number of steps."""
    levels, classes = model["architecture"]["levels"], model["architecture"].get("classes", 0)
    kept = jnp.asarray(unet.kept_variance(model["schedule"]), jnp.float32)
    n, optimizer = spec.get("batch", 1000), spec.get("optimizer", {})
    b1, b2 = optimizer.get("beta1", 0.9), optimizer.get("beta2", 0.999)
    dropout = spec.get("label_dropout", 0.1)

    def loss(p, key):
        keys = jax.random.split(key, 4)
        pictures, labels = draw(keys[0], n)
        t = jax.random.randint(keys[1], (n,), 0, levels)
        added = jax.random.normal(keys[2], pictures.shape)
        share = kept[t][:, None, None, None]
        x = jnp.sqrt(share) * pictures + jnp.sqrt(1 - share) * added
        y = jnp.where(jax.random.bernoulli(keys[3], float(dropout), (n,)), classes, labels)
        wanted = unet.noise(teacher[0], teacher[1], x, t, y) if teacher else added
        return ((unet.noise(p, model, x, t, y) - wanted) ** 2).mean()

    def step(state, key, rate):
        p, mean, square, average, count = state
        value, gradient = jax.value_and_grad(loss)(p, key)
        count = count + 1
        norm = jnp.sqrt(sum((g**2).sum() for g in gradient.values()))
        scale = jnp.minimum(1, optimizer.get("clip_norm", jnp.inf) / norm)
        mean = {k: b1 * mean[k] + (1 - b1) * scale * gradient[k] for k in p}
        square = {k: b2 * square[k] + (1 - b2) * (scale * gradient[k]) ** 2 for k in p}
        root = {k: jnp.sqrt(square[k] / (1 - b2**count)) + optimizer.get("epsilon", 1e-8) for k in p}
        p = {k: p[k] - rate * mean[k] / (1 - b1**count) / root[k] for k in p}
        share = jnp.minimum(spec.get("ema", 0.999), (1 + count) / (10 + count))
        average = {k: share * average[k] + (1 - share) * p[k] for k in p}
        return (p, mean, square, average, count), value

    return jax.jit(step, donate_argnums=0)


def learning_rate(optimizer, step, steps):
    """The rate of a step, counted from 0, as rrr-model's."""
    rate, last = optimizer.get("learning_rate", 1e-3), optimizer.get("final_learning_rate", 0)
    warmup = optimizer.get("warmup", 0)
    if step < warmup:
        return rate * (step + 1) / warmup
    if optimizer.get("decay", "constant") == "constant":
        return rate
    return last + (rate - last) * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def write_sheet(path, p, model, seed):
    """Ten samples of each of the first eight labels, a row for each, or eighty without labels: ancestral steps, the mean of the
    data at the end."""
    a, kept = model["architecture"], unet.kept_variance(model["schedule"])
    rows = min(8, a.get("classes", 0)) or 8
    y = jnp.repeat(jnp.arange(rows), 10) if a.get("classes") else jnp.zeros(80, int)
    random = np.random.default_rng(seed)
    x = random.standard_normal((len(y), *a["size"], a["channels"]))
    see = jax.jit(lambda x, t: unet.noise(p, model, x, t, y))
    for level in reversed(range(a["levels"])):
        e = np.asarray(see(jnp.asarray(x, jnp.float32), jnp.full(len(y), level)), np.float64)
        before = kept[level - 1] if level else 1.0
        beta = 1 - kept[level] / before
        x = (x - beta / np.sqrt(1 - kept[level]) * e) / np.sqrt(1 - beta)
        x += np.sqrt(beta * (1 - before) / (1 - kept[level])) * random.standard_normal(x.shape)
    tones = np.clip(np.rint((x + 1) * 127.5), 0, 255).astype(np.uint8)
    tones = np.pad(tones, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    height, width, channels = tones.shape[1:]
    sheet = tones.reshape(rows, 10, height, width, channels).transpose(0, 2, 1, 3, 4).repeat(2, 1).repeat(2, 3)
    lines = sheet.reshape(2 * rows * height, -1)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    size = struct.pack(">IIBBBBB", 20 * width, len(lines), 8, 2 if channels == 3 else 0, 0, 0, 0)
    content = zlib.compress(np.pad(lines, ((0, 0), (1, 0))).tobytes())
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", content) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec")
    parser.add_argument("--output", required=True)
    parser.add_argument("--seconds", type=float)
    for name in ("--from", "--teacher", "--sheet"):
        parser.add_argument(name, dest=name[2:] + "_file")
    options = parser.parse_args()
    if options.seconds is not None and not options.seconds > 0:
        sys.exit("--seconds: must be above 0")
    for path in filter(None, (options.spec, options.from_file, options.teacher_file)):
        if not os.path.isfile(path):
            sys.exit(f"{path}: there is no such file")
    for path in filter(None, (options.output, options.sheet_file)):
        if not os.path.isdir(os.path.dirname(path) or "."):
            sys.exit(f"{path}: there is no folder {os.path.dirname(path)}; make it first")
    spec = read_spec(options.spec)
    schedule = spec.get("schedule", {"kind": "cosine", "levels": spec["architecture"]["levels"]})
    energy = spec.get("energy", {"kind": "denoising"})
    model = {"format": 1, "architecture": spec["architecture"], "energy": energy, "schedule": schedule}
    teacher = unet.read_model(options.teacher_file) if options.teacher_file else None
    if teacher and teacher[1]["schedule"] != schedule:
        sys.exit(f"{options.teacher_file}: its schedule is {teacher[1]['schedule']}, and the spec's {schedule}")
    first = unet.initial(model, spec.get("seed", 0))
    if options.from_file:
        tensors, found = unet.read_model(options.from_file)
        if {k: v.shape for k, v in tensors.items()} != {k: v.shape for k, v in first.items()}:
            sys.exit(f"{options.from_file}: has the architecture {found['architecture']}, and the spec another")
        first = tensors
    names, state_file = list(first), options.output + ".state.npz"
    parts = [first, *({k: np.zeros_like(v) for k, v in first.items()} for _ in "ms"), first]
    count, used = 0, 0.0
    if os.path.exists(state_file):
        with np.load(state_file) as state:
            parts = [{k: state[f"{part}/{k}"] for k in names} for part in range(4)]
            count, used = int(state["count"]), float(state["seconds"])
    state = (*({k: jnp.array(part[k]) for k in names} for part in parts), jnp.asarray(float(count)))
    step = trainer(spec, model, data_source(spec, os.path.dirname(options.spec)), teacher)
    begin = time.time() - used
    losses = []

    def save():
        if losses and not math.isfinite(losses[-1]):
            sys.exit(f"the loss is {losses[-1]} after {count} steps; use a smaller learning_rate, or clip_norm 1")
        arrays = {f"{part}/{k}": np.asarray(v) for part in range(4) for k, v in state[part].items()}
        np.savez(state_file + ".part.npz", count=count, seconds=time.time() - begin, **arrays)
        os.replace(state_file + ".part.npz", state_file)
        unet.write_model(options.output, {k: np.asarray(v) for k, v in state[3].items()}, model)

    print("the first step takes longer, up to minutes without a GPU: it is compiled", file=sys.stderr, flush=True)
    saved = time.time()
    while True:
        done = (time.time() - begin) / options.seconds if options.seconds else count / spec["iterations"]
        if done >= 1:
            break
        place = done * spec["iterations"]
        rate = learning_rate(spec.get("optimizer", {}), place if options.seconds else count, spec["iterations"])
        state, loss = step(state, jax.random.fold_in(jax.random.key(spec.get("seed", 0)), count), rate)
        losses, count = losses[-99:] + [loss], count + 1
        if count % spec.get("report_every", 100) == 0:
            mean = float(jnp.stack(losses).mean())
            print(f"{count},{mean:.6f},{time.time() - begin:.1f}", flush=True)
        if time.time() - saved > 30:
            save()
            saved = time.time()
    save()
    os.remove(state_file)
    print(f"{count} steps, {time.time() - begin:.1f} s, {options.output}")
    if options.sheet_file:
        write_sheet(options.sheet_file, state[3], model, spec.get("seed", 0))


if __name__ == "__main__":
    main()
