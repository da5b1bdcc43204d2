"""What cutting costs on one machine: gpuconv.dask on chunks in memory beside a plan on the whole array, by the Python package."""

from functools import partial

import numpy as np

from .contestants import Budget, Contestant, library
from .shim import Shim
from .workload import Problem, Workload

PROBLEMS = [Problem("chunks", "float32", 1 << 24, taps, mode="same") for taps in (33, 257, 4097)]
BUDGETS = {"chunks": Budget(0.5, 15)}
SIZES = [1 << power for power in range(16, 24)]


def whole(work: Workload, threads: int) -> Contestant:
    made = library("gpuconv").Plan(work.signals[0].shape, work.filter, "same")
    return Contestant(lambda i: made.execute(work.signals[i]), repr(made), threads)


def in_chunks(work: Workload, threads: int, size: int, build: bool) -> Contestant:
    """`build`: makes the graph; else computes one in threads."""
    library("gpuconv")  # without which dask says more than that it is not installed
    dask, arrays, convolve = library("dask"), library("dask.array"), library("gpuconv.dask").convolve
    signals = [arrays.from_array(s, chunks=size, name=f"signal-{i}-{size}") for i, s in enumerate(work.signals)]
    if build:
        return Contestant(lambda i: convolve(signals[i], work.filter, "same"), to_host=lambda lazy: lazy.compute())
    results = [convolve(signal, work.filter, "same") for signal in signals]
    return Contestant(lambda i: dask.persist(results[i], scheduler="threads")[0], f"dask {dask.__version__}", threads,
                      to_host=np.asarray)


def makers(shim: Shim, work: Workload) -> dict:
    """Who takes part: (name, "python", or what is done with Dask's graph) -> what makes a contestant."""
    known = {("gpuconv.Plan", "python"): partial(whole, work, shim.threads)}
    for size in SIZES:
        for call in ("build", "compute"):
            known[f"gpuconv.dask, chunks of {size}", call] = partial(in_chunks, work, shim.threads, size, call == "build")
    return known
