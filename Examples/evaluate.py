#!/usr/bin/env python3
"""Scores output folders of the 2-D tasks.

    evaluate.py [--reference] FOLDER...
    evaluate.py DISTRIBUTION=FOLDER...

The first form scores the product task, "ring and bar":

LL      mean of log q1 + log q2~ - log c over the samples inside [-1.1, 1.1]^2:
        q1 is the clean ring, q2~ the clean bar with a small floor beside it.
out     samples outside that square; they do not enter LL.
near    fraction of all samples within 0.09 of a mode, (0, 0.5) or (0, -0.5).
TV      total variation against the exact density of level 0, on 16 x 16 cells
        over [-1.6, 1.6]^2; what lies beyond the grid is one more cell.
grads   gradients per chain.
accept  mean acceptance; "-" where no transitions run.

--reference adds a row for 2000 exact samples of level 0, the best that a
sampler can do on this path.

The second form gives TV against the exact level 0 of the named distribution:
product, or one that a task is composed of, TASK-first or TASK-second with TASK
product, mixture or negation. "beyond" are samples off the grid; "noise" is the
TV to be expected of as many exact, independent samples.

    evaluate.py component-K=FOLDER...

tells how near samples are to component K of the ring, 0 in the east and on
counterclockwise, or to one of several, component-K-L: nearest is the fraction
of all samples that no other centre is nearer to; mean and std are, for each of
K, L..., those of the samples nearest to it, along x and y, and the exact ones
of level 0.
"""
import argparse
import json
import math
import re
import sys
from pathlib import Path

import numpy as np

ANGLES = 2 * np.pi * np.arange(8) / 8
CENTRES = 0.5 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
STD = 0.03
BAR = ((-0.2, 0.2), (-1.0, 1.0))
FACTORS = {  # boxes by their sides [low, high]; every distribution is the product of its factors
    "product": ("ring", BAR),
    "product-first": ("ring",),
    "product-second": (BAR,),
    "mixture-first": (((-0.3, -0.1), (-1.0, 1.0)),),
    "mixture-second": (((0.1, 0.3), (-1.0, 1.0)),),
    "negation-first": (((-0.7, 0.7), (-0.7, 0.7)),),
    "negation-second": (((-0.3, 0.3), (-0.3, 0.3)),),
}
MODES = np.array([[0.0, 0.5], [0.0, -0.5]])
SIGMA_0 = 0.025125  # level 0 of the cosine schedule with 100 levels
ABAR_0 = 1 - SIGMA_0**2
CELLS, REACH = 16, 1.6
FINE = 64  # quadrature points per cell and axis


def log_ring(x, centres, variance):
    """Log density of eight equal Gaussians at the points x, shape [n, 2]."""
    square = ((x[:, None, :] - centres) ** 2).sum(axis=2)
    exponent = -square / (2 * variance)
    top = exponent.max(axis=1)
    total = np.exp(exponent - top[:, None]).sum(axis=1)
    return top + np.log(total) - math.log(8 * 2 * math.pi * variance)


def log_likelihood(x):
    """The yardstick LL, and how many samples it leaves out."""
    inside = (np.abs(x) <= 1.1).all(axis=1)
    x = x[inside]
    in_bar = (np.abs(x[:, 0]) <= BAR[0][1]) & (np.abs(x[:, 1]) <= BAR[1][1])
    log_bar = np.where(in_bar, math.log(1.2375), math.log(0.0024752))
    value = log_ring(x, CENTRES, STD**2) + log_bar - math.log(0.3112315)
    return (value.mean() if len(x) else math.nan), int((~inside).sum())


def near_a_mode(x):
    distance = np.linalg.norm(x[:, None, :] - MODES, axis=2).min(axis=1)
    return (distance <= 0.09).mean()


def level_zero(name):
    """Quadrature points on one axis, and the distribution's level-0 masses on their grid."""
    count = CELLS * FINE
    axis = -REACH + (np.arange(count) + 0.5) * (2 * REACH / count)
    scale, root = math.sqrt(ABAR_0), SIGMA_0 * math.sqrt(2)
    mass = np.ones((count, count))
    for factor in FACTORS[name]:
        if factor == "ring":
            points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
            ring = np.exp(log_ring(points, scale * CENTRES, ABAR_0 * STD**2 + SIGMA_0**2))
            mass *= ring.reshape(count, count)
        else:
            sides = [
                [math.erf((a - scale * low) / root) - math.erf((a - scale * high) / root) for a in axis]
                for low, high in factor
            ]
            mass *= np.outer(*sides)
    return axis, mass / mass.sum()


def cell_masses(mass):
    return mass.reshape(CELLS, FINE, CELLS, FINE).sum(axis=(1, 3))


def total_variation(x, mass):
    edges = np.linspace(-REACH, REACH, CELLS + 1)
    found = np.histogram2d(x[:, 0], x[:, 1], bins=(edges, edges))[0] / len(x)
    return 0.5 * (np.abs(found - cell_masses(mass)).sum() + (1 - found.sum()))


def sampling_noise(count, mass, repeats=200, seed=0):
    """Mean TV of `count` exact, independent samples."""
    exact = cell_masses(mass).ravel()
    found = np.random.default_rng(seed).multinomial(count, exact, size=repeats) / count
    return 0.5 * np.abs(found - exact).sum(axis=1).mean()


def exact_samples(axis, mass, count=2000, seed=0):
    random = np.random.default_rng(seed)
    cell = random.choice(mass.size, size=count, p=mass.ravel())
    x = np.stack([axis[cell // len(axis)], axis[cell % len(axis)]], axis=1)
    return x + (random.random(x.shape) - 0.5) * (axis[1] - axis[0])


def read(folder):
    """Samples [n, 2] and what the summary says: name, gradients per chain, mean acceptance."""
    summary = json.loads((folder / "summary.json").read_text())
    x = np.load(folder / "samples.npy").astype(np.float64)
    if x.shape[-1] != 2:
        sys.exit(f"{folder}: samples of shape {x.shape}, not points in the plane")
    accept = summary["acceptance"]["mean"]
    gradients = summary["gradient_evaluations"] / summary["chains"]
    return summary["name"], x.reshape(-1, 2), f"{gradients:.0f}", f"{accept:.3f}" if accept is not None else "-"


def score_product_task(rows, mass):
    print(f"{'run':<18} {'LL':>6} {'out':>4} {'near':>6} {'TV':>6} {'grads':>6} {'accept':>6}")
    for name, x, gradients, accept in rows:
        ll, out = log_likelihood(x)
        print(f"{name:<18} {ll:6.2f} {out:4d} {near_a_mode(x):6.3f} {total_variation(x, mass):6.3f} {gradients:>6} {accept:>6}")


def score_distributions(runs):
    print(f"{'run':<22} {'distribution':<15} {'TV':>6} {'noise':>6} {'beyond':>6} {'grads':>6} {'accept':>6}")
    for distribution, folder in runs:
        name, x, gradients, accept = read(Path(folder))
        _, mass = level_zero(distribution)
        distance, noise = total_variation(x, mass), sampling_noise(len(x), mass)
        beyond = int((~(np.abs(x) <= REACH).all(axis=1)).sum())
        print(f"{name:<22} {distribution:<15} {distance:6.3f} {noise:6.3f} {beyond:6d} {gradients:>6} {accept:>6}")


def score_components(runs):
    print(f"{'run':<22} {'component':<10} {'nearest':>7} {'mean':>15} {'exact':>15} {'std':>15} {'exact':>7}")
    centres, exact = math.sqrt(ABAR_0) * CENTRES, math.sqrt(ABAR_0 * STD**2 + SIGMA_0**2)
    for wanted, folder in runs:
        name, x, _, _ = read(Path(folder))
        nearest = ((x[:, None, :] - centres) ** 2).sum(axis=2).argmin(axis=1)
        for component in wanted:
            own = x[nearest == component]
            pairs = [f"{a:7.4f} {b:7.4f}" for a, b in (own.mean(axis=0), centres[component], own.std(axis=0, ddof=1))]
            print(f"{name:<22} {component:<10} {len(own) / len(x):7.4f} {' '.join(pairs)} {exact:7.4f}")


def components(name):
    """[K, L...] for component-K-L..., none for another name."""
    return [int(part) for part in name.split("-")[1:]] if re.fullmatch("component(-[0-7])+", name) else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", metavar="[DISTRIBUTION=]FOLDER")
    parser.add_argument("--reference", action="store_true", help="add a row of exact samples of level 0")
    options = parser.parse_args()
    if not options.folders and not options.reference:
        parser.error("name at least one output folder")
    plain = [each for each in options.folders if "=" not in each]
    named = [each.split("=", 1) for each in options.folders if "=" in each]
    parts = [(components(name), folder) for name, folder in named if components(name)]
    named = [each for each in named if not components(each[0])]
    for name, _ in named:
        if name not in FACTORS:
            parser.error(f"no distribution is called {name!r}; there are component-0 to component-7, {', '.join(FACTORS)}")
    if plain or options.reference:
        axis, mass = level_zero("product")
        rows = [("exact level 0", exact_samples(axis, mass), "-", "-")] if options.reference else []
        score_product_task(rows + [read(Path(folder)) for folder in plain], mass)
    if named:
        score_distributions(named)
    if parts:
        score_components(parts)


if __name__ == "__main__":
    main()
