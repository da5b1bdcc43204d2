"""Everyone who convolves on the CPU: gpuconv, and NumPy, SciPy and PyTorch with their defaults, SciPy also with as many workers as
gpuconv has threads. Suites say which problems are compared, for how long, and who takes part."""

import ctypes as ct
from functools import partial
from itertools import product

import numpy as np
import scipy.fft
import scipy.signal

from .contestants import Budget, Contestant, library, refuse_long_sums
from .shim import Call, Owner, Shim, plan
from .workload import Problem, Workload, nothing

OURS, OTHERS = 1 << 36, 5 * 10**9  # products of direct sums; larger ones would take minutes
METHODS = ["direct", "overlap-save", "fft"]


def numpy_like(work: Workload, function, detail: str) -> Contestant:
    """convolve, or correlate with the reversed filter, which is the same."""
    taps = work.filter if function.__name__ == "convolve" else work.filter[::-1].copy()
    return Contestant(lambda i: function(work.signals[i], taps, "full"), detail)


def numpy_sums(work: Workload, function: str, limit: int) -> Contestant:
    refuse_long_sums(work, limit)
    return numpy_like(work, getattr(np, function), "direct")


def scipy_convolve(work: Workload) -> Contestant:
    method = scipy.signal.choose_conv_method(work.signals[0], work.filter)
    if method == "direct":
        refuse_long_sums(work, OTHERS)
    return Contestant(lambda i: scipy.signal.convolve(work.signals[i], work.filter), f"auto: {method}")


def scipy_fft(work: Workload, name: str, workers: int = 1) -> Contestant:
    """`name` is fftconvolve or oaconvolve."""
    convolve = partial(getattr(scipy.signal, name), in2=work.filter, mode=work.problem.mode)

    def with_workers(i):
        with scipy.fft.set_workers(workers):
            return convolve(work.signals[i])

    return Contestant(with_workers if workers > 1 else lambda i: convolve(work.signals[i]), name, workers)


def torch_conv1d(work: Workload) -> Contestant:
    """With PyTorch's default of threads. It correlates: the filter is reversed beforehand."""
    torch = library("torch")
    refuse_long_sums(work, OTHERS)
    signals = [torch.from_numpy(s)[None, None] for s in work.signals]
    weight = torch.from_numpy(work.filter[::-1].copy())[None, None]

    def convolve(i):
        with torch.inference_mode():
            return torch.nn.functional.conv1d(signals[i], weight, padding=work.taps - 1)[0, 0].numpy()

    return Contestant(convolve, f"PyTorch {torch.__version__}", torch.get_num_threads())


def streaming_copy(work: Workload, shim: Shim) -> Contestant:
    """As many bytes as the signal has, on as many threads as gpuconv."""
    copy = Owner(shim, "copy", work.signals[0].nbytes, work.sets)
    return Contestant(lambda _: shim.copy_run(copy, shim.threads), threads=shim.threads, to_host=None)


def from_cpp(shim: Shim, work: Workload, time, arguments):
    """Samples without Python between the calls, by a function of shim.cpp that times; where data must be cold, no set is used twice in
    a row. `arguments`: of a set's number, what the function is given."""
    def time_set(i: int, repeats: int) -> float:
        seconds = ct.c_double()
        shim.check(time(*arguments(i), repeats, ct.byref(seconds)))
        return seconds.value

    def sample(first: int, repeats: int) -> float:
        if not work.cold:
            return time_set(0, repeats)
        return sum(time_set(i % work.sets, 1) for i in range(first, first + repeats)) / repeats

    return sample


def gpuconv_plan(work: Workload, shim: Shim, cpp: bool = False, **choices) -> Contestant:
    """A plan with its filter set and outputs allocated: what a program that convolves often does."""
    if choices.get("method") == "direct":
        refuse_long_sums(work, OURS)
    made = plan(shim, work, **choices)
    outs = [nothing(work) for _ in range(work.sets)]
    arguments = [(made, s.ctypes.data, o.ctypes.data) for s, o in zip(work.signals, outs)]

    def execute(i):
        shim.check(shim.execute(*arguments[i]))
        return outs[i]

    sample = from_cpp(shim, work, shim.time, lambda i: (made, b"execute", arguments[i][1], None, arguments[i][2])) if cpp else None
    return Contestant(execute, made.description, made.threads, sample=sample)


def gpuconv_one_shot(work: Workload, shim: Shim, cpp: bool = False) -> Contestant:
    """Plan, filter, execution and a new output in every call: what numpy.convolve does."""
    call, made = Call(shim, work.problem.described()), plan(shim, work)
    signals, taps, kept = [s.ctypes.data for s in work.signals], work.filter.ctypes.data, np.empty(work.outputs, work.result)

    def convolve(i):
        out = np.empty(work.outputs, work.result)
        # A quarter of the time that out.ctypes.data takes.
        shim.check(shim.convolve(call, signals[i], taps, ct.byref(ct.c_char.from_buffer(out))))
        return out

    sample = from_cpp(shim, work, shim.time, lambda i: (call, b"convolve", signals[i], taps, kept.ctypes.data)) if cpp else None
    return Contestant(convolve, made.description, made.threads, sample=sample)


def package(work: Workload, function: str) -> Contestant:
    """The installed Python package."""
    module = library("gpuconv")
    return numpy_like(work, getattr(module, function), f"gpuconv {module.__version__}")


# ---- suites ------------------------------------------------------------------------------------------------------------

# In the order of their value: sizes that people try first, where the call itself counts, that of the Python package too; signals
# that leave the cache, float64 at a few of them; and a grid that shows which method wins.
SMALL = [(1, 1), (8, 3), (64, 8), (100, 50), (256, 8), (1_000, 50), (10_000, 50), (100_000, 64), (100_000, 1_000)]
LARGE = [("float32", 1 << 20, m) for m in (16, 64, 257, 1025, 8192, 1 << 20)] + [("float64", 1 << 20, m) for m in (16, 257, 8192)]
LARGE += [("int64", 1 << 20, 257)]
LARGE += [("float32", 1 << 24, m) for m in (4, 16, 32, 64, 128, 257, 512, 1025, 2049, 4097, 8192, 1 << 14, 1 << 16)]
GRID = [("float32", 1 << n, 1 << m) for n, m in product(range(6, 23, 2), range(1, 21)) if m <= n]
PROBLEMS = [Problem("small", dtype, n, m) for dtype, (n, m) in product(("float32", "float64", "int64"), SMALL)]
PROBLEMS += [Problem("large", *one) for one in LARGE] + [Problem("crossover", *one) for one in GRID]
SUMS = {"small": OTHERS, "large": OTHERS, "crossover": 1 << 29}  # of NumPy; more would only show what is known
BUDGETS = {"small": Budget(0.2, 15), "large": Budget(0.5, 5), "crossover": Budget(0.03, 5)}


def makers(shim: Shim, work: Workload) -> dict:
    """Who takes part: (name, who calls) -> what makes a contestant."""
    suite, ours, one_shot = work.problem.suite, partial(gpuconv_plan, shim=shim), partial(gpuconv_one_shot, shim=shim)
    known = {("gpuconv plan", "python"): ours, ("gpuconv one-shot", "python"): one_shot,
             ("numpy.convolve", "python"): partial(numpy_sums, function="convolve", limit=SUMS[suite])}
    for name in ("fftconvolve", "oaconvolve"):
        known[f"scipy {name}", "python"] = partial(scipy_fft, name=name)
    if suite != "large":
        known["gpuconv one-shot", "c++"] = partial(one_shot, cpp=True)
    if suite != "small":
        known |= {(f"gpuconv {method}", "python"): partial(ours, method=method) for method in METHODS}
    if suite != "crossover":
        known["scipy convolve", "python"] = scipy_convolve
        known |= {(f"gpuconv.{function}", "python"): partial(package, function=function) for function in ("convolve", "correlate")}
        if (workers := shim.threads) > 1:
            for name in ("fftconvolve", "oaconvolve"):
                known[f"scipy {name}, {workers} workers", "python"] = partial(scipy_fft, name=name, workers=workers)
    if suite == "small":
        known |= {("gpuconv plan", "c++"): partial(ours, cpp=True), ("numpy.correlate", "python"): partial(numpy_sums, function="correlate", limit=OTHERS)}
    if suite == "large":
        known |= {("gpuconv plan, 1 thread", "python"): partial(ours, threads=1), ("torch conv1d", "python"): torch_conv1d,
                  ("streaming copy", "python"): partial(streaming_copy, shim=shim)}
    return {who: partial(make, work) for who, make in known.items()}
