"""Everyone who convolves on the GPU, in mode full, on the same arrays: gpuconv, PyTorch, CuPy and JAX as a user calls them,
and transforms of cuFFT with the filter's spectrum kept, as a user would put them together."""

import ctypes as ct
from functools import partial

import numpy as np
import scipy.fft

from .contestants import Absent, Contestant, library, on_host_clock, refuse_long_sums
from .shim import Owner, Plan, Shim
from .timing import Budget
from .workload import Workload

MOST_SETS = 64  # as in program/device.cpp: problems of less than a few MB find their data in the cache
MOST_PRODUCTS = 1 << 35  # of other libraries' direct sums: where some take minutes to look for the fastest way
BUDGET = Budget(0.15, 7)
PROBLEMS = [("float32", n, m) for n in (1 << 26, 1 << 20, 1 << 24) for m in (16, 64, 257, 1024, 4096, 1 << 15, 1 << 17)]
PROBLEMS += [("float64", 1 << 24, m) for m in (64, 1024)]


class Array(Owner):
    """An array in device memory, as other libraries take it (the CUDA array interface)."""

    def __init__(self, shim: Shim, size: int, dtype):
        self.shim, self.size, self.dtype = shim, size, np.dtype(dtype)
        self.nbytes = size * self.dtype.itemsize
        super().__init__(shim, "array", self.nbytes)
        self.__cuda_array_interface__ = {"shape": (size,), "typestr": self.dtype.str, "data": (self.value, False), "version": 3}

    def set(self, values: np.ndarray) -> "Array":
        self.shim.check(self.shim.move(self, values.ctypes.data, self.nbytes))
        return self

    def get(self) -> np.ndarray:
        out = np.empty(self.size, self.dtype)
        self.shim.check(self.shim.move(out.ctypes.data, self, self.nbytes))
        return out


class Problem:
    """A workload in device memory: sets of signals and outputs, more than the L2 holds, used in turn, and the filter."""

    def __init__(self, shim: Shim, work: Workload):
        self.shim, self.work = shim, work
        l2 = ct.c_int64()
        shim.check(shim.l2_bytes(ct.byref(l2)))
        size = (work.signal + work.outputs) * work.dtype.itemsize
        self.sets = min(max(2, 2 * l2.value // size + 1), MOST_SETS)
        self.signals = [Array(shim, work.signal, work.dtype).set(work.signals[0]) for _ in range(self.sets)]
        self.outs = [Array(shim, work.outputs, work.dtype) for _ in range(self.sets)]
        self.filter = Array(shim, work.taps, work.dtype).set(work.filter)

    def contestant(self, function, to_host, detail: str = "") -> Contestant:
        """One whose work on the default stream is timed by CUDA's events."""
        def sample(first: int, repeats: int) -> float:
            seconds = ct.c_double()
            self.shim.check(self.shim.begin())
            for i in range(first, first + repeats):
                function(i % self.sets)
            self.shim.check(self.shim.end(ct.byref(seconds)))
            return seconds.value / repeats
        return Contestant(function, detail, to_host=to_host, sample=sample)


def copy(problem: Problem) -> Contestant:
    """As many bytes as the signal and the result together, read and written."""
    size = (problem.signals[0].nbytes + problem.outs[0].nbytes) // 2
    # Outputs are larger than signals, so both ends are in range; values do not matter.
    return problem.contestant(lambda i: problem.shim.check(problem.shim.move(problem.outs[i], problem.outs[i - 1], size)), None)


def gpuconv(problem: Problem) -> Contestant:
    shim, work = problem.shim, problem.work
    plan = Plan(shim, work.filter, work.signal, on_gpu=True)

    def function(i):
        shim.check(shim.execute(plan, problem.signals[i], problem.outs[i]))
        return problem.outs[i]

    return problem.contestant(function, Array.get, plan.description)


def torch_on_gpu():
    torch = library("torch")
    if not torch.cuda.is_available():
        raise Absent("it sees no GPU")
    return torch


def torch_conv1d(problem: Problem, tf32: bool = False) -> Contestant:
    refuse_long_sums(problem.work, MOST_PRODUCTS)
    if tf32 and problem.work.dtype != np.float32:
        raise Absent("TF32 is for float32")
    torch = torch_on_gpu()
    signals = [torch.as_tensor(s, device="cuda")[None, None] for s in problem.signals]
    weight = torch.as_tensor(problem.filter, device="cuda").flip(0)[None, None].contiguous()

    def function(i):
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = tf32, True
        return torch.nn.functional.conv1d(signals[i], weight, padding=problem.work.taps - 1)

    return problem.contestant(function, lambda out: out.flatten().cpu().numpy())


def torch_fft(problem: Problem) -> Contestant:
    """Plain cuFFT: one transform of the whole row of a good length, the filter's spectrum kept, plans cached by PyTorch."""
    torch, outputs = torch_on_gpu(), problem.work.outputs
    size = 2 * scipy.fft.next_fast_len(-(-outputs // 2), real=True)  # even, and without prime factors above 5
    signals = [torch.as_tensor(s, device="cuda") for s in problem.signals]
    spectrum = torch.fft.rfft(torch.as_tensor(problem.filter, device="cuda"), size)
    function = lambda i: torch.fft.irfft(torch.fft.rfft(signals[i], size).mul_(spectrum), size)[:outputs]
    return problem.contestant(function, lambda out: out.cpu().numpy(), f"{size} points")


def cupy_function(problem: Problem, name: str, module: str) -> Contestant:
    cupy = library("cupy")
    if not cupy.cuda.is_available():
        raise Absent("it sees no GPU")
    if name == "convolve":
        refuse_long_sums(problem.work, MOST_PRODUCTS)
    convolve = getattr(library(module), name)
    signals, taps = [cupy.asarray(s) for s in problem.signals], cupy.asarray(problem.filter)
    return problem.contestant(lambda i: convolve(signals[i], taps), cupy.asnumpy)


def jax_function(problem: Problem, name: str, module: str, **options) -> Contestant:
    if name == "convolve":
        refuse_long_sums(problem.work, MOST_PRODUCTS)
    jax = library("jax")
    if jax.default_backend() not in ("gpu", "cuda"):
        raise Absent("it sees no GPU")
    jax.config.update("jax_enable_x64", True)
    convolve = jax.jit(lambda x, h: getattr(library(module), name)(x, h, **options))
    # Arrays of its own: JAX takes only those that it allocated, or that are handed over for good.
    signals = [jax.device_put(problem.work.signals[0]) for _ in problem.signals]
    taps = jax.device_put(problem.work.filter)
    function = lambda i: convolve(signals[i], taps)
    # Not on the default stream, which CUDA's events time.
    sample = on_host_clock(function, problem.sets, lambda out: out.block_until_ready())
    return Contestant(function, "host clock", to_host=np.asarray, sample=sample)


def makers(shim: Shim, work: Workload) -> dict:
    """Who takes part: (name, who calls) -> what makes a contestant."""
    known = {"copy": copy, "gpuconv plan": gpuconv, "torch conv1d": torch_conv1d, "torch conv1d, TF32": partial(torch_conv1d, tf32=True),
             "torch, plain cuFFT": torch_fft, "cupy convolve": partial(cupy_function, name="convolve", module="cupy")}
    for name in ("fftconvolve", "oaconvolve"):
        known[f"cupy {name}"] = partial(cupy_function, name=name, module="cupyx.scipy.signal")
    known["jax convolve"] = partial(jax_function, name="convolve", module="jax.numpy", precision="highest")
    known["jax fftconvolve"] = partial(jax_function, name="fftconvolve", module="jax.scipy.signal")
    problem = Problem(shim, work)
    return {(name, "python"): partial(make, problem) for name, make in known.items()}
