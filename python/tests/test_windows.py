"""Conventions of mode same, boundaries, and lags by number."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import BOUNDARIES, COMPLEX, assert_close, by_rows, full_at, random_array, same_slice, wider

import gpuconv

OPERATIONS = ("convolve", "correlate")
LETTERS = "bldfe" + COMPLEX
lengths = st.one_of(st.integers(1, 6), st.integers(1, 60))


@given(
    st.integers(0, 2**32), lengths, lengths, st.sampled_from(LETTERS), st.sampled_from(OPERATIONS),
    st.sampled_from(("numpy", "scipy", "matlab")), st.sampled_from(BOUNDARIES), st.integers(-5, 5),
)  # fmt: skip
def test_same_with_what_is_beyond_the_ends(seed, n, m, letter, operation, same, boundary, value):
    rng = np.random.default_rng(seed)
    a, v = random_array(rng, (2, n), letter), random_array(rng, m, letter)
    value = value if boundary == "constant" else 0
    given_boundary = ("constant", value) if boundary == "constant" else boundary
    result = getattr(gpuconv, operation)(a, v, "same", boundary=given_boundary, same=same)
    first, count = same_slice(n, m, operation, same)
    widened = [wider(x) if result.dtype.kind in "fc" else x for x in (a, v)]
    expected = by_rows(lambda x, h: full_at(x, h, operation, first, count, boundary, value), *widened, -1)
    assert result.dtype == a.dtype
    # The longer of the operands is what is summed, however short the signal is.
    longest = extended_for_norm(a, m, value)
    assert_close(result, expected, longest, v)


def extended_for_norm(a, m, value):
    beyond = np.full((a.shape[0], m), value).astype(a.dtype)
    return np.concatenate([np.tile(a, 1 + m // a.shape[-1] + 2), beyond], axis=-1)


def test_boundaries_have_scipys_meaning():
    x, taps = np.arange(1, 5), [1, 0, 0, 0, 0]  # the sample two places further on
    for boundary, last in (
        ("zero", [0, 0]),
        ("nearest", [4, 4]),
        ("reflect", [4, 3]),
        ("mirror", [3, 2]),
        ("wrap", [1, 2]),
        (("constant", 7), [7, 7]),
    ):
        np.testing.assert_array_equal(gpuconv.convolve(x, taps, "same", boundary=boundary, same="scipy"), [3, 4, *last])


def test_a_constant_without_a_value_is_0():
    np.testing.assert_array_equal(gpuconv.convolve([1, 2], [1, 1, 1], "same", boundary="constant", same="scipy"), [3, 3])


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_a_boundary_needs_mode_same(mode):
    for operation in OPERATIONS:
        for shape in (9, (0, 9)):
            with pytest.raises(ValueError, match="needs mode 'same'"):
                getattr(gpuconv, operation)(np.ones(shape), [1, 2], mode, boundary="wrap")
    gpuconv.convolve([1, 2], [1, 2], mode, boundary="zero")


@pytest.mark.parametrize(
    "boundary, error",
    [
        ("edge", ValueError), (("reflect", 1), ValueError), (("constant",), ValueError), (("constant", 1, 2), ValueError),
        (("constant", "x"), TypeError), (3, TypeError), (("constant", 0.5), ValueError), (("constant", 300), ValueError),
        (("constant", 2**53 + 1), ValueError), (None, TypeError),
    ],
)  # fmt: skip
def test_boundaries_that_are_none(boundary, error):
    with pytest.raises(error):
        gpuconv.convolve(np.ones(9, np.int8), np.ones(3, np.int8), "same", boundary=boundary)


class TestLags:
    @staticmethod
    def expected(a, v, lags):
        widened = [wider(x) if x.dtype.kind in "fc" else x for x in (a, v)]
        one = lambda x, h, lag: full_at(x, h, "correlate", int(lag) + len(h) - 1, 1)[0]
        return by_rows(lambda x, h: np.array([one(x, h, lag) for lag in lags]), *widened, -1)

    @given(st.integers(0, 2**32), lengths, lengths, st.sampled_from(LETTERS), st.lists(st.integers(-90, 90), min_size=1, max_size=12))
    def test_any_lags_in_any_order(self, seed, n, m, letter, lags):
        rng = np.random.default_rng(seed)
        a, v = random_array(rng, (2, n), letter), random_array(rng, m, letter)
        for given_lags in (lags, np.array(lags, np.int8)):
            result = gpuconv.correlate(a, v, lags=given_lags)
            assert result.dtype == a.dtype
            assert_close(result, self.expected(a, v, lags), a, v)

    @given(st.integers(0, 2**32), lengths, lengths, st.integers(-80, 80), st.integers(-80, 80), st.integers(-9, 9).filter(bool))
    def test_ranges(self, seed, n, m, first, last, step):
        rng = np.random.default_rng(seed)
        a, v = random_array(rng, n, "d"), random_array(rng, m, "d")
        lags = range(first, last, step)
        result = gpuconv.correlate(a, v, lags=lags)
        assert_close(result, self.expected(a, v, lags) if lags else np.empty(0), a, v)

    @pytest.mark.parametrize("n, m", [(9, 4), (4, 9), (5, 5)])
    def test_all_lags_are_mode_full(self, n, m, rng):
        a, v = random_array(rng, n, "l"), random_array(rng, m, "l")
        np.testing.assert_array_equal(gpuconv.correlate(a, v, lags=range(-(m - 1), n)), np.correlate(a, v, "full"))
        np.testing.assert_array_equal(gpuconv.correlate(a, v, lags=range(n - 1, -m, -1)), np.correlate(a, v, "full")[::-1])

    def test_up_to_a_largest_one(self, rng):
        a, v = random_array(rng, (3, 50), "f"), random_array(rng, 50, "f")
        np.testing.assert_array_equal(gpuconv.correlate(a, v, max_lag=3), gpuconv.correlate(a, v, lags=range(-3, 4)))
        np.testing.assert_array_equal(gpuconv.correlate(a, v, max_lag=0), gpuconv.correlate(a, v, lags=[0]))

    def test_on_another_axis_into_an_array(self, rng):
        a, v = random_array(rng, (50, 3), "l"), random_array(rng, 20, "l")
        out = np.zeros((4, 6), "l")[:, ::2]
        lags = [5, 3, 1, 40]
        assert gpuconv.correlate(a, v, axis=0, lags=lags, out=out) is out
        np.testing.assert_array_equal(out, self.expected(a.T, v, lags).T)

    def test_with_a_boundary(self):
        np.testing.assert_array_equal(gpuconv.correlate([1, 2, 3, 4], [1, 1], lags=[-1, 3], boundary="wrap"), [5, 5])

    @pytest.mark.parametrize(
        "lags, error",
        [(3, TypeError), ([1.5], TypeError), ([[1, 2]], TypeError), ("ab", TypeError), ([2**62], OverflowError), (range(2**62, 2**62 + 2), OverflowError),
         (range(2**70, 2**70 + 2), (OverflowError, ValueError)), (np.array([2**63], "Q"), OverflowError), ([True], TypeError)],
    )  # fmt: skip
    def test_what_is_no_lags(self, lags, error):
        with pytest.raises(error):
            gpuconv.correlate([1, 2, 3], [1, 2], lags=lags)

    def test_take_the_place_of_a_mode(self):
        for options in ({"mode": "valid", "lags": [1]}, {"mode": "full", "max_lag": 1}, {"lags": [1], "max_lag": 1}, {"max_lag": -1}):
            with pytest.raises(ValueError):
                gpuconv.correlate([1, 2, 3], [1, 2], **options)
        with pytest.raises(TypeError):
            gpuconv.convolve([1, 2, 3], [1, 2], lags=[1])

    def test_cost_what_they_are_and_not_what_the_arrays_are(self, rng):
        a = random_array(rng, 1_000_000, "f")
        text = gpuconv.explain(a, a, operation="correlate", lags=range(100))
        assert "-> from 999999 on 100 float32" in text
