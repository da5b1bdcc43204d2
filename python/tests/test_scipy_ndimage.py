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


@given(
    st.integers(0, 2**32),
    st.sampled_from(("convolve", "correlate")),
    *(letters, st.sampled_from("ldD"), outputs, modes),
    st.sampled_from((((5, 7), (3, 1)), ((5, 7), (1, 4)), ((5, 7), (1, 1)), ((5, 7), (2, 3)), ((5, 7), (3,)), ((9,), (5,)), ((2, 5, 3), (1, 3, 1)))),
    st.sampled_from((0, 1, -1, [0, 1], [1, 0], [0])),
)
def test_filters_with_one_line(seed, name, one, other, output, mode, both, origin):
    rng = np.random.default_rng(seed)
    x = random_operand(rng, both[0], one)
    twins(name, x, random_operand(rng, both[1], other), output_of(output, x), mode, 0.5, origin)


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
@pytest.mark.parametrize("name", ["correlate1d", "gaussian_filter"])
def test_the_output_may_be_the_input(rng, name, letter):
    x = random_operand(rng, (40, 30), letter)
    argument = np.array([1.0, 2, 4]) / 8 if name == "correlate1d" else 1.5
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
