#!/usr/bin/env python3
"""Draws the pictures of a result file of run.py: the crossover map, throughput by filter length, the roofline, small sizes.

Usage: plot.py RESULT.json --out DIR. A picture whose suite was not measured is left out, and said so.
"""

import argparse
import json
from pathlib import Path
import sys

import matplotlib

matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
import numpy as np

from peers import analysis
from peers.report import time_text

# Okabe and Ito's colours, told apart by everyone.
COLORS = {"direct": "#0072B2", "overlap-save": "#E69F00", "fft": "#009E73", "plan": "#000000",
          "numpy": "#CC79A7", "scipy": "#D55E00", "workers": "#F0A67E", "copy": "#777777", "torch": "#56B4E9"}
STYLE = {"font.size": 13, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
         "figure.dpi": 100, "savefig.dpi": 150, "axes.titleweight": "bold", "axes.titlesize": 14}
TIE = 1.05  # within it, the map shows the method listed first
PANELS = [("gpuconv", {"gpuconv direct": ("direct", "direct"), "gpuconv overlap-save": ("overlap-save", "overlap-save"),
                       "gpuconv fft": ("fft", "fft")}),
          ("NumPy and SciPy", {"numpy.convolve": ("numpy.convolve", "direct"),
                               "scipy fftconvolve": ("scipy fftconvolve", "fft"),
                               "scipy oaconvolve": ("scipy oaconvolve", "overlap-save")})]
BARS = [("numpy.convolve", "python", "numpy.convolve", "numpy"), ("scipy convolve", "python", "scipy convolve (auto)", "scipy"),
        ("scipy fftconvolve", "python", "scipy fftconvolve", "scipy"), ("scipy oaconvolve", "python", "scipy oaconvolve", "scipy"),
        ("gpuconv one-shot", "python", "gpuconv one-shot, from Python", "direct"),
        ("gpuconv plan", "python", "gpuconv plan, from Python", "direct"),
        ("gpuconv one-shot", "c++", "gpuconv one-shot, from C++", "direct"), ("gpuconv plan", "c++", "gpuconv plan, from C++", "direct")]


def power_of_two(value: float, _=None) -> str:
    for unit, scale in (("M", 1 << 20), ("k", 1 << 10)):
        if value >= scale:
            return f"{value / scale:g}{unit}"
    return f"{value:g}"


def rate(value: float, _=None) -> str:
    return f"{value / 1e9:g} G" if value >= 1e9 else f"{value / 1e6:g} M"


def finish_throughput(figure, axis, title: str) -> None:
    """The axes of a picture of throughput by filter length."""
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(power_of_two))
    axis.yaxis.set_major_formatter(FuncFormatter(rate))
    axis.grid(which="major", color="#dddddd")
    axis.set_xlabel("filter length (taps)")
    axis.set_ylabel("throughput (samples/s)")
    axis.set_title(title)
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.tight_layout(rect=(0, 0.03, 1, 1))


def caption(figure, result: dict) -> None:
    machine, build, libraries = result["machine"], result["build"], result["libraries"]
    figure.text(0.01, 0.012, f"{machine['cpu']}, {machine['threads']} threads, {build['simd_target']}; gpuconv "
                f"{build['version']} ({result['commit'][:10]}), NumPy {libraries['numpy']}, SciPy {libraries['scipy']}; "
                f"{result['date'][:10]}; quartiles {result['noise']['median_relative_spread']:.0%} of the median apart",
                fontsize=9, color="#555555")


def crossover(result: dict):
    """Who is fastest, by signal length and filter length; gpuconv's methods left, the peers right."""
    grid = analysis.problems(result, "crossover")
    if not grid:
        return None
    signals, taps = sorted({n for n, _, _ in grid}), sorted({m for _, m, _ in grid})
    figure, axes = plt.subplots(1, 2, figsize=(12, 6.4), sharey=True)
    for axis, (title, methods) in zip(axes, PANELS):
        winners = np.full((len(taps), len(signals)), np.nan)
        for (n, m, _), by_contestant in grid.items():
            times = [analysis.seconds(by_contestant[name, "python"]) if (name, "python") in by_contestant else np.inf
                     for name in methods]
            winners[taps.index(m), signals.index(n)] = np.argmax(np.array(times) <= TIE * min(times))
        colors = [COLORS[color] for _, color in methods.values()]
        axis.pcolormesh(_edges(signals), _edges(taps), winners, cmap=ListedColormap(colors), vmin=-0.5, vmax=2.5,
                        edgecolors="white", linewidth=1.5)
        _draw_crossover(axis, result, title.lower())
        _log2_axis(axis.xaxis, signals)
        _log2_axis(axis.yaxis, taps)
        axis.set_title(f"{title}: the fastest method")
        axis.set_xlabel("signal length (samples)")
        handles = [Patch(color=c, label=label) for c, (label, _) in zip(colors, methods.values())]
        axis.legend(handles=handles + axis.get_legend_handles_labels()[0], loc="upper left", frameon=False, fontsize=12)
    axes[0].set_ylabel("filter length (taps)")
    figure.text(0.99, 0.012, f"within {TIE - 1:.0%}: the one listed first", ha="right", fontsize=9, color="#555555")
    figure.suptitle("Which method wins on the CPU (float32, mode full)", fontsize=16)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def _draw_crossover(axis, result: dict, who: str) -> None:
    line = sorted((c["signal"], c["taps"]) for c in result["crossovers"] if c["who"] == who and c["taps"])
    if len(line) > 1:
        axis.plot(*np.log2(line).T, color="black", marker="o", linewidth=2, label="transforms overtake direct")


def _edges(values) -> np.ndarray:
    """Cell boundaries on a log2 axis, halfway between the values."""
    logs = np.log2(values)
    middle = (logs[1:] + logs[:-1]) / 2
    return np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]])


def _log2_axis(axis, values) -> None:
    shown = values if len(values) <= 12 else values[::2]
    axis.set_ticks(np.log2(shown), [power_of_two(v) for v in shown])


def _longest_signal(result: dict):
    """The longest signal of the suite `large`, and its problems by filter length; None where it was not measured."""
    grid = analysis.problems(result, "large")
    if not grid:
        return None
    signal = max(n for n, _, _ in grid)
    return signal, {m: entry for (n, m, dtype), entry in sorted(grid.items()) if n == signal and dtype == "float32" and m < n}


def _named(name: str):
    return lambda entry: entry.get((name, "python"))


LINES = [("direct", "gpuconv direct", _named("gpuconv direct")), ("overlap-save", "gpuconv overlap-save", _named("gpuconv overlap-save")),
         ("fft", "gpuconv fft", _named("gpuconv fft")), ("numpy", "numpy.convolve", _named("numpy.convolve")),
         ("scipy", "best of SciPy", lambda e: analysis.best(m for m in analysis.peers(e) if m["library"] == "scipy")),
         ("workers", "best of SciPy, all cores", lambda e: analysis.best(analysis.peers(e, workers=True))),
         ("torch", "PyTorch conv1d", _named("torch conv1d"))]


def _copy_seconds(by_taps: dict) -> float:
    return np.median([analysis.seconds(e["streaming copy", "python"]) for e in by_taps.values()])


def throughput(result: dict):
    """Samples a second by filter length at the longest signal, beside the machine's streaming copy."""
    longest = _longest_signal(result)
    if not longest:
        return None
    signal, by_taps = longest
    figure, axis = plt.subplots(figsize=(12, 7))
    for color, label, pick in LINES:
        points = [(m, pick(e)["seconds"]) for m, e in by_taps.items() if pick(e)]
        _rate_line(axis, signal, points, color=COLORS[color], label=label, linewidth=2.4, marker="o", markersize=5)
    chosen = [(m, signal / analysis.seconds(e["gpuconv plan", "python"])) for m, e in by_taps.items()]
    axis.plot(*zip(*chosen), linestyle="none", marker="o", markersize=13, markerfacecolor="none", markeredgecolor=COLORS["plan"],
              markeredgewidth=1.6, label="gpuconv's own choice")
    axis.axhline(signal / _copy_seconds(by_taps), color=COLORS["copy"], linestyle="--", linewidth=2, label="streaming copy")
    finish_throughput(figure, axis, f"Convolution on the CPU: {signal / 1e6:.1f} million float32 samples, "
                      f"{result['machine']['threads']} threads")
    return figure


def roofline(result: dict):
    """What the direct sums' arithmetic amounts to, under the machine's two roofs. Transforms do less of it: they pass the
    second roof."""
    longest = _longest_signal(result)
    if not longest or "arithmetic_peak" not in result:
        return None
    signal, by_taps = longest
    figure, axis = plt.subplots(figsize=(12, 7))
    intensity = lambda taps: 2 * taps / 8  # operations a byte: a float32 sample is read once and written once
    for color, label, pick in LINES:
        points = [(intensity(m), 2 * m * signal / analysis.seconds(pick(e))) for m, e in by_taps.items() if pick(e)]
        if points:
            axis.plot(*zip(*points), color=COLORS[color], label=label, linewidth=2.4, marker="o", markersize=5)
    ends = np.array([intensity(m) for m in (min(by_taps), max(by_taps))])
    axis.plot(ends, 8 * signal / _copy_seconds(by_taps) * ends, color=COLORS["copy"], linestyle="--", linewidth=2,
              label="roof: streaming copy")
    axis.plot(ends, [result["arithmetic_peak"]] * 2, color=COLORS["plan"], linestyle="--", linewidth=2,
              label="roof: direct sums\nin the cache")
    finish_throughput(figure, axis, f"Roofline on the CPU: {signal / 1e6:.1f} million float32 samples, "
                      f"{result['machine']['threads']} threads")
    axis.set_xlabel("operations of the direct sum, a byte moved")
    axis.set_ylabel("operations of the direct sum, a second")
    return figure


def _rate_line(axis, signal: int, points, **style) -> None:
    """A line of medians in a band of quartiles; `points` are (taps, spread)."""
    if not points:
        return
    taps = [m for m, _ in points]
    axis.plot(taps, [signal / s["median"] for _, s in points], **style)
    axis.fill_between(taps, [signal / s["upper"] for _, s in points], [signal / s["lower"] for _, s in points],
                      color=style["color"], alpha=0.15, linewidth=0)


def small(result: dict):
    """Time of a call at the sizes people try first."""
    grid = {key: entry for key, entry in analysis.problems(result, "small").items() if key[2] == "float32"}
    if not grid:
        return None
    figure, axes = plt.subplots(2, 2, figsize=(12, 8.6), sharey=True)
    for axis, ((signal, taps, _), by_contestant) in zip(axes.flat, grid.items()):
        bars = [(label, by_contestant[name, call]["seconds"], COLORS[color]) for name, call, label, color in BARS]
        medians = np.array([s["median"] for _, s, _ in bars])
        error = np.array([(s["median"] - s["lower"], s["upper"] - s["median"]) for _, s, _ in bars]).T
        axis.barh([label for label, _, _ in bars], medians, color=[c for _, _, c in bars], xerr=error,
                  error_kw={"ecolor": "#444444", "capsize": 3})
        for i, (_, s, _) in enumerate(bars):
            axis.annotate(time_text(s["median"]), (s["upper"], i), xytext=(6, 0), textcoords="offset points", va="center", fontsize=11)
        axis.set_xscale("log")
        axis.set_xlim(medians.min() / 2, medians.max() * 8)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: time_text(value)))
        axis.invert_yaxis()
        axis.set_title(f"{signal:,} samples, {taps:,} taps")
        axis.set_xlabel("time of a call (less is better)")
        axis.grid(axis="x", color="#dddddd")
    axes[0, 0].invert_yaxis()  # shared: two inversions a row would cancel out
    figure.suptitle("The sizes people try first, on the CPU (float32, mode full)", fontsize=16)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


PICTURES = {"crossover": crossover, "throughput": throughput, "roofline": roofline, "small": small}


def draw(result: dict, folder: Path, pictures: dict, caption=None) -> list[Path]:
    """Writes those of the pictures that the result holds measurements for."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, picture in pictures.items():
        with plt.rc_context(STYLE):
            figure = picture(result)
            if figure is None:
                print(f"{name}.png: not drawn, its problems were not measured")
                continue
            if caption:
                caption(figure, result)
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1])
            plt.close(figure)
    return paths


def main(pictures: dict, description: str, caption=None) -> int:
    """Draws the result file that the command line names."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        paths = draw(json.loads(arguments.result.read_text()), arguments.out, pictures, caption)
    except (OSError, ValueError, KeyError) as error:
        print(f"{parser.prog}: {arguments.result}: {error!r}", file=sys.stderr)
        return 1
    for path in paths:
        print(f"picture: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(PICTURES, __doc__, caption))
