"""Compares gpuconv with other libraries on the problems of a suite.

Usage: worker.py BUILD PROBLEM... prints a line of JSON for each problem, and first one with the versions; worker.py BUILD says what
build and device it is. --only NAME: only that contestant, as for a profiler. A program of its own because a library that crashes,
or takes all memory, must not take the stage with it; it ends after an error of gpuconv, which on a GPU may stick to the process.
"""

import argparse
import ctypes as ct
import json
import os
from pathlib import Path
import platform
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers import chunks, cpu, gpu, images
from peers.contestants import Absent, GpuconvError, compare, library
from peers.shim import Shim
from peers.workload import Problem, Workload
from stages import machine

SUITES = {suite: module for module in (gpu, cpu, images, chunks) for suite in module.BUDGETS}
VERSIONS = {"peers": ("torch", "cupy", "jax"), "large": ("torch",), "images": ("cv2", "skimage"), "chunks": ("gpuconv", "dask")}
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX would take most of the memory


def versions(suites: set[str]) -> dict:
    out = {"python": platform.python_version()}
    for name in ("numpy", "scipy", *(name for suite in sorted(suites) for name in VERSIONS.get(suite, ()))):
        try:
            out[name] = library(name).__version__
        except Absent as why:
            out[name] = str(why)
    return out


def load_cufft() -> None:
    """One cuFFT for everyone, which gpuconv opens by its name: PyTorch's, which insists on its own and is loaded by now, else
    what there is."""
    if folder := machine.find_cufft():
        for name in machine.CUFFT:
            if (folder / name).exists():
                ct.CDLL(str(folder / name))


def answer(shim: Shim, problem: Problem, only: str | None) -> dict:
    module = SUITES[problem.suite]
    timed = module is not gpu or not shim.facts.get("emulated")  # an emulator's times mean nothing
    try:
        with machine.Clocks() as clocks:
            work = Workload(problem, rotate=problem.memory == "host")
            makers = {who: make for who, make in module.makers(shim, work).items() if only in (None, who[0])}
            found = compare(makers, work, module.BUDGETS[problem.suite], timed)
            return {"contestants": found, "data": "cold" if work.cold else "warm", "clocks": clocks.summary()}
    except (Absent, MemoryError) as why:  # the problem needs more memory than there is
        return {"skipped": f"{type(why).__name__}: {why}"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("problems", type=Problem.of, nargs="*")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    if not arguments.problems:
        print(json.dumps(Shim(arguments.build).facts))
        return 0
    suites = {problem.suite for problem in arguments.problems}
    print(json.dumps({"versions": versions(suites)}), flush=True)
    shim = Shim(arguments.build)
    if suites & gpu.BUDGETS.keys() and not shim.facts.get("emulated"):
        load_cufft()
    for problem in arguments.problems:
        try:
            print(json.dumps({"problem": str(problem), **answer(shim, problem, arguments.only)}), flush=True)
        except GpuconvError as error:
            print(json.dumps({"problem": str(problem), "error": str(error)}), flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
