"""Everyone who convolves on the GPU, in mode full: gpuconv, PyTorch, CuPy and JAX as a user calls them, and transforms of
cuFFT with the filter's spectrum kept, as a user would put them together."""

from dataclasses import dataclass
import importlib
import os
from time import perf_counter
from typing import Callable

import numpy as np

from .arrays import Plan, Problem

LONGEST_DIRECT = 8192  # taps beyond which direct sums of others are left out: known to be slow, and some take minutes
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX would take most of the memory


class Absent(Exception):
    """Someone who takes no part, and why."""

    def __init__(self, contestant: str, library: str, why: str):
        super().__init__(why)
        self.record = {"contestant": contestant, "library": library, "skipped": why}


@dataclass
class Entry:
    record: dict
    function: Callable  # of a set's number: enqueues the convolution of that signal and returns the result
    result: Callable[[], np.ndarray] | None  # of the first signal, on the host
    wait: Callable | None = None  # for a result; None: it is on the default stream, which CUDA's events time

    def sampler(self, problem: Problem):
        def sample(first: int, repeats: int) -> float:
            def run():
                for i in range(first, first + repeats):
                    last = self.function(i % problem.sets)
                return last
            if self.wait is None:
                return problem.timer.time(run) / repeats
            begin = perf_counter()
            self.wait(run())
            return (perf_counter() - begin) / repeats
        return sample


def _library(module: str, contestant: str):
    try:
        return importlib.import_module(module)
    except Exception as error:  # an installation may be broken in any way
        why = "not installed" if isinstance(error, ModuleNotFoundError) else f"{type(error).__name__}: {error}"
        raise Absent(contestant, module.split(".")[0], why) from None


def _entry(contestant: str, library: str, function, to_host, wait=None, **detail) -> Entry:
    record = {"contestant": contestant, "library": library, "call": "python", **detail}
    return Entry(record, function, lambda: to_host(function(0)), wait)


def _refuse_long_filter(contestant: str, library: str, problem: Problem) -> None:
    if problem.work.taps > LONGEST_DIRECT:
        raise Absent(contestant, library, f"a direct sum over more than {LONGEST_DIRECT} taps")


# ---- gpuconv, and what bounds it ---------------------------------------------------------------------------------


def copy(problem: Problem) -> Entry:
    """As many bytes as the signal and the result together, read and written."""
    size = (problem.signals[0].nbytes + problem.outs[0].nbytes) // 2
    # Outputs are larger than signals, so both ends are in range; values do not matter.
    function = lambda i: problem.shim.check(problem.shim.device_copy(
        problem.outs[i].pointer, problem.outs[i - 1].pointer, size))
    return Entry({"contestant": "copy", "library": "copy", "call": "python", "bytes": 2 * size}, function, None)


def gpuconv(problem: Problem) -> Entry:
    plan = Plan(problem.shim, problem.work)

    def function(i):
        plan.execute(problem.signals[i], problem.outs[i])
        return problem.outs[i]

    return _entry("gpuconv plan", "gpuconv", function, lambda out: out.get(), detail=plan.description)


# ---- PyTorch -----------------------------------------------------------------------------------------------------


def _torch(problem: Problem, contestant: str):
    torch = _library("torch", contestant)
    if not torch.cuda.is_available():
        raise Absent(contestant, "torch", "it sees no GPU")
    return torch, [torch.as_tensor(s, device="cuda") for s in problem.signals], torch.as_tensor(problem.filter, device="cuda")


def _torch_conv1d(problem: Problem, tf32: bool) -> Entry:
    name = f"torch conv1d{', TF32' if tf32 else ''}"
    _refuse_long_filter(name, "torch", problem)
    if tf32 and problem.work.dtype != np.float32:
        raise Absent(name, "torch", "TF32 is for float32")
    torch, signals, filter = _torch(problem, name)
    weight, padding = filter.flip(0)[None, None].contiguous(), problem.work.taps - 1
    signals = [s[None, None] for s in signals]

    def function(i):
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = tf32, True
        return torch.nn.functional.conv1d(signals[i], weight, padding=padding)

    return _entry(name, "torch", function, lambda out: out.flatten().cpu().numpy())


def torch_conv1d(problem: Problem) -> Entry:
    return _torch_conv1d(problem, tf32=False)


def torch_conv1d_tf32(problem: Problem) -> Entry:
    return _torch_conv1d(problem, tf32=True)


def torch_fft(problem: Problem) -> Entry:
    """Plain cuFFT: one transform of the whole row of a good length, the filter's spectrum kept, plans cached by PyTorch."""
    torch, signals, filter = _torch(problem, "cuFFT by torch")
    outputs = problem.work.outputs
    size = good_size(outputs)
    spectrum = torch.fft.rfft(filter, size)
    function = lambda i: torch.fft.irfft(torch.fft.rfft(signals[i], size).mul_(spectrum), size)[:outputs]
    return _entry("cuFFT by torch", "torch", function, lambda out: out.cpu().numpy(), detail=f"{size} points")


# ---- CuPy --------------------------------------------------------------------------------------------------------


def _cupy(problem: Problem, contestant: str):
    cupy = _library("cupy", contestant)
    if not cupy.cuda.is_available():
        raise Absent(contestant, "cupy", "it sees no GPU")
    return cupy, [cupy.asarray(s) for s in problem.signals], cupy.asarray(problem.filter)


def _cupy_function(problem: Problem, name: str, module: str) -> Entry:
    contestant = f"cupy {name}"
    cupy, signals, filter = _cupy(problem, contestant)
    convolve = getattr(_library(module, contestant), name)
    return _entry(contestant, "cupy", lambda i: convolve(signals[i], filter), cupy.asnumpy)


def cupy_convolve(problem: Problem) -> Entry:
    return _cupy_function(problem, "convolve", "cupy")


def cupy_fftconvolve(problem: Problem) -> Entry:
    return _cupy_function(problem, "fftconvolve", "cupyx.scipy.signal")


def cupy_oaconvolve(problem: Problem) -> Entry:
    return _cupy_function(problem, "oaconvolve", "cupyx.scipy.signal")


# ---- JAX ---------------------------------------------------------------------------------------------------------


def _jax_function(problem: Problem, name: str, module: str, direct: bool, **options) -> Entry:
    contestant = f"jax {name}"
    if direct:
        _refuse_long_filter(contestant, "jax", problem)
    jax = _library("jax", contestant)
    if jax.default_backend() not in ("gpu", "cuda"):
        raise Absent(contestant, "jax", "it sees no GPU")
    jax.config.update("jax_enable_x64", True)
    convolve = jax.jit(lambda x, h: getattr(_library(module, contestant), name)(x, h, **options))
    # Copies of its own: JAX takes only arrays that it allocated, or that are handed over for good.
    signals = [jax.device_put(problem.work.signals[0]) for _ in problem.signals]
    filter = jax.device_put(problem.work.filter)
    return _entry(contestant, "jax", lambda i: convolve(signals[i], filter), np.asarray,
                  wait=lambda out: out.block_until_ready(), detail="host clock, arrays of its own")


def jax_convolve(problem: Problem) -> Entry:
    return _jax_function(problem, "convolve", "jax.numpy", True, precision="highest")


def jax_fftconvolve(problem: Problem) -> Entry:
    return _jax_function(problem, "fftconvolve", "jax.scipy.signal", False)


ALL = [copy, gpuconv, torch_conv1d, torch_conv1d_tf32, torch_fft, cupy_convolve, cupy_fftconvolve, cupy_oaconvolve,
       jax_convolve, jax_fftconvolve]


def good_size(n: int) -> int:
    """The smallest even number from n on without prime factors above 7: cuFFT's fast sizes."""
    best = 1 << max(1, (n - 1).bit_length())
    a = 2
    while a < best:
        b = a
        while b < best:
            c = b
            while c < best:
                size = c
                while size < n:
                    size *= 2
                best = min(best, size)
                c *= 3
            b *= 5
        a *= 7
    return best


def versions() -> dict:
    out = {"numpy": np.__version__}
    for name in ("torch", "cupy", "jax"):
        try:
            out[name] = importlib.import_module(name).__version__
        except Exception as error:
            out[name] = "not installed" if isinstance(error, ModuleNotFoundError) else f"{type(error).__name__}: {error}"[:300]
    return out
