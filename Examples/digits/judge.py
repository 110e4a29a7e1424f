"""Tells what a classifier that has not seen the pictures behind them makes of samples.

python judge.py LABELS.npy PICTURES DIR…

PICTURES and each DIR are folders that rrr-model evaluate has written: of pictures with these labels, and of samples.
"""

import sys

import numpy as np


def probabilities(folder):
    return np.exp(np.load(folder + "/log_probability.npy").astype(float))


def report(name, p):
    most = p.argmax(1)
    three, eight = (most == 3).mean(), (most == 8).mean()
    both = (p[:, [3, 8]] > 0.1).all(1).mean()
    print(f"{name:18}{three:6.2f}{eight:6.2f}{1 - three - eight:7.2f}{p[:, 3].mean():11.2f}{p[:, 8].mean():11.2f}{both:13.2f}")


labels, real = np.load(sys.argv[1]), probabilities(sys.argv[2])
print(f"the judge is right of {(real.argmax(1) == labels).mean():.3f} of {len(labels)} pictures")
print(f"{'taken for':18}{'3':>6}{'8':>6}{'other':>7}{'mean p(3)':>11}{'mean p(8)':>11}{'both > 0.1':>13}")
for digit in (3, 8):
    report(f"pictures of {digit}", real[labels == digit])
for folder in sys.argv[3:]:
    report(folder.rstrip("/").split("/")[-1], probabilities(folder))
