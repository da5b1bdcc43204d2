"""Those who convolve a workload, and how they are compared: everyone's error, and times in turn (A B A B) after a warm-up, medians
with quartiles and the least."""

from collections.abc import Callable
from dataclasses import dataclass, field
import gc
import importlib
from time import perf_counter

import numpy as np

from .workload import Workload

SHORTEST_SAMPLE = 5e-3  # seconds; shorter calls are repeated within a sample: what waking up costs weighs little
WARM_UP = 5e-3


class Absent(Exception):
    """Why someone takes no part."""


class GpuconvError(RuntimeError):
    """An error of gpuconv, of those that a GPU may keep for the rest of the process; the text is its own."""


@dataclass(frozen=True)
class Budget:
    """When to stop: a contestant is sampled until it has used `seconds`, but `least` times in any case."""

    seconds: float
    least: int

    def least_for(self, once: float) -> int:
        return self.least if once < 0.2 else min(self.least, 5) if once < 0.5 else min(self.least, 3)


@dataclass
class Contestant:
    function: Callable  # of a set's number: convolves that signal, or enqueues that, and returns the result
    detail: str = ""
    threads: int = 1
    to_host: Callable | None = lambda result: result  # a NumPy array of a result; None: there is no result
    sample: Callable | None = None  # (first set, repeats) -> seconds of a call; None: the host's clock around the function
    notes: dict = field(default_factory=dict)  # what else its record says


def library(module: str):
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise Absent("not installed") from None
    except Exception as error:  # an installation may be broken in any way
        raise Absent(f"{type(error).__name__}: {error}"[:300]) from None


def refuse_long_sums(work: Workload, limit: float) -> None:
    if (products := work.problem.products()) > limit:
        raise Absent(f"a direct sum of {products:.2g} products takes too long")


def on_host_clock(function, sets: int, wait=lambda result: None):
    """Samples of `function(set)`; `wait` returns when a result is there."""
    def sample(first: int, repeats: int) -> float:
        begin = perf_counter()
        for i in range(first, first + repeats):
            last = function(i % sets)
        wait(last)
        return (perf_counter() - begin) / repeats
    return sample


def compare(makers: dict, work: Workload, budget: Budget, timed: bool = True) -> list[dict]:
    """A record for each of those who take part: (name, who calls in the timed loop) -> what makes a contestant."""
    records, ready = [], []
    for (name, call), make in makers.items():
        record = {"contestant": name, "library": name.replace(".", " ").replace(",", " ").split()[0], "call": call}
        records.append(record)
        try:
            contestant = make()
            record |= {"threads": contestant.threads, "detail": contestant.detail}
            if contestant.to_host:
                record |= work.errors(contestant.to_host(contestant.function(0)))
            else:
                record["library"] = "copy"
            ready.append((record, contestant))
        except GpuconvError:
            raise
        except Absent as why:
            record["skipped"] = str(why)
        except Exception as error:  # of a library that does not manage this problem
            record["skipped"] = f"{type(error).__name__}: {error}"[:300]
    times = measure([c.sample or on_host_clock(c.function, work.sets) for _, c in ready], budget) if timed else []
    for (record, _), seconds in zip(ready, times):
        record["seconds"] = seconds
    for record, contestant in ready:
        record |= contestant.notes
    return records


# ---- times -------------------------------------------------------------------------------------------------------------


def spread(seconds) -> dict:
    lower, median, upper = np.quantile(seconds, [0.25, 0.5, 0.75])
    return {"median": float(median), "lower": float(lower), "upper": float(upper),
            "least": float(np.min(seconds)), "samples": len(seconds)}


def warm_up(sample) -> float:
    """Seconds of a call, at least."""
    begin, once = perf_counter(), sample(0, 1)
    while perf_counter() - begin < WARM_UP:
        once = min(once, sample(0, 1))
    return once


def measure(samplers, budget: Budget) -> list[dict]:
    """Spread of the seconds a call takes, for each `sampler(first_set, repeats)`, which returns seconds of a call.

    Neighbours in a turn start with neighbouring sets: none of them finds in the cache what another one has just read.
    """
    once = [warm_up(sample) for sample in samplers]
    repeats = [max(1, round(SHORTEST_SAMPLE / max(t, 1e-8))) for t in once]
    least = [budget.least_for(t) for t in once]
    times = [[] for _ in samplers]
    used = [0.0] * len(samplers)
    gc.collect()
    gc.disable()
    try:
        turn, active = 0, list(range(len(samplers)))
        while active:
            for i in active:
                begin = perf_counter()
                times[i].append(samplers[i](turn * repeats[i] + i, repeats[i]))
                used[i] += perf_counter() - begin
            active = [i for i in active if used[i] < budget.seconds or len(times[i]) < least[i]]
            turn += 1
    finally:
        gc.enable()
    return [spread(t) for t in times]
