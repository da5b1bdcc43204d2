"""Everyone who convolves on the GPU, in mode full, on the same arrays: every solver of gpuconv beside a copy of as many bytes; and
beside its plan PyTorch, CuPy and JAX as a user calls them, and transforms of cuFFT with the filter's spectrum kept, as a user would
put them together. Arrays are in device memory, or for gpuconv in host memory from end to end, beside the CPU and the transfers."""

import ctypes as ct
from functools import partial

import numpy as np
import scipy.fft

from . import cpu
from .contestants import Absent, Budget, Contestant, library, on_host_clock, refuse_long_sums
from .shim import Call, Owner, Shim, plan
from .workload import Problem, Workload, nothing

MOST_SETS = 64  # problems of less than a few MB find their data in the cache
OURS, OTHERS = 1 << 40, 1 << 35  # products of direct sums; of other libraries' some take minutes to look for the fastest way
IN_GRAPH, SHORT = 20, 5e-5  # calls of a graph, and the seconds of a call below which its calls are replayed from one
BUDGETS = {"bench": Budget(0.15, 7), "peers": Budget(0.15, 7)}


class Array(Owner):
    """An array in device memory, as other libraries take it (the CUDA array interface), or in host memory that the GPU reads."""

    def __init__(self, shim: Shim, size: int, dtype, kind: str = "array"):
        self.shim, self.size, self.dtype = shim, size, np.dtype(dtype)
        self.nbytes = size * self.dtype.itemsize
        super().__init__(shim, kind, self.nbytes)
        self.__cuda_array_interface__ = {"shape": (size,), "typestr": self.dtype.str, "data": (self.value, False), "version": 3}

    def set(self, values: np.ndarray) -> "Array":
        self.shim.check(self.shim.move(self, values.ctypes.data, self.nbytes))
        return self

    def get(self) -> np.ndarray:
        out = np.empty(self.size, self.dtype)
        self.shim.check(self.shim.move(out.ctypes.data, self, self.nbytes))
        return out


class Arrays:
    """A workload in device memory: sets of signals and outputs, more than the L2 holds, used in turn, and the filter."""

    def __init__(self, shim: Shim, work: Workload):
        shim.need_gpu()
        self.shim, self.work = shim, work
        size = work.signals[0].nbytes + work.outputs * work.result.itemsize
        self.copied = size // 2  # bytes, so that a copy reads and writes as many as a convolution
        self.sets = min(max(2, 2 * shim.facts["l2_bytes"] // size + 1), MOST_SETS)
        self.signals = [Array(shim, work.signals[0].size, work.dtype).set(work.signals[0]) for _ in range(self.sets)]
        self.outs = [Array(shim, work.outputs, work.result) for _ in range(self.sets)]
        self.filter = Array(shim, work.taps, work.dtype).set(work.filter)

    def contestant(self, function, to_host, detail: str = "", replay: tuple | None = None) -> Contestant:
        """One whose work on the default stream is timed by CUDA's events. `replay`: the plan, if any, and the arrays from and to
        which it works, which are for a graph where calls are short."""
        graph, notes = None, {}

        def timed(call, repeats: int) -> float:
            seconds = ct.c_double()
            self.shim.check(self.shim.begin())
            for i in range(repeats):
                call(i)
            self.shim.check(self.shim.end(ct.byref(seconds)))
            return seconds.value

        def sample(first: int, repeats: int) -> float:
            nonlocal graph
            if replay and "replayed" not in notes:
                notes["replayed"] = min(timed(lambda i: function(i % self.sets), 1) for _ in range(5)) < SHORT
                graph = self.record(*replay) if notes["replayed"] else None
            if not graph:
                return timed(lambda i: function((first + i) % self.sets), repeats) / repeats
            launches = -(-repeats // IN_GRAPH)
            return timed(lambda _: self.shim.check(self.shim.replay(graph)), launches) / (launches * IN_GRAPH)

        return Contestant(function, detail, to_host=to_host, sample=sample, notes=notes)

    def record(self, made: Call | None, origins: list[Array], targets: list[Array]) -> Owner:
        pointers = lambda arrays: (ct.c_void_p * IN_GRAPH)(*(arrays[i % self.sets].value for i in range(IN_GRAPH)))
        return Owner(self.shim, "graph", made, pointers(origins), pointers(targets), IN_GRAPH, self.copied)


def copy(arrays: Arrays) -> Contestant:
    """As many bytes as the signal and the result together, read and written."""
    # Outputs are larger than signals, so both ends are in range; values do not matter.
    origins = arrays.outs[-1:] + arrays.outs[:-1]
    move = lambda i: arrays.shim.check(arrays.shim.move(arrays.outs[i], origins[i], arrays.copied))
    return arrays.contestant(move, None, replay=(None, origins, arrays.outs))


def gpuconv(arrays: Arrays, **choices) -> Contestant:
    if choices.get("method") == "direct":
        refuse_long_sums(arrays.work, OURS)
    shim, made = arrays.shim, plan(arrays.shim, arrays.work, **choices)
    arrays.outs[0].set(nothing(arrays.work))

    def function(i):
        shim.check(shim.execute(made, arrays.signals[i], arrays.outs[i]))
        return arrays.outs[i]

    return arrays.contestant(function, Array.get, made.description, (made, arrays.signals, arrays.outs))


def transfers(work: Workload, shim: Shim) -> Contestant:
    """As many bytes as a problem's arrays in host memory have, to the device and back by way of pinned memory."""
    shim.need_gpu()
    size, result = work.signals[0].nbytes, work.outputs * work.result.itemsize
    device, pinned = (Array(shim, max(size, result), np.uint8, kind) for kind in ("array", "pinned"))

    def function(_):
        shim.check(shim.move(device, pinned, size))
        shim.check(shim.move(pinned, device, result))

    return Contestant(function, to_host=None)


def solvers(shim: Shim, work: Workload, arrays: Arrays | None) -> dict:
    """Each solver that takes the problem: by name, what makes a contestant."""
    def solver(offer: dict, chosen: bool) -> Contestant:
        how = {"device": offer["device"], "method": offer["method"]}
        made = gpuconv(arrays, **how) if arrays else cpu.gpuconv_plan(work, shim, **how)
        made.notes |= {"library": "gpuconv", "estimate": offer["seconds"], "chosen": chosen}
        return made

    # Devices by themselves: the planner does not look at the GPU where the CPU is fast enough.
    devices = ("cpu", "cuda") if work.problem.memory == "host" and shim.facts["available"] else ("cuda" if arrays else "cpu",)
    chosen = shim.offers_for(**work.problem.described())[0]
    offers = [offer for device in devices for offer in shim.offers_for(**work.problem.described(device=device)) if offer["method"] != "reference"]
    same = lambda offer: all(offer[key] == chosen[key] for key in ("device", "method"))
    return {f"{offer['device']} {offer['method']}": partial(solver, offer, same(offer)) for offer in offers}


# ---- other libraries ---------------------------------------------------------------------------------------------------


def torch_on_gpu():
    torch = library("torch")
    if not torch.cuda.is_available():
        raise Absent("it sees no GPU")
    return torch


def torch_conv1d(arrays: Arrays, tf32: bool = False) -> Contestant:
    refuse_long_sums(arrays.work, OTHERS)
    if tf32 and arrays.work.dtype != np.float32:
        raise Absent("TF32 is for float32")
    torch = torch_on_gpu()
    signals = [torch.as_tensor(s, device="cuda")[None, None] for s in arrays.signals]
    weight = torch.as_tensor(arrays.filter, device="cuda").flip(0)[None, None].contiguous()

    def function(i):
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = tf32, True
        return torch.nn.functional.conv1d(signals[i], weight, padding=arrays.work.taps - 1)

    return arrays.contestant(function, lambda out: out.flatten().cpu().numpy())


def torch_fft(arrays: Arrays) -> Contestant:
    """Plain cuFFT: one transform of the whole row of a good length, the filter's spectrum kept, plans cached by PyTorch."""
    torch, outputs = torch_on_gpu(), arrays.work.outputs
    size = 2 * scipy.fft.next_fast_len(-(-outputs // 2), real=True)  # even, and without prime factors above 5
    signals = [torch.as_tensor(s, device="cuda") for s in arrays.signals]
    spectrum = torch.fft.rfft(torch.as_tensor(arrays.filter, device="cuda"), size)
    function = lambda i: torch.fft.irfft(torch.fft.rfft(signals[i], size).mul_(spectrum), size)[:outputs]
    return arrays.contestant(function, lambda out: out.cpu().numpy(), f"{size} points")


def cupy_function(arrays: Arrays, name: str, module: str) -> Contestant:
    cupy = library("cupy")
    if not cupy.cuda.is_available():
        raise Absent("it sees no GPU")
    if name == "convolve":
        refuse_long_sums(arrays.work, OTHERS)
    convolve = getattr(library(module), name)
    signals, taps = [cupy.asarray(s) for s in arrays.signals], cupy.asarray(arrays.filter)
    return arrays.contestant(lambda i: convolve(signals[i], taps), cupy.asnumpy)


def jax_function(arrays: Arrays, name: str, module: str, **options) -> Contestant:
    if name == "convolve":
        refuse_long_sums(arrays.work, OTHERS)
    jax = library("jax")
    if jax.default_backend() not in ("gpu", "cuda"):
        raise Absent("it sees no GPU")
    jax.config.update("jax_enable_x64", True)
    convolve = jax.jit(lambda x, h: getattr(library(module), name)(x, h, **options))
    # Arrays of its own: JAX takes only those that it allocated, or that are handed over for good.
    signals = [jax.device_put(arrays.work.signals[0]) for _ in arrays.signals]
    taps = jax.device_put(arrays.work.filter)
    function = lambda i: convolve(signals[i], taps)
    # Not on the default stream, which CUDA's events time.
    sample = on_host_clock(function, arrays.sets, lambda out: out.block_until_ready())
    return Contestant(function, "host clock", to_host=np.asarray, sample=sample)


OTHER_LIBRARIES = {"torch conv1d": torch_conv1d, "torch conv1d, TF32": partial(torch_conv1d, tf32=True), "torch, plain cuFFT": torch_fft,
                   "cupy convolve": partial(cupy_function, name="convolve", module="cupy"),
                   "cupy fftconvolve": partial(cupy_function, name="fftconvolve", module="cupyx.scipy.signal"),
                   "cupy oaconvolve": partial(cupy_function, name="oaconvolve", module="cupyx.scipy.signal"),
                   "jax convolve": partial(jax_function, name="convolve", module="jax.numpy", precision="highest"),
                   "jax fftconvolve": partial(jax_function, name="fftconvolve", module="jax.scipy.signal")}


# ---- suites ------------------------------------------------------------------------------------------------------------

PLENTY = 1 << 26  # samples


def bench(memory: str, signal: int, taps, dtype: str = "float32", batch: int = 1) -> list[Problem]:
    return [Problem("bench", dtype, signal, m, batch, memory=memory) for m in taps if m <= signal]


# The sizes of the project's goals first, in device memory before host memory.
PROBLEMS = bench("device", PLENTY, (3, 16, 32, 64, 128, 257, 512, 1024, 2048, 4096, 8192, 1 << 15, 1 << 17, 1 << 20))
PROBLEMS += bench("device", 1 << 20, (16, 64, 257, 1024, 4096, 1 << 15))
for row in (256, 512, 1024, 2048, 4096, 8192):
    PROBLEMS += bench("device", row, (16, 64, 257), batch=PLENTY // row)
PROBLEMS += bench("device", 1 << 24, (3, 16, 64, 257, 1024, 8192, 1 << 17), "float64")
for dtype in ("int32", "int8"):
    PROBLEMS += bench("device", 1 << 24, (16, 64, 257, 1024), dtype)
PROBLEMS += bench("device", 1 << 24, (16, 64, 257, 1024, 4096, 1 << 15))
PROBLEMS += bench("device", 1 << 28, (16, 64, 257, 1024, 8192, 1 << 20))
for signal in (1 << 20, 1 << 24):
    PROBLEMS += bench("host", signal, (16, 32, 64, 257, 1025, 4097, 8192, 1 << 15, 1 << 17))
for row in (256, 512, 1024, 2048, 4096, 8192):
    PROBLEMS += bench("host", row, (16, 64, 257), batch=(1 << 22) // row)
for dtype in ("float64", "int32", "complex64"):
    PROBLEMS += bench("host", 1 << 20, (16, 64, 1025, 8192), dtype)
for signal in (1 << 14, 1 << 17, PLENTY):
    PROBLEMS += bench("host", signal, (257,))
PROBLEMS += [Problem("peers", "float32", n, m, memory="device") for n in (PLENTY, 1 << 20, 1 << 24)
             for m in (16, 64, 257, 1024, 4096, 1 << 15, 1 << 17)]
PROBLEMS += [Problem("peers", "float64", 1 << 24, m, memory="device") for m in (64, 1024)]


def makers(shim: Shim, work: Workload) -> dict:
    """Who takes part: (name, who calls) -> what makes a contestant."""
    if work.problem.memory == "host":
        known = {"transfers": partial(transfers, work, shim)} | solvers(shim, work, None)
    else:
        arrays = Arrays(shim, work)
        known = {"copy": partial(copy, arrays)}
        if work.problem.suite == "bench":
            known |= solvers(shim, work, arrays)
        else:
            known |= {name: partial(make, arrays) for name, make in {"gpuconv plan": gpuconv, **OTHER_LIBRARIES}.items()}
    return {(name, "python"): make for name, make in known.items()}
