#!/usr/bin/env python3
"""Draws the pictures of a result file: of the comparison on the CPU the crossover map, throughput by filter length and the roofline;
of a GPU throughput, and the CPU against the GPU.

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
from matplotlib.ticker import FuncFormatter
import numpy as np

import report
from report import seconds, timed

# Okabe and Ito's colours, told apart by everyone.
COLORS = {"direct": "#0072B2", "overlap-save": "#E69F00", "fft": "#009E73", "plan": "#000000",
          "numpy": "#CC79A7", "scipy": "#D55E00", "workers": "#F0A67E", "copy": "#777777", "torch": "#56B4E9"}
STYLE = {"font.size": 13, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
         "figure.dpi": 100, "savefig.dpi": 150, "axes.titleweight": "bold", "axes.titlesize": 14}
METHODS = ["direct", "overlap-save", "fft"]
TIE = 1.05  # within it, the map shows the method listed first


def power_of_two(value: float, _=None) -> str:
    return next((f"{value / scale:g}{unit}" for unit, scale in (("M", 1 << 20), ("k", 1 << 10)) if value >= scale), f"{value:g}")


def rate(value: float, _=None) -> str:
    return f"{value / 1e9:g} G" if value >= 1e9 else f"{value / 1e6:g} M"


# ---- lines by filter length --------------------------------------------------------------------------------------------


def picture(title: str, lines: list, height=lambda m, s: samples(m) / s, x=lambda m: m["taps"], roofs=(),
            xlabel="filter length (taps)", ylabel="throughput (samples/s)"):
    """Medians in a band of quartiles: a line for each (color, label, measurements, style), and one for each roof (color, label, x,
    y). `height`: of a measurement that takes `s` seconds."""
    figure, axis = plt.subplots(figsize=(12, 7))
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(power_of_two))
    axis.yaxis.set_major_formatter(FuncFormatter(rate))
    axis.grid(which="major", color="#dddddd")
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    for color, label, rows, style in lines:
        rows = sorted(rows, key=x)
        if rows:
            at = [x(m) for m in rows]
            median, upper, lower = ([height(m, m["seconds"][part]) for m in rows] for part in ("median", "upper", "lower"))
            axis.plot(at, median, **{"color": COLORS[color], "label": label, "linewidth": 2.4, "marker": "o", "markersize": 5} | style)
            axis.fill_between(at, upper, lower, color=COLORS[color], alpha=0.15, linewidth=0)
    for color, label, at, y in roofs:
        axis.plot(at, y, color=COLORS[color], linestyle="--", linewidth=2, label=label)
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


CHOICES = {"linestyle": "none", "markersize": 13, "markerfacecolor": "none", "markeredgewidth": 1.6}


def samples(m: dict) -> int:
    return m["signal"] * m.get("batch", 1)


def longest(rows: list[dict]) -> list[dict]:
    """Those of the signal length measured with most filters, the longer of equals."""
    taps = {}
    for m in rows:
        taps.setdefault(m["signal"], set()).add(m["taps"])
    signal = max(taps, key=lambda n: (len(taps[n]), n))
    return [m for m in rows if m["signal"] == signal]


# ---- the CPU -----------------------------------------------------------------------------------------------------------


def large(result: dict):
    """The suite `large` at its longest signal: measurements of everyone, by filter length."""
    rows = [m for m in timed(result, suite="large", dtype="float32", call="python") if m["taps"] < m["signal"]]
    rows = [m for m in rows if m["signal"] == max(m["signal"] for m in rows)]
    named = lambda name: [m for m in rows if m["contestant"] == name]

    def scipy(all_cores):
        mine = [m for m in rows if m["library"] == "scipy" and (m["threads"] > 1) == all_cores]
        return [report.best(m for m in mine if m["taps"] == taps) for taps in {m["taps"] for m in mine}]

    lines = [(method, f"gpuconv {method}", named(f"gpuconv {method}"), {}) for method in METHODS]
    lines += [("numpy", "numpy.convolve", named("numpy.convolve"), {}), ("scipy", "best of SciPy", scipy(False), {}),
              ("workers", "best of SciPy, all cores", scipy(True), {}), ("torch", "PyTorch conv1d", named("torch conv1d"), {})]
    copy = np.median([seconds(m) for m in named("streaming copy")]) if rows else None
    return lines, named("gpuconv plan"), copy


def of_samples(result: dict, plans: list[dict]) -> str:
    return f"{plans[0]['signal'] / 1e6:.1f} million float32 samples, {result['machine']['threads']} threads"


def throughput(result: dict):
    """Samples a second by filter length at the longest signal, beside the machine's streaming copy."""
    lines, plans, copy = large(result)
    if not plans:
        return None
    ends = [m["taps"] for m in plans]
    return picture(f"Convolution on the CPU: {of_samples(result, plans)}", [*lines, ("plan", "gpuconv's own choice", plans, CHOICES)],
                   roofs=[("copy", "streaming copy", [min(ends), max(ends)], [plans[0]["signal"] / copy] * 2)])


def roofline(result: dict):
    """Arithmetic of the direct sums under the machine's two roofs. Transforms do less of it: they pass the
    second roof."""
    lines, plans, copy = large(result)
    sums = timed(result, contestant="gpuconv direct")
    if not plans or not sums:
        return None
    work = lambda m, s: 2 * m["taps"] * m["signal"] / s
    intensity = lambda m: 2 * m["taps"] / 8  # operations for each byte: a float32 sample is read once and written once
    ends = np.array([f(intensity(m) for m in plans) for f in (min, max)])
    fastest = max(work(m, seconds(m)) for m in sums)
    return picture(f"Roofline on the CPU: {of_samples(result, plans)}", lines, work, intensity,
                   [("copy", "roof: streaming copy", ends, 8 * plans[0]["signal"] / copy * ends),
                    ("plan", "roof: fastest\ndirect sum", ends, [fastest] * 2)],
                   "operations of the direct sum for each byte moved", "operations of the direct sum in a second")


def crossover(result: dict):
    """Who is fastest, by signal length and filter length; gpuconv's methods left, the peers right."""
    grid = report.problems(result, "crossover")
    if not grid:
        return None
    signals, taps = sorted({n for n, _, _ in grid}), sorted({m for _, m, _ in grid})
    figure, axes = plt.subplots(1, 2, figsize=(12, 6.4), sharey=True)
    for axis, title, names in ((axes[0], "gpuconv", [f"gpuconv {method}" for method in METHODS]),
                               (axes[1], "NumPy and SciPy", ["numpy.convolve", "scipy oaconvolve", "scipy fftconvolve"])):
        winners = np.full((len(taps), len(signals)), np.nan)
        for (n, m, _), entry in grid.items():
            times = np.array([seconds(entry[name, "python"]) if (name, "python") in entry else np.inf for name in names])
            winners[taps.index(m), signals.index(n)] = np.argmax(times <= TIE * min(times))
        colors = [COLORS[method] for method in METHODS]
        axis.pcolormesh(np.log2(signals), np.log2(taps), winners, shading="nearest", cmap=ListedColormap(colors), vmin=-0.5, vmax=2.5,
                        edgecolors="white", linewidth=1.5)
        points = sorted((signal, m) for (signal, who), m in report.crossovers(result).items() if who == title.lower() and m)
        if len(points) > 1:
            axis.plot(*np.log2(points).T, color="black", marker="o", linewidth=2, label="transforms overtake direct")
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


# ---- the GPU -----------------------------------------------------------------------------------------------------------

OTHERS = {"torch conv1d": ("numpy", "PyTorch conv1d"), "torch, plain cuFFT": ("scipy", "plain cuFFT (PyTorch)"),
          "cupy oaconvolve": ("workers", "CuPy oaconvolve")}


def device_throughput(result: dict):
    """Kernels alone, arrays in device memory, with the copy that no convolution can be faster than."""
    rows = timed(result, suite="bench", memory="device", dtype="float32", batch=1)
    if not rows:
        return None
    rows = longest(rows)
    others = timed(result, suite="peers", dtype="float32", signal=rows[0]["signal"])
    named = lambda known, name: [m for m in known if m["contestant"] == name]
    lines = [(method, f"gpuconv {method}", named(rows, f"cuda {method}"), {}) for method in METHODS]
    lines += [(color, label, named(others, name), {"linestyle": ":"}) for name, (color, label) in OTHERS.items()]
    lines += [("plan", "gpuconv's own choice", [m for m in rows if m.get("chosen")], CHOICES),
              ("copy", "copy of as many bytes", named(rows, "copy"), {"linestyle": "--"})]
    return picture(f"On the GPU: {rows[0]['signal'] / 1e6:.0f} million float32 samples, kernels alone", lines)


def cpu_and_gpu(result: dict):
    """Arrays in host memory, from end to end: the best of the CPU, the best of the GPU, and what the transfers alone take."""
    rows = timed(result, suite="bench", memory="host", dtype="float32", batch=1)
    if not rows:
        return None
    rows = longest(rows)
    alone = timed(result, suite="bench", memory="device", dtype="float32", batch=1, signal=rows[0]["signal"])

    def best(of, device):
        mine = [m for m in of if m["contestant"].startswith(device)]
        return [report.best(m for m in mine if m["taps"] == taps) for taps in {m["taps"] for m in mine}]

    return picture(f"CPU and GPU: {rows[0]['signal'] / 1e6:.0f} million float32 samples, the best method of each",
                   [("scipy", "CPU", best(rows, "cpu"), {}), ("direct", "GPU, with transfers", best(rows, "cuda"), {}),
                    ("fft", "GPU, kernels alone", best(alone, "cuda"), {}), ("copy", "the transfers alone", best(rows, "transfers"), {})])


# ---- files -------------------------------------------------------------------------------------------------------------

PICTURES = [device_throughput, cpu_and_gpu, crossover, throughput, roofline]


def caption(result: dict) -> str:
    machine = result["machine"]
    about = [f"gpuconv {result['build']['version']} ({result['commit'][:10]})", result["date"][:10], machine.get("gpu"), machine["cpu"],
             f"{machine['threads']} threads", result["build"]["simd_target"]]
    about += [f"{name} {version}" for name, version in result["libraries"].items() if name in ("numpy", "scipy")]
    return ", ".join(filter(None, about))


def draw(result: dict, folder: Path):
    """Writes those of the pictures that the result holds measurements for; yields what to say of each."""
    folder.mkdir(parents=True, exist_ok=True)
    for draw_one in PICTURES:
        path = folder / f"{draw_one.__name__}.png"
        with plt.rc_context(STYLE):
            figure = draw_one(result)
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
