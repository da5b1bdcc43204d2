#!/usr/bin/env python3
"""Draws what `heartbeats` found: plot_heartbeats.py FOLDER, where it has written its results. Leaves three PNG there."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

WIDTH, DPI = 8.0, 150  # inches and dots an inch: 1200 pixels
ZOOM = (221.0, 229.0)  # seconds: all three shapes of beat within eight of them
INK, GREY, LIGHT, GAP = "#1f2933", "#7b8794", "#b8c4d0", "#f3e3bd"
COLOURS = {"normal": "#0b7a75", "ventricular": "#c8102e", "fusion": "#d98200"}
MARKERS = {"normal": "o", "ventricular": "^", "fusion": "s"}

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelcolor": INK, "text.color": INK, "axes.edgecolor": GREY,
    "axes.spines.top": False, "axes.spines.right": False, "xtick.color": INK, "ytick.color": INK,
    "axes.grid": True, "grid.color": "#e4e7eb", "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "savefig.dpi": DPI, "figure.constrained_layout.use": True,
})


class Results:
    """What `heartbeats` wrote into a folder."""

    def __init__(self, folder):
        report = json.loads((folder / "heartbeats.json").read_text())
        self.rate = report["rate"]
        self.threshold = report["threshold"]
        self.longest_interval = report["longest_interval"]
        self.mean_heart_rate = report["mean_heart_rate"]
        self.patterns = report["patterns"]
        self.names = [p["name"] for p in self.patterns]
        self.beats = np.array([b["sample"] for b in report["beats"]], dtype=int)
        self.shapes = np.array([b["pattern"] for b in report["beats"]], dtype=int)
        self.millivolts = np.load(folder / "millivolts.npy")
        self.smoothed = np.load(folder / "smoothed.npy")
        self.derivative = np.load(folder / "derivative.npy")
        self.similarity = [np.load(folder / f"similarity_{name}.npy") for name in self.names]
        self.seconds = np.arange(self.millivolts.size) / self.rate

    def beats_of(self, shape, begin=0, end=None):
        """Samples of the beats of one shape within [begin, end)."""
        beats = self.beats[self.shapes == shape]
        return beats[(beats >= begin) & (beats < (self.millivolts.size if end is None else end))]


def mark_beats(axes, r, begin, end):
    for shape, name in enumerate(r.names):
        beats = r.beats_of(shape, begin, end)
        axes.plot(r.seconds[beats], r.millivolts[beats], MARKERS[name], color=COLOURS[name], markersize=7.5,
                  markeredgecolor="white", markeredgewidth=0.7, label=f"{name} beat", zorder=4)


def plot_zoom(r):
    begin, end = (int(t * r.rate) for t in ZOOM)
    piece = slice(begin, end)
    time = r.seconds[piece]
    figure, (signal, slope, score) = plt.subplots(3, 1, figsize=(WIDTH, 6.2), sharex=True, height_ratios=[2.2, 1.1, 1.1])

    signal.plot(time, r.millivolts[piece], color=LIGHT, linewidth=1.6, label="recording")
    signal.plot(time, r.smoothed[piece], color=INK, linewidth=0.9, label="smoothed")
    mark_beats(signal, r, begin, end)
    signal.set_ylabel("signal (mV)")
    signal.set_title(f"{np.count_nonzero((r.beats >= begin) & (r.beats < end))} heartbeats in "
                     f"{ZOOM[1] - ZOOM[0]:.0f} seconds of a real electrocardiogram")
    low, high = signal.get_ylim()
    signal.set_ylim(low, high + 0.28 * (high - low))
    signal.legend(ncols=5, loc="upper left", borderaxespad=0.2, columnspacing=1.2, handletextpad=0.4)

    slope.plot(time, r.derivative[piece], color=INK, linewidth=0.8)
    slope.set_ylabel("derivative\n(mV/s)")

    for name, values in zip(r.names, r.similarity):
        score.plot(time, values[piece], color=COLOURS[name], linewidth=1.0)
    score.axhline(r.threshold, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    score.annotate(f"threshold {r.threshold:g}", (ZOOM[1], r.threshold), (-3, -3), textcoords="offset points",
                   ha="right", va="top", fontsize=8, color=GREY,
                   bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8})
    score.set_ylim(0, 1.08)
    score.set_yticks([0, 0.5, 1])
    score.set_ylabel("similarity\nto a pattern")
    score.set_xlabel("time (s)")
    score.set_xlim(*ZOOM)
    figure.align_ylabels()
    return figure


def shade_gaps(axes, r):
    """Stretches without a beat, where the signal was lost."""
    for i in np.flatnonzero(np.diff(r.beats) > r.longest_interval * r.rate):
        axes.axvspan(r.beats[i] / r.rate / 60, r.beats[i + 1] / r.rate / 60, color=GAP, linewidth=0, zorder=0)


def draw_recording(axes, r):
    axes.plot(r.seconds / 60, r.millivolts, color=GREY, linewidth=0.25)
    for shape, name in enumerate(r.names):
        beats = r.beats_of(shape)
        axes.plot(r.seconds[beats] / 60, r.millivolts[beats], MARKERS[name], color=COLOURS[name], markersize=2.8,
                  markeredgewidth=0, label=f"{beats.size} {name} beats")
    axes.fill_between([], [], color=GAP, linewidth=0, label=f"no beat for over {r.longest_interval:g} s")
    axes.set_ylabel("signal (mV)")
    axes.set_title(f"The whole recording: {r.beats.size} heartbeats in five minutes")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.2 * (high - low))
    axes.legend(ncols=4, loc="upper left", markerscale=2.2, borderaxespad=0.2, columnspacing=1.4, handletextpad=0.4,
                frameon=True, framealpha=1, facecolor="white", edgecolor="white")


def draw_heart_rate(axes, r):
    intervals = np.diff(r.beats) / r.rate
    usable = intervals <= r.longest_interval
    for shape, name in enumerate(r.names):
        chosen = usable & (r.shapes[1:] == shape)
        axes.plot(r.seconds[r.beats[1:][chosen]] / 60, 60 / intervals[chosen], MARKERS[name], color=COLOURS[name],
                  markersize=3.2, markeredgewidth=0)
    axes.axhline(r.mean_heart_rate, color=INK, linewidth=0.9)
    axes.annotate(f"mean\n{r.mean_heart_rate:.0f}", (1, r.mean_heart_rate), (4, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", va="center", fontsize=8, annotation_clip=False)
    axes.set_ylabel("rate (beats/min)")
    axes.set_title("Heart rate, from each beat and the one before it")
    axes.set_xlabel("time (min)")


def plot_overview(r):
    figure, (recording, heart_rate) = plt.subplots(2, 1, figsize=(WIDTH, 5.4), sharex=True)
    draw_recording(recording, r)
    draw_heart_rate(heart_rate, r)
    heart_rate.set_xlim(0, r.seconds.size / r.rate / 60)
    for axes in (recording, heart_rate):
        shade_gaps(axes, r)
    figure.align_ylabels()
    return figure


def windows_around(r, beats, before, after):
    """The smoothed signal around each beat, as [beat][sample], each without its mean."""
    inside = beats[(beats >= before) & (beats + after <= r.smoothed.size)]
    windows = r.smoothed[inside[:, None] + np.arange(-before, after)]
    return windows - windows.mean(axis=1, keepdims=True)


def plot_patterns(r):
    figure, panels = plt.subplots(1, len(r.patterns), figsize=(WIDTH, 3.3), sharex=True, sharey=True)
    for shape, (axes, pattern) in enumerate(zip(panels, r.patterns)):
        name, beat = pattern["name"], pattern["beat"]
        before, after = beat - pattern["begin"], pattern["end"] - beat
        windows = windows_around(r, r.beats_of(shape), before, after)
        time = np.arange(-before, after) / r.rate * 1000
        axes.plot(time, windows.T, color=COLOURS[name], linewidth=0.4, alpha=min(0.3, 25 / len(windows)))
        axes.plot(time, windows.mean(axis=0), color=COLOURS[name], linewidth=2.0, label=f"mean of {len(windows)}")
        axes.plot(time, windows_around(r, np.array([beat]), before, after)[0], color=INK, linewidth=1.0,
                  linestyle=(0, (4, 2)), label="pattern")
        axes.set_title(f"{name.capitalize()} beats")
        axes.set_xlabel("time from the R peak (ms)")
        axes.legend(loc="upper left", handlelength=1.8, borderaxespad=0.2, labelspacing=0.3)
    panels[0].set_ylabel("signal (mV)")
    panels[0].set_ylim(-1.6, 2.6)
    return figure


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: plot_heartbeats.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    try:
        results = Results(folder)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot_heartbeats.py: {folder} does not hold the results of heartbeats: {error}")
    for name, plot in {"heartbeats": plot_zoom, "overview": plot_overview, "patterns": plot_patterns}.items():
        path = folder / f"{name}.png"
        plot(results).savefig(path)
        print(path)


if __name__ == "__main__":
    main()
