"""gpuconv.scipy.signal beside scipy.signal: results, types, errors and warnings of every mode, method and type."""

import inspect

import numpy as np
import pytest
from hypothesis import given, strategies as st
from twins import assert_twins, random_operand

scipy_signal = pytest.importorskip("scipy.signal")

import gpuconv
import gpuconv.scipy.signal as ours

LETTERS = "?bBhIlefdFD"
SHAPES = (
    *(((9,), (4,)), ((4,), (9,)), ((5,), (5,)), ((1,), (3,)), ((0,), (3,)), ((), ())),
    *(((6, 5), (3, 1)), ((6, 5), (1, 4)), ((6, 5), (1, 1)), ((3, 1), (6, 5)), ((6, 5), (8, 1)), ((6, 5), (2, 2))),
    *(((4, 5, 6), (1, 3, 1)), ((6, 5), (3,)), ((6, 5), (3, 5)), ((6, 1), (3, 5)), ((1, 5), (3, 5))),
    *(((7, 9), (3, 2)), ((7, 9), (4, 5)), ((3, 3), (7, 8)), ((3, 9), (4, 4)), ((1, 1), (3, 4))),
    *(((4, 5, 6), (3, 1, 2)), ((4, 5, 6), (1, 6, 7)), ((4, 5, 1), (4, 2, 3)), ((2, 5, 6), (3, 2, 2)), ((3, 4, 5), (3, 4, 5))),
)
letters = st.sampled_from(LETTERS)
modes = st.sampled_from(("full", "same", "valid", "all", 1))


class Child(np.ndarray):
    """A subclass that adds nothing."""


def twins(name, *args, **kwargs):
    return assert_twins(getattr(ours, name), getattr(scipy_signal, name), *args, **kwargs)


@given(
    st.integers(0, 2**32),
    st.sampled_from(("convolve", "correlate")),
    st.sampled_from(SHAPES),
    letters,
    letters,
    modes,
    st.sampled_from(("auto", "direct", "fft", "other")),
)
def test_convolve_and_correlate(seed, name, shapes, one, other, mode, method):
    rng = np.random.default_rng(seed)
    twins(name, random_operand(rng, shapes[0], one), random_operand(rng, shapes[1], other), mode=mode, method=method)


@given(
    st.integers(0, 2**32),
    st.sampled_from(("convolve2d", "correlate2d")),
    st.sampled_from(SHAPES),
    letters,
    letters,
    modes,
    st.sampled_from(("fill", "symm", "wrap", "circular", "reflect", 3)),
    st.sampled_from((0, 0.0, 2, 1j, None)),
)
def test_images(seed, name, shapes, one, other, mode, boundary, fillvalue):
    rng = np.random.default_rng(seed)
    operands = random_operand(rng, shapes[0], one), random_operand(rng, shapes[1], other)
    twins(name, *operands, mode, boundary, fillvalue)


@pytest.mark.parametrize(("one", "other"), (("b", "F"), ("F", "b"), ("D", "D"), ("d", "d")))
def test_exchanged_images(one, other):
    rng = np.random.default_rng(1)
    twins("correlate2d", random_operand(rng, (1, 5), one), random_operand(rng, (3, 6), other), "valid")


def test_the_core_takes_images():
    gpuconv.calls(reset=True)
    x, h = np.arange(30.0).reshape(5, 6), np.ones((3, 2))
    for boundary in ("fill", "symm", "wrap"):
        np.testing.assert_allclose(ours.convolve2d(x, h, "same", boundary), scipy_signal.convolve2d(x, h, "same", boundary))
    assert gpuconv.calls()["scipy.signal.convolve2d"]["core"] == 3


@given(
    st.integers(0, 2**32),
    st.sampled_from(("fftconvolve", "oaconvolve")),
    st.sampled_from(SHAPES),
    letters,
    letters,
    modes,
    st.sampled_from((None, None, 0, -1, [0], (1,), [0, 1], [2, 0], [], 5, [0, 0], 0.5)),
)
def test_by_transforms(seed, name, shapes, one, other, mode, axes):
    rng = np.random.default_rng(seed)
    twins(name, random_operand(rng, shapes[0], one), random_operand(rng, shapes[1], other), mode, axes)


@given(
    st.integers(0, 2**32),
    st.lists(letters, min_size=4, max_size=4),
    st.sampled_from(((7,), (3, 7), (7, 3), (2, 5, 4), (0,), ())),
    st.integers(-3, 2),
    st.integers(0, 9),
    st.sampled_from((None, "full", "ones", "wrong")),
)
def test_lfilter(seed, types, shape, axis, taps, state):
    rng = np.random.default_rng(seed)
    b, a, x = random_operand(rng, (taps,), types[0]), np.array([2]).astype(types[1]), random_operand(rng, shape, types[2])
    zi = None
    if state and shape and -len(shape) <= axis < len(shape):
        counts = [1 if state == "ones" else n for n in shape]
        counts[axis] = max(taps - 1, 0) + (state == "wrong")
        zi = random_operand(rng, counts, types[3])
    twins("lfilter", b, a, x, axis, zi)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "correlate", "convolve2d", "correlate2d"])
def test_infinity_meets_the_zeros_that_scipy_puts_around(rng, name, mode):
    direct = {} if name.endswith("2d") else {"method": "direct"}
    for shapes in (((6, 7), (3, 2)), ((3, 2), (6, 7)), ((6, 7), (1, 3)), ((4, 1), (5, 6))):
        for holder in (0, 1):
            operands = [random_operand(rng, shape, "d") for shape in shapes]
            operands[holder].flat[1] = np.inf
            twins(name, *(x.tolist() for x in operands), mode, **direct)


def test_filters_that_recur_are_scipys():
    gpuconv.calls(reset=True)
    twins("lfilter", [1.0, 0.5], [1.0, -0.5], np.arange(8.0))
    assert gpuconv.calls()["scipy.signal.lfilter"]["left"] == {"recursive filters": 1}


@pytest.mark.parametrize("letter", "lfdFD")
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
def test_long_signals_are_the_cores(rng, name, letter):
    gpuconv.calls(reset=True)
    a, v = random_operand(rng, 5000, letter), random_operand(rng, 700, letter)
    for mode in ("full", "same", "valid"):
        twins(name, a, v, mode)
    counts = gpuconv.calls()[f"scipy.signal.{name}"]
    assert counts["core"] == 3 and not counts["left"] and counts["seconds"] > 0


@pytest.mark.parametrize("letter", "hlfdFD")
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
def test_images_and_stacks_of_them_are_the_cores(rng, name, letter):
    gpuconv.calls(reset=True)
    methods = ({"method": "direct"}, {"method": "fft"}) if name in ("convolve", "correlate") else ({}, {"axes": (1, 2)})
    a, v = random_operand(rng, (2, 60, 50), letter), random_operand(rng, (1, 8, 7), letter)
    for mode in ("full", "same", "valid"):
        for how in methods:
            twins(name, a, v, mode, **how)
    counts = gpuconv.calls()[f"scipy.signal.{name}"]
    assert counts["core"] == 6 and not counts["left"]


@pytest.mark.parametrize("x", [[1.0, 2, 3], (1, 2, 3), np.ma.array([1.0, 2, 3], mask=[0, 1, 0]), np.ones(3).view(Child), np.array([1, "a"], object)])
def test_lists_are_arrays_and_other_arrays_are_scipys(x):
    twins("convolve", x, [1.0, 2])


def test_not_a_number_stays_local_where_scipy_spreads_it():
    a, v = np.ones(5000), np.ones(500)
    a[2500] = np.nan
    spread, local = scipy_signal.fftconvolve(a, v), ours.fftconvolve(a, v)
    assert np.isnan(spread).all()
    assert np.isnan(local[2500:3000]).all() and np.isfinite(local[:1000]).all() and np.isfinite(local[4500:]).all()


def test_a_first_output_that_is_no_number_is_warned_of_where_the_caller_is():
    a = np.ones(5000)
    a[0] = np.nan
    with pytest.warns(RuntimeWarning, match="Use of fft convolution") as caught:
        ours.convolve(a, np.ones(500), method="fft")
    assert caught[0].filename == __file__


def test_sums_far_below_the_largest_keep_their_digits():
    """What a transform would lose: the tail of a sum of 128 dice."""
    die, sums = np.full(6, 1 / 6), np.ones(1)
    for _ in range(128):
        sums = ours.convolve(sums, die, method="direct")
    np.testing.assert_allclose(sums[0], 6.0**-128, rtol=1e-12)


@pytest.mark.parametrize("name", ours.__all__)
def test_signatures_and_documentation_are_scipys(name):
    mine, theirs = getattr(ours, name), getattr(scipy_signal, name)
    assert inspect.signature(mine) == inspect.signature(theirs)
    assert mine.__doc__ == theirs.__doc__ and mine.__name__ == name
