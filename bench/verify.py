#!/usr/bin/env python3
"""Verifies gpuconv on a GPU: the test suite, NVIDIA's sanitizers, limits, then times. Writes one dated result file.

Usage: verify.py --build BUILD --out DIR [--resume] [--stages a,b] [--limit SECONDS] [--within SECONDS]
                 [--quick] [--plots]
       verify.py --list
       verify.py --build BUILD --pack DIR

Stages go on where they stopped: --resume takes up DIR/verification-state.json. BUILD is CMake's folder, or a carried one
(--pack). Exit status: 0 all has passed, 1 something failed, 3 not done (run again with --resume), 77 there is no GPU.
"""

import argparse
from datetime import datetime, timezone
from pathlib import Path
import subprocess
import sys

from verification import carry, machine, result
from verification.machine import ENVIRONMENT
from verification.process import Deadline
from verification.sanitizer import SANITIZER
from verification.stages import Context, State, run_stage, write_json
from verification.suite import LIMITS, SUITE
from verification.timing import BENCH, PEERS

STAGES = [ENVIRONMENT, SUITE, SANITIZER, LIMITS, BENCH, PEERS]
STATE = "verification-state.json"
LIMIT = 480.0  # seconds a stage may take at a time
NO_GPU, NOT_DONE = 77, 3


def parse_arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, help="CMake's build folder, or a carried one")
    parser.add_argument("--out", type=Path, help="folder for the result file and the state")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--stages", type=lambda text: text.split(","), help="only these, separated by commas")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds a stage may take at a time ({LIMIT:g})")
    parser.add_argument("--within", type=float, default=float("inf"), help="seconds all stages together may take")
    parser.add_argument("--quick", action="store_true", help="few problems for the times")
    parser.add_argument("--plots", action="store_true", help="draw the pictures as well (needs matplotlib)")
    parser.add_argument("--list", action="store_true", help="the stages, and what each is for")
    parser.add_argument("--pack", type=Path, metavar="DIR", help="copy what a machine with a GPU needs of the build")
    arguments = parser.parse_args(argv)
    if not arguments.list:
        if not arguments.build or not (arguments.out or arguments.pack):
            parser.error("--build and --out are needed, or --build and --pack, or --list")
        unknown = set(arguments.stages or ()) - {stage.name for stage in STAGES}
        if unknown:
            parser.error(f"no such stage: {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in STAGES)}")
    return arguments


def load_state(arguments, about: dict) -> State:
    """The state to go on from, which has to be about the same things: results of two commits are no result."""
    path = arguments.out / STATE
    if arguments.resume and path.exists():
        state = State.load(path)
        for what, value in about.items():
            if state.data.get(what) != value:
                raise ValueError(f"{path} has {what} {state.data.get(what)}, this is {value}: without --resume, all begins anew")
        return state
    return State(path, {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), **about, "stages": {}})


def say(name: str, record: dict) -> None:
    if record["outcome"] in result.FAULTS:
        text = record.get("text", "").splitlines()
        print(f"  {record['outcome']}: {name}: {text[-1][:200] if text else ''}", flush=True)


def verify(arguments: argparse.Namespace) -> int:
    source = Path(__file__).resolve().parents[1]
    variables = machine.environment()
    device = machine.device_info(arguments.build, variables)
    if not device["available"]:
        print(f"There is no GPU to verify on: {device['detail']}. Nothing was run, no result is written.")
        return NO_GPU
    context = Context(arguments.build.resolve(), source, device, variables, arguments.quick)
    commit = machine.commit(source, arguments.build)["commit"]
    state = load_state(arguments, {"device": device["name"], "commit": commit, "quick": arguments.quick})
    wanted = [stage for stage in STAGES if not arguments.stages or stage.name in [ENVIRONMENT.name, *arguments.stages]]
    everything = Deadline(arguments.within)
    for stage in wanted:
        limit = min(arguments.limit, everything.left())
        if limit <= 0:
            break
        print(f"{stage.name}: {stage.summary}", flush=True)
        entry = run_stage(stage, context, state, limit, say, whole=limit == arguments.limit)
        print(f"  {entry['status']} after {entry['seconds']:.0f} s{': ' + entry['why'] if 'why' in entry else ''}", flush=True)
    out = result.build(STAGES, state.data, device)
    path = arguments.out / result.file_name(datetime.fromisoformat(out["date"]), device)
    write_json(path, out)
    print("\n" + "\n".join(result.lines(out)) + f"\nresult file: {path}")
    if arguments.plots and out["measurements"]:
        subprocess.run([sys.executable, "-B", Path(__file__).with_name("plot_device.py"), path, "--out", arguments.out])
    if out["verdict"] == "failed":
        return 1
    if out["emulated"]:
        return NO_GPU
    done = all(state.stage(stage.name)["status"] == "complete" for stage in wanted)
    return 0 if done else NOT_DONE


def main() -> int:
    arguments = parse_arguments()
    try:
        if arguments.list:
            for stage in STAGES:
                print(f"{stage.name:<12} {stage.summary}")
            return 0
        if arguments.pack:
            source = Path(__file__).resolve().parents[1]
            packed = carry.pack(source, arguments.build, arguments.pack)
            print(f"{len(packed)} files, {sum(p.stat().st_size for p in packed) / 2**20:.1f} MiB, in {arguments.pack}")
            return 0
        return verify(arguments)
    except (OSError, ValueError) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
