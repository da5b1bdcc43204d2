"""What is compared: which problems, and who takes part in each. Comparing yields measurements, and records of those who
could not take part."""

from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from . import contestants as who
from .shim import Copy, Shim, address
from .timing import Budget, measure
from .workload import Workload

SMALL = [(100, 50), (1_000, 50), (10_000, 50), (100_000, 1_000)]  # what people try first
METHODS = ["direct", "overlap-save", "fft"]
FEW_PRODUCTS = 1 << 29  # of NumPy's sums, where more would only show what is known
TAPS = [4, 16, 32, 64, 128, 257, 512, 1025, 2049, 4097, 8192, 1 << 14, 1 << 16]


@dataclass(frozen=True)
class Problem:
    signal: int
    taps: int
    dtype: str
    makers: list  # of contestants, from a workload
    budget: Budget


def small(shim: Shim, quick: bool):
    """Sizes where the call itself counts, in float32 and float64, called from Python and from C++."""
    budget = Budget(0.05, 5) if quick else Budget(0.3, 15)
    makers = [partial(who.gpuconv_plan, shim), partial(who.gpuconv_one_shot, shim),
              partial(who.gpuconv_plan, shim, call="c++"), partial(who.gpuconv_one_shot, shim, call="c++"),
              *_peers(shim.threads())]
    for signal, taps in SMALL:
        for dtype in ["float32", "float64"]:
            yield Problem(signal, taps, dtype, makers, budget)


def large(shim: Shim, quick: bool):
    """Signals that leave the cache, float32 with a streaming copy beside them; float64 at the smaller length."""
    budget = Budget(0.1, 3) if quick else Budget(0.5, 5)
    peers = [*_peers(shim.threads(), quick), who.torch_conv1d]
    doubles = [partial(who.gpuconv_plan, shim), partial(who.gpuconv_one_shot, shim), *peers]
    floats = [partial(who.gpuconv_plan, shim), partial(who.gpuconv_plan, shim, threads=1, name="gpuconv plan, 1 thread"),
              partial(who.gpuconv_one_shot, shim), *_methods(shim), partial(_copy, shim), *peers]
    problems = [(1 << 20, taps) for taps in ((16, 257, 8192) if quick else (16, 64, 257, 1025, 8192, 1 << 20))]
    problems += [(1 << 22, taps) for taps in (16, 128, 1025, 8192, 1 << 16)] if quick else [(1 << 24, taps) for taps in TAPS]
    for signal, taps in problems:
        yield Problem(signal, taps, "float32", floats, budget)
        if signal == 1 << 20 and taps in (16, 257, 8192):
            yield Problem(signal, taps, "float64", doubles, budget)


def crossover(shim: Shim, quick: bool):
    """A grid of signal and filter lengths: every method of gpuconv, and NumPy's direct sum and SciPy's transforms."""
    budget = Budget(0.005, 3) if quick else Budget(0.03, 5)
    makers = [partial(who.gpuconv_plan, shim), partial(who.gpuconv_one_shot, shim),
              partial(who.gpuconv_one_shot, shim, call="c++"), *_methods(shim),
              partial(who.numpy_convolve, limit=FEW_PRODUCTS),
              partial(who.scipy_fft, name="fftconvolve"), partial(who.scipy_fft, name="oaconvolve")]
    for log_signal in range(6, 19 if quick else 23, 4 if quick else 2):
        for log_taps in range(1, min(log_signal, 20) + 1, 3 if quick else 1):
            yield Problem(1 << log_signal, 1 << log_taps, "float32", makers, budget)


SUITES = {"small": small, "crossover": crossover, "large": large}  # in the order they are measured


def arithmetic_peak(shim: Shim) -> float:
    """Multiplications and additions a second of all threads together, as the direct sum reaches them in the cache."""
    work = Workload(1 << 13, 64, "float32")
    contestant = who.gpuconv_plan(shim, work, method="direct", threads=1, call="c++")
    least = measure([contestant.sample], Budget(0.1, 15))[0]["least"]
    return shim.threads() * 2 * work.taps * work.outputs / least


def call_overhead(shim: Shim) -> dict:
    """Seconds that the Python around gpuconv's calls takes, the calls being empty: of a plan, and of a one-shot call."""
    work = Workload(100, 50, "float32")
    signal, taps = work.signals[0].ctypes.data, work.filter.ctypes.data

    def one_shot(_):
        shim.check(shim.nothing(signal, taps, address(np.empty(work.outputs, work.dtype))))

    functions = [lambda _: shim.check(shim.nothing(None, signal, taps)), one_shot]
    empty = [who.python_contestant("nothing", "gpuconv", 1, "", function, work) for function in functions]
    plan, new_output = measure([c.sample for c in empty], Budget(0.2, 15))
    return {"plan": plan, "one_shot": new_output}


def _peers(workers: int, quick: bool = False):
    """NumPy and SciPy with their defaults, and SciPy with as many workers as gpuconv has threads."""
    numpy = partial(who.numpy_convolve, limit=FEW_PRODUCTS) if quick else who.numpy_convolve
    peers = [numpy, who.scipy_convolve, partial(who.scipy_fft, name="fftconvolve"),
             partial(who.scipy_fft, name="oaconvolve")]
    if workers > 1:
        peers += [partial(who.scipy_fft, name=name, workers=workers) for name in ("fftconvolve", "oaconvolve")]
    return peers


def _methods(shim: Shim):
    return [partial(who.gpuconv_plan, shim, method=method, name=f"gpuconv {method}") for method in METHODS]


def _copy(shim: Shim, work: Workload) -> who.Contestant:
    """As many bytes as the signal has, on as many threads as gpuconv."""
    copy, threads = Copy(shim, work.signals[0].nbytes, work.sets), shim.threads()
    contestant = who.python_contestant("streaming copy", "copy", threads, "", lambda _: copy.run(threads), work)
    contestant.result = None
    return contestant


def compare(suite: str, problem: Problem, end: float):
    """Everyone's record; only that there was no time for them after the moment `end` of perf_counter."""
    if perf_counter() > end:
        yield _problem(suite, problem) | {"contestant": "everyone", "skipped": "the time given by --within was over"}
        return
    work = Workload(problem.signal, problem.taps, problem.dtype)
    ready = []
    for make in problem.makers:
        try:
            ready.append(make(work=work))
        except who.Skipped as reason:
            yield _problem(suite, problem) | {"contestant": reason.contestant, "skipped": str(reason)}
    times = measure([c.sample for c in ready], problem.budget)
    for contestant, seconds in zip(ready, times):
        yield _record(suite, problem, work, contestant, seconds)


def _problem(suite: str, problem: Problem) -> dict:
    return {"suite": suite, "device": "cpu", "signal": problem.signal, "taps": problem.taps, "mode": "full",
            "dtype": problem.dtype}


def _record(suite: str, problem: Problem, work: Workload, contestant: who.Contestant, seconds: dict) -> dict:
    errors = work.errors(contestant.result()) if contestant.result else {}
    return _problem(suite, problem) | {
        "data": "cold" if work.cold else "warm", "contestant": contestant.name, "library": contestant.library,
        "call": contestant.call, "threads": contestant.threads, "detail": contestant.detail, "seconds": seconds,
        "samples_per_second": work.signal / seconds["median"], **errors}
