"""Judges scenes that windows of 32 x 32 pixels made of the sprite model: python3 seams.py FOLDER...

For each folder of a run whose target is a tapestry of windows of scale 1, a row:
  holds     the share of conditions "an object in cell k" (labels 0 to 15) of windows that hold, by the exact detector: the mean,
            over the middle 4 x 4 pixels of a cell of 8 x 8, of the largest minus the smallest channel exceeds 0.45
  objects   the mean number of occupied cells in a window; the model's pictures have 1 to 5
  right     the share of windows with 1 to 5
  unclear   the share of cells for which that mean is between 0.1 and 0.55: neither empty, which gives about 0, nor an object,
            which gives 0.6 and more; first of cells beside a border of a window that lies within the canvas, then of all others
  jump      how much the grey of the background changes from a pixel to the next, at such borders and elsewhere: the mean
            absolute difference where both pixels have less than 0.15 between their channels
Needs numpy."""

import json
import os
import sys

import numpy as np

CELL = 8


def windows(target):
    """Place, height, width and labels of each window."""
    return [(*w["at"], list(names(w["of"]))) for w in target["tapestry"]["windows"]]


def names(expression):
    """The models in it that are conditions."""
    if isinstance(expression, str):
        yield expression
    else:
        for name in expression["guidance"]["conditional"]:
            yield from names(name)


def scores(pictures):
    """[n, rows, columns]: by cell the mean of the largest minus the smallest channel over its middle."""
    spread = pictures.max(1) - pictures.min(1)
    n, height, width = spread.shape
    cells = spread.reshape(n, height // CELL, CELL, width // CELL, CELL)
    return cells[:, :, 2:6, :, 2:6].mean((2, 4))


def beside(borders, count):
    """Which of `count` cells lie beside one of the borders, given in pixels."""
    return np.array([any(border in (CELL * cell, CELL * (cell + 1)) for border in borders) for cell in range(count)])


def jumps(pictures, axis, borders):
    """Changes of the background's grey along an axis: at the borders, and elsewhere."""
    grey, flat = pictures.mean(1), pictures.max(1) - pictures.min(1) < 0.15
    first = [slice(None)] * 3
    first[axis] = slice(0, -1)
    second = [slice(None)] * 3
    second[axis] = slice(1, None)
    change = np.abs(grey[tuple(second)] - grey[tuple(first)])
    both = flat[tuple(second)] & flat[tuple(first)]
    at = np.zeros(change.shape[axis], bool)
    at[[border - 1 for border in borders]] = True
    at = at.reshape([-1 if place == axis else 1 for place in range(3)])
    return change[both & at], change[both & ~at]


def judge(folder):
    with open(os.path.join(folder, "job.json")) as file:
        job = json.load(file)
    samples = np.load(os.path.join(folder, "samples.npy"))
    pictures = samples[:, -1]
    height, width = pictures.shape[2:]
    found = scores(pictures)
    occupied = found > 0.45
    placed = windows(job["target"])
    holds, counts = [], []
    for row, column, conditions in placed:
        part = occupied[:, row // CELL : row // CELL + 4, column // CELL : column // CELL + 4].reshape(len(pictures), 16)
        counts.append(part.sum(1))
        labels = [job["models"][name].get("label", 99) for name in conditions]
        holds += [part[:, label] for label in labels if label < 16]
    counts = np.array(counts)
    rows = sorted({edge for row, _, _ in placed for edge in (row, row + 32)} - {0, height})
    columns = sorted({edge for _, column, _ in placed for edge in (column, column + 32)} - {0, width})
    unclear = (found > 0.1) & (found < 0.55)
    near = beside(rows, height // CELL)[:, None] | beside(columns, width // CELL)[None, :]
    at, elsewhere = (np.concatenate(parts) for parts in zip(jumps(pictures, 1, rows), jumps(pictures, 2, columns)))

    def share(values):
        return f"{100 * np.mean(values):.1f} %" if np.size(values) else "-"

    with open(os.path.join(folder, "summary.json")) as file:
        evaluations = json.load(file)["gradient_evaluations"] / len(pictures)
    return [
        os.path.basename(os.path.normpath(folder)), str(len(pictures)), f"{evaluations:.0f}", share(holds),
        f"{counts.mean():.1f}", share((counts >= 1) & (counts <= 5)),
        f"{share(unclear[:, near])}, {share(unclear[:, ~near])}", f"{at.mean():.4f}, {elsewhere.mean():.4f}",
    ]


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print("| run | scenes | evaluations of the whole | holds | objects | right | unclear | jump |")
    print("|" + "---|" * 8)
    for folder in sys.argv[1:]:
        print("| " + " | ".join(judge(folder)) + " |")
