"""gpuconv.scipy.ndimage beside scipy.ndimage: every boundary, type, output=, origin and axis."""

import inspect

import numpy as np
import pytest
from hypothesis import given, strategies as st
from twins import assert_twins, random_operand

scipy_ndimage = pytest.importorskip("scipy.ndimage")

import gpuconv
import gpuconv.scipy.ndimage as ours

LETTERS = "?bBhHiIlLfdFD"
MODES = ("reflect", "grid-mirror", "mirror", "nearest", "wrap", "grid-wrap", "constant", "grid-constant", "none")
letters = st.sampled_from(LETTERS + "e")
modes = st.sampled_from(MODES)
shapes = st.sampled_from(((7,), (1,), (4, 9), (9, 4), (2, 5, 3), (0,), ()))
outputs = st.sampled_from((None, float, np.int16, "uint8", "f", np.complex64, "array", "wrong"))


def twins(name, *args, **kwargs):
    return assert_twins(getattr(ours, name), getattr(scipy_ndimage, name), *args, **kwargs)


def output_of(output, x):
    if isinstance(output, str) and output in ("array", "wrong"):
        return np.zeros([n + (output == "wrong") for n in x.shape], "D" if x.dtype.kind == "c" else "d")
    return output


@given(
    st.integers(0, 2**32),
    st.sampled_from(("convolve1d", "correlate1d")),
    *(letters, letters, shapes, st.integers(0, 12), st.integers(-3, 2), outputs, modes),
    st.sampled_from((0.0, 2, -1.5, 1 + 2j)),
    st.integers(-6, 6),
)
def test_lines(seed, name, one, other, shape, taps, axis, output, mode, cval, origin):
    rng = np.random.default_rng(seed)
    x, weights = random_operand(rng, shape, one), random_operand(rng, (taps,), other)
    twins(name, x, weights, axis, output_of(output, x), mode, cval, origin)


# An image and a filter of one line or more, also filters larger than the image.
FILTERED = (
    *(((5, 7), (3, 1)), ((5, 7), (1, 4)), ((5, 7), (1, 1)), ((5, 7), (3,)), ((9,), (5,)), ((2, 5, 3), (1, 3, 1))),
    *(((5, 7), (2, 3)), ((5, 7), (3, 3)), ((3, 4), (4, 9)), ((1, 6), (5, 2)), ((2, 5, 3), (2, 1, 3)), ((2, 5, 3), (2, 3, 2))),
)


@given(
    st.integers(0, 2**32),
    st.sampled_from(("convolve", "correlate")),
    *(letters, st.sampled_from("?bldFD"), outputs, modes),
    st.sampled_from(FILTERED),
    st.sampled_from((0, 1, -1, [0, 1], [1, 0], [-1, 1], [0, -2], [0], [0.0, 0.0])),
    st.sampled_from((0, 0.5, -2, np.inf, 1 + 2j)),
    st.sampled_from((None, None, None, (), (0, 1), (1, 0), (0, 2), (1,), 0, (0, 0))),
)
def test_filters(seed, name, one, other, output, mode, both, origin, cval, axes):
    rng = np.random.default_rng(seed)
    x = random_operand(rng, both[0], one)
    more = {} if axes is None else {"axes": axes}
    twins(name, x, random_operand(rng, both[1], other), output_of(output, x), mode, cval, origin, **more)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "none"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_the_core_filters_images(rng, name, mode):
    gpuconv.calls(reset=True)
    image, stack = random_operand(rng, (20, 30), "d"), random_operand(rng, (3, 20, 30), "D")
    for count, origin in ((4, [-2, 1]), (5, 2)):
        twins(name, image, random_operand(rng, (count, count), "d"), None, mode, 0.5, origin)
    for shape in ((1, 4, 5), (2, 1, 3), (3, 2, 1)):
        twins(name, stack, random_operand(rng, shape, "D"), None, mode, 0.5)
    counts = gpuconv.calls()[f"scipy.ndimage.{name}"]
    assert (counts["core"], counts["left"]) == (5, {})


@pytest.mark.parametrize("shape", [(3, 3), (1, 3)])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_weights_that_scipy_passes_over(rng, name, shape):
    """Weights of 0, and those that are as good as 0: not even an infinite sample counts there."""
    x = random_operand(rng, (6, 7), "d")
    np.testing.assert_array_equal(twins(name, x, np.full(shape, 2e-16)), 0)
    weights = np.full(shape, 2.0)
    weights[0, 0], weights[-1, 1] = 2e-16, np.nan
    twins(name, x, weights.tolist())
    x[3, 3], x[4, 1] = np.inf, np.nan
    twins(name, x.tolist(), weights.tolist())
    twins(name, x.tolist(), np.ones(shape), None, "constant", np.inf)
    twins(name, x.tolist(), np.ones((3, 3)), origin=1)


@given(
    st.integers(0, 2**32),
    *(letters, shapes, outputs, modes),
    st.sampled_from((0.3, 1.0, 2.5, 0, -1, "x")),
    st.integers(-1, 4),
    st.integers(-3, 2),
    st.sampled_from((None, 0, 3, 1.5)),
)
def test_gaussians_along_an_axis(seed, one, shape, output, mode, sigma, order, axis, radius):
    x = random_operand(np.random.default_rng(seed), shape, one)
    twins("gaussian_filter1d", x, sigma, axis, order, output_of(output, x), mode, 1.5, 3.0, radius=radius)


@given(
    st.integers(0, 2**32),
    *(letters, shapes, outputs),
    st.sampled_from(("nearest", ["wrap", "constant"], ["mirror", "none"], "constant")),
    st.sampled_from((0, 1.0, [1, 0], [0.7, 2.0], 0.5)),
    st.sampled_from((0, 1, [0, 2])),
    st.sampled_from((None, None, 0, (1,), (0, 1), (1, 1), 5)),
)
def test_gaussians(seed, one, shape, output, mode, sigma, order, axes):
    x = random_operand(np.random.default_rng(seed), shape, one)
    more = {} if axes is None else {"axes": axes}
    twins("gaussian_filter", x, sigma, order, output_of(output, x), mode, 1.0, **more)


@pytest.mark.parametrize("letter", ["h", "f", "d", "F"])
@pytest.mark.parametrize(
    ("name", "argument"), [("correlate1d", np.array([1.0, 2, 4]) / 8), ("gaussian_filter", 1.5), ("convolve", np.sqrt([[2, 3], [5, 7]]) / 9)]
)
def test_the_output_may_be_the_input(rng, name, argument, letter):
    x = random_operand(rng, (40, 30), letter)
    expected = getattr(scipy_ndimage, name)(x.copy(), argument)
    assert getattr(ours, name)(x, argument, output=x) is x
    np.testing.assert_allclose(x, expected, rtol=1e-5, atol=1e-6)


def test_sums_are_of_float64_and_cut():
    """A photograph's blur in uint8: float32 sums would differ in a few pixels."""
    x = np.random.default_rng(3).integers(0, 256, (512, 512), dtype=np.uint8)
    gpuconv.calls(reset=True)
    np.testing.assert_array_equal(ours.gaussian_filter(x, 2.0), scipy_ndimage.gaussian_filter(x, 2.0))
    assert gpuconv.calls()["scipy.ndimage.gaussian_filter"]["core"] == 1


@pytest.mark.parametrize("name", ["gaussian_filter", "gaussian_filter1d"])
def test_white_stays_as_white_as_with_scipy(name):
    """Sums of 255 with taps whose sum is nearly 1 are 255, or a hair below and cut to 254: by the order of adding."""
    x = np.random.default_rng(3).integers(0, 256, (200, 100), dtype=np.uint8)
    x[20:60, 10:50] = 255
    gpuconv.calls(reset=True)
    for sigma in (0.6, 1.0, 1.3, 2.0, 3.7):
        twins(name, x, sigma)
        twins(name, np.full_like(x, 255), sigma)
    counts = gpuconv.calls()[f"scipy.ndimage.{name}"]
    assert counts["core"] > 0 and counts["left"] == {"sums so close to integers that the order of adding decides": 5}


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_images_are_cut_where_scipy_cuts_them(name):
    x = np.random.default_rng(3).integers(0, 256, (4, 30, 40), dtype=np.uint8)
    x[2, 5:9, 5:9] = 255
    gpuconv.calls(reset=True)
    twins(name, x, np.full((1, 3, 3), 2), np.int32)
    irrational = np.sqrt(np.arange(2.0, 11.0)).reshape(1, 3, 3) / 30
    twins(name, x, irrational / irrational.sum())
    twins(name, x[2], np.full((3, 3), 1 / 9))
    twins(name, x[2], np.full((3, 3), 2), np.int32, "constant", 1 / 18)
    twins(name, x[2].astype("q") << 50, np.full((3, 3), 3))
    twins(name, x[:, :, 0], np.full((3, 1), 1 / 3))
    counts = gpuconv.calls()[f"scipy.ndimage.{name}"]
    assert counts["core"] == 2 and counts["left"] == {"sums so close to integers that the order of adding decides": 4}


def test_sums_beyond_the_outputs_type_are_what_scipy_makes_of_them():
    x = np.full((20, 20), 200, np.uint8)
    gpuconv.calls(reset=True)
    twins("correlate1d", x, np.full(3, -1.0))
    assert gpuconv.calls()["scipy.ndimage.correlate1d"]["left"] == {"sums beyond the output's type": 1}


@pytest.mark.parametrize("name", ours.__all__)
def test_signatures_and_documentation_are_scipys(name):
    mine, theirs = getattr(ours, name), getattr(scipy_ndimage, name)
    assert inspect.signature(mine) == inspect.signature(theirs)
    assert mine.__doc__ == theirs.__doc__ and mine.__name__ == name
