#!/usr/bin/env python3
"""Draws what `photograph` computed: plot_photograph.py PHOTOGRAPH.npy FOLDER, where it has written its results. Leaves
photograph.png there."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

WIDTH, DPI = 8.0, 100  # inches and dots an inch: 800 pixels, as photographs make large files
INK, FRAME = "#1f2933", "#d98200"

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "text.color": INK, "savefig.dpi": DPI, "figure.constrained_layout.use": True,
})  # fmt: skip


class Results:
    """The photograph and what `photograph` wrote into a folder."""

    def __init__(self, photograph, folder):
        report = json.loads((folder / "photograph.json").read_text())
        self.sigma, self.correlation = report["sigma"], report["correlation"]
        self.detail, self.found = report["detail"], report["found"]
        self.photograph = np.load(photograph)
        self.edges, self.blurred, self.similarity = (np.load(folder / f"{n}.npy") for n in ("edges", "blurred", "similarity"))


def show(axes, title, pixels, low, high, colours="gray"):
    picture = axes.imshow(pixels, colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()
    return picture


def frame(axes, place):
    corner = (place["column"] - 0.5, place["line"] - 0.5)
    axes.add_patch(Rectangle(corner, place["columns"], place["lines"], fill=False, edgecolor=FRAME, linewidth=2))


def plot(r):
    figure, ((photograph, edges), (blurred, similarity)) = plt.subplots(2, 2, figsize=(WIDTH, 8.2))
    show(photograph, "A photograph and a detail of it", r.photograph, 0, 255)
    frame(photograph, r.detail)
    show(edges, "Edges, by Sobel's slopes", r.edges, 0, np.percentile(r.edges, 99))
    show(blurred, f"Blurred, sigma {r.sigma:g} pixels: the detail is found", r.blurred, 0, 255)
    frame(blurred, r.found)
    # Where the detail begins, so that the map lies on the photograph.
    map_of_all = np.full(r.photograph.shape, np.nan)
    map_of_all[: r.similarity.shape[0], : r.similarity.shape[1]] = r.similarity
    picture = show(similarity, f"Correlation with the detail, {r.correlation:.2f} at its place", map_of_all, -1, 1, "RdBu_r")
    similarity.plot(r.found["column"], r.found["line"], "o", markersize=13, markerfacecolor="none", markeredgecolor=INK,
                    markeredgewidth=1.5)
    figure.colorbar(picture, cax=similarity.inset_axes([0.15, 0.045, 0.6, 0.02]), orientation="horizontal", ticks=[-1, 0, 1])
    return figure


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot_photograph.py PHOTOGRAPH.npy FOLDER")
    folder = pathlib.Path(sys.argv[2])
    try:
        results = Results(sys.argv[1], folder)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot_photograph.py: {folder} does not hold the results of photograph: {error}")
    path = folder / "photograph.png"
    plot(results).savefig(path)
    print(path)


if __name__ == "__main__":
    main()
