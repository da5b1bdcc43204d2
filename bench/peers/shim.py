"""gpuconv through the C face that bench/shim.cpp gives it, on NumPy arrays and on arrays in device memory."""

import ctypes as ct
from pathlib import Path

import numpy as np

POINTER, INT64, INT, TEXT = ct.c_void_p, ct.c_int64, ct.c_int, ct.c_char_p
SECONDS, OBJECT = ct.POINTER(ct.c_double), ct.POINTER(ct.c_void_p)
ARGUMENTS = {"error": [], "threads": [], "call": [TEXT, TEXT, INT64, INT64, INT, INT, POINTER, OBJECT], "call_destroy": [POINTER],
             "describe": [POINTER], "plan_threads": [POINTER], "execute": [POINTER] * 3, "convolve": [POINTER] * 4,
             "time": [*[POINTER] * 4, INT64, SECONDS], "copy": [INT64, INT64, OBJECT], "copy_run": [POINTER, INT], "copy_destroy": [POINTER]}
# The part for a GPU, in a build with CUDA.
DEVICE = {"is_emulated": [], "l2_bytes": [ct.POINTER(INT64)], "array": [INT64, OBJECT], "array_destroy": [POINTER],
          "move": [POINTER, POINTER, INT64], "begin": [], "end": [SECONDS]}


class ShimError(RuntimeError):
    """gpuconv refused; the text is its own."""


class Shim:
    """The loaded library, its functions without their prefix."""

    def __init__(self, build: Path, on_gpu: bool = False):
        path = build / "bench" / "libgpuconv_bench.so"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: configure with -DGPUCONV_BUILD_BENCH=ON and build")
        library = ct.CDLL(str(path.resolve()))
        for name, arguments in (ARGUMENTS | (DEVICE if on_gpu else {})).items():
            function = getattr(library, f"gpuconv_bench_{name}")
            function.restype, function.argtypes = TEXT if name in ("error", "describe") else INT, arguments
            setattr(self, name, function)

    def check(self, status: int) -> None:
        if status:
            raise ShimError(self.error().decode())


class Owner(ct.c_void_p):
    """A C++ object. Is its own handle, so that who holds that keeps the object alive."""

    def __init__(self, shim: Shim, kind: str, *arguments):
        super().__init__()
        self._destroy = getattr(shim, f"{kind}_destroy")
        shim.check(getattr(shim, kind)(*arguments, ct.cast(ct.byref(self), OBJECT)))

    def __del__(self):
        if self.value:
            self._destroy(self)


class Call(Owner):
    """One-shot calls of a convolution in mode full."""

    def __init__(self, shim: Shim, dtype: str, signal: int, size: int, method: str = "auto", threads: int = 0, on_gpu=False, taps=None):
        super().__init__(shim, "call", dtype.encode(), method.encode(), signal, size, threads, on_gpu, taps)


class Plan(Call):
    """A gpuconv plan with its filter set, on arrays of the host or of the GPU."""

    def __init__(self, shim: Shim, taps: np.ndarray, signal: int, method: str = "auto", threads: int = 0, on_gpu: bool = False):
        super().__init__(shim, taps.dtype.name, signal, taps.size, method, threads, on_gpu, taps.ctypes.data)
        self.threads, self.description = shim.plan_threads(self), shim.describe(self).decode()
