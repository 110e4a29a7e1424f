#!/usr/bin/env python3
"""Times JAX and PyTorch on the network of the 2-D experiments, on one core.

    peers.py [--model FILE] [--alongside COMMAND] [--json]

Evaluations per second: energy and gradient of ROWS points at one noise level, a row being an
evaluation; each call waits for its result, as a sampler must. Training steps per second: the
gradient of mean((dE/dx - eps)^2) in all weights at batch 1000, levels mixed, then Adam and a
moving average. Every figure is the median (least - most) of repeats that take turns: whatever
else the machine does strikes all alike. JAX runs compiled (jit) in float32, PyTorch eagerly.
COMMAND runs once a repeat on the same core and prints one JSON object on its last line:
{"evaluations_per_second": {"64": x, ...}, "sgemm_fraction": {"64": x, ...}, "training_steps_per_second": x}.
"""
import argparse
import functools
import json
import os
import shlex
import statistics
import subprocess
import sys
import time

# Before anything that starts threads: one core, one thread, also for COMMAND.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

try:
    import numpy as np
except ImportError:
    np = None
    print("JAX and PyTorch are left out: numpy, which they build on, is not installed.", file=sys.stderr)

DIMENSION, HIDDEN, WIDE, BLOCKS, EMBEDDING, LEVELS = 2, 128, 256, 4, 32, 100
ROWS, LEVEL = (1, 8, 64, 256, 1024), 40
TRAINING, BATCH, RATE, DECAY = "training", 1000, 1e-3, 0.999


def shapes():
    """The shape of every tensor of the network's model file, by name."""
    block = {"norm": (HIDDEN,), "hidden": (WIDE, HIDDEN), "time": (WIDE, EMBEDDING), "inner": (WIDE, WIDE)}
    block |= {"output": (HIDDEN, WIDE)}
    layers = {f"blocks.{i}.{name}": shape for i in range(BLOCKS) for name, shape in block.items()}
    layers |= {"input": (HIDDEN, DIMENSION), "output": (DIMENSION, HIDDEN)}
    parts = {"weight": 2, "bias": 1}.items()
    table = {f"{name}.{part}": shape[:axes] for name, shape in layers.items() for part, axes in parts}
    return table | {"time_embedding.weight": (LEVELS, EMBEDDING)}


def random_weights(random):
    draw = lambda shape: random.standard_normal(shape, dtype=np.float32) / np.float32(shape[-1] ** 0.5)
    return {name: draw(shape) for name, shape in shapes().items()}


def read_weights(file):
    """The weights of a model file, which must describe the network timed here."""
    from safetensors import safe_open

    with safe_open(file, "numpy") as source:
        energy = json.loads((source.metadata() or {}).get("rrr.model", "{}")).get("energy")
        weights = {name: source.get_tensor(name) for name in source.keys()}
    if energy != {"kind": "denoising", "scale": 1} or {name: w.shape for name, w in weights.items()} != shapes():
        sys.exit(f"{file}: not the network of the 2-D experiments with a denoising energy of scale 1")
    return weights


def energy(w, x, condition, linear, norm, swish):
    """E(x, t) of every row, [n], for the embedding of t, [embedding] or [n, embedding]."""
    h = linear(x, w["input.weight"], w["input.bias"])
    for i in range(BLOCKS):
        layer = lambda name: (w[f"blocks.{i}.{name}.weight"], w[f"blocks.{i}.{name}.bias"])
        u = swish(norm(h, *layer("norm")))
        u = swish(linear(u, *layer("hidden")) + linear(condition, *layer("time")))
        h = h + linear(swish(linear(u, *layer("inner"))), *layer("output"))
    return ((x - linear(h, w["output.weight"], w["output.bias"])) ** 2).sum(-1)


class JAX:
    def __init__(self, weights):
        import jax
        import jax.numpy as jnp

        def norm(h, weight, bias):
            centred = h - h.mean(-1, keepdims=True)
            return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weight + bias

        def total(x, w, level):
            linear = lambda u, weight, bias: u @ weight.T + bias
            values = energy(w, x, w["time_embedding.weight"][level], linear, norm, jax.nn.silu)
            return values.sum(), values

        loss = lambda w, x, level, noise: ((jax.grad(total, has_aux=True)(x, w, level)[0] - noise) ** 2).mean()

        def step(state, *batch):
            w, first, second, average, count = state
            each, gradient, count = jax.tree.map, jax.grad(loss)(w, *batch), count + 1
            first = each(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
            second = each(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
            rate, root = RATE / (1 - 0.9**count), jnp.sqrt(1 - 0.999**count)
            w = each(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8), w, first, second)
            return w, first, second, each(lambda a, p: DECAY * a + (1 - DECAY) * p, average, w), count

        fresh = lambda value: jax.tree.map(lambda a: jnp.array(a * value), weights)
        self.jax, self.state = jax, (fresh(1), fresh(0), fresh(0), fresh(1), jnp.float32(0))
        constants = fresh(1)  # as arguments the weights make one row eight times slower
        self.evaluate = jax.jit(lambda x, level: jax.grad(total, has_aux=True)(x, constants, level))
        self.step = jax.jit(step, donate_argnums=0)

    def evaluation(self, x):
        x, level = self.jax.device_put((x, np.int32(LEVEL)))
        return lambda: self.jax.block_until_ready(self.evaluate(x, level))

    def training(self, *batch):
        def call():
            self.state = self.jax.block_until_ready(self.step(self.state, *batch))

        return call


class PyTorch:
    def __init__(self, weights, compiled=False):
        import torch
        from torch.nn.functional import layer_norm, linear, silu

        torch.set_num_threads(1)
        norm = lambda h, weight, bias: layer_norm(h, (HIDDEN,), weight, bias, 1e-5)
        run = lambda w, x, level: energy(w, x, w["time_embedding.weight"][level], linear, norm, silu)
        self.torch, self.energy = torch, torch.compile(run, dynamic=False) if compiled else run
        self.weights = {name: torch.from_numpy(w.copy()) for name, w in weights.items()}

    def evaluation(self, x):
        x = self.torch.from_numpy(x).requires_grad_()

        def call():
            values = self.energy(self.weights, x, LEVEL)
            return self.torch.autograd.grad(values.sum(), x)[0], values.detach()

        return call

    def training(self, *batch):
        torch = self.torch
        x, level, noise = map(torch.from_numpy, batch)
        x.requires_grad_()
        w = {name: tensor.clone().requires_grad_() for name, tensor in self.weights.items()}
        parameters, average = list(w.values()), [tensor.clone() for tensor in self.weights.values()]
        optimiser = torch.optim.Adam(parameters, lr=RATE, fused=True)

        def call():
            (gradient,) = torch.autograd.grad(self.energy(w, x, level).sum(), x, create_graph=True)
            optimiser.zero_grad()
            ((gradient - noise) ** 2).mean().backward(inputs=parameters)
            optimiser.step()
            torch._foreach_lerp_(average, [tensor.detach() for tensor in parameters], 1 - DECAY)

        return call


def prepare(peers, weights, random):
    """The calls to time, {framework: {rows or "training": call}}; their energies and gradients must agree."""
    points = {rows: random.standard_normal((rows, DIMENSION), dtype=np.float32) for rows in ROWS}
    noise = random.standard_normal((BATCH, DIMENSION), dtype=np.float32)
    batch = noise + 0.5, random.integers(0, LEVELS, BATCH, dtype=np.int32), noise
    calls, wanted = {}, {}
    for name, make in peers.items():
        try:
            peer = make(weights)
        except ImportError as missing:
            print(f"{name} is left out: {missing}.", file=sys.stderr)
            continue
        calls[name] = {rows: peer.evaluation(x) for rows, x in points.items()}
        for rows, call in calls[name].items():
            found = np.column_stack([np.asarray(part) for part in call()])
            np.testing.assert_allclose(found, wanted.setdefault(rows, found), rtol=1e-3, atol=1e-3, err_msg=name)
        if "compiled" not in name:  # torch.compile has no derivative of a derivative
            calls[name][TRAINING] = peer.training(*batch)
    return calls


def calls_per_second(call, seconds):
    """Calls per second over at least `seconds`, after one call to warm up."""
    call()
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        call()
        count += 1
    return count / elapsed


def run_alongside(command):
    """One run of our own benchmark: {rows or "training" or "sgemm ROWS": figure}."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True)
    try:
        report = json.loads(done.stdout.splitlines()[-1])
        sgemm = {f"sgemm {rows}": x for rows, x in report["sgemm_fraction"].items()}
        evaluations = {int(rows): x for rows, x in report["evaluations_per_second"].items()}
        training = {TRAINING: report[key] for key in ("training_steps_per_second",) if key in report}
        return evaluations | training | sgemm
    except (IndexError, KeyError, ValueError) as problem:
        sys.exit(f"{command}: status {done.returncode}, and no report as --help describes it ({problem!r})")


def measure(calls, options):
    """The medians and spreads, {who: {what: {...}}}, and ratios of medians, {"ours / JAX": {what: x}, ...}."""
    found = {name: {what: [] for what in table} for name, table in calls.items()}
    for repeat in range(options.repeats):
        print(f"repeat {repeat + 1} of {options.repeats}", file=sys.stderr)
        for what in dict.fromkeys(what for table in calls.values() for what in table):
            for name in (name for name in calls if what in calls[name]):
                speed = calls_per_second(calls[name][what], options.seconds)
                found[name][what].append(speed if what == TRAINING else speed * what)
        for what, figure in run_alongside(options.alongside).items() if options.alongside else ():
            found.setdefault("ours", {}).setdefault(what, []).append(figure)
    spread = lambda x: {"median": statistics.median(x), "least": min(x), "most": max(x)}
    report = {name: {str(what): spread(x) for what, x in table.items()} for name, table in found.items()}
    ours = report.get("ours", {})
    for name in calls if ours else ():
        theirs = report[name].items()
        report[f"ours / {name}"] = {what: ours[what]["median"] / x["median"] for what, x in theirs if what in ours}
    return report


def show(report):
    number = lambda x: f"{x:,.0f}" if x >= 100 else f"{x:.2f}"
    spread = lambda x: f"{number(x['median'])} ({number(x['least'])} - {number(x['most'])})"
    cell = lambda x: "-" if x is None else spread(x) if isinstance(x, dict) else number(x)
    print(" " * 11 + "".join(f"{name:>27}" for name in report))
    for what in dict.fromkeys(what for table in report.values() for what in table):
        cells = "".join(f"{cell(table.get(what)):>27}" for table in report.values())
        print(f"{what + ' rows' * what.isdigit():<11}" + cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="FILE", help="weights of a model file instead of random ones")
    parser.add_argument("--alongside", metavar="COMMAND", help="our own benchmark, run once a repeat")
    parser.add_argument("--compile", action="store_true", help="also time torch.compile (needs a C++ compiler)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="least length of one repeat of one figure")
    options = parser.parse_args()
    calls = {}
    if np:
        random = np.random.default_rng(7)
        weights = read_weights(options.model) if options.model else random_weights(random)
        compiled = {"PyTorch compiled": functools.partial(PyTorch, compiled=True)} if options.compile else {}
        calls = prepare({"JAX": JAX, "PyTorch": PyTorch} | compiled, weights, random)
    report = measure(calls, options)
    print(json.dumps(report)) if options.json else show(report)


if __name__ == "__main__":
    main()
