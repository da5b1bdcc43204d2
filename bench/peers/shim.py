"""gpuconv through the C face that bench/shim.cpp gives it, on NumPy arrays."""

import ctypes as ct
from pathlib import Path

import numpy as np


class ShimError(RuntimeError):
    """gpuconv refused; the text is its own."""


_SIGNATURES = {
    "error": (ct.c_char_p, []),
    "request": (ct.c_int, [ct.c_char_p] * 3 + [ct.c_int64, ct.c_int64, ct.c_int, ct.POINTER(ct.c_void_p)]),
    "request_destroy": (None, [ct.c_void_p]),
    "plan": (ct.c_int, [ct.c_void_p, ct.POINTER(ct.c_void_p)]),
    "plan_destroy": (None, [ct.c_void_p]),
    "plan_describe": (ct.c_char_p, [ct.c_void_p]),
    "plan_threads": (ct.c_int, [ct.c_void_p]),
    "set_filter": (ct.c_int, [ct.c_void_p, ct.c_void_p]),
    "execute": (ct.c_int, [ct.c_void_p] * 3),
    "time_execute": (ct.c_int, [ct.c_void_p] * 3 + [ct.c_int64, ct.POINTER(ct.c_double)]),
    "convolve": (ct.c_int, [ct.c_void_p] * 4),
    "time_convolve": (ct.c_int, [ct.c_void_p] * 4 + [ct.c_int64, ct.POINTER(ct.c_double)]),
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
        self._library = ct.CDLL(str(path.resolve()))
        self.declare(_SIGNATURES)

    def declare(self, signatures: dict) -> None:
        """Makes functions of the library callable: their names, types of result and arguments."""
        for name, (result, arguments) in signatures.items():
            function = getattr(self._library, f"gpuconv_bench_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def check(self, status: int) -> None:
        if status:
            raise ShimError(self.error().decode())

    def describe_build(self) -> dict:
        return {"version": self.version().decode(), "simd_target": self.simd_target().decode(),
                "compiler": self.compiler().decode(), "build_type": self.build_type().decode()}


def address(array: np.ndarray):
    """Where a writable, non-empty array lies, in a quarter of the time that array.ctypes.data takes."""
    return ct.byref(ct.c_char.from_buffer(array))


def timed(function, *arguments, repeats: int, shim: Shim) -> float:
    """Seconds of one of `repeats` calls, timed in C++."""
    seconds = ct.c_double()
    shim.check(function(*arguments, repeats, ct.byref(seconds)))
    return seconds.value


class _Owner(ct.c_void_p):
    """A C++ object. Is its own handle, so that who holds that keeps the object alive."""

    def __init__(self, shim: Shim, kind: str, *arguments):
        super().__init__()
        self._destroy = getattr(shim, f"{kind}_destroy")
        shim.check(getattr(shim, kind)(*arguments, ct.cast(ct.byref(self), ct.POINTER(ct.c_void_p))))

    def __del__(self):
        self._destroy(self)


class Request(_Owner):
    """A convolution in mode full, for one-shot calls and plans."""

    def __init__(self, shim: Shim, dtype: str, signal: int, taps: int, method: str = "auto", threads: int = 0):
        super().__init__(shim, "request", dtype.encode(), b"full", method.encode(), signal, taps, threads)


class Plan(_Owner):
    """A gpuconv Plan with its filter set."""

    def __init__(self, shim: Shim, taps: np.ndarray, signal: int, method: str = "auto", threads: int = 0):
        super().__init__(shim, "plan", Request(shim, taps.dtype.name, signal, taps.size, method, threads))
        shim.check(shim.set_filter(self, taps.ctypes.data))
        self.threads = shim.plan_threads(self)
        self.description = shim.plan_describe(self).decode()


class Copy(_Owner):
    """A streaming copy of `size` bytes, which rotates through `sets` buffers."""

    def __init__(self, shim: Shim, size: int, sets: int):
        super().__init__(shim, "copy", size, sets)
        self._run = shim.copy_run

    def run(self, threads: int) -> None:
        self._run(self, threads)
