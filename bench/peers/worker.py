"""Compares gpuconv with other libraries on the CPU or on the GPU.

Usage: worker.py BUILD cpu|cuda SUITE:DTYPE:SIGNAL:TAPS... prints a line of JSON for each problem, and first one with the versions.
A program of its own because a library that crashes, or takes all memory, must not take the stage with it; it ends after an error
of gpuconv, which on a GPU may stick to the process.
"""

import ctypes as ct
import json
import os
from pathlib import Path
import platform
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers import cpu, gpu
from peers.contestants import Absent, compare, library
from peers.shim import Shim, ShimError
from peers.workload import Workload
from stages import machine

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX would take most of the memory


def versions(on_gpu: bool) -> dict:
    out = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "torch", *(("cupy", "jax") if on_gpu else ())):
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


def answer(shim: Shim, on_gpu: bool, job: str) -> dict:
    suite, dtype, signal, taps = job.split(":")
    work = Workload(int(signal), int(taps), dtype)
    if on_gpu:
        return {"job": job, "contestants": compare(gpu.makers(shim, work), work, gpu.BUDGET, timed=not shim.is_emulated())}
    found = compare(cpu.makers(shim, work, suite), work, cpu.BUDGETS[suite])
    return {"job": job, "data": "cold" if work.cold else "warm", "contestants": found}


def main() -> int:
    build, on_gpu = Path(sys.argv[1]), sys.argv[2] == "cuda"
    print(json.dumps({"versions": versions(on_gpu)}), flush=True)
    if on_gpu:
        load_cufft()
    shim = Shim(build, on_gpu)
    for job in sys.argv[3:]:
        try:
            print(json.dumps(answer(shim, on_gpu, job)), flush=True)
        except (ShimError, MemoryError) as error:
            print(json.dumps({"job": job, "error": f"{type(error).__name__}: {error}"}), flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
