"""Makes Fixtures/: sets of draws, and what ArviZ says of them.

Needs numpy 2.4.6, scipy 1.17.1, arviz-base 0.8.2, arviz-stats 0.8.0:
    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 arviz-base==0.8.2 arviz-stats==0.8.0
    venv/bin/python Tests/DiagnosticsTests/reference.py Tests/DiagnosticsTests/Fixtures
"""

import json
import pathlib
import sys

import numpy as np
import scipy.special
import scipy.stats
from arviz_stats.base import array_stats


def walk(generator, chains, draws, keep, centres=0.0):
    """Autoregressive chains: each draw keeps a part of the one before."""
    noise = generator.standard_normal((chains, draws))
    x = np.empty((chains, draws))
    x[:, 0] = noise[:, 0]
    for i in range(1, draws):
        x[:, i] = keep * x[:, i - 1] + np.sqrt(1 - keep**2) * noise[:, i]
    return x + np.reshape(centres, (-1, 1))


def draw_sets():
    g = np.random.Generator(np.random.PCG64(20240817))
    stuck = walk(g, 4, 200, 0.3)
    stuck[2] = 0.7
    drifting = walk(g, 3, 151, 0.5) + np.linspace(-2, 2, 151)
    scaled = walk(g, 4, 100, 0.2) * np.array([[1.0], [1.0], [1.0], [5.0]])
    return {
        "shortest": g.standard_normal((2, 4)),
        "short": g.standard_normal((4, 9)),
        "independent": g.standard_normal((4, 250)),
        "long": walk(g, 2, 2000, 0.9),
        "odd": walk(g, 3, 333, 0.6),
        "antithetic": walk(g, 4, 300, -0.8),
        "heavy_tails": g.standard_cauchy((4, 251)),
        "constant": np.full((3, 20), 1.25),
        "one_stuck_chain": stuck,
        "all_stuck": np.repeat([[0.0], [1.0], [3.0]], 30, axis=1),
        "ties": g.integers(0, 4, (4, 120)).astype(float),
        "two_values": g.integers(0, 2, (2, 63)).astype(float),
        "apart": walk(g, 4, 100, 0.5, [0, 0, 2, 2]),
        "drifting": drifting,
        "other_spread": scaled,
        "far_and_narrow": 1e4 + 0.1 * walk(g, 4, 128, 0.4),
        "many_chains": walk(g, 50, 11, 0.7),
        "one_chain": walk(g, 1, 300, 0.7),
    }


def split_rhat(x):
    """R-hat of a single chain's halves, for which ArviZ wants two chains: its own parts, put together."""
    half = x.shape[1] // 2
    halves = np.vstack((x[:, :half], x[:, -half:]))

    def z(values):
        ranks = scipy.stats.rankdata(values, method="average").reshape(values.shape)
        return scipy.special.ndtri((ranks - 0.375) / (values.size + 0.25))

    def rhat(values):
        return array_stats.rhat(values, chain_axis=0, draw_axis=1, method="identity")

    return max(rhat(z(halves)), rhat(z(abs(halves - np.median(halves)))))


def number(value):
    """A JSON number; infinity as a text, NaN as null."""
    value = float(value)
    return value if np.isfinite(value) else None if np.isnan(value) else "infinity"


def expected(x):
    axes = {"chain_axis": 0, "draw_axis": 1}
    with np.errstate(all="ignore"):
        return {
            "r_hat": number(split_rhat(x) if len(x) == 1 else array_stats.rhat(x, method="rank", **axes)),
            "ess_bulk": number(array_stats.ess(x, method="bulk", **axes)),
            "ess_tail": number(array_stats.ess(x, method="tail", prob=(0.05, 0.95), **axes)),
            "ess_mean": number(array_stats.ess(x, method="mean", **axes)),
            "mcse_mean": number(array_stats.mcse(x, method="mean", **axes)),
            "mcse_sd": number(array_stats.mcse(x, method="sd", **axes)),
            "mcse_quantile": {
                str(p): number(array_stats.mcse(x, method="quantile", prob=p, **axes)) for p in (0.05, 0.3, 0.5, 0.95)
            },
            "quantile": {str(p): number(np.quantile(x, p)) for p in (0.05, 0.3, 0.5, 0.95)},
            "bfmi": [number(value) for value in array_stats.bfmi(x, **axes)],
        }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    sets = draw_sets()
    for name, x in sets.items():
        np.save(folder / f"{name}.npy", x)
    told = {name: expected(x) for name, x in sets.items()}
    (folder / "expected.json").write_text(json.dumps(told, indent=1) + "\n")

    # Tails and middle, in halves of powers of ten; beyond 0.5 the same with the other sign.
    probabilities = sorted({10.0 ** -(k / 2) for k in range(1, 600)} | {k / 64 for k in range(1, 33)})
    normal = [[p, float(scipy.special.ndtri(p))] for p in probabilities]
    beta = [
        [a, b, p, float(scipy.stats.beta.ppf(p, a, b))]
        for a, b in ((1, 1), (1.5, 3), (6, 96), (51, 51), (400.25, 21), (20_001, 380_001), (1, 500), (3.7, 1))
        for p in (0.1586553, 0.5, 0.8413447)
    ]
    (folder / "quantiles.json").write_text(json.dumps({"normal": normal, "beta": beta}) + "\n")


if __name__ == "__main__":
    main()
