#!/usr/bin/env python3
"""Compares gpuconv with NumPy and SciPy in one run; writes a dated result file, prints it, and draws it.

Usage: run.py --build BUILD --out DIR [--quick] [--suite NAME ...] [--within SECONDS]. Needs NumPy, SciPy and a build with
GPUCONV_BUILD_BENCH=ON; pictures need matplotlib.
"""

import argparse
from datetime import datetime, timezone
import json
import os
from pathlib import Path
import subprocess
import sys
from time import perf_counter

from origin import commit
from peers import analysis, machine, report, suites
from peers.shim import Shim, ShimError

HERE = Path(__file__).resolve().parent
SCHEMA = 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="CMake's build folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the result file and the pictures")
    parser.add_argument("--quick", action="store_true", help="fewer sizes, shorter measurements")
    parser.add_argument("--suite", action="append", choices=suites.SUITES, help="only these; may be repeated")
    parser.add_argument("--within", type=float, default=600, metavar="SECONDS",
                        help="problems not begun after so long are left out, and recorded as skipped (default 600)")
    parser.add_argument("--no-plots", action="store_true")
    return parser.parse_args()


def measure(shim: Shim, names, quick: bool, within: float) -> dict:
    measurements, skipped = [], []
    begin = perf_counter()
    for name in names:
        for problem in suites.SUITES[name](shim, quick):
            print(f"{perf_counter() - begin:4.0f} s  {name}: {problem.signal} x {problem.taps} {problem.dtype}", file=sys.stderr, flush=True)
            for record in suites.compare(name, problem, begin + within):
                (skipped if "skipped" in record else measurements).append(record)
    return {"measurements": measurements, "skipped": skipped, "seconds": perf_counter() - begin}


def run(arguments: argparse.Namespace) -> dict:
    shim = Shim(arguments.build)
    result = {"schema": SCHEMA, "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
              "quick": arguments.quick, **commit(HERE), **machine.describe(shim)}
    load_before = machine.load()
    result["call_overhead_seconds"] = suites.call_overhead(shim)
    result["arithmetic_peak"] = suites.arithmetic_peak(shim)
    result |= measure(shim, arguments.suite or list(suites.SUITES), arguments.quick, arguments.within)
    result["noise"] = analysis.noise(result) | {"load_before": load_before, "load_after": machine.load()}
    result["crossovers"] = analysis.crossovers(result)
    return result


def save(result: dict, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = result["date"][:19].replace(":", "").replace("-", "")
    path = folder / f"{stamp}-{result['commit'][:10]}{'-modified' if result['modified'] else ''}.json"
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(unfinished, path)
    return path


def main() -> int:
    arguments = parse_arguments()
    try:
        result = run(arguments)
        path = save(result, arguments.out)
    except (OSError, ShimError, MemoryError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    for line in report.lines(result):
        print(line)
    print(f"\nresult file: {path}")
    if arguments.no_plots:
        return 0
    return subprocess.run([sys.executable, HERE / "plot.py", path, "--out", arguments.out]).returncode


if __name__ == "__main__":
    sys.exit(main())
