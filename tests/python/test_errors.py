"""What is refused of arrays in device memory, and that a failed call leaves nothing behind."""

import ctypes

import numpy as np
import pytest
import standin
from standin import ByDlpack, ByInterface, ByOldDlpack, OfJax, OfTorch

import gpuconv

X, H = np.arange(20, dtype="f4"), np.ones(3, "f4")


def test_signal_and_result_are_in_one_memory():
    with pytest.raises(TypeError, match="the signal is in the memory of the host and the filter in that of a CUDA device"):
        gpuconv.convolve(X, ByInterface(H))
    with pytest.raises(TypeError, match="the signal is in the memory of the host and out in that of a CUDA device"):
        gpuconv.convolve(X, H, out=ByInterface(np.zeros(22, "f4")))
    with pytest.raises(TypeError, match="CUDA device and out in that of the host"):
        gpuconv.convolve(ByInterface(X), H, out=np.zeros(22, "f4"))


def test_two_devices_are_both_named():
    x, h = ByInterface(X), ByInterface(H)
    standin.synchronize()
    standin.move_to_other_device(h)
    with pytest.raises(ValueError, match="the signal is on CUDA device 0, the filter on CUDA device 1"):
        gpuconv.convolve(x, h)
    there = ByDlpack(X)
    there.device = 1
    with pytest.raises(ValueError, match="the signal is on CUDA device 1, the filter on CUDA device 0"):
        gpuconv.convolve(there, ByDlpack(H))
    with pytest.raises(RuntimeError, match="cudaSetDevice"):  # there is one device only
        gpuconv.convolve(there, H)


def test_two_libraries():
    with pytest.raises(TypeError, match="arrays of interfaces and of tensors"):
        gpuconv.convolve(ByInterface(X), ByDlpack(H))


def test_other_kinds_of_devices():
    x = ByDlpack(X)
    x.kind = 10  # ROCm
    with pytest.raises(NotImplementedError, match="another device"):
        gpuconv.convolve(x, H)
    x.kind = 13  # managed by CUDA: on any device
    np.testing.assert_array_equal(gpuconv.convolve(x, H).get(), np.convolve(X, H))


def test_out_that_cannot_be_the_result():
    x, h = ByInterface(X), ByInterface(H)
    for like, text in ((np.zeros(21, "f4"), r"shape \(21,\)"), (np.zeros((1, 22), "f4"), "shape"), (np.zeros(22), "out is of float64")):
        with pytest.raises(ValueError, match=text):
            gpuconv.convolve(x, h, out=ByInterface(like))
    out = ByInterface(np.zeros(22, "f4"))
    out.read_only = True
    with pytest.raises(ValueError, match="read-only"):
        gpuconv.convolve(x, h, out=out)
    for flag in (1, 2):  # read-only, a copy
        out = ByDlpack(np.zeros(22, "f4"))
        out.flags = flag
        with pytest.raises(ValueError, match="read-only"):
            gpuconv.convolve(ByDlpack(X), ByDlpack(H), out=out)
    with pytest.raises(ValueError, match="nobody may write"):
        gpuconv.convolve(OfJax(X), OfJax(H), out=OfJax(np.zeros(22, "f4")))


@pytest.mark.parametrize(
    "changes, error, text",
    [
        ({"stream": 0}, ValueError, "stream 0 may be either default stream"),
        ({"stream": -1}, ValueError, "no stream -1"),
        ({"mask": object()}, NotImplementedError, "mask"),
        ({"typestr": ">f4"}, NotImplementedError, "byte order"),
        ({"typestr": "<V4"}, NotImplementedError, "no element type void"),
        ({"typestr": "<M8[s]"}, NotImplementedError, "no element type datetime"),
        ({"typestr": "missing"}, TypeError, "no 'typestr'"),
        ({"shape": "missing"}, TypeError, "no 'shape'"),
        ({"data": "missing"}, TypeError, "no 'data'"),
        ({"shape": (-3,)}, ValueError, "shape"),
        ({"shape": (1,) * 65, "strides": None}, ValueError, "65 axes"),
        ({"strides": (4, 4)}, ValueError, "as many strides as axes"),
        ({"strides": (6,)}, ValueError, "whole number"),
    ],
)
def test_interfaces_that_are_not_understood(changes, error, text):
    x = ByInterface(X)
    x.changes = changes
    with pytest.raises(error, match=text):
        gpuconv.convolve(x, H)


def test_interfaces_that_say_less():
    for changes in ({"strides": None}, {"strides": "missing"}, {"mask": None}, {"stream": None}, {"version": 2, "stream": 0}):
        x = ByInterface(X)
        standin.synchronize()
        x.changes = changes
        np.testing.assert_array_equal(gpuconv.convolve(x, H).get(), np.convolve(X, H))


def test_host_memory_that_calls_itself_device_memory():
    x = ByInterface(X)
    x.changes = {"data": (X.ctypes.data, False)}
    with pytest.raises(ValueError, match="not in device memory"):
        gpuconv.convolve(x, H)


def test_tensors_that_are_not_understood():
    x = ByDlpack(X)
    x.lanes = 4
    with pytest.raises(NotImplementedError, match="code 2 with 32 bits in 4 lanes"):
        gpuconv.convolve(x, H)
    x = ByDlpack(X)
    x.major = 2
    with pytest.raises(BufferError, match="version 2 of DLPack"):
        gpuconv.convolve(x, H)


@pytest.mark.parametrize("versioned", [False, True])
def test_a_capsule_is_taken_once(versioned):
    class Once(ByDlpack):
        def __dlpack__(self, **how):
            return self.kept

    Once.__module__ = "tensors"
    x, out = Once(X), ByDlpack(np.zeros(22, "f4"))
    x.kept = x.capsule(versioned)
    gpuconv.convolve(x, H, out=out)
    np.testing.assert_array_equal(out.get(), np.convolve(X, H))
    with pytest.raises(BufferError, match="another library has taken"):
        gpuconv.convolve(x, H, out=out)


def test_errors_of_the_library_are_its_own():
    class Gradient(ByDlpack):
        def __dlpack__(self, **how):
            raise BufferError("cannot export a tensor that needs a gradient")

    class Wrong(ByOldDlpack):
        def __dlpack__(self, stream=None):
            raise TypeError("not today")

    Gradient.__module__ = Wrong.__module__ = "tensors"
    with pytest.raises(BufferError, match="needs a gradient"):
        gpuconv.convolve(Gradient(X), H)
    with pytest.raises(TypeError, match="not today"):
        gpuconv.convolve(Wrong(X), H)


def test_libraries_without_a_way_to_make_arrays(libraries):
    del libraries["interfaces"].empty
    with pytest.raises(TypeError, match="interfaces has no empty"):
        gpuconv.convolve(ByInterface(X), H)
    out = ByInterface(np.zeros(22, "f4"))
    gpuconv.convolve(ByInterface(X), H, out=out)
    np.testing.assert_array_equal(out.get(), np.convolve(X, H))
    del libraries["torch"].int64
    with pytest.raises(TypeError, match="torch has no int64"):
        gpuconv.convolve(OfTorch(X.astype("i8")), OfTorch(H.astype("i8")))


def test_arguments_that_are_wrong_whatever_the_memory():
    with pytest.raises(ValueError, match="mode"):
        gpuconv.convolve2d(ByInterface(X[None]), H[None], "most")
    with pytest.raises(ValueError, match="too small depth"):
        gpuconv.correlate(ByInterface(X), ByInterface(np.array(1, "f4")))
    with pytest.raises(ValueError, match="broadcast"):
        gpuconv.convolve(ByInterface(np.ones((2, 9), "f4")), ByInterface(np.ones((3, 4), "f4")))


def test_without_a_driver():
    x = ByDlpack(X)
    standin.synchronize()
    standin.set_machine(standin.NO_DRIVER)
    try:
        with pytest.raises(NotImplementedError, match="no NVIDIA driver.*pip install"):
            gpuconv.convolve(x, H)
    finally:
        standin.set_machine(standin.PRESENT)
    assert ByDlpack.asked == []


def test_calls_make_plans_which_no_graph_holds(libraries):
    stream = standin.Stream()
    x, out = ByInterface(X, stream.number), ByInterface(np.zeros(22, "f4"), stream.number)
    standin.call("cudaStreamBeginCapture", ctypes.c_void_p(stream.number), 0)
    with pytest.raises(ValueError, match="graph"):
        gpuconv.convolve(x, H, out=out)
    graph = ctypes.c_void_p()
    standin.call("cudaStreamEndCapture", ctypes.c_void_p(stream.number), ctypes.byref(graph))
    standin.call("cudaGraphDestroy", graph)


@pytest.mark.parametrize("method", ["direct", "overlap-save", "fft"])
@pytest.mark.parametrize("kind", [ByInterface, ByDlpack])
def test_whichever_call_fails_the_next_one_works(kind, method):
    x, h = np.ones((2, 600), "f4"), np.ones(70, "f4")
    out = kind(np.zeros((2, 669), "f4"))
    signal, taps = kind(x), kind(h)
    gpuconv.convolve(signal, taps, out=out, method=method)
    standin.synchronize()
    handles = standin.handles()
    shapes = iter(range(601, 10_000))  # none has a plan yet
    for n in range(1, 400):
        a = kind(np.ones((2, next(shapes)), "f4"))
        result = kind(np.zeros((2, a.shape[1] + 69), "f4"))
        standin.synchronize()
        standin.fail(n)
        try:
            gpuconv.convolve(a, taps, out=result, method=method)
            if standin.is_failure_pending():
                break  # else it has made do without the kept plans
        except (RuntimeError, MemoryError, NotImplementedError, AssertionError) as error:
            assert not isinstance(error, AssertionError) or "error" in str(error)  # of the library's own calls
        finally:
            standin.fail(0)
    assert 5 < n < 399
    gpuconv.convolve(signal, taps, out=out, method=method)
    np.testing.assert_allclose(out.get(), gpuconv.convolve(x, h), rtol=1e-5, atol=1e-4)
    assert standin.handles() <= handles + 16  # those of the kept plans
