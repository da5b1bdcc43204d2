"""One row: types, modes, lengths and methods against NumPy."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import COMPLEX, FLOATS, INTEGERS, MODES, assert_close, expected_row, random_array

import gpuconv

LETTERS = "?" + INTEGERS + FLOATS + COMPLEX
lengths = st.one_of(st.integers(1, 8), st.integers(1, 300))
OPERATIONS = ("convolve", "correlate")


def check(a, v, operation, mode, **options):
    result = getattr(gpuconv, operation)(a, v, mode, **options)
    assert result.dtype == getattr(np, operation)(a[:1], v[:1], "full").dtype
    assert_close(result, expected_row(a, v, operation, mode, result.dtype), a, v)


@given(
    st.integers(0, 2**32), lengths, lengths, st.sampled_from(LETTERS), st.sampled_from(LETTERS), st.sampled_from(MODES), st.sampled_from(OPERATIONS)
)
def test_any_two_types_in_any_order(seed, n, m, x, y, mode, operation):
    rng = np.random.default_rng(seed)
    check(random_array(rng, n, x), random_array(rng, m, y), operation, mode)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("x", LETTERS)
def test_every_pair_of_types_once(x, operation, rng):
    for y in LETTERS:
        for n, m, mode in ((9, 4, "full"), (4, 9, "same"), (7, 7, "valid")):
            check(random_array(rng, n, x), random_array(rng, m, y), operation, mode)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(5, 5), (6, 5), (5, 6), (6, 4), (4, 6), (1, 1), (1, 7), (7, 1), (2, 2)])
def test_modes_at_even_and_odd_lengths_in_both_orders(shape, mode, operation, rng):
    for letter in "ld" + COMPLEX[1:]:
        check(random_array(rng, shape[0], letter), random_array(rng, shape[1], letter), operation, mode)


@pytest.mark.parametrize("method", ["direct", "overlap-save", "fft", "reference"])
@pytest.mark.parametrize("letter", FLOATS + COMPLEX)
def test_every_method_is_right_or_says_that_it_does_not_serve(method, letter, rng):
    a, v = random_array(rng, 3000, letter), random_array(rng, 129, letter)
    try:
        check(a, v, "convolve", "same", method=method)
        check(v, a, "correlate", "full", method=method)
    except NotImplementedError as error:
        assert method in str(error)


def test_long_rows(rng):
    for letter in "fd":
        check(random_array(rng, 40_000, letter), random_array(rng, 2000, letter), "convolve", "same")


def test_small_integers_wrap_in_their_own_type_as_in_numpy():
    a = np.full(3, 100, np.int8)
    np.testing.assert_array_equal(gpuconv.convolve(a, a), np.convolve(a, a))
    assert gpuconv.convolve(a, a).dtype == np.int8
    np.testing.assert_array_equal(gpuconv.convolve(a, a, dtype=np.int64), np.convolve(a.astype(int), a.astype(int)))


def test_bools_are_or_of_and():
    a = np.ones(300, bool)  # more products than a byte counts
    assert gpuconv.convolve(a, a).all()
    assert not gpuconv.convolve(~a, a).any()
    v = np.array([True, False, True])
    np.testing.assert_array_equal(gpuconv.convolve(v, v), np.convolve(v, v))
    np.testing.assert_array_equal(gpuconv.convolve(v, v, dtype=int), [1, 0, 2, 0, 1])


def test_a_bool_byte_that_is_neither_0_nor_1_is_true():
    a = np.array([0, 2, 255, 0], np.uint8).view(bool)
    np.testing.assert_array_equal(gpuconv.convolve(a, np.array([True])), [False, True, True, False])


def test_an_infinity_reaches_only_its_window():
    a = np.zeros(5000)
    a[2000] = np.inf
    result = gpuconv.convolve(a, np.ones(301), "same", method="overlap-save")
    np.testing.assert_array_equal(np.flatnonzero(np.isinf(result)), np.arange(1850, 2151))
    assert not np.isnan(result).any()


class TestResultType:
    @pytest.mark.parametrize("letter", INTEGERS)
    def test_integers_have_any_type_that_is_named(self, letter, rng):
        a, v = random_array(rng, 50, letter), random_array(rng, 7, letter)
        for named in "bHlQd":
            result = gpuconv.convolve(a, v, dtype=named)
            assert result.dtype == np.dtype(named)
            if named != "d":
                with np.errstate(over="ignore"):
                    np.testing.assert_array_equal(result, np.convolve(a.astype("Q"), v.astype("Q")).astype(named))

    def test_floats_may_be_summed_in_a_wider_type(self, rng):
        a, v = random_array(rng, 50, "f"), random_array(rng, 7, "f")
        result = gpuconv.convolve(a, v, dtype="d")
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, np.convolve(a.astype("d"), v.astype("d")), rtol=0, atol=1e-13)

    def test_what_would_lose_is_refused(self):
        for a, named in ((np.ones(3), "f"), (np.ones(3), "l"), (np.ones(3, "l"), "?"), (np.ones(3, "D"), "d")):
            with pytest.raises(ValueError):
                gpuconv.convolve(a, a, dtype=named)

    def test_real_operands_may_have_a_complex_result(self, rng):
        a, v = random_array(rng, 50, "d"), random_array(rng, 7, "d")
        result = gpuconv.convolve(a, v, dtype=complex)
        assert result.dtype == np.complex128
        np.testing.assert_allclose(result, np.convolve(a, v), rtol=0, atol=1e-13)


def test_bfloat16_of_ml_dtypes():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    a = np.arange(20).astype(bfloat16)
    result = gpuconv.convolve(a, np.ones(3, bfloat16))
    assert result.dtype == bfloat16
    np.testing.assert_array_equal(result.astype("f"), np.convolve(np.arange(20.0), np.ones(3)))


@pytest.mark.parametrize("make", [lambda: np.array([10**30, 2], object), lambda: np.ones(4, "g"), lambda: np.array([1, 2], "m8[s]")])
def test_other_types_are_numpys(make):
    a = make()
    for operation in OPERATIONS:
        result, expected = (getattr(module, operation)(a, [3, 4], "full") for module in (gpuconv, np))
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
        with pytest.raises(NotImplementedError, match="no element type"):
            getattr(gpuconv, operation)(a, [3, 4], "full", axis=0)


def test_it_may_take_the_place_of_numpys_functions(monkeypatch):
    for operation in OPERATIONS:
        monkeypatch.setattr(np, operation, getattr(gpuconv, operation))
    np.testing.assert_array_equal(np.convolve(np.array([1, 2], object), [1]), [1, 2])
    np.testing.assert_array_equal(np.correlate([1, 2], [1], 0), [1, 2])
