#!/usr/bin/env python3
"""Do samplers get a density of 3 072 coordinates right? Two jobs whose answers are known.

    templates.py DIRECTORY [--program rrr-coordinator] [--workers N] [--chains N] [--only WORD]

Ten pictures of [3, 32, 32] are the means of a Gaussian mixture with a standard
deviation of 0.2. "one" samples it; "product" samples the product of it with
another mixture of the same pictures and other weights. Both are mixtures again at
every noise level: with abar the signal and s^2 = 0.04 abar + 1 - abar,

    one      sum_i  a_i N(x; sqrt(abar) m_i, s^2)
    product  sum_ij a_i b_j exp(-abar |m_i - m_j|^2 / (4 s^2))
                    N(x; sqrt(abar) (m_i + m_j) / 2, s^2 / 2)

and at level 0 only the pairs i = j of the product are left. Each is sampled by MALA
and HMC with tuned steps, and by a population of HMC with bridges. A row tells, in
standard errors, how far off the components' shares are, the mean along the
direction of each component's mean, the mean and the variance over all
coordinates of the samples about the mean of the component that they are nearest
to; and what the summary tells of the run.

Standard errors of chains that are independent follow from the exact density.
Of a population, whose chains are not, shares, means and variances have those
that the blocks show (jackknife over blocks, each weighted by its estimate of the
normaliser).
"""
import argparse
import json
import subprocess
from pathlib import Path

import numpy as np

SHAPE, COUNT, STD, LEVELS = (3, 32, 32), 10, 0.2, 50
DIMENSION = int(np.prod(SHAPE))
WEIGHTS = {"a": np.arange(1, COUNT + 1.0), "b": np.array([3.0, 1, 2] * 3 + [2])}
# In so many dimensions all chains have the same acceptance: one pilot block tells the steps.
SAMPLERS = {
    "hmc": {"kind": "hmc", "transitions": 3, "leapfrog": 5, "damping": 0,
            "step_size": {"target_acceptance": 0.8, "pilots": 1}},
    "mala": {"kind": "mala", "transitions": 15, "step_size": {"target_acceptance": 0.57, "pilots": 1}},
    "population": {"kind": "hmc", "transitions": 2, "leapfrog": 6, "damping": 0,
                   "step_size": {"target_acceptance": 0.8, "pilots": 1},
                   "population": {"threshold": 0.5, "bridges": 32}},
}
# Transitions at level 0 after annealing: chains that have just come there still are a little wider than the level.
LAST = {"hmc": 30, "mala": 100, "population": 20}


def pictures():
    """[COUNT, *SHAPE]: patches of colour, 8 x 8 pixels each, between -0.5 and 0.5."""
    patches = np.random.default_rng(1).uniform(-0.5, 0.5, (COUNT, 3, 4, 4))
    return patches.repeat(8, axis=2).repeat(8, axis=3).astype(np.float32)


def job(name, sampler, chains):
    model = {w: {"kind": "gaussian_mixture", "shape": list(SHAPE), "means": {"file": "templates.npy"}, "std": STD,
                 "weights": list(WEIGHTS[w])} for w in WEIGHTS}
    target = "a" if name == "one" else {"product": ["a", "b"]}
    if name == "one":
        del model["b"]
    return {"rrr": 1, "name": f"templates-{name}-{sampler}", "seed": 11, "models": model, "target": target,
            "schedule": {"kind": "cosine", "levels": LEVELS},
            "sampler": {**SAMPLERS[sampler], "start": "target"}, "chains": chains, "draws": 2, "thin": LAST[sampler]}


def signal():
    """abar of level 0 of the cosine schedule."""
    return (np.cos((1 / LEVELS + 0.008) / 1.008 * np.pi / 2) / np.cos(0.008 / 1.008 * np.pi / 2)) ** 2


def exact(name, abar):
    """Shares, means [COUNT, DIMENSION] and variance at level 0."""
    means = np.sqrt(abar) * pictures().reshape(COUNT, -1).astype(float)
    variance = abar * STD**2 + 1 - abar
    weights = WEIGHTS["a"] * (WEIGHTS["b"] if name == "product" else 1)
    return weights / weights.sum(), means, variance / (2 if name == "product" else 1)


def numbers(samples, means):
    """Of each sample: which component is nearest [n, COUNT]; what it is off along that component's mean; the mean
    square of its distance from it over coordinates."""
    squares = (samples**2).sum(1)[:, None] - 2 * samples @ means.T + (means**2).sum(1)
    nearest = squares.argmin(1)
    off = samples - means[nearest]
    along = (off * means[nearest]).sum(1) / np.linalg.norm(means[nearest], axis=1)
    return np.eye(COUNT)[nearest], along, off.mean(1), (off**2).mean(1)


def score(name, folder, draw):
    summary = json.loads((folder / "summary.json").read_text())
    statistics = np.load(folder / "statistics.npz")
    samples = np.load(folder / "samples.npy")[:, draw].reshape(-1, DIMENSION).astype(float)
    shares, means, variance = exact(name, signal())
    is_in, along, mean, spread = numbers(samples, means)
    n = len(samples)
    found = np.concatenate([is_in.mean(0), [along.mean(), mean.mean(), spread.mean()]])
    right = np.concatenate([shares, [0, 0, variance]])
    if "selected" in statistics:
        # Blocks are independent populations: a jackknife over them.
        block = json.loads((folder / "job.json").read_text())["block"]
        of_block = statistics["selected"] // block
        rows = np.column_stack([is_in, along, mean, spread])
        blocks = np.unique(of_block)
        sums = np.stack([rows[of_block == b].sum(0) for b in blocks])
        counts = np.array([(of_block == b).sum() for b in blocks])
        left_out = (sums.sum(0) - sums) / (n - counts)[:, None]
        k = len(blocks)
        error = np.sqrt((k - 1) / k * ((left_out - left_out.mean(0)) ** 2).sum(0))
    else:
        error = np.sqrt(np.concatenate([
            shares * (1 - shares), [variance, variance / DIMENSION, 2 * variance**2 / DIMENSION]]) / n)
    z = (found - right) / np.where(error > 0, error, np.inf)
    acceptance = [a for a in summary["acceptance"]["per_level"] if a is not None]
    print(f"{folder.name + f' draw {draw}':28} shares {abs(z[:COUNT]).max():6.2f} along {z[COUNT]:6.2f} mean {z[COUNT + 1]:6.2f} "
          f"variance {z[COUNT + 2]:6.2f} | share off {abs(found - right)[:COUNT].max():.4f} variance "
          f"{found[-1] / variance:.4f} | acceptance {min(acceptance):.2f}-{max(acceptance):.2f} "
          f"log density +- {summary['log_density']['standard_deviation']:.1f} (one component: "
          f"{np.sqrt(DIMENSION / 2):.1f}) gradients {summary['gradient_evaluations'] / n:.0f}", flush=True)
    if "bridges" in statistics:
        population = summary["population"]
        print(f"{'':28} bridges a block {statistics['bridges'].sum(1).mean():.0f}, effective size "
              f"{population['effective_size']:.0f}, ancestors {population['ancestors']}, distinct chains "
              f"{population['distinct_chains']}, log normalizer {summary['log_normalizer']['estimate']:.2f} +- "
              f"{summary['log_normalizer']['standard_error']:.2f}")
    for text in summary["warnings"]:
        print(f"{'':28} {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--program", default="rrr-coordinator")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--chains", type=int, default=2000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    np.save(options.directory / "templates.npy", pictures())
    for name in ("one", "product"):
        for sampler in SAMPLERS:
            if options.only not in f"{name}-{sampler}":
                continue
            text = json.dumps(job(name, sampler, options.chains), indent=1)
            path = options.directory / f"{name}-{sampler}.json"
            path.write_text(text)
            folder = options.directory / f"{name}-{sampler}"
            subprocess.run([options.program, "submit", path, "--workers", options.workers, "--output", folder],
                           check=True, stdout=subprocess.DEVNULL)
            for draw in (0, 1):
                score(name, folder, draw)


if __name__ == "__main__":
    main()
