"""gpuconv through the C face that bench/shim gives it, on NumPy arrays and on arrays in device memory."""

import ctypes as ct
import json
from pathlib import Path

from .contestants import Absent, GpuconvError
from .workload import Workload

POINTER, INT64, INT, TEXT = ct.c_void_p, ct.c_int64, ct.c_int, ct.c_char_p
SECONDS, OBJECT, INT64S = ct.POINTER(ct.c_double), ct.POINTER(ct.c_void_p), ct.POINTER(ct.c_int64)
ARGUMENTS = {"error": [], "about": [], "offers": [TEXT, ct.POINTER(TEXT)], "call": [TEXT, POINTER, OBJECT], "call_destroy": [POINTER],
             "describe": [POINTER], "plan_threads": [POINTER], "execute": [POINTER] * 3, "convolve": [POINTER] * 4,
             "time": [POINTER, TEXT, *[POINTER] * 3, INT64, SECONDS], "copy": [INT64, INT64, OBJECT], "copy_run": [POINTER, INT], "copy_destroy": [POINTER]}
# The part for a GPU, in a build with CUDA.
DEVICE = {"array": [INT64, OBJECT], "array_destroy": [POINTER], "pinned": [INT64, OBJECT], "pinned_destroy": [POINTER],
          "move": [POINTER, POINTER, INT64], "begin": [], "end": [SECONDS], "replay": [POINTER], "graph_destroy": [POINTER],
          "graph": [POINTER, POINTER, POINTER, INT64, INT64, OBJECT]}
# Parts of the CPU solvers, in the library's own build.
PARTS = {"block_sizes": [INT, INT64S, INT64S], "blocks": [TEXT, INT64, INT, POINTER, OBJECT], "blocks_destroy": [POINTER],
         "blocks_count": [POINTER], "blocks_time": [*[POINTER] * 3, INT64, SECONDS], "wake": [INT, ct.c_double, INT, INT64, SECONDS]}


class Shim:
    """The loaded library, its functions without their prefix."""

    def __init__(self, build: Path, folder: str = "bench"):
        path = build / folder / "libgpuconv_bench.so"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: configure with -DGPUCONV_BUILD_BENCH=ON and build")
        library = ct.CDLL(str(path.resolve()))
        known = ARGUMENTS | (DEVICE if hasattr(library, "gpuconv_bench_array") else {}) | (PARTS if hasattr(library, "gpuconv_bench_wake") else {})
        for name, arguments in known.items():
            function = getattr(library, f"gpuconv_bench_{name}")
            function.restype, function.argtypes = TEXT if name in ("error", "about", "describe") else INT, arguments
            setattr(self, name, function)
        self.facts = json.loads(self.about())  # of the build and the devices
        self.threads = self.facts.get("threads", 1)

    def check(self, status: int) -> None:
        """Raises Absent where gpuconv refuses or memory is short."""
        if status:
            raise (Absent if status == 1 else GpuconvError)(self.error().decode())

    def need_gpu(self) -> None:
        if not self.facts["available"]:
            raise Absent(self.facts["detail"])

    def offers_for(self, **described) -> list[dict]:
        """Device, method and estimated seconds of those that take a problem, the planner's choice first."""
        text = TEXT()
        self.check(self.offers(json.dumps(described).encode(), ct.byref(text)))
        return json.loads(text.value)


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
    """A convolution as shim.cpp reads it: one-shot calls of it, or with the address of `taps` a plan with its filter set."""

    def __init__(self, shim: Shim, described: dict, taps: int | None = None):
        super().__init__(shim, "call", json.dumps(described).encode(), taps)
        if taps is not None:
            self.threads, self.description = shim.plan_threads(self), shim.describe(self).decode()


def plan(shim: Shim, work: Workload, **choices) -> Call:
    return Call(shim, work.problem.described(**choices), work.filter.ctypes.data)
