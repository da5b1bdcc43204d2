#!/usr/bin/env python3
"""Measures what the cost models of the CPU solvers need (src/cpu/cost.hpp and the cost sections of src/cpu/*.cpp), and how
good the planner's choices are.

Usage: calibrate.py --build BUILD [direct] [blocks] [overhead] [regret] [--quick] [--json FILE]. Everything if nothing is
named. Times are the least of some turns, in which all benchmarks of a section are run in random order.
"""

import argparse
import json
from pathlib import Path
import re
import sys

import numpy as np

from stages.process import run
from stages.times import measure as run_benchmarks
from stages.times import named

SIZE = re.compile(r"size:(\d+)/threads:(\d+)")
PATIENCE = 36000  # seconds for a section


def measure(build: Path, section: str, quick: bool) -> list[dict]:
    """A record for each benchmark: its name, what the name says, the least seconds of a call, its counters."""
    status, text, runs = run_benchmarks(run, build / "bench/gpuconv_bench", f"calibrate/{section}", {}, PATIENCE, *((2, 0.002) if quick else (7, 0.02)))
    if runs is None or status != "0":
        raise SystemExit(f"calibrate.py: gpuconv_bench ended with {status}: {text.strip()[-1000:]}")
    out = {}
    for one in sorted(runs, key=lambda one: (one["family_index"], one.get("repetition_index", 0))):
        if not one.get("error_occurred"):
            record = out.setdefault(one["run_name"], {**one, "name": one["run_name"], "seconds": np.inf, **(named(one["run_name"]) or {})})
            record["seconds"] = min(record["seconds"], one["real_time"] * 1e-9)
    return list(out.values())


def fit(terms: list[list[float]], seconds: list[float]) -> tuple[list[float], float]:
    """Coefficients by least squares, every measurement by its percentage, and the largest relative difference."""
    scaled = np.array(terms) / np.array(seconds)[:, None]
    coefficients = np.linalg.lstsq(scaled, np.ones(len(seconds)), rcond=None)[0]
    return coefficients.tolist(), float(np.max(np.abs(scaled @ coefficients - 1)))


def table(name: str, note: str, columns: list[str], rows: list[list]) -> dict:
    return {"name": name, "note": note, "columns": columns, "rows": rows}


def lines(shown: dict):
    cells = [shown["columns"], *([f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in shown["rows"])]
    widths = [max(map(len, column)) for column in zip(*cells)]
    yield f"\n## {shown['name']}\n{shown['note']}"
    yield from ("  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in cells)


def by_type(records: list[dict]) -> dict:
    return {kind: [r for r in records if r["dtype"] == kind] for kind in dict.fromkeys(r["dtype"] for r in records)}


def direct(build: Path, quick: bool):
    runs, fits = measure(build, "direct/.*taps:(1|8|64)/" if quick else "direct/", quick), []
    for kind, mine in by_type(runs).items():
        samples = [r["batch"] * r["signal"] for r in mine]
        found, worst = fit([[r["batch"], n, n * r["taps"]] for r, n in zip(mine, samples)], [r["seconds"] for r in mine])
        fits.append([kind, *found, worst])
    yield table("direct", "one thread, mode same", ["type", "signal", "batch", "taps", "ns/sample", "ns/sample/tap"],
                [[r["dtype"], r["signal"], r["batch"], r["taps"], r["seconds"] / r["batch"] / r["signal"] * 1e9,
                  r["seconds"] / r["batch"] / r["signal"] / r["taps"] * 1e9] for r in runs])
    yield table("direct_fit", "seconds = batch * (row + samples * (sample + taps * multiply_add))",
                ["type", "row", "sample", "multiply_add", "worst"], fits)


def blocks(build: Path, quick: bool):
    cached, large, fits = [], [], []
    for r in measure(build, "blocks/.*size:(1024|2048|4096|16384)/" if quick else "blocks/", quick):
        size, threads = map(int, SIZE.search(r["name"]).groups())
        r |= {"size": size, "threads": threads, "points": size / 2, "block": r["seconds"] / r["blocks"]}
        (cached if r["signal"] == 1 << 22 and r["blocks"] > 1 else large).append(r)
    for kind, mine in by_type([r for r in cached if r["in_cache"]]).items():
        terms = [[1, r["points"], r["points"] * np.log2(r["points"]), r["step"]] for r in mine]
        if len(mine) >= 4:
            found, worst = fit(terms, [r["block"] for r in mine])
            fits.append([kind, *found, worst])
    yield table("overlap_save", "a block on one thread, long rows", ["type", "block", "taps", "ns/block", "ns/point/level", "ns/output"],
                [[r["dtype"], r["size"], r["taps"], r["block"] * 1e9, r["block"] / r["points"] / np.log2(r["points"]) * 1e9,
                  r["block"] / r["step"] * 1e9] for r in cached])
    yield table("overlap_save_fit", "seconds = block + points * (point + levels * point_level) + outputs * output, blocks in the cache",
                ["type", "block", "point", "point_level", "output", "worst"], fits)
    yield table("fft", "one block at a time; taps and signal are half the block", ["type", "block", "threads", "us/block", "ns/sample/level"],
                [[r["dtype"], r["size"], r["threads"], r["block"] * 1e6, r["block"] / r["size"] / np.log2(r["size"]) * 1e9] for r in large])


def overhead(build: Path, quick: bool):
    for kind, unit, note, value in (("calls", "ns", "whole calls on tiny warm problems, mode full; one-shot makes the plan too", lambda r: r["seconds"] * 1e9),
                                    ("wake", "us", "a parallel_for of one task for each thread, beyond the task's own time", lambda r: r["seconds"] * 1e6),
                                    ("copy", "GB/s", "bytes read plus bytes written", lambda r: r["bytes"] / r["seconds"] * 1e-9)):
        yield table(kind, note, ["case", unit], [[r["name"].removeprefix(f"calibrate/{kind}/"), value(r)] for r in measure(build, f"{kind}/", quick)])


def regrets(runs: list[dict]) -> list[dict]:
    """For each problem, the planner's choice and the fastest method, the largest ratio of their times first."""
    problems = {}
    for r in runs:
        problems.setdefault((r["dtype"], r["signal"], r["taps"], r["batch"]), []).append(r)
    out = []
    for key, here in problems.items():
        chosen, best = next(r for r in here if r["chosen"]), min(here, key=lambda r: r["seconds"])
        # Methods with the same blocks run the same code.
        ratio = 1.0 if chosen["label"].split(", ")[1:] == best["label"].split(", ")[1:] else chosen["seconds"] / best["seconds"]
        out.append({"problem": key, "dtype": key[0], "regret": ratio,
                    "over": chosen["seconds"] / chosen["estimate"], "chosen": chosen["contestant"], "best": best["contestant"],
                    "times": "; ".join(f"{r['contestant']} {r['seconds']:.3g} (estimate {r['estimate']:.3g})" for r in here)})
    return sorted(out, key=lambda r: -r["regret"])


def quantiles(values: list[float], *shares: float) -> list[float]:
    return [float(q) for q in np.quantile(values, shares)]


def regret(build: Path, quick: bool):
    found = regrets(measure(build, "regret/.*signal:(16|256|4133|65573)/" if quick else "regret/", quick))
    kinds = by_type(found)
    yield table("regret_summary", "time of the planner's choice over the fastest method's", ["type", "problems", "median", "95%", "worst", "over 1.25"],
                [[kind, len(mine), *quantiles([r["regret"] for r in mine], 0.5, 0.95, 1), sum(r["regret"] > 1.25 for r in mine)]
                 for kind, mine in kinds.items()])
    yield table("estimates", "time of the planner's choice over its estimate", ["type", "least", "5%", "median", "95%", "most"],
                [[kind, *quantiles([r["over"] for r in mine], 0, 0.05, 0.5, 0.95, 1)] for kind, mine in kinds.items()])
    yield table("regret_worst", "the problems with the largest regret (seconds)", ["type", "signal", "taps", "batch", "regret", "chosen", "best", "times"],
                [[*r["problem"], r["regret"], r["chosen"], r["best"], r["times"]] for r in found[:25]])


SECTIONS = {"direct": direct, "blocks": blocks, "overhead": overhead, "regret": regret}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--build", type=Path, required=True, help="CMake's build folder")
    parser.add_argument("--quick", action="store_true", help="fewer sizes, shorter measurements")
    parser.add_argument("--json", type=Path, help="write the tables here too")
    arguments = parser.parse_args()
    if unknown := set(arguments.sections) - SECTIONS.keys():
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    tables = []
    for section in arguments.sections or SECTIONS:
        for made in SECTIONS[section](arguments.build, arguments.quick):
            print("\n".join(lines(made)), flush=True)
            tables.append(made)
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
