"""Arrays in device memory that gpuconv and other libraries share, through the C face that bench/shim_device.cpp gives."""

import ctypes as ct
from pathlib import Path

import numpy as np

from peers.shim import Request, Shim
from peers.workload import Workload

MOST_SETS = 64  # as in device/jobs.cpp: problems of less than a few MB find their data in the cache

_SIGNATURES = {
    "device_emulated": (ct.c_int, []),
    "device_l2_bytes": (ct.c_int, [ct.POINTER(ct.c_int64)]),
    "device_array": (ct.c_int, [ct.c_int64, ct.POINTER(ct.c_void_p)]),
    "device_array_destroy": (None, [ct.c_void_p]),
    "device_move": (ct.c_int, [ct.c_void_p, ct.c_void_p, ct.c_int64]),
    "device_copy": (ct.c_int, [ct.c_void_p, ct.c_void_p, ct.c_int64]),
    "device_plan": (ct.c_int, [ct.c_void_p, ct.c_void_p, ct.POINTER(ct.c_void_p)]),
    "device_plan_destroy": (None, [ct.c_void_p]),
    "device_execute": (ct.c_int, [ct.c_void_p] * 3),
    "device_wait": (ct.c_int, []),
    "device_timer": (ct.c_int, [ct.POINTER(ct.c_void_p)]),
    "device_timer_destroy": (None, [ct.c_void_p]),
    "device_timer_begin": (ct.c_int, [ct.c_void_p]),
    "device_timer_end": (ct.c_int, [ct.c_void_p, ct.POINTER(ct.c_double)]),
}


class DeviceShim(Shim):
    """The shim with its part for the GPU."""

    def __init__(self, build: Path):
        super().__init__(build)
        self.declare(_SIGNATURES)
        self.emulated = bool(self.device_emulated())

    def l2_bytes(self) -> int:
        size = ct.c_int64()
        self.check(self.device_l2_bytes(ct.byref(size)))
        return size.value


class Array:
    """An array in device memory, as other libraries take it (the CUDA array interface)."""

    def __init__(self, shim: DeviceShim, size: int, dtype):
        self.shim, self.size, self.dtype = shim, size, np.dtype(dtype)
        self.nbytes = size * self.dtype.itemsize
        self._memory = ct.c_void_p()
        shim.check(shim.device_array(self.nbytes, ct.byref(self._memory)))
        self.pointer = self._memory.value

    def __del__(self):
        if getattr(self, "pointer", None):
            self.shim.device_array_destroy(self.pointer)

    @property
    def __cuda_array_interface__(self) -> dict:
        return {"shape": (self.size,), "typestr": self.dtype.str, "data": (self.pointer, False), "version": 3}

    def set(self, values: np.ndarray) -> None:
        self.shim.check(self.shim.device_move(self.pointer, values.ctypes.data, self.nbytes))

    def get(self) -> np.ndarray:
        out = np.empty(self.size, self.dtype)
        self.shim.check(self.shim.device_move(out.ctypes.data, self.pointer, self.nbytes))
        return out


class Plan:
    """A gpuconv plan on device memory with its filter set."""

    def __init__(self, shim: DeviceShim, work: Workload):
        self._shim, self._handle = shim, ct.c_void_p()
        request = Request(shim, work.dtype.name, work.signal, work.taps)
        shim.check(shim.device_plan(request, work.filter.ctypes.data, ct.byref(self._handle)))
        self.description = shim.plan_describe(self._handle).decode()

    def __del__(self):
        if self._handle:
            self._shim.device_plan_destroy(self._handle)

    def execute(self, signal: Array, out: Array) -> None:
        self._shim.check(self._shim.device_execute(self._handle, signal.pointer, out.pointer))


class Timer:
    """CUDA's events around work on the default stream."""

    def __init__(self, shim: DeviceShim):
        self._shim, self._handle = shim, ct.c_void_p()
        shim.check(shim.device_timer(ct.byref(self._handle)))

    def __del__(self):
        if self._handle:
            self._shim.device_timer_destroy(self._handle)

    def time(self, function) -> float:
        seconds = ct.c_double()
        self._shim.check(self._shim.device_timer_begin(self._handle))
        function()
        self._shim.check(self._shim.device_timer_end(self._handle, ct.byref(seconds)))
        return seconds.value


class Problem:
    """A workload in device memory: sets of signals and outputs, more than the L2 holds, used in turn, and the filter."""

    def __init__(self, shim: DeviceShim, work: Workload):
        self.shim, self.work = shim, work
        size = (work.signal + work.outputs) * work.dtype.itemsize
        self.sets = min(max(2, 2 * shim.l2_bytes() // size + 1), MOST_SETS)
        self.signals = [Array(shim, work.signal, work.dtype) for _ in range(self.sets)]
        self.outs = [Array(shim, work.outputs, work.dtype) for _ in range(self.sets)]
        for signal in self.signals:
            signal.set(work.signals[0])
        self.filter = Array(shim, work.taps, work.dtype)
        self.filter.set(work.filter)
        self.timer = Timer(shim)
