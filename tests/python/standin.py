"""The stand-in CUDA runtime, and libraries of arrays in its memory: what a test needs of CuPy, PyTorch and JAX."""

import ctypes
import os
import sys
import types

import numpy as np

runtime = ctypes.CDLL(os.environ["GPUCONV_EMULATOR"])  # the one that the extension module is linked to
Pointer = ctypes.c_void_p
NOT_READY, TO_DEVICE, TO_HOST, NON_BLOCKING = 600, 1, 2, 1


def call(name, *arguments):
    """A call of the runtime, which has to succeed."""
    code = getattr(runtime, name)(*arguments)
    assert code == 0, f"{name}: error {code}"


class Stream:
    """One that does not wait for the default stream."""

    def __init__(self):
        handle = Pointer()
        call("cudaStreamCreateWithFlags", ctypes.byref(handle), NON_BLOCKING)
        self.number = handle.value

    def __del__(self):
        runtime.cudaStreamDestroy(Pointer(self.number))


def synchronize(number=1):
    call("cudaStreamSynchronize", Pointer(number))


def is_busy(number):
    """Whether the stream has something to do. To ask lets it do a bit."""
    return runtime.cudaStreamQuery(Pointer(number)) == NOT_READY


# What control.hpp has, under the names that the compiler gave it.
_reset = runtime._ZN7standin5resetEv
_pending = runtime._ZN7standin18pending_operationsEv
_live = runtime._ZN7standin16live_allocationsEv
_handles = runtime._ZN7standin12live_handlesEv
_calls = runtime._ZN7standin5callsESt17basic_string_viewIcSt11char_traitsIcEE
_fail = runtime._ZN7standin9fail_callEl
_is_failure_pending = runtime._ZN7standin15failure_pendingEv
_move = runtime._ZN7standin20move_to_other_deviceEPKv
_set_machine = runtime._ZN7standin11set_machineENS_7MachineE
for counter in (_pending, _live, _handles, _calls):
    counter.restype = ctypes.c_int64
_is_failure_pending.restype = ctypes.c_bool
PRESENT, NO_DRIVER = 0, 1

reset, pending, live, handles, is_failure_pending = _reset, _pending, _live, _handles, _is_failure_pending


WAITING = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaFree", "cudaMemcpy")


def all_calls(name):
    return _calls(ctypes.c_size_t(len(name)), ctypes.c_char_p(name.encode()))


class Since:
    """Counts calls from now on."""

    def __init__(self):
        self.before = {name: all_calls(name) for name in (*WAITING, "cudaMalloc", "cudaMallocAsync", "cudaFreeAsync")}

    def calls(self, name):
        return all_calls(name) - self.before[name]

    def waits(self):
        return sum(map(self.calls, WAITING))


def set_device_memory(size):
    failures.append(size)
    runtime._ZN7standin17set_device_memoryEm(ctypes.c_size_t(size))


def used_memory():
    used = runtime._ZN7standin17live_device_bytesEv
    used.restype = ctypes.c_size_t
    return used()


failures: list = []  # calls that a test makes fail


def fail(n):
    failures.append(n)
    _fail(ctypes.c_int64(n))


def move_to_other_device(array):
    _move(Pointer(array.pointer))


def set_machine(machine):
    _set_machine(ctypes.c_int(machine))


class Memory:
    """Device memory that is freed in its stream's order, without a wait, as pools of libraries do."""

    def __init__(self, size, stream):
        self.stream, self.size = stream, max(size, 1)
        pointer = Pointer()
        call("cudaMallocAsync", ctypes.byref(pointer), ctypes.c_size_t(self.size), Pointer(stream))
        self.pointer = pointer.value

    def __del__(self):
        runtime.cudaFreeAsync(Pointer(self.pointer), Pointer(self.stream))


def bounds(x):
    """The address of the first byte of an array and the number of bytes that it spans."""
    if not x.size:
        return x.ctypes.data, 0
    spans = [(n - 1) * s for n, s in zip(x.shape, x.strides)]
    low, high = sum(s for s in spans if s < 0), sum(s for s in spans if s > 0)
    return x.ctypes.data + low, high - low + x.itemsize


class Array:
    """A copy of a NumPy array that lies as that one does. The library works on `stream`; the copy may not be there yet."""

    device = 0
    read_only = False

    def __init__(self, like, stream=1, filled=True):
        first, size = bounds(like)
        self.shape, self.strides, self.dtype, self.stream = like.shape, like.strides, like.dtype, stream
        self.memory, self.offset, self.size = Memory(size, stream), like.ctypes.data - first, size
        self.pointer = self.memory.pointer + self.offset
        if filled and size:
            call("cudaMemcpyAsync", Pointer(self.memory.pointer), Pointer(first), ctypes.c_size_t(size), TO_DEVICE, Pointer(stream))

    def get(self):
        """A NumPy array of what is in memory when the stream has done its work."""
        if not self.size:
            return np.empty(self.shape, self.dtype)
        host = np.empty(self.size, np.uint8)
        call("cudaMemcpyAsync", Pointer(host.ctypes.data), Pointer(self.memory.pointer), ctypes.c_size_t(self.size), TO_HOST, Pointer(self.stream))
        synchronize(self.stream)
        return np.ndarray(self.shape, self.dtype, host.data, self.offset, self.strides).copy()

    def __setitem__(self, where, other):
        assert where is Ellipsis
        values = self.get()
        values[...] = other.get()
        whole = np.empty(self.size, np.uint8)
        call("cudaMemcpyAsync", Pointer(whole.ctypes.data), Pointer(self.memory.pointer), ctypes.c_size_t(self.size), TO_HOST, Pointer(self.stream))
        synchronize(self.stream)
        np.ndarray(self.shape, self.dtype, whole.data, self.offset, self.strides)[...] = values
        call("cudaMemcpyAsync", Pointer(self.memory.pointer), Pointer(whole.ctypes.data), ctypes.c_size_t(self.size), TO_DEVICE, Pointer(self.stream))


class ByInterface(Array):
    """An array with CUDA's array interface, version 3, as CuPy's: it names the stream that the library works on."""

    changes: dict = {}

    @property
    def __cuda_array_interface__(self):
        entries = {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.pointer, self.read_only),
            "strides": self.strides,
            "version": 3,
            "stream": self.stream,
        }
        return {key: value for key, value in (entries | self.changes).items() if value != "missing"}


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", Pointer),
        ("device_kind", ctypes.c_int32),
        ("device", ctypes.c_int32),
        ("axes", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("counts", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    ]


Release = ctypes.CFUNCTYPE(None, Pointer)


class Managed(ctypes.Structure):
    _fields_ = [("tensor", Tensor), ("context", Pointer), ("release", Release)]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", Pointer),
        ("release", Release),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    ]


new_capsule, capsule_pointer = ctypes.pythonapi.PyCapsule_New, ctypes.pythonapi.PyCapsule_GetPointer
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [Pointer, ctypes.c_char_p, Pointer]
capsule_pointer.restype, capsule_pointer.argtypes = Pointer, [ctypes.py_object, ctypes.c_char_p]
CODES = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6, "V": 4}
exports: dict = {}  # what consumers have not given back, by address


@Release
def release(address):
    del exports[address]


class ByDlpack(Array):
    """An array with DLPack's protocol, version 1, which notes what it is asked for."""

    kind, major, flags, lanes, contiguous_without_strides = 2, 1, 0, 1, False
    asked: list = []

    def __dlpack_device__(self):
        return self.kind, self.device

    def __dlpack__(self, *, stream=None, max_version=None):
        self.asked.append(stream)
        if stream not in (-1, self.stream):  # the consumer's stream waits for the library's
            event = Pointer()
            call("cudaEventCreate", ctypes.byref(event))
            call("cudaEventRecord", event, Pointer(self.stream))
            call("cudaStreamWaitEvent", Pointer(stream), event, 0)
            call("cudaEventDestroy", event)
        return self.capsule(max_version is not None)

    def capsule(self, versioned):
        n, item = len(self.shape), self.dtype.itemsize
        counts = (ctypes.c_int64 * n)(*self.shape)
        strides = (ctypes.c_int64 * n)(*(s // item for s in self.strides))
        tensor = Tensor(self.pointer - 16, self.kind, self.device, n, CODES[self.dtype.kind], 8 * item, self.lanes, counts, strides, 16)
        if self.contiguous_without_strides:
            tensor.strides = None
        held = Versioned(self.major, 0, None, release, self.flags, tensor) if versioned else Managed(tensor, None, release)
        exports[ctypes.addressof(held)] = (held, counts, strides, self.memory)
        return new_capsule(ctypes.addressof(held), b"dltensor_versioned" if versioned else b"dltensor", None)


class ByOldDlpack(ByDlpack):
    """The same of version 0, which knows no versions."""

    def __dlpack__(self, stream=None):
        return super().__dlpack__(stream=stream)


class OfTorch(ByDlpack):
    """One whose library tells on which stream it works, but not by the array."""


class OfJax(ByDlpack):
    """One that nobody may write."""

    def __setitem__(self, where, other):
        raise TypeError("JAX arrays are immutable")

    def astype(self, dtype):
        return OfJax(self.get().astype(dtype))


class Imported(OfJax):
    """One of another library's memory, by DLPack."""

    def __init__(self, other):
        self.owner = other.__dlpack__(stream=1, max_version=(1, 0))
        held = Versioned.from_address(capsule_pointer(self.owner, b"dltensor_versioned"))
        t = held.tensor
        assert (t.device_kind, t.device, t.lanes) == (2, 0, 1)
        kind = {code: letter for letter, code in CODES.items()}[t.code]
        self.dtype = np.dtype(f"{kind}{t.bits // 8}")
        self.shape = tuple(t.counts[: t.axes])
        self.stream, self.pointer, self.offset = 1, t.data + t.offset, 0
        self.strides = np.empty(self.shape, self.dtype).strides
        self.size = int(np.prod(self.shape)) * self.dtype.itemsize
        self.memory = types.SimpleNamespace(pointer=self.pointer)


def library(name, array, **more):
    """A module of a library with arrays of this class."""
    module = types.ModuleType(name)
    array.__module__ = name
    for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"):
        setattr(module, kind, np.dtype(kind))
    for kind in ("float16", "float32", "float64", "complex64", "complex128"):
        setattr(module, kind, np.dtype(kind))

    def empty(shape, dtype, device):
        assert device == 0
        return array(np.empty(shape, dtype), module.stream, filled=False)

    module.empty, module.stream = empty, 1
    for key, value in more.items():
        setattr(module, key, value)
    sys.modules[name] = module
    return module
