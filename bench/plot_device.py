#!/usr/bin/env python3
"""Draws the pictures of a result file of verify.py: throughput on the GPU by filter length, the CPU against the GPU.

Usage: plot_device.py RESULT.json --out DIR. Says which picture is left out because its problems were not measured.
"""

import sys

import matplotlib

matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt

from plot import COLORS, finish_throughput, main

LINES = {"cuda direct": ("direct", "gpuconv direct"), "cuda overlap-save": ("overlap-save", "gpuconv overlap-save"),
         "cuda fft": ("fft", "gpuconv fft"),
         "torch conv1d": ("numpy", "PyTorch conv1d"), "cuFFT by torch": ("scipy", "plain cuFFT (PyTorch)"),
         "cupy oaconvolve": ("workers", "CuPy oaconvolve")}


def _timed(result: dict, **fields) -> list[dict]:
    return [m for m in result["measurements"] if "seconds" in m and all(m[k] == v for k, v in fields.items())]


def _longest(rows: list[dict]) -> int:
    """The signal length measured with most filters, the longer of equals."""
    taps = {}
    for m in rows:
        taps.setdefault(m["signal"], set()).add(m["taps"])
    return max(taps, key=lambda n: (len(taps[n]), n))


def _draw_line(axis, rows: list[dict], **style) -> None:
    """Medians in a band of quartiles."""
    rows = sorted(rows, key=lambda m: m["taps"])
    if rows:
        taps, samples = [m["taps"] for m in rows], rows[0]["signal"] * rows[0]["batch"]
        axis.plot(taps, [samples / m["seconds"]["median"] for m in rows], **style)
        axis.fill_between(taps, [samples / m["seconds"]["upper"] for m in rows], [samples / m["seconds"]["lower"] for m in rows],
                          color=style["color"], alpha=0.15, linewidth=0)


def _finish(figure, axis, title: str, result: dict) -> None:
    finish_throughput(figure, axis, title)
    machine = result["machine"]
    figure.text(0.01, 0.012, f"{machine['gpu']}; {machine['cpu']}; gpuconv {result['build']['version']} ({result['commit'][:10]}); "
                f"{result['date'][:10]}", fontsize=9, color="#555555")


def throughput(result: dict):
    """Kernels alone, arrays in device memory, with the copy that no convolution can be faster than."""
    rows = _timed(result, suite="bench", memory="device", dtype="float32", batch=1)
    if not rows:
        return None
    signal = _longest(rows)
    rows = [m for m in rows + _timed(result, suite="peers", dtype="float32") if m["signal"] == signal]
    figure, axis = plt.subplots(figsize=(12, 7))
    for contestant, (color, label) in LINES.items():
        style = {} if contestant.startswith("cuda") else {"linestyle": ":"}
        mine = [m for m in rows if m["contestant"] == contestant]
        _draw_line(axis, mine, color=COLORS[color], label=label, linewidth=2.4, marker="o", markersize=5, **style)
    chosen = sorted((m["taps"], m["samples_per_second"]) for m in rows if m.get("chosen"))
    if chosen:
        axis.plot(*zip(*chosen), linestyle="none", marker="o", markersize=13, markerfacecolor="none", markeredgecolor=COLORS["plan"],
                  markeredgewidth=1.6, label="gpuconv's own choice")
    copies = [m for m in rows if m["suite"] == "bench" and m["library"] == "copy"]
    _draw_line(axis, copies, color=COLORS["copy"], linestyle="--", linewidth=2, label="copy of as many bytes")
    _finish(figure, axis, f"On the GPU: {signal / 1e6:.0f} million float32 samples, kernels alone", result)
    return figure


def cpu_and_gpu(result: dict):
    """Arrays in host memory, from end to end: the best of the CPU, the best of the GPU, and what the transfers alone take."""
    rows = _timed(result, suite="bench", memory="host", dtype="float32", batch=1)
    if not rows:
        return None
    signal = _longest(rows)
    rows = [m for m in rows if m["signal"] == signal]
    alone = [m for m in _timed(result, suite="bench", memory="device", dtype="float32", batch=1) if m["signal"] == signal]

    def best(of, device):
        mine = [m for m in of if m["contestant"].startswith(device)]
        return [min((m for m in mine if m["taps"] == taps), key=lambda m: m["seconds"]["median"]) for taps in sorted({m["taps"] for m in mine})]

    figure, axis = plt.subplots(figsize=(12, 7))
    for color, label, part in (("scipy", "CPU", best(rows, "cpu")), ("direct", "GPU, with transfers", best(rows, "cuda")),
                               ("fft", "GPU, kernels alone", best(alone, "cuda")),
                               ("copy", "the transfers alone", [m for m in rows if m["contestant"] == "transfers"])):
        _draw_line(axis, part, color=COLORS[color], label=label, linewidth=2.4, marker="o", markersize=5)
    _finish(figure, axis, f"CPU and GPU: {signal / 1e6:.0f} million float32 samples, the best method of each", result)
    return figure


PICTURES = {"device_throughput": throughput, "cpu_and_gpu": cpu_and_gpu}


if __name__ == "__main__":
    sys.exit(main(PICTURES, __doc__))
