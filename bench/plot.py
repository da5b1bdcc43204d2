#!/usr/bin/env python3
"""Draws the pictures of a result file: of the comparison on the CPU the crossover map, throughput by filter length and the roofline;
what chunks of Dask's cost; of a GPU throughput, and the CPU against the GPU.

Usage: plot.py RESULT.json --out DIR. A picture whose problems were not measured is left out, and said so.
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
from matplotlib.ticker import EngFormatter, FuncFormatter
import numpy as np
import pandas as pd

import report
from report import pick

# Okabe and Ito's colours, told apart by everyone.
COLORS = {"direct": "#0072B2", "overlap-save": "#E69F00", "fft": "#009E73", "plan": "#000000",
          "numpy": "#CC79A7", "scipy": "#D55E00", "workers": "#F0A67E", "copy": "#777777", "torch": "#56B4E9"}
STYLE = {"font.size": 13, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
         "figure.dpi": 100, "savefig.dpi": 150, "axes.titleweight": "bold", "axes.titlesize": 14}
METHODS = ["direct", "overlap-save", "fft"]
TIE = 1.05  # within it, the map shows the method listed first


def power_of_two(value: float, _=None) -> str:
    return next((f"{value / scale:g}{unit}" for unit, scale in (("M", 1 << 20), ("k", 1 << 10)) if value >= scale), f"{value:g}")


# ---- lines by filter length --------------------------------------------------------------------------------------------

CHOICES = {"linestyle": "none", "markersize": 13, "markerfacecolor": "none", "markeredgewidth": 1.6}


def samples(rows: pd.DataFrame) -> pd.Series:
    return rows.signal * rows.batch


def picture(title: str, lines: list, height=lambda rows, s: samples(rows) / s, x=lambda rows: rows.taps, roofs=(),
            xlabel="filter length (taps)", ylabel="throughput (samples/s)", marks=None):
    """Medians in a band of quartiles: a line for each (color, label, rows, style), and one for each roof (color, label, x, y).
    `height`: of rows that take `s` seconds. `marks`: the text of a height, on an axis of powers of two."""
    figure, axis = plt.subplots(figsize=(12, 7))
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2 if marks else 10)
    axis.xaxis.set_major_formatter(FuncFormatter(power_of_two))
    axis.yaxis.set_major_formatter(FuncFormatter(marks) if marks else EngFormatter())
    axis.grid(which="major", color="#dddddd")
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    for color, label, rows, style in lines:
        if len(rows):
            rows = rows.iloc[np.argsort(x(rows), kind="stable")]
            median, upper, lower = (height(rows, rows[part]) for part in ("seconds", "upper", "lower"))
            axis.plot(x(rows), median, **{"color": COLORS[color], "label": label, "linewidth": 2.4, "marker": "o", "markersize": 5} | style)
            axis.fill_between(x(rows), upper, lower, color=COLORS[color], alpha=0.15, linewidth=0)
    for color, label, at, y in roofs:
        axis.plot(at, y, color=COLORS[color], linestyle="--", linewidth=2, label=label)
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def longest(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the signal length measured with most filters, the longer of equals."""
    taps = rows.groupby("signal").taps.nunique()
    return pick(rows, signal=taps[taps == taps.max()].index.max())


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """The fastest of each filter length."""
    return rows.loc[rows.groupby("taps").seconds.idxmin()]


# ---- the CPU -----------------------------------------------------------------------------------------------------------


def large(data: pd.DataFrame):
    """The suite `large` at its longest signal: measurements of everyone, by filter length."""
    rows = pick(data, suite="large", dtype="float32", call="python")
    rows = rows[(rows.taps < rows.signal) & (rows.signal == rows.signal.max())]
    named = lambda name: pick(rows, contestant=name)
    scipy = pick(rows, library="scipy")
    lines = [(method, f"gpuconv {method}", named(f"gpuconv {method}"), {}) for method in METHODS]
    lines += [("numpy", "numpy.convolve", named("numpy.convolve"), {}), ("scipy", "best of SciPy", best(scipy[scipy.threads == 1]), {}),
              ("workers", "best of SciPy, all cores", best(scipy[scipy.threads > 1]), {}), ("torch", "PyTorch conv1d", named("torch conv1d"), {})]
    return lines, named("gpuconv plan"), named("streaming copy").seconds.median()


def of_samples(result: dict, plans: pd.DataFrame) -> str:
    return f"{plans.signal.iloc[0] / 1e6:.1f} million float32 samples, {result['machine']['threads']} threads"


def throughput(result: dict, data: pd.DataFrame):
    """Samples a second by filter length at the longest signal, beside the machine's streaming copy."""
    lines, plans, copy = large(data)
    if plans.empty:
        return None
    ends = [plans.taps.min(), plans.taps.max()]
    return picture(f"Convolution on the CPU: {of_samples(result, plans)}", [*lines, ("plan", "gpuconv's own choice", plans, CHOICES)],
                   roofs=[("copy", "streaming copy", ends, [plans.signal.iloc[0] / copy] * 2)])


def roofline(result: dict, data: pd.DataFrame):
    """Arithmetic of the direct sums under the machine's two roofs. Transforms do less of it: they pass the
    second roof."""
    lines, plans, copy = large(data)
    sums = pick(data, contestant="gpuconv direct", call="python")
    if plans.empty or sums.empty:
        return None
    work = lambda rows, s: 2 * rows.taps * rows.signal / s
    intensity = lambda rows: 2 * rows.taps / 8  # operations for each byte: a float32 sample is read once and written once
    ends = np.array([intensity(plans).min(), intensity(plans).max()])
    return picture(f"Roofline on the CPU: {of_samples(result, plans)}", lines, work, intensity,
                   [("copy", "roof: streaming copy", ends, 8 * plans.signal.iloc[0] / copy * ends),
                    ("plan", "roof: fastest\ndirect sum", ends, [work(sums, sums.seconds).max()] * 2)],
                   "operations of the direct sum for each byte moved", "operations of the direct sum in a second")


def crossover(result: dict, data: pd.DataFrame):
    """Who is fastest, by signal length and filter length; gpuconv's methods left, the peers right."""
    grid = pick(data, suite="crossover", call="python")
    if grid.empty:
        return None
    figure, axes = plt.subplots(1, 2, figsize=(12, 6.4), sharey=True)
    for axis, title, names in ((axes[0], "gpuconv", [f"gpuconv {method}" for method in METHODS]),
                               (axes[1], "NumPy and SciPy", ["numpy.convolve", "scipy oaconvolve", "scipy fftconvolve"])):
        times = grid.pivot_table(values="seconds", index="taps", columns=["contestant", "signal"])
        signals = np.unique(grid.signal)
        times = np.stack([times[name].reindex(columns=signals).fillna(np.inf) for name in names])
        least = times.min(axis=0)
        winners = np.where(np.isfinite(least), np.argmax(times <= TIE * least, axis=0), np.nan)
        taps, colors = np.unique(grid.taps), [COLORS[method] for method in METHODS]
        axis.pcolormesh(np.log2(signals), np.log2(taps), winners, shading="nearest", cmap=ListedColormap(colors), vmin=-0.5, vmax=2.5,
                        edgecolors="white", linewidth=1.5)
        points = report.crossovers(data)[title.lower()].dropna()
        if len(points) > 1:
            axis.plot(np.log2(points.index), np.log2(points.astype(float)), color="black", marker="o", linewidth=2, label="transforms overtake direct")
        for ticks, values in ((axis.xaxis, signals), (axis.yaxis, taps)):
            shown = values if len(values) <= 12 else values[::2]
            ticks.set_ticks(np.log2(shown), [power_of_two(v) for v in shown])
        axis.set(title=f"{title}: the fastest method", xlabel="signal length (samples)")
        handles = [Patch(color=color, label=name.removeprefix("gpuconv ")) for color, name in zip(colors, names)]
        axis.legend(handles=handles + axis.get_legend_handles_labels()[0], loc="upper left", frameon=False, fontsize=12)
    axes[0].set_ylabel("filter length (taps)")
    figure.text(0.99, 0.012, f"within {TIE - 1:.0%}: the one listed first", ha="right", fontsize=9, color="#555555")
    figure.suptitle("Which method wins on the CPU (float32, mode full)", fontsize=16)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def chunks(result: dict, data: pd.DataFrame):
    """Time of Dask in multiples of a plan's, by size of chunks."""
    rows = pick(data, suite="chunks")
    computed = pick(rows, call="compute")
    if computed.empty:
        return None
    computed = computed.merge(pick(rows, contestant="gpuconv.Plan")[["taps", "seconds"]], on="taps", suffixes=("", "_whole"))
    size = lambda rows: rows.contestant.str.extract(r"(\d+)$", expand=False).astype(int)
    lines = [(color, f"{taps} taps", pick(computed, taps=taps), {}) for color, taps in zip(COLORS, np.unique(computed.taps))]
    ends = [size(computed).min(), size(computed).max()]
    return picture(f"Chunks of {power_of_two(computed.signal.iloc[0])} samples on one machine", lines, lambda rows, s: s / rows.seconds_whole,
                   size, [("copy", "plan on\nthe whole", ends, [1, 1])], "samples in a chunk", "times a plan on the whole array", "{:g}".format)


# ---- the GPU -----------------------------------------------------------------------------------------------------------

OTHERS = {"torch conv1d": ("numpy", "PyTorch conv1d"), "torch, plain cuFFT": ("scipy", "plain cuFFT (PyTorch)"),
          "cupy oaconvolve": ("workers", "CuPy oaconvolve")}


def device_throughput(result: dict, data: pd.DataFrame):
    """Kernels alone, arrays in device memory, with the copy that no convolution can be faster than."""
    rows = pick(data, suite="bench", memory="device", dtype="float32", batch=1)
    if rows.empty:
        return None
    rows = longest(rows)
    others = pick(data, suite="peers", dtype="float32", signal=rows.signal.iloc[0])
    lines = [(method, f"gpuconv {method}", pick(rows, contestant=f"cuda {method}"), {}) for method in METHODS]
    lines += [(color, label, pick(others, contestant=name), {"linestyle": ":"}) for name, (color, label) in OTHERS.items()]
    lines += [("plan", "gpuconv's own choice", rows[rows.chosen.astype(bool)], CHOICES),
              ("copy", "copy of as many bytes", pick(rows, contestant="copy"), {"linestyle": "--"})]
    return picture(f"On the GPU: {rows.signal.iloc[0] / 1e6:.0f} million float32 samples, kernels alone", lines)


def cpu_and_gpu(result: dict, data: pd.DataFrame):
    """Arrays in host memory, from end to end: the best of the CPU, the best of the GPU, and what the transfers alone take."""
    rows = pick(data, suite="bench", memory="host", dtype="float32", batch=1)
    if rows.empty:
        return None
    rows = longest(rows)
    alone = pick(data, suite="bench", memory="device", dtype="float32", batch=1, signal=rows.signal.iloc[0])
    by = lambda of, device: best(of[of.contestant.str.startswith(device)])
    return picture(f"CPU and GPU: {rows.signal.iloc[0] / 1e6:.0f} million float32 samples, the best method of each",
                   [("scipy", "CPU", by(rows, "cpu"), {}), ("direct", "GPU, with transfers", by(rows, "cuda"), {}),
                    ("fft", "GPU, kernels alone", by(alone, "cuda"), {}), ("copy", "the transfers alone", by(rows, "transfers"), {})])


# ---- files -------------------------------------------------------------------------------------------------------------

PICTURES = [device_throughput, cpu_and_gpu, crossover, throughput, roofline, chunks]


def caption(result: dict) -> str:
    machine = result["machine"]
    about = [f"gpuconv {result['build']['version']} ({result['commit'][:10]})", result["date"][:10], machine.get("gpu"), machine["cpu"],
             f"{machine['threads']} threads", result["build"]["simd_target"]]
    about += [f"{name} {version}" for name, version in result["libraries"].items() if name in ("numpy", "scipy", "dask")]
    return ", ".join(filter(None, about))


def draw(result: dict, folder: Path):
    """Writes those of the pictures that the result holds measurements for; yields what to say of each."""
    folder.mkdir(parents=True, exist_ok=True)
    data = report.times(result)
    for draw_one in PICTURES:
        path = folder / f"{draw_one.__name__}.png"
        with plt.rc_context(STYLE):
            figure = draw_one(result, data)
            if figure is None:
                yield f"{path.name}: not drawn, its problems were not measured"
                continue
            figure.text(0.01, 0.012, caption(result), fontsize=9, color="#555555")
            figure.savefig(path)
            plt.close(figure)
            yield f"picture: {path}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        for said in draw(json.loads(arguments.result.read_text()), arguments.out):
            print(said)
    except (OSError, ValueError, KeyError) as error:
        print(f"plot.py: {arguments.result}: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
