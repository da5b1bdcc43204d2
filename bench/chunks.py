#!/usr/bin/env python3
"""What cutting costs on one machine: gpuconv.dask on chunks in memory against a plan on the whole array; and how work is cut.

Usage: chunks.py [--out RESULT.json] [--pictures DIR]; with --from RESULT.json pictures are drawn of what was measured
before. Rounds alternate between all that is measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import time
from pathlib import Path

SAMPLES = 1 << 24
TAPS = (33, 257, 4097)
CHUNKS = tuple(1 << power for power in range(16, 24))
ROUNDS = 15


def timed(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def summary(times: list[float]) -> dict[str, float]:
    lower, median, upper = statistics.quantiles(times, n=4)
    return {"median": median, "lower": lower, "upper": upper, "rounds": len(times)}


def measure() -> dict:
    """Seconds of the plan, and of Dask for each size of chunks: to build the graph, and to compute it in threads."""
    import dask
    import dask.array as da
    import numpy as np

    import gpuconv
    import gpuconv.dask

    x = np.random.default_rng(1).standard_normal(SAMPLES).astype(np.float32)
    results = []
    for taps in TAPS:
        v = np.random.default_rng(2).standard_normal(taps).astype(np.float32)
        plan = gpuconv.Plan(x.shape, v, "same")
        arrays = {chunk: da.from_array(x, chunks=chunk, name=f"x-{chunk}") for chunk in CHUNKS}
        plain, built, computed = [], {c: [] for c in CHUNKS}, {c: [] for c in CHUNKS}
        for _ in range(ROUNDS):
            plain.append(timed(lambda: plan.execute(x)))
            for chunk, array in arrays.items():
                made = []
                built[chunk].append(timed(lambda: made.append(gpuconv.dask.convolve(array, v, "same"))))
                computed[chunk].append(timed(lambda: dask.persist(made[0], scheduler="threads")))
        row = {"taps": taps, "plan": summary(plain)}
        row["chunks"] = [{"chunk": c, "build": summary(built[c]), "compute": summary(computed[c])} for c in CHUNKS]
        results.append(row)
        print(taps, {c["chunk"]: round(c["compute"]["median"] / row["plan"]["median"], 2) for c in row["chunks"]}, flush=True)
    environment = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "dask": dask.__version__,
        "gpuconv": gpuconv.info(),
    }
    return {"environment": environment, "samples": SAMPLES, "dtype": "float32", "mode": "same", "results": results}


def draw_costs(result: dict, path: Path) -> None:
    """Time in multiples of the plan's by size of chunks."""
    import plot

    figure, axis = plot.plt.subplots(figsize=(12, 7))
    for row, color in zip(result["results"], ("#0072B2", "#E69F00", "#009E73")):
        one = row["plan"]["median"]
        at = [c["chunk"] for c in row["chunks"]]
        axis.plot(at, [c["compute"]["median"] / one for c in row["chunks"]], color=color, marker="o", label=f"{row['taps']} taps")
        quartiles = ([c["compute"][name] / one for c in row["chunks"]] for name in ("lower", "upper"))
        axis.fill_between(at, *quartiles, color=color, alpha=0.2)
    axis.axhline(1, color="#777777")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    axis.xaxis.set_major_formatter(plot.FuncFormatter(plot.power_of_two))
    axis.yaxis.set_major_formatter(plot.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.grid(color="#dddddd")
    axis.set(xlabel="samples in a chunk", ylabel="times a plan on the whole array", title="Chunks of 16M samples on one machine")
    axis.legend(frameon=False)
    figure.savefig(path)


def draw_cuts(path: Path) -> None:
    """Twelve samples in three chunks, three taps, mode same: what the middle task is given."""
    import plot

    figure, axis = plot.plt.subplots(figsize=(12, 4.5))
    colors = ("#56B4E9", "#E69F00", "#009E73")

    def box(at: float, width: float, y: float, color: str, text: str) -> None:
        axis.add_patch(plot.plt.Rectangle((at, y), width, 0.7, facecolor=color, edgecolor="black", alpha=0.8))
        axis.text(at + width / 2, y + 0.35, text, ha="center", va="center")

    for i, color in enumerate(colors):
        box(4 * i, 3.9, 3, color, f"chunk {i} of the signal")
        box(4 * i, 3.9, 0, color, f"chunk {i} of the result")
    box(2.7, 1, 1.5, colors[0], "halo")
    box(4, 3.9, 1.5, colors[1], "chunk 1, whole")
    box(8.2, 1, 1.5, colors[2], "halo")
    box(9.8, 1.8, 1.5, "#CC79A7", "taps, once")
    for start, end in (((3.2, 3), (3.2, 2.2)), ((5.95, 3), (5.95, 2.2)), ((8.7, 3), (8.7, 2.2)), ((5.95, 1.5), (5.95, 0.7))):
        axis.annotate("", end, start, arrowprops={"arrowstyle": "->"})
    axis.set(xlim=(-0.2, 12.2), ylim=(-0.2, 4), title="What one task is given: its chunk, halos of m - 1 samples in all, and the taps")
    axis.axis("off")
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the result goes")
    parser.add_argument("--from", type=Path, dest="source", help="a result that was measured before")
    parser.add_argument("--pictures", type=Path, help="a folder for the pictures")
    options = parser.parse_args()
    result = json.loads(options.source.read_text()) if options.source else measure()
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    if options.pictures:
        import plot

        plot.plt.rcParams.update(plot.STYLE)
        draw_costs(result, options.pictures / "chunks.png")
        draw_cuts(options.pictures / "cuts.png")


if __name__ == "__main__":
    main()
