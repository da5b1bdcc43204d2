"""On which streams work is done, who waits for whom, and how long memory lives."""

import ctypes
import gc
import threading

import numpy as np
import pytest
import standin
from standin import ByDlpack, ByInterface, ByOldDlpack, OfJax, OfTorch, Stream, is_busy

import gpuconv
from gpuconv._core import _stream

X, H = np.arange(300, dtype="f4"), np.ones(3, "f4")
EXPECTED = np.convolve(X, H)
ERROR = "error"


@pytest.mark.parametrize(
    "number, dlpack, interface",
    [
        (None, 1, None),  # DLPack: the legacy default stream; the interface: nobody waits
        (-1, None, ERROR),
        (0, ERROR, ERROR),
        (1, 1, 1),
        (2, 2, 2),
        (3, 3, 3),
        (0x7F00_1234_5678, 0x7F00_1234_5678, 0x7F00_1234_5678),
        (-2, ERROR, ERROR),
    ],
)
def test_what_numbers_of_streams_mean(number, dlpack, interface):
    for by, meaning in (("dlpack", dlpack), ("array interface", interface)):
        if meaning == ERROR:
            with pytest.raises(ValueError, match="stream"):
                _stream(by, number)
        else:
            assert _stream(by, number) == meaning


def warm(kind, stream=1):
    """Makes the plan, which later calls of these shapes take. Counts calls from then on."""
    gpuconv.convolve(kind(X, stream), kind(H, stream))
    standin.call("cudaDeviceSynchronize")
    ByDlpack.asked.clear()
    return standin.Since()


@pytest.mark.parametrize("number", [1, 2, "own"])
def test_a_call_is_asynchronous_on_the_stream_of_the_interface(libraries, number):
    own = Stream()
    stream = own.number if number == "own" else number
    libraries["interfaces"].stream = stream
    since = warm(ByInterface, stream)
    x, h = ByInterface(X, stream), ByInterface(H, stream)
    result = gpuconv.convolve(x, h)
    assert since.waits() == since.calls("cudaMalloc") == 0
    assert is_busy(stream)
    assert stream != own.number or not is_busy(1)
    np.testing.assert_array_equal(result.get(), EXPECTED)


def test_torchs_current_stream_is_taken(libraries):
    for stream, number in ((Stream(), None), (None, 1)):
        number = number or stream.number
        libraries["torch"].stream = number
        since = warm(OfTorch, number)
        result = gpuconv.convolve(OfTorch(X, number), OfTorch(H, number))
        assert since.waits() == 0 and is_busy(number)
        assert ByDlpack.asked == [number] * 3  # the signal, the filter, the result
        np.testing.assert_array_equal(result.get(), EXPECTED)


@pytest.mark.parametrize("kind", [ByDlpack, ByOldDlpack, OfJax])
def test_without_a_stream_known_the_call_waits_on_the_default_one(kind):
    stream = Stream()
    x, h = kind(X, stream.number), kind(H, stream.number)  # the library makes stream 1 wait
    result = gpuconv.convolve(x, h)
    assert ByDlpack.asked == [1, 1] + [1] * (kind is not OfJax)
    assert not is_busy(1)
    np.testing.assert_array_equal(result.get(), EXPECTED)


def test_an_interface_without_a_stream_is_of_finished_work():
    x, h = ByInterface(X), ByInterface(H)
    standin.synchronize()
    x.changes = {"stream": None}
    result = gpuconv.convolve(x, h)
    assert not is_busy(1)
    np.testing.assert_array_equal(result.get(), EXPECTED)


def test_arrays_of_several_streams_are_read_and_written_in_the_order_of_all(libraries):
    streams = [Stream() for _ in range(3)]
    a, b, c = (s.number for s in streams)
    libraries["interfaces"].stream = c  # of the result
    warm(ByInterface, a)
    for _ in range(3):
        x, h, out = ByInterface(X, a), ByInterface(H, b), ByInterface(np.zeros(302, "f4"), c)
        since = standin.Since()
        gpuconv.convolve(x, h, out=out)
        result = gpuconv.convolve(ByInterface(X, b), ByInterface(H, a))
        assert since.waits() == 0
        np.testing.assert_array_equal(out.get(), EXPECTED)  # by stream c, which has to wait for a
        np.testing.assert_array_equal(result.get(), EXPECTED)


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack, OfTorch])
def test_operands_may_go_at_once(libraries, kind):
    """Their memory is free in the order of their streams, where the next array gets it and is written."""
    a, b = Stream(), Stream()
    for name in ("interfaces", "tensors", "torch"):
        libraries[name].stream = a.number
    for second in (a, b):
        result = gpuconv.convolve(kind(X, a.number), kind(H, second.number))
        gc.collect()
        others = [kind(np.full(300, np.nan, "f4"), s.number) for s in (a, b)]
        standin.synchronize(b.number)  # what b does now comes after the call
        np.testing.assert_array_equal(result.get(), EXPECTED)
        del others


def test_one_plan_on_two_streams_is_used_in_turn():
    """The second call gives the plan another filter: after the first one has read its own."""
    a, b = Stream(), Stream()
    since = warm(ByInterface, a.number)
    for done in range(12):
        first, second = ByInterface(np.zeros(302, "f4"), a.number), ByInterface(np.zeros(302, "f4"), b.number)
        gpuconv.convolve(ByInterface(X, a.number), ByInterface(H, a.number), out=first)
        gpuconv.convolve(ByInterface(X, b.number), ByInterface(2 * H, b.number), out=second)
        for _ in range(done):
            is_busy(a.number)  # lets it do a bit
        assert since.calls("cudaMalloc") == 0
        np.testing.assert_array_equal(second.get(), 2 * EXPECTED)
        np.testing.assert_array_equal(first.get(), EXPECTED)


def test_the_last_plans_are_kept_and_the_others_given_back():
    def some(shapes):
        for n in shapes:
            gpuconv.convolve(ByInterface(np.ones(n, "f4")), ByInterface(H))

    some(range(400, 420))
    standin.call("cudaDeviceSynchronize")
    live, handles = standin.live(), standin.handles()
    some(range(420, 440))
    standin.call("cudaDeviceSynchronize")
    assert (standin.live(), standin.handles()) == (live, handles)
    since = standin.Since()
    some(range(432, 440))
    assert since.calls("cudaMalloc") == since.waits() == 0


def test_kept_plans_go_where_memory_runs_out():
    x, h = np.ones(100_000, "f4"), np.ones(20_000, "f4")
    operands = [(ByInterface(x[n:]), ByInterface(h)) for n in range(5)]
    for a, v in operands[:4]:
        gpuconv.convolve(a, v, method="fft")
    standin.call("cudaDeviceSynchronize")
    a, v = operands[4]
    out = ByInterface(np.zeros(119_995, "f4"))
    standin.set_device_memory(standin.used_memory() + (1 << 20))
    try:
        gpuconv.convolve(a, v, method="fft", out=out)
    finally:
        standin.set_device_memory(1 << 30)  # as at first
    np.testing.assert_allclose(out.get()[30_000:40_000], 20_000, rtol=1e-4)


def test_filters_of_the_host_wait_until_they_are_copied():
    stream = Stream()
    x, h, out = ByInterface(X, stream.number), H.copy(), ByInterface(np.zeros(302, "f4"), stream.number)
    gpuconv.convolve(x, h, out=out)
    h[:] = np.nan
    np.testing.assert_array_equal(out.get(), EXPECTED)


def test_threads_with_streams_of_their_own(libraries):
    libraries["interfaces"].stream = 1
    failures = []

    def work(factor):
        stream = Stream()
        for _ in range(20):
            out = ByInterface(np.zeros(302, "f4"), stream.number)
            gpuconv.convolve(ByInterface(X, stream.number), ByInterface(factor * H, stream.number), out=out)
            if not np.array_equal(out.get(), factor * EXPECTED):
                failures.append(factor)

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_exports_have_released_what_they_held():
    gpuconv.convolve(ByDlpack(X), ByDlpack(H))
    gc.collect()
    assert standin.exports == {}
    result = gpuconv.convolve(OfJax(X), OfJax(H))
    np.testing.assert_array_equal(result.get(), EXPECTED)
    assert ctypes.pythonapi.PyCapsule_IsValid(ctypes.py_object(result.owner), b"dltensor_versioned")
