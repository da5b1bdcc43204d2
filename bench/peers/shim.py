"""gpuconv through the C face that bench/shim.cpp gives it, on NumPy arrays."""

import ctypes as ct
from pathlib import Path

import numpy as np


class ShimError(RuntimeError):
    """gpuconv refused; the text is its own."""


class Request(ct.Structure):
    """Mirror of Request in shim.cpp."""

    _fields_ = [("type", ct.c_char_p), ("mode", ct.c_char_p), ("method", ct.c_char_p),
                ("signal", ct.c_int64), ("filter", ct.c_int64), ("threads", ct.c_int)]


_SIGNATURES = {
    "error": (ct.c_char_p, []),
    "plan": (ct.c_int, [ct.POINTER(Request), ct.POINTER(ct.c_void_p)]),
    "plan_destroy": (None, [ct.c_void_p]),
    "plan_describe": (ct.c_char_p, [ct.c_void_p]),
    "plan_threads": (ct.c_int, [ct.c_void_p]),
    "set_filter": (ct.c_int, [ct.c_void_p, ct.c_void_p]),
    "execute": (ct.c_int, [ct.c_void_p] * 3),
    "time_execute": (ct.c_int, [ct.c_void_p] * 3 + [ct.c_int64, ct.POINTER(ct.c_double)]),
    "convolve": (ct.c_int, [ct.POINTER(Request)] + [ct.c_void_p] * 3),
    "time_convolve": (ct.c_int, [ct.POINTER(Request)] + [ct.c_void_p] * 3 + [ct.c_int64, ct.POINTER(ct.c_double)]),
    "nothing": (ct.c_int, [ct.c_void_p] * 3),
    "copy": (ct.c_int, [ct.c_int64, ct.c_int64, ct.POINTER(ct.c_void_p)]),
    "copy_run": (None, [ct.c_void_p, ct.c_int]),
    "copy_destroy": (None, [ct.c_void_p]),
    "version": (ct.c_char_p, []),
    "simd_target": (ct.c_char_p, []),
    "threads": (ct.c_int, []),
    "compiler": (ct.c_char_p, []),
    "build_type": (ct.c_char_p, []),
}


class Shim:
    """The loaded library, its functions without their prefix."""

    def __init__(self, build: Path):
        path = build / "bench" / "libgpuconv_bench.so"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: configure with -DGPUCONV_BUILD_BENCH=ON and build")
        library = ct.CDLL(str(path.resolve()))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, f"gpuconv_bench_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def check(self, status: int) -> None:
        if status:
            raise ShimError(self.error().decode())

    def describe_build(self) -> dict:
        return {"version": self.version().decode(), "simd_target": self.simd_target().decode(),
                "compiler": self.compiler().decode(), "build_type": self.build_type().decode()}


def request(dtype: str, signal: int, taps: int, method: str, threads: int) -> Request:
    return Request(dtype.encode(), b"full", method.encode(), signal, taps, threads)


def timed(function, *arguments, repeats: int, shim: Shim) -> float:
    """Seconds of one of `repeats` calls, timed in C++."""
    seconds = ct.c_double()
    shim.check(function(*arguments, repeats, ct.byref(seconds)))
    return seconds.value


class Plan(ct.c_void_p):
    """A gpuconv Plan, mode full, with its filter set. Is its own handle, so that who holds that keeps the plan alive."""

    def __init__(self, shim: Shim, taps: np.ndarray, signal: int, method: str = "auto", threads: int = 0):
        super().__init__()
        self._destroy = shim.plan_destroy
        wanted = request(taps.dtype.name, signal, taps.size, method, threads)
        shim.check(shim.plan(ct.byref(wanted), ct.cast(ct.byref(self), ct.POINTER(ct.c_void_p))))
        shim.check(shim.set_filter(self, taps.ctypes.data))
        self.threads = shim.plan_threads(self)
        self.description = shim.plan_describe(self).decode()

    def __del__(self):
        self._destroy(self)


class Copy(ct.c_void_p):
    """A streaming copy of `size` bytes, which rotates through `sets` buffers."""

    def __init__(self, shim: Shim, size: int, sets: int):
        super().__init__()
        self._run, self._destroy = shim.copy_run, shim.copy_destroy
        shim.check(shim.copy(size, sets, ct.cast(ct.byref(self), ct.POINTER(ct.c_void_p))))

    def run(self, threads: int) -> None:
        self._run(self, threads)

    def __del__(self):
        self._destroy(self)
