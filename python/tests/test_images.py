"""convolve2d and correlate2d: sums over both axes, of any types, strides and axes, and SciPy's own where it is there."""

import itertools
import pickle

import numpy as np
import oracle
import pytest

import gpuconv

BOUNDARIES = {"zero": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}


def window(length, taps, mode, same="scipy"):
    """First output and their number within the full result of one axis."""
    if mode == "full":
        return 0, length + taps - 1
    if mode == "valid":
        return min(length, taps) - 1, abs(length - taps) + 1
    return oracle.same_slice(length, taps, "convolve", same)


def image_sums(a, v, mode, operation="convolve2d", boundary="zero", same=None):
    """Plain sums of one image and one filter, in a wider type."""
    same = same or ("scipy" if operation == "convolve2d" else "matlab")  # as SciPy's functions of these names
    a, v = oracle.wider(a), oracle.wider(v)
    if operation == "correlate2d":
        v = np.conj(v[::-1, ::-1])
    (lines, n), (i, m) = a.shape, v.shape
    padded = np.pad(a, ((i - 1, i - 1), (m - 1, m - 1)), BOUNDARIES[boundary])
    full = np.zeros((lines + i - 1, n + m - 1), np.result_type(a, v))
    for y, x in np.ndindex(v.shape):
        full += v[y, x] * padded[i - 1 - y : 2 * i - 2 - y + lines, m - 1 - x : 2 * m - 2 - x + n]
    (top, count), (left, columns) = window(lines, i, mode, same), window(n, m, mode, same)
    return full[top : top + count, left : left + columns]


def values(rng, shape, letter):
    if letter in oracle.INTEGERS:
        return rng.integers(0, 9, shape).astype(letter)
    real = rng.standard_normal(shape)
    return (real + 1j * rng.standard_normal(shape)).astype(letter) if letter in oracle.COMPLEX else real.astype(letter)


def close(got, expected):
    if got.dtype.kind in "iu":
        np.testing.assert_array_equal(got, expected.astype(got.dtype))
    else:
        eps = np.finfo(got.dtype).eps
        np.testing.assert_allclose(got, expected, rtol=0, atol=60 * eps * max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("operation", ["convolve2d", "correlate2d"])
@pytest.mark.parametrize("letter", "hBqfdFDe")
def test_the_sums_over_both_axes(operation, letter, rng):
    function = getattr(gpuconv, operation)
    for shape, taps in [((7, 9), (3, 3)), ((1, 9), (3, 2)), ((5, 1), (2, 4)), ((2, 3), (2, 3)), ((11, 13), (1, 5)), ((40, 33), (7, 9))]:
        a, v = values(rng, shape, letter), values(rng, taps, letter)
        for mode in oracle.MODES:
            if mode == "valid" and (shape[0] < taps[0]) != (shape[1] < taps[1]) and shape[0] != taps[0] and shape[1] != taps[1]:
                with pytest.raises(ValueError, match="holds the other"):
                    function(a, v, mode)
                continue
            got = function(a, v, mode, dtype="q" if letter in oracle.INTEGERS else None)
            close(got, image_sums(a, v, mode, operation))


@pytest.mark.parametrize("boundary", [b for b in BOUNDARIES if b != "zero"])
def test_what_is_beyond_the_edges(boundary, rng):
    for shape, taps in [((8, 9), (3, 5)), ((6, 5), (4, 4))]:
        a, v = values(rng, shape, "d"), values(rng, taps, "d")
        close(gpuconv.convolve2d(a, v, "same", boundary=boundary), image_sums(a, v, "same", boundary=boundary))
    filled = gpuconv.convolve2d(np.zeros((3, 3)), np.ones((3, 3)), "same", boundary=("constant", 2.0))
    np.testing.assert_array_equal(filled, [[10, 6, 10], [6, 0, 6], [10, 6, 10]])


def test_whose_mode_same(rng):
    a, v = values(rng, (9, 8), "d"), values(rng, (4, 6), "d")
    for operation, same in itertools.product(("convolve2d", "correlate2d"), ("scipy", "matlab", "numpy")):
        close(getattr(gpuconv, operation)(a, v, "same", same=same), image_sums(a, v, "same", operation, same=same))


def test_other_axes_broadcast(rng):
    a, v = values(rng, (4, 1, 6, 7), "d"), values(rng, (3, 2, 3), "d")
    got = gpuconv.convolve2d(a, v)
    assert got.shape == (4, 3, 7, 9)
    for i, j in itertools.product(range(4), range(3)):
        close(got[i, j], image_sums(a[i, 0], v[j], "full"))


def test_any_axes(rng):
    photograph, v = values(rng, (10, 12, 3), "B"), values(rng, (3, 5, 1), "B")
    got = gpuconv.convolve2d(photograph, v, "same", axes=(0, 1), dtype="q")
    assert got.shape == photograph.shape
    turned = gpuconv.convolve2d(photograph, v.swapaxes(0, 1), "same", axes=(1, 0), dtype="q")
    for channel in range(3):
        close(got[..., channel], image_sums(photograph[..., channel], v[..., 0], "same"))
        close(turned[..., channel].T, image_sums(photograph[..., channel].T, v.swapaxes(0, 1)[..., 0].T, "same"))


def test_any_strides_and_outputs(rng):
    big = values(rng, (30, 40), "f")
    v = values(rng, (3, 4), "f")
    for a in (big[5:20, 7:31], big[::-1, ::2], big.T, np.asfortranarray(big), big[::3, ::-3]):
        expected = image_sums(a, v, "same")
        close(gpuconv.convolve2d(a, v, "same"), expected)
        for out in (np.empty(a.shape, "f"), np.empty(a.shape, "f", order="F"), np.empty((2 * a.shape[0], 3 * a.shape[1]), "f")[::2, ::3]):
            assert gpuconv.convolve2d(a, v, "same", out=out) is out
            close(out, expected)
    inside = big.copy()
    assert gpuconv.convolve2d(inside, v, "same", out=inside) is inside
    close(inside, image_sums(big, v, "same"))


def test_plans_of_images(rng):
    a, v = values(rng, (2, 20, 31), "f"), values(rng, (5, 3), "f")
    plan = gpuconv.Plan(a.shape, v, "same", operation="correlate2d")
    for p in (plan, pickle.loads(pickle.dumps(plan))):
        close(p.execute(a)[1], image_sums(a[1], v, "same", "correlate2d"))
    assert "20 x 31" in repr(plan) and plan.info()["result_shape"] == a.shape
    assert "20 x 31" in gpuconv.explain(a, v, operation="convolve2d")
    turned = gpuconv.Plan((20, 31, 2), v[..., None], operation="convolve2d", axis=(0, 1))
    close(turned.execute(np.moveaxis(a, 0, -1))[..., 0], image_sums(a[0], v, "full"))


def test_filters_that_are_products(rng):
    a, v = values(rng, (70, 300), "f"), values(rng, (17, 15), "f")
    product = np.outer(v[:, 0], v[0])
    for filters, found in ((v, False), (product, True), (np.stack([product, v])[:, None], False), (product[:1], False)):
        how = {"operation": "convolve2d", "device": "cpu", "method": "direct"}
        shape = (2, *a.shape) if filters.ndim == 4 else a.shape
        assert ("two passes" in repr(gpuconv.Plan(shape, filters, signal_dtype="f", **how))) == found
        assert ("two passes" in gpuconv.explain(np.broadcast_to(a, shape), filters, **how)) == found
        for separable in (False, True):  # whatever is said of them
            result = gpuconv.convolve2d(a, filters, "same", separable=separable)
            expected = [image_sums(a, f, "same") for f in filters.reshape(-1, *filters.shape[-2:])]
            close(result, np.reshape(expected, result.shape))
    assert gpuconv.correlate2d(a, product, separable=True).dtype == "f"
    with pytest.raises(TypeError, match="unexpected keyword argument 'separable'"):
        gpuconv.convolve(a[0], v[0], separable=True)
    with pytest.raises(ValueError, match="only filters of images are separable"):
        gpuconv.Plan(9, v[0], separable=True)


def test_what_is_refused():
    image = np.ones((4, 5))
    for a, v, keywords, text in [
        (np.ones(4), image, {}, "two axes"),
        (image, 1, {}, "two axes"),
        (image, np.ones((0, 3)), {}, "filter of convolve2d cannot be empty"),
        (np.ones((2, 0, 3)), image, {}, "signal of convolve2d cannot be empty"),
        (image, image, {"mode": "some"}, "mode must be one of"),
        (image, image, {"axes": (0, 0)}, "same one"),
        (image, image, {"axes": (0,)}, "two numbers"),
        (image, image, {"boundary": "wrap"}, "needs mode 'same'"),
        (np.ones((2, 4, 5)), np.ones((3, 2, 2)), {}, "broadcast"),
    ]:
        with pytest.raises(ValueError, match=text):
            gpuconv.convolve2d(a, v, **keywords)
    with pytest.raises(np.AxisError if hasattr(np, "AxisError") else np.exceptions.AxisError):
        gpuconv.convolve2d(image, image, axes=(0, 2))
    with pytest.raises(TypeError):
        gpuconv.convolve2d(image, image, axis=0)
    with pytest.raises(TypeError):
        gpuconv.convolve2d(image, image, axes=1)
    with pytest.raises(NotImplementedError, match="object"):
        gpuconv.convolve2d(image.astype(object), image)
    with pytest.raises(ValueError, match="one axis"):
        gpuconv.Plan((4, 5), image, operation="correlate2d", max_lag=1)


def test_scipys_own(rng):
    signal = pytest.importorskip("scipy.signal")
    a, v = values(rng, (17, 12), "D"), values(rng, (4, 5), "D")
    for operation, mode in itertools.product(("convolve2d", "correlate2d"), oracle.MODES):
        ours, theirs = getattr(gpuconv, operation), getattr(signal, operation)
        close(ours(a, v, mode), theirs(a, v, mode))
        if mode == "same":
            for theirs_name, name in (("symm", "reflect"), ("wrap", "wrap")):
                close(ours(a, v, mode, boundary=name), theirs(a, v, mode, theirs_name))
