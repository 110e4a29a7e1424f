"""A Gaussian of the plane at every noise level, with ways to fail that a condition asks for."""

import os
import sys
import time

import numpy as np

from rrr_server import serve, serving

MEAN, DEVIATION = np.array([1.0, -0.5]), 0.4


def first_time(fault):
    """Whether nobody has met the fault before in this folder."""
    try:
        os.close(os.open(fault, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def energy(x, level, condition):
    for fault in {wanted.get("fault") for wanted in condition} - {None}:
        if fault == "exception":
            raise RuntimeError("told to fail")
        if fault == "hang":
            time.sleep(3600)
        if fault == "death":
            os.kill(os.getpid(), 9)
        if fault in ("hang-once", "death-once") and first_time(fault):
            os.kill(os.getpid(), 9) if fault == "death-once" else time.sleep(3600)
        if fault == "nan":
            return np.full(len(x), np.nan), np.full(x.shape, np.nan)
        if fault == "shape":
            return np.zeros((len(x), 1)), x
    difference = x.astype(np.float64) - level.signal * MEAN
    variance = level.signal_variance * DEVIATION**2 + level.noise**2
    return (difference**2).sum(axis=1) / (2 * variance), difference / variance


def short(evaluate):
    """Makes replies lack their last number."""
    return lambda *arguments: [array.reshape(-1)[:-1] for array in evaluate(*arguments)]


if __name__ == "__main__":
    flags = set(sys.argv[1:])
    if "--pids" in flags:
        print("process", os.getpid(), flush=True)
    if "--slow" in flags:
        time.sleep(1.5)
    if "--short" in flags:
        serving.evaluate = short(serving.evaluate)
    if "--version" in flags:
        serving.PROTOCOL_VERSION = 2
    serve(
        energy=energy, shape=[2], rows=16, name="gaussian", conditions=["fault"], weights={"mean": MEAN},
        decode=lambda x: np.repeat(x, 2, axis=1), levels=[0.9, 0.5] if "--levels" in flags else None,
    )  # fmt: skip
