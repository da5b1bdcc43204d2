#!/usr/bin/env python3
"""Verifies and times gpuconv on this machine: on a GPU the test suite and times, then limits and a profiler, then sanitizers and
other libraries; on the CPU a comparison with NumPy and SciPy.

Usage: run.py --build BUILD --out DIR [--within SECONDS] [--stages a,b] [--anew] [--plots]
       run.py --build BUILD --pack DIR

All is below DIR/DEVICE, a folder for each device: result.json and table.txt. The same command goes on where the
last one stopped, for the same commit, until --within is over. BUILD is CMake's folder, or a carried one (--pack). Exit
status: 0 all has passed, 1 something failed, 3 not done (run it again), 77 a named stage needs a GPU and there is none.
"""

import argparse
from datetime import datetime, timezone
import json
import os
from pathlib import Path
import re
import subprocess
import sys

from stages import carry, machine
from stages.comparison import BENCH, CHUNKS, CROSSOVER, IMAGES, LARGE, PEERS, SMALL
from stages.machine import ENVIRONMENT
from stages.process import Deadline
from stages.profiler import PROFILER
from stages.stage import Context, Result, run_stage, verdict, write
from stages.tests import LIMITS, SANITIZER, SUITE

# In the order of their value; the last two only where they are named.
STAGES = [ENVIRONMENT, SUITE, BENCH, LIMITS, PROFILER, SANITIZER, PEERS, SMALL, LARGE, CROSSOVER, IMAGES, CHUNKS]
SCHEMA = 2
WITHIN = 540.0
MOST_JOBS = 8  # tests at a time: each has the GPU's context and its memory
NO_GPU, NOT_DONE = 77, 3
SOURCE = Path(__file__).resolve().parents[1]


def parse_arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="stages:\n" + "\n".join(f"  {stage.name:<12} {stage.summary}" for stage in STAGES))
    parser.add_argument("--build", type=Path, required=True, help="CMake's build folder, or a carried one")
    parser.add_argument("--out", type=Path, help="folder for results")
    parser.add_argument("--within", type=float, default=WITHIN, help=f"seconds that all may take ({WITHIN:g})")
    parser.add_argument("--stages", type=lambda text: text.split(","), default=[], help="only these, separated by commas")
    parser.add_argument("--anew", action="store_true", help="forget what was done, of --stages or of all")
    parser.add_argument("--plots", action="store_true", help="draw the pictures as well (needs matplotlib)")
    parser.add_argument("--pack", type=Path, metavar="DIR", help="copy what a machine with a GPU needs of the build")
    arguments = parser.parse_args(argv)
    if not (arguments.out or arguments.pack):
        parser.error("--out or --pack is needed")
    if unknown := set(arguments.stages) - {stage.name for stage in STAGES}:
        parser.error(f"no such stage: {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in STAGES)}")
    return arguments


def load(arguments, device: dict, commit: str) -> Result:
    """The result to go on from, which has to be about the same commit: a mixture of two is no result."""
    path = arguments.out / re.sub(r"[^a-z0-9]+", "-", device["name"].lower()).strip("-") / "result.json"
    if path.exists():
        result = Result(path, json.loads(path.read_text()))
        other = result.data["commit"] != commit
        if other and not arguments.anew:
            raise ValueError(f"{path} is of the commit {result.data['commit']}, this is {commit}: --anew forgets it")
        for stage in arguments.stages if arguments.anew else ():
            result.forget(stage)
        if not arguments.anew or arguments.stages and not other:
            return result
    return Result(path, {"schema": SCHEMA, "date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "commit": commit, "modified": True,
                         "device": device, "libraries": {}, "stages": {}, "measurements": []})


def say(name: str, record: dict) -> None:
    if record["outcome"] == "failed":
        print(f"  failed: {name}: {' '.join(record.get('text', '').split())[-200:]}", flush=True)
    elif record["outcome"] == "measured":
        print(f"  {name}", flush=True)


def table(result: dict) -> str:
    """For people; where this Python lacks pandas it is made later: by the same command with a Python that has it."""
    try:
        import report
    except ImportError as missing:
        return f"No table here: {missing}. Verdict: {result['verdict']}"
    return "\n".join(report.lines(result))


def run(arguments: argparse.Namespace) -> int:
    deadline, build = Deadline(arguments.within), arguments.build.resolve()
    variables = machine.environment()
    device = machine.device(build, variables)
    wanted = [s for s in STAGES if s.device is None or (s.name in arguments.stages if arguments.stages
                                                        else s.usual and (s.device == "cpu" or device["available"]))]
    if not device["available"]:
        print(f"There is no GPU to verify on: {device['detail']}.", flush=True)
        if any(stage.device == "cuda" for stage in wanted):
            print("Nothing was run, no result is written.")
            return NO_GPU
        device["name"] = machine.cpu_model()
    variables["GPUCONV_GOLDEN_FILE"] = str(SOURCE / "tests" / "golden" / "golden.json")  # elsewhere for a carried build
    context = Context(build, SOURCE, device, variables, min(MOST_JOBS, len(os.sched_getaffinity(0))))
    result = load(arguments, device, machine.commit(SOURCE, build)["commit"])
    for stage in wanted:
        if deadline.over():
            break
        print(f"{stage.name}: {stage.summary}", flush=True)
        entry = run_stage(stage, context, result, deadline, say)
        print(f"  {entry['status']} after {entry['seconds']:.0f} s{': ' + entry['why'] if 'why' in entry else ''}", flush=True)
    result.data["verdict"] = verdict(STAGES, result.data)
    result.save()
    text = table(result.data)
    write(result.path.with_name("table.txt"), text + "\n")
    print(f"\n{text}\nresult file: {result.path}", flush=True)
    if arguments.plots and result.data["measurements"]:
        subprocess.run([sys.executable, "-B", SOURCE / "bench" / "plot.py", result.path, "--out", result.path.parent])
    if result.data["verdict"] == "failed":
        return 1
    if device.get("emulated"):
        return NO_GPU
    return 0 if all(result.stage(stage.name)["status"] == "complete" for stage in wanted) else NOT_DONE


def main() -> int:
    arguments = parse_arguments()
    try:
        if arguments.pack:
            packed = carry.pack(SOURCE, arguments.build.resolve(), arguments.pack)
            print(f"{len(packed)} files, {sum(p.stat().st_size for p in packed) / 2**20:.1f} MiB, in {arguments.pack}")
            return 0
        return run(arguments)
    except (OSError, ValueError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
