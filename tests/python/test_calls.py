"""Calls on arrays in device memory give what they give on NumPy's arrays, as arrays of the library that they came from."""

import numpy as np
import pytest
from standin import Array, ByDlpack, ByInterface, ByOldDlpack, OfJax, OfTorch

import gpuconv

KINDS = [ByInterface, ByDlpack, ByOldDlpack, OfTorch, OfJax]
TYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "?"]


def numbers(rng, shape, dtype):
    x = 9 * rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 9j * rng.standard_normal(shape)
    if np.dtype(dtype).kind == "u":
        x = abs(x)
    return x.astype(dtype) if dtype != "?" else x > 0


def assert_equals(result, expected):
    got = result.get()
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    if got.dtype.kind in "iub":
        np.testing.assert_array_equal(got, expected)
    else:
        bound = {2: 4e-3, 4: 2e-6, 8: 1e-14}[np.empty(0, got.dtype).real.itemsize]
        np.testing.assert_allclose(got.astype("c16"), expected.astype("c16"), rtol=bound, atol=bound * max(1, abs(expected).max(initial=0)))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_type(rng, kind, dtype):
    x, h = numbers(rng, (3, 40), dtype), numbers(rng, 5, dtype)
    result = gpuconv.convolve(kind(x), kind(h), "same")
    assert isinstance(result, OfJax if kind is OfJax else kind) and type(result).__module__ == kind.__module__
    assert_equals(result, gpuconv.convolve(x, h, "same"))


def test_bfloat16(libraries, rng):
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x, h = rng.standard_normal(40).astype(bfloat16), rng.standard_normal(5).astype(bfloat16)
    libraries["torch"].bfloat16 = np.dtype(bfloat16)
    result = gpuconv.convolve(OfTorch(x), OfTorch(h))
    np.testing.assert_allclose(result.get().astype("f4"), gpuconv.convolve(x, h).astype("f4"), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack])
def test_types_that_the_library_converts(rng, kind):
    x, h = numbers(rng, 30, "f4"), numbers(rng, 5, "f4")
    for a, v, dtype in ((x, h, "c8"), (x > 0, h > 0, None), (x.astype("i2"), h.astype("f2"), None), (x, h, "f8")):
        assert_equals(gpuconv.convolve(kind(a), kind(v), dtype=dtype), gpuconv.convolve(a, v, dtype=dtype))
        assert_equals(gpuconv.convolve(OfJax(a), OfJax(v), dtype=dtype), gpuconv.convolve(a, v, dtype=dtype))


def test_filters_that_are_said_to_be_products(rng):
    a, v = numbers(rng, (60, 90), "f4"), numbers(rng, (15, 15), "f4")
    product = np.outer(v[0], v[1])
    how = {"operation": "convolve2d", "method": "direct"}
    assert "two passes" not in gpuconv.explain(ByInterface(a), ByInterface(product), **how)  # nobody reads it
    assert "two passes" in gpuconv.explain(ByInterface(a), ByInterface(product), separable=True, **how)
    assert "two passes" in repr(gpuconv.Plan(a.shape, ByInterface(product), separable=True, **how))
    for filters in (product, v):
        for call in (gpuconv.convolve2d, gpuconv.correlate2d):
            result = call(ByInterface(a), ByInterface(filters), "same", method="direct", separable=True)
            assert_equals(result, call(a, filters, "same"))


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack])
def test_any_strides_and_axes(rng, kind):
    x = numbers(rng, (4, 12, 9), "f4")
    h = numbers(rng, (4, 1, 3), "f4")
    again = np.lib.stride_tricks.as_strided(x[0], strides=(0, 4))
    for a in (x, x[::-1], x[:, ::-2], x[:, :, ::3], x.transpose(2, 0, 1), x.T, again, x[1], x[0, 0]):
        for axis in range(-a.ndim, a.ndim):
            assert_equals(gpuconv.convolve(kind(a), kind(h[0, 0]), axis=axis), gpuconv.convolve(a, h[0, 0], axis=axis))
    for a, v in ((x, h), (x, h[:, :, ::-1]), (x[:1], h), (x[:, :1], h), (h, x)):
        assert_equals(gpuconv.correlate(kind(a), kind(v), "full"), gpuconv.correlate(a, v, "full"))
    contiguous = ByDlpack(x)
    contiguous.contiguous_without_strides = True
    assert_equals(gpuconv.convolve(contiguous, ByDlpack(h)), gpuconv.convolve(x, h))


def test_modes_boundaries_lags_and_methods(rng):
    x, h = numbers(rng, (2, 50), "f4"), numbers(rng, 7, "f4")

    def same(function, *arguments, **how):
        assert_equals(function(ByInterface(x), ByInterface(h), *arguments, **how), function(x, h, *arguments, **how))

    for mode in ("full", "same", "valid"):
        same(gpuconv.convolve, mode)
        same(gpuconv.correlate, mode)
    for boundary in ("nearest", "reflect", "mirror", "wrap", ("constant", 2.5)):
        same(gpuconv.convolve, "same", boundary=boundary, same="scipy")
    for lags in (range(-5, 6), range(8, -9, -2), [3, -2, 5, 6, 7]):
        same(gpuconv.correlate, lags=lags)
    for method in ("direct", "overlap-save", "fft"):
        same(gpuconv.convolve, method=method)
    with pytest.raises(ValueError, match="device cpu cannot convolve arrays in device memory"):
        gpuconv.convolve(ByInterface(x), ByInterface(h), device="cpu")


def test_long_filters_that_take_scratch_memory(rng):
    x, h = numbers(rng, (2, 30_000), "f4"), numbers(rng, 9_000, "f4")
    for a, axis in ((x, 1), (x.T.copy(), 0)):
        result = gpuconv.convolve(ByInterface(a), ByInterface(h), "valid", axis=axis)
        assert_equals_roughly(result, gpuconv.convolve(a, h, "valid", axis=axis))


def assert_equals_roughly(result, expected):
    np.testing.assert_allclose(result.get(), expected, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack])
def test_images(rng, kind):
    x, h = numbers(rng, (2, 12, 9), "f4"), numbers(rng, (3, 5), "f4")
    for a, axes in ((x, (-2, -1)), (x.transpose(1, 2, 0), (0, 1)), (x[:, ::-1, ::2], (-2, -1))):
        v = h[..., None] if axes == (0, 1) else h
        for how in ({"mode": "full"}, {"mode": "same", "boundary": "reflect"}, {"mode": "valid"}):
            for function in (gpuconv.convolve2d, gpuconv.correlate2d):
                assert_equals(function(kind(a), kind(v), axes=axes, **how), function(a, v, axes=axes, **how))


def test_filters_of_the_host_are_copied(rng):
    x, h = numbers(rng, (4, 40), "f4"), numbers(rng, (4, 5), "f4")
    for v in (h[0], h, h[0, ::-2], [0.5, 1, 0.5], 2.0):
        assert_equals(gpuconv.convolve(ByInterface(x), v), gpuconv.convolve(x, v))


def test_scalars_are_single_samples(rng):
    x, two = numbers(rng, (2, 9), "f4"), np.array(2, "f4")
    for a, v in ((x, two), (two, x[0]), (two, two)):
        assert_equals(gpuconv.convolve(ByDlpack(a), ByDlpack(v)), gpuconv.convolve(a, v))


def test_empty_batches_and_empty_operands(rng):
    x, h = numbers(rng, (0, 7), "f4"), numbers(rng, 3, "f4")
    result = gpuconv.convolve(ByDlpack(x), ByDlpack(h))
    assert isinstance(result, ByDlpack) and result.shape == (0, 9)
    for a, v in ((x.T, h), (h, h[:0]), (h[:0], h)):
        with pytest.raises(ValueError, match="empty"):
            gpuconv.convolve(ByDlpack(a), ByDlpack(v))


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack, OfTorch])
def test_out(rng, kind):
    x, h = numbers(rng, (3, 20), "f4"), numbers(rng, 5, "f4")
    expected = gpuconv.convolve(x, h)
    for like in (np.zeros((3, 24), "f4"), np.zeros((24, 3), "f4").T, np.zeros((6, 48), "f4")[::-2, ::2]):
        out = kind(like)
        assert gpuconv.convolve(kind(x), kind(h), out=out) is out
        assert_equals(out, expected)
    bools = kind(np.zeros((3, 24), bool))
    gpuconv.convolve(kind(x > 0), kind(h > 0), out=bools)
    assert_equals(bools, gpuconv.convolve(x > 0, h > 0))


@pytest.mark.parametrize("kind", [ByInterface, ByDlpack])
def test_out_may_overlap_the_signal_and_itself(rng, kind):
    x, h = numbers(rng, (3, 20), "f4"), numbers(rng, 5, "f4")
    signal = kind(x)
    assert gpuconv.convolve(signal, kind(h), "same", out=signal) is signal
    assert_equals(signal, gpuconv.convolve(x, h, "same"))
    same_place = kind(np.lib.stride_tricks.as_strided(np.zeros(24, "f4"), (3, 24), (0, 4)))
    gpuconv.convolve(kind(np.tile(x[:1], (3, 1))), kind(h), out=same_place)
    assert_equals(same_place, gpuconv.convolve(np.tile(x[:1], (3, 1)), h))


def test_dtypes_of_the_library_are_taken(rng):
    class Float64:
        def __str__(self):
            return "torch.float64"

    Float64.__module__ = "torch"
    x = numbers(rng, 20, "f4")
    result = gpuconv.convolve(OfTorch(x), OfTorch(x[:3]), dtype=Float64())
    assert_equals(result, gpuconv.convolve(x, x[:3], dtype="f8"))


def test_the_arrays_are_those_of_the_test_library(rng):
    x = numbers(rng, (4, 6), "f4")
    for view in (x, x[::-1, ::2], x.T):
        np.testing.assert_array_equal(Array(view).get(), view)
