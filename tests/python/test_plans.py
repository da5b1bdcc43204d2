"""Plans whose filter is in device memory."""

import ctypes
import pickle

import numpy as np
import pytest
import standin
from standin import ByDlpack, ByInterface, OfJax, OfTorch, Stream, is_busy
from test_calls import assert_equals, numbers

import gpuconv


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack, OfTorch])
def test_plans_are_executed_on_arrays_of_the_library(rng, kind):
    x, h = numbers(rng, (4, 60), "f4"), numbers(rng, (2, 1, 7), "f4")
    for a, v, how in ((x, h[0, 0], {"mode": "same", "boundary": "wrap"}), (x, h, {}), (x, h[0, 0], {"axis": 0})):
        plan = gpuconv.Plan(a.shape, kind(v), **how)
        assert "cuda" in repr(plan) and plan.info()["device"] == "cuda"
        expected = gpuconv.convolve(a, v, **how)
        for lies in (a, a[::-1, ::-1], np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2]):
            assert_equals(plan.execute(kind(lies)), gpuconv.convolve(lies, v, **how))
        for like in (np.zeros_like(expected), np.zeros_like(expected, order="F")):
            out = kind(like)
            assert plan.execute(kind(a), out=out) is out
            assert_equals(out, expected)


def test_other_plans(rng):
    x, h = numbers(rng, (2, 60), "f4"), numbers(rng, 7, "f4")
    plan = gpuconv.Plan(x.shape, ByInterface(h), operation="correlate", lags=[5, -3, 0, 1])
    assert_equals(plan.execute(ByInterface(x)), gpuconv.correlate(x, h, lags=[5, -3, 0, 1]))
    plan = gpuconv.Plan(60, ByInterface(h), signal_dtype="i2", dtype="f8", method="fft")
    assert plan.info()["method"] == "fft"
    assert_equals(plan.execute(ByInterface(x[0].astype("i2"))), gpuconv.convolve(x[0].astype("i2"), h, dtype="f8"))
    plan = gpuconv.Plan(60, ByInterface(h > 0))
    assert_equals(plan.execute(ByInterface(x[0] > 0)), gpuconv.convolve(x[0] > 0, h > 0))
    image = numbers(rng, (9, 8), "f4")
    plan = gpuconv.Plan(image.shape, ByInterface(image[:3, :3]), "same", operation="convolve2d")
    assert_equals(plan.execute(ByInterface(image)), gpuconv.convolve2d(image, image[:3, :3], "same"))
    plan = gpuconv.Plan((0, 9), ByInterface(h))
    assert plan.execute(ByInterface(np.zeros((0, 9), "f4"))).shape == (0, 15)
    plan = gpuconv.Plan(60, OfJax(h))
    assert_equals(plan.execute(OfJax(x[0])), gpuconv.convolve(x[0], h))
    assert "cuda" in gpuconv.explain(ByInterface(x), ByInterface(h)) and "cuda" in gpuconv.explain(ByInterface(x), h)


def test_an_execution_neither_allocates_nor_waits(rng, libraries):
    stream = Stream()
    x, h = numbers(rng, (2, 600), "f4"), numbers(rng, 33, "f4")
    plan = gpuconv.Plan(x.shape, ByInterface(h, stream.number), "same")
    a, out = ByInterface(x, stream.number), ByInterface(np.zeros_like(x), stream.number)
    since = standin.Since()
    plan.execute(a, out=out)
    assert since.waits() == since.calls("cudaMalloc") == since.calls("cudaMallocAsync") == 0
    assert is_busy(stream.number) and not is_busy(1)
    assert_equals(out, gpuconv.convolve(x, h, "same"))


def test_a_filter_may_go_when_the_plan_is_made(rng):
    stream = Stream()
    x, h = numbers(rng, 300, "f4"), numbers(rng, 9, "f4")
    for kind in (ByInterface, ByDlpack):
        taps = kind(h, stream.number)
        plan = gpuconv.Plan(300, taps)
        taps[...] = kind(np.full(9, np.nan, "f4"))
        standin.synchronize(stream.number)
        del taps
        assert_equals(plan.execute(kind(x)), gpuconv.convolve(x, h))


def test_executions_on_two_streams_come_after_each_other(rng):
    """They share scratch memory."""
    a, b = Stream(), Stream()
    x, h = numbers(rng, (2, 3000), "f4"), numbers(rng, 700, "f4")
    plan = gpuconv.Plan(3000, ByInterface(h), method="fft")
    for done in range(12):
        results = [(ByInterface(x[i], s.number), ByInterface(np.zeros(3699, "f4"), s.number)) for i, s in enumerate((a, b))]
        for signal, out in results:
            plan.execute(signal, out=out)
        for _ in range(done):
            is_busy(a.number)
        for i in (1, 0):
            np.testing.assert_allclose(results[i][1].get(), gpuconv.convolve(x[i], h), atol=1e-2)


def test_an_execution_can_be_captured_in_a_graph(rng):
    stream = Stream()
    x, h = numbers(rng, 300, "f4"), numbers(rng, 9, "f4")
    plan = gpuconv.Plan(300, ByInterface(h, stream.number))
    a, out = ByInterface(x, stream.number), ByInterface(np.zeros(308, "f4"), stream.number)
    plan.execute(a, out=out)
    out[...] = ByInterface(np.zeros(308, "f4"))
    handle, graph, runnable = (ctypes.c_void_p(n) for n in (stream.number, None, None))
    standin.call("cudaStreamBeginCapture", handle, 0)
    plan.execute(a, out=out)
    standin.call("cudaStreamEndCapture", handle, ctypes.byref(graph))
    assert not out.get().any()
    standin.call("cudaGraphInstantiate", ctypes.byref(runnable), graph, ctypes.c_ulonglong(0))
    standin.call("cudaGraphLaunch", runnable, handle)
    assert_equals(out, gpuconv.convolve(x, h))
    standin.call("cudaGraphExecDestroy", runnable)
    standin.call("cudaGraphDestroy", graph)


def test_what_plans_refuse(rng):
    x, h = numbers(rng, 60, "f4"), numbers(rng, 7, "f4")
    there, here = gpuconv.Plan(60, ByInterface(h)), gpuconv.Plan(60, h)
    with pytest.raises(TypeError, match="the signal is in the memory of the host and the plan's filter in that of a CUDA"):
        there.execute(x)
    with pytest.raises(TypeError, match="the plan's filter is in the memory of the host and the signal in that of a CUDA"):
        here.execute(ByInterface(x))
    for wrong, text in ((x[:59], r"shape \(59,\)"), (x.astype("f8"), "of float64, the plan's of float32")):
        with pytest.raises(ValueError, match=text):
            there.execute(ByInterface(wrong))
    with pytest.raises(ValueError, match="out has the shape"):
        there.execute(ByInterface(x), out=ByInterface(x))
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(there)
    elsewhere = ByInterface(x)
    standin.synchronize()
    standin.move_to_other_device(elsewhere)
    with pytest.raises((ValueError, RuntimeError), match="CUDA device 1|cudaSetDevice"):
        there.execute(elsewhere)
