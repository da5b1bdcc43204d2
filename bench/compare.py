#!/usr/bin/env python3
"""Compares two result files of run.py: new over old time of every measurement of gpuconv, with the noise.

Usage: compare.py OLD.json NEW.json [--threshold 1.10]. A regression is a ratio above the threshold whose
quartiles do not overlap. The peers' own ratio tells whether the machine changed. Exit status: 0 without regressions,
1 with some, 2 where the files cannot be compared.
"""

import argparse
import json
from pathlib import Path
import sys

import numpy as np
import pandas as pd

import report

KEY = [*report.PROBLEM, "device", "mode", "contestant", "call"]


def compare(old: dict, new: dict, threshold: float) -> pd.DataFrame:
    """A row for each measurement that both files hold, the largest ratio first. Raises ValueError where there is none."""
    before, after = (report.times(result) for result in (old, new))
    rows = before.merge(after, on=[*KEY, "library"], suffixes=("_old", ""))
    if rows.empty:
        raise ValueError("no measurement is in both files")
    ratio = rows.seconds / rows.seconds_old
    return rows.assign(ratio=ratio, noise=np.hypot(rows.spread_old, rows.spread),
                       regression=(ratio > threshold) & (rows.lower > rows.upper_old)).sort_values("ratio", ascending=False)


def lines(old: dict, new: dict, rows: pd.DataFrame):
    yield f"old: {old['commit'][:10]} {old['date']}   new: {new['commit'][:10]} {new['date']}"
    for part in ("machine", "build", "libraries"):
        for field in sorted(old[part].keys() | new[part].keys()):
            a, b = old[part].get(field), new[part].get(field)
            if a != b:
                yield f"differs: {part} {field}: {a} before, {b} now"
    ours, others = rows[rows.library == "gpuconv"], rows[rows.library != "gpuconv"]
    if len(others):
        yield f"copies and other libraries, which did not change: {np.exp(np.log(others.ratio).mean()):.2f} times the old time"
    yield from report.table("gpuconv", [
        {"suite": m.suite, "problem": report.text_of(m), "contestant": m.contestant, "call": m.call, "old": report.time_text(m.seconds_old),
         "new": report.time_text(m.seconds), "ratio": f"{m.ratio:.2f}", "noise": f"{m.noise:.1%}", "": "REGRESSION" if m.regression else ""}
        for _, m in ours.iterrows()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--threshold", type=float, default=1.10, help="ratios above it are regressions (default 1.10)")
    arguments = parser.parse_args()
    try:
        old, new = (json.loads(path.read_text()) for path in (arguments.old, arguments.new))
        rows = compare(old, new, arguments.threshold)
        shown = "\n".join(lines(old, new, rows))
    except (OSError, ValueError, KeyError) as error:
        print(f"compare.py: {error!r}", file=sys.stderr)
        return 2
    judged = rows[rows.library == "gpuconv"]
    print(f"{shown}\n{judged.regression.sum()} regressions among {len(judged)} measurements, beyond a ratio of {arguments.threshold:g} and the noise")
    return 1 if judged.regression.any() else 0


if __name__ == "__main__":
    sys.exit(main())
