#!/usr/bin/env python3
"""Compares two result files of run.py: new over old time of every measurement of gpuconv, with the noise.

Usage: compare.py OLD.json NEW.json [--threshold 1.10]. A regression is a ratio above the threshold whose
quartiles do not overlap. The peers' own ratio tells whether the machine changed. Exit status: 0 without regressions,
1 with some, 2 where the files cannot be compared.
"""

import argparse
import json
from math import hypot
from pathlib import Path
from statistics import geometric_mean
import sys

from peers.timing import relative_spread
from report import time_text

KEY = ("suite", "device", "memory", "batch", "signal", "taps", "mode", "dtype", "contestant", "call")
USUAL = {"memory": "host", "batch": 1}  # of measurements that do not say


def by_key(result: dict) -> dict:
    """Measurements with a time, by what was measured."""
    return {tuple((USUAL | m)[field] for field in KEY): m for m in result["measurements"] if "seconds" in m}


def compare(old: dict, new: dict, threshold: float) -> list[dict]:
    """A row for each measurement that both files hold, the largest ratio first."""
    before, after = by_key(old), by_key(new)
    rows = []
    for key in before.keys() & after.keys():
        a, b = before[key]["seconds"], after[key]["seconds"]
        ratio = b["median"] / a["median"]
        rows.append({**dict(zip(KEY, key)), "library": after[key]["library"], "old": a["median"], "new": b["median"],
                     "ratio": ratio, "noise": hypot(relative_spread(a), relative_spread(b)),
                     "regression": ratio > threshold and b["lower"] > a["upper"]})
    return sorted(rows, key=lambda row: -row["ratio"])


def drift(rows: list[dict]) -> float | None:
    """Geometric mean of the others' ratios: how much slower the machine itself was the second time."""
    others = [row["ratio"] for row in rows if row["library"] != "gpuconv"]
    return geometric_mean(others) if others else None


def differences(old: dict, new: dict) -> list[str]:
    """Differences between the runs beside the library."""
    out = []
    for part in ("machine", "build", "libraries"):
        for field in sorted(old[part].keys() | new[part].keys()):
            a, b = old[part].get(field), new[part].get(field)
            if a != b:
                out.append(f"{part} {field}: {a} before, {b} now")
    return out


def lines(old: dict, new: dict, peers: float | None, rows: list[dict]):
    yield f"old: {old['commit'][:10]} {old['date']}   new: {new['commit'][:10]} {new['date']}"
    yield from (f"differs: {text}" for text in differences(old, new))
    if peers:
        yield f"copies and other libraries, which did not change: {peers:.2f} times the old time"
    yield f"{'suite':>10} {'signal':>16} {'taps':>10} {'dtype':>8} {'contestant':<32} {'call':>6} {'old':>9} {'new':>9} {'ratio':>6} {'noise':>6}"
    for row in rows:
        signal = f"{row['signal']:,}" if row["batch"] == 1 else f"{row['batch']:,}x{row['signal']:,}"
        yield (f"{row['suite']:>10} {signal:>16} {row['taps']:>10,} {row['dtype']:>8} {row['contestant']:<32} {row['call']:>6} "
               f"{time_text(row['old']):>9} {time_text(row['new']):>9} {row['ratio']:>6.2f} {row['noise']:>6.1%}"
               f"{'  REGRESSION' if row['regression'] else ''}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--threshold", type=float, default=1.10, help="ratios above it are regressions (default 1.10)")
    arguments = parser.parse_args()
    try:
        old, new = (json.loads(path.read_text()) for path in (arguments.old, arguments.new))
        rows = compare(old, new, arguments.threshold)
        if not rows:
            raise ValueError("no measurement is in both files")
        judged = [row for row in rows if row["library"] == "gpuconv"]
        shown = list(lines(old, new, drift(rows), judged))
    except (OSError, ValueError, KeyError) as error:
        print(f"compare.py: {error!r}", file=sys.stderr)
        return 2
    print("\n".join(shown))
    regressions = sum(row["regression"] for row in judged)
    print(f"{regressions} regressions among {len(judged)} measurements, beyond a ratio of {arguments.threshold:g} and the noise")
    return 1 if regressions else 0


if __name__ == "__main__":
    sys.exit(main())
