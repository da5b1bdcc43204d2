"""Those who convolve a workload, and how they are compared: everyone's error, and times in turn."""

from collections.abc import Callable
from dataclasses import dataclass
import importlib
from time import perf_counter

from .shim import ShimError
from .timing import Budget, measure
from .workload import Workload


class Absent(Exception):
    """Why someone takes no part."""


@dataclass
class Contestant:
    function: Callable  # of a set's number: convolves that signal, or enqueues that, and returns the result
    detail: str = ""
    threads: int = 1
    to_host: Callable | None = lambda result: result  # a NumPy array of a result; None: there is no result
    sample: Callable | None = None  # (first set, repeats) -> seconds of a call; None: the host's clock around the function


def library(module: str):
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise Absent("not installed") from None
    except Exception as error:  # an installation may be broken in any way
        raise Absent(f"{type(error).__name__}: {error}"[:300]) from None


def refuse_long_sums(work: Workload, limit: float) -> None:
    if (products := work.signal * work.taps) > limit:
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
        except ShimError:
            raise
        except Absent as why:
            record["skipped"] = str(why)
        except Exception as error:  # of a library that does not manage this problem
            record["skipped"] = f"{type(error).__name__}: {error}"[:300]
    if timed:
        times = measure([c.sample or on_host_clock(c.function, work.sets) for _, c in ready], budget)
        for (record, _), seconds in zip(ready, times):
            record["seconds"] = seconds
    return records
