"""A Gaussian of the plane at every noise level, with ways to fail that a condition asks for."""

import os
import sys
import time

import numpy as np

from rrr_server import serve

MEAN, DEVIATION = np.array([1.0, -0.5]), 0.4


def energy(x, level, condition):
    for fault in {wanted.get("fault") for wanted in condition} - {None}:
        if fault == "exception":
            raise RuntimeError("told to fail")
        if fault == "hang":
            time.sleep(3600)
        if fault == "death":
            os.kill(os.getpid(), 9)
        if fault == "nan":
            return np.full(len(x), np.nan), np.full(x.shape, np.nan)
        if fault == "shape":
            return np.zeros((len(x), 1)), x
    difference = x.astype(np.float64) - level.signal * MEAN
    variance = level.signal_variance * DEVIATION**2 + level.noise**2
    return (difference**2).sum(axis=1) / (2 * variance), difference / variance


if __name__ == "__main__":
    if "--slow" in sys.argv:
        time.sleep(1.5)
    serve(
        energy=energy, shape=[2], rows=16, name="gaussian", conditions=["fault"], weights={"mean": MEAN},
        decode=lambda x: np.repeat(x, 2, axis=1), endpoint=next((word for word in sys.argv[1:] if word != "--slow"), None),
    )  # fmt: skip
