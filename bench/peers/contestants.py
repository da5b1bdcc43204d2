"""Everyone who convolves a workload: gpuconv, NumPy and SciPy, each with a way to be timed and to show its result."""

from dataclasses import dataclass
from time import perf_counter
from typing import Callable

import numpy as np
import scipy.fft
import scipy.signal

from .shim import Plan, Request, Shim, ShimError, address, timed
from .workload import Workload

DIRECT_PRODUCTS = {"numpy": 5 * 10**9, "torch": 5 * 10**9, "gpuconv": 1 << 35}  # larger direct sums would take minutes


@dataclass
class Contestant:
    name: str
    library: str
    call: str  # "python" or "c++": who calls, in the timed loop
    threads: int
    detail: str
    sample: Callable[[int, int], float]  # (first set, repeats) -> seconds a call
    result: Callable[[], np.ndarray]  # of the first signal


class Skipped(Exception):
    """A contestant that does not run here, and why."""

    def __init__(self, contestant: str, reason: str):
        super().__init__(reason)
        self.contestant = contestant


def _refuse_long_sums(contestant: str, work: Workload, limit: int) -> None:
    if work.signal * work.taps > limit:
        raise Skipped(contestant, f"a direct sum of {work.signal * work.taps:.2g} products takes too long")


def python_contestant(name, library, threads, detail, function, work: Workload) -> Contestant:
    """`function(set)` convolves that signal of the workload and returns the result."""
    sets = work.sets

    def sample(first, repeats):
        begin = perf_counter()
        for i in range(first, first + repeats):
            function(i % sets)
        return (perf_counter() - begin) / repeats

    return Contestant(name, library, "python", threads, detail, sample, lambda: function(0))


def _timed_in_cpp(time_set, work: Workload):
    """A sampler from `time_set(set, repeats)`; where data must be cold, no set is used twice in a row."""

    def sample(first, repeats):
        if not work.cold:
            return time_set(0, repeats)
        return sum(time_set(i % work.sets, 1) for i in range(first, first + repeats)) / repeats

    return sample


def numpy_convolve(work: Workload, limit: int = DIRECT_PRODUCTS["numpy"]) -> Contestant:
    _refuse_long_sums("numpy.convolve", work, limit)
    return python_contestant("numpy.convolve", "numpy", 1, "direct", lambda i: np.convolve(work.signals[i], work.filter), work)


def scipy_convolve(work: Workload) -> Contestant:
    method = scipy.signal.choose_conv_method(work.signals[0], work.filter)
    if method == "direct":
        _refuse_long_sums("scipy convolve", work, DIRECT_PRODUCTS["numpy"])
    function = lambda i: scipy.signal.convolve(work.signals[i], work.filter)
    return python_contestant("scipy convolve", "scipy", 1, f"auto: {method}", function, work)


def scipy_fft(work: Workload, name: str, workers: int = 1) -> Contestant:
    """`name` is fftconvolve or oaconvolve."""
    convolve = getattr(scipy.signal, name)
    plain = lambda i: convolve(work.signals[i], work.filter)
    if workers == 1:
        return python_contestant(f"scipy {name}", "scipy", 1, name, plain, work)

    def with_workers(i):
        with scipy.fft.set_workers(workers):
            return plain(i)

    return python_contestant(f"scipy {name}, {workers} workers", "scipy", workers, name, with_workers, work)


def torch_conv1d(work: Workload) -> Contestant:
    """PyTorch on the CPU, with its default of threads. It correlates: the filter is reversed beforehand."""
    name = "torch conv1d"
    try:
        import torch
    except ImportError as error:
        raise Skipped(name, "PyTorch is not installed") from error
    _refuse_long_sums(name, work, DIRECT_PRODUCTS["torch"])
    signals = [torch.from_numpy(s).reshape(1, 1, -1) for s in work.signals]
    weight = torch.from_numpy(work.filter[::-1].copy()).reshape(1, 1, -1)

    def convolve(i):
        with torch.inference_mode():
            return torch.nn.functional.conv1d(signals[i], weight, padding=work.taps - 1)[0, 0].numpy()

    return python_contestant(name, "torch", torch.get_num_threads(), f"PyTorch {torch.__version__}", convolve, work)


def gpuconv_plan(shim: Shim, work: Workload, method: str = "auto", threads: int = 0, name: str = "gpuconv plan",
                 call: str = "python") -> Contestant:
    """A plan with its filter set and outputs allocated: what a program that convolves often does."""
    if method == "direct":
        _refuse_long_sums(name, work, DIRECT_PRODUCTS["gpuconv"])
    try:
        plan = Plan(shim, work.filter, work.signal, method, threads)
    except ShimError as error:
        raise Skipped(name, str(error)) from error
    # Ones, not zeros: those would be pages that the system only hands out, and clears, at the first execute.
    outs = [np.ones(work.outputs, work.dtype) for _ in range(work.sets)]
    arguments = [(plan, s.ctypes.data, o.ctypes.data) for s, o in zip(work.signals, outs)]

    def execute(i):
        shim.check(shim.execute(*arguments[i]))
        return outs[i]

    if call == "python":
        return python_contestant(name, "gpuconv", plan.threads, plan.description, execute, work)
    time_set = lambda i, repeats: timed(shim.time_execute, *arguments[i], repeats=repeats, shim=shim)
    sample = _timed_in_cpp(time_set, work)
    return Contestant(name, "gpuconv", call, plan.threads, plan.description, sample, lambda: execute(0))


def gpuconv_one_shot(shim: Shim, work: Workload, call: str = "python") -> Contestant:
    """Plan, filter, execution and a new output in every call: what numpy.convolve does."""
    request = Request(shim, work.dtype.name, work.signal, work.taps)
    signals, taps = [s.ctypes.data for s in work.signals], work.filter.ctypes.data
    plan = Plan(shim, work.filter, work.signal)
    name = "gpuconv one-shot"

    def convolve(i):
        out = np.empty(work.outputs, work.dtype)
        shim.check(shim.convolve(request, signals[i], taps, address(out)))
        return out

    if call == "python":
        return python_contestant(name, "gpuconv", plan.threads, plan.description, convolve, work)
    out = np.empty(work.outputs, work.dtype)
    time_set = lambda i, repeats: timed(shim.time_convolve, request, signals[i], taps, out.ctypes.data, repeats=repeats,
                                        shim=shim)
    sample = _timed_in_cpp(time_set, work)
    return Contestant(name, "gpuconv", call, plan.threads, plan.description, sample, lambda: convolve(0))
