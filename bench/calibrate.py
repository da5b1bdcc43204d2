#!/usr/bin/env python3
"""Measures what the cost models of the CPU solvers need (src/cpu/cost.hpp and the cost sections of src/cpu/*.cpp), and how
good the planner's choices are.

Usage: calibrate.py --build BUILD [direct] [blocks] [overhead] [regret] [--quick] [--json FILE]. Everything if nothing is
named. Times are the least of some turns, in which all benchmarks of a section are run in random order.
"""

import argparse
import json
from pathlib import Path
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

# What the names of benchmarks say: the problem, "size" and "threads" of a block, and who or what it is.
FIELDS = r"calibrate/\w+/(?P<type>\w+)/batch:(?P<batch>\d+)/signal:(?P<signal>\d+)/taps:(?P<taps>\d+)/(?P<who>[^/]+)(?:/threads:(?P<threads>\d+))?"
SIZES = ["batch", "signal", "taps"]
PATIENCE = 36000  # seconds for a section


def measure(build: Path, section: str, quick: bool) -> pd.DataFrame:
    """A row for each benchmark: its name, what the name says, the least seconds of a call, its label and counters."""
    repetitions, least = (2, 0.002) if quick else (7, 0.02)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        done = subprocess.run([build / "bench" / "gpuconv_bench", f"--benchmark_filter=^calibrate/{section}", f"--benchmark_out={out}",
                               f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={least}",
                               "--benchmark_enable_random_interleaving=true"], capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise SystemExit(f"calibrate.py: gpuconv_bench ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-1000:]}")
        runs = pd.DataFrame(json.loads(out.read_text())["benchmarks"])
    runs = runs[runs.run_type == "iteration"].sort_values(["family_index", "real_time"]).drop_duplicates("run_name")
    if "error_occurred" in runs:
        runs = runs[runs.error_occurred.isna()]
    about = runs.run_name.str.extract(FIELDS)
    about[SIZES] = about[SIZES].apply(pd.to_numeric)
    return runs.drop(columns="threads").join(about).assign(seconds=runs.real_time * 1e-9)


def fit(terms: dict, seconds: pd.Series) -> dict:
    """Coefficients by least squares, every measurement by its percentage, and the largest relative difference."""
    scaled = np.array([np.broadcast_to(term, len(seconds)) / seconds for term in terms.values()]).T
    coefficients = np.linalg.lstsq(scaled, np.ones(len(seconds)), rcond=None)[0]
    return dict(zip(terms, coefficients)) | {"worst": np.max(np.abs(scaled @ coefficients - 1))}


def by_type(rows: pd.DataFrame, conclude) -> pd.DataFrame:
    """What is concluded of the rows of each element type."""
    return pd.DataFrame([{"type": name} | conclude(mine) for name, mine in rows.groupby("type", sort=False)])


def direct(build: Path, quick: bool):
    runs = measure(build, "direct/.*taps:(1|8|64)/" if quick else "direct/", quick)
    samples = runs.batch * runs.signal
    yield "direct: one thread, mode same", runs[["type", *SIZES]].assign(
        **{"ns/sample": runs.seconds / samples * 1e9, "ns/sample/tap": runs.seconds / samples / runs.taps * 1e9})
    yield "direct_fit: seconds = batch * (row + samples * (sample + taps * multiply_add))", by_type(runs, lambda r: fit(
        {"row": r.batch, "sample": r.batch * r.signal, "multiply_add": r.batch * r.signal * r.taps}, r.seconds))


def blocks(build: Path, quick: bool):
    r = measure(build, "blocks/.*size:(1024|2048|4096|16384)/" if quick else "blocks/", quick)
    size = r.who.str.removeprefix("size:").astype(int)
    r = r.assign(size=size, points=size / 2, levels=np.log2(size / 2), block=r.seconds / r.blocks)
    many = (r.signal == 1 << 22) & (r.blocks > 1)
    cached, large = r[many], r[~many]
    yield "overlap_save: a block on one thread, long rows", cached[["type", "size", "taps"]].assign(
        **{"ns/block": cached.block * 1e9, "ns/point/level": cached.block / cached.points / np.log2(cached["size"]) * 1e9,
           "ns/output": cached.block / cached.step * 1e9})
    yield ("overlap_save_fit: seconds = block + points * (point + levels * point_level) + outputs * output, blocks in the cache",
           by_type(cached[cached.in_cache > 0], lambda r: fit(
               {"block": 1, "point": r.points, "point_level": r.points * r.levels, "output": r.step}, r.block) if len(r) >= 4 else {}))
    yield "fft: one block at a time; taps and signal are half the block", large[["type", "size", "threads"]].assign(
        **{"us/block": large.block * 1e6, "ns/sample/level": large.block / large["size"] / np.log2(large["size"]) * 1e9})


def overhead(build: Path, quick: bool):
    for kind, unit, note, value in (("calls", "ns", "whole calls on tiny warm problems, mode full; one-shot makes the plan too", lambda r: r.seconds * 1e9),
                                    ("wake", "us", "a parallel_for of one task for each thread, beyond the task's own time", lambda r: r.seconds * 1e6),
                                    ("copy", "GB/s", "bytes read plus bytes written", lambda r: r.bytes / r.seconds * 1e-9)):
        runs = measure(build, f"{kind}/", quick)
        yield f"{kind}: {note}", pd.DataFrame({"case": runs.run_name.str.removeprefix(f"calibrate/{kind}/"), unit: value(runs)})


def regrets(runs: pd.DataFrame) -> pd.DataFrame:
    """For each problem, the planner's choice and the fastest method, the largest ratio of their times first."""
    out = []
    for key, here in runs.groupby(["type", *SIZES], sort=False):
        chosen, best = here[here.chosen > 0].iloc[0], here.loc[here.seconds.idxmin()]
        # Methods with the same blocks run the same code.
        same = chosen.label.split(", ")[1:] == best.label.split(", ")[1:]
        out.append(dict(zip(["type", *SIZES], key)) | {
            "regret": 1.0 if same else chosen.seconds / best.seconds, "over": chosen.seconds / chosen.estimate, "chosen": chosen.who, "best": best.who,
            "times": "; ".join(f"{r.who} {r.seconds:.3g} (estimate {r.estimate:.3g})" for _, r in here.iterrows())})
    return pd.DataFrame(out).sort_values("regret", ascending=False)


def quantiles(values: pd.Series, shares: dict) -> dict:
    return {name: values.quantile(share) for name, share in shares.items()}


def regret(build: Path, quick: bool):
    found = regrets(measure(build, "regret/.*signal:(16|256|4133|65573)/" if quick else "regret/", quick))
    yield "regret_summary: time of the planner's choice over the fastest method's", by_type(found, lambda r: {
        "problems": len(r), **quantiles(r.regret, {"median": 0.5, "95%": 0.95, "worst": 1}), "over 1.25": (r.regret > 1.25).sum()})
    yield "estimates: time of the planner's choice over its estimate", by_type(found, lambda r: quantiles(
        r.over, {"least": 0, "5%": 0.05, "median": 0.5, "95%": 0.95, "most": 1}))
    yield "regret_worst: the problems with the largest regret (seconds)", found.drop(columns="over").head(25)


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
    tables = {}
    for section in arguments.sections or SECTIONS:
        for title, table in SECTIONS[section](arguments.build, arguments.quick):
            print(f"\n## {title}\n{table.to_string(index=False, float_format='{:.4g}'.format)}", flush=True)
            tables[title] = json.loads(table.to_json(orient="records"))
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
