"""Broadcasting, the convolved axis, and arrays that lie in any way, against NumPy row by row."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import assert_close, by_rows, expected_row, random_array

import gpuconv

AxisError = getattr(np, "exceptions", np).AxisError
OPERATIONS = ("convolve", "correlate")


def expected(a, v, operation, mode, axis, dtype):
    return by_rows(lambda x, h: expected_row(x, h, operation, mode, dtype), a, v, axis)


def check(a, v, operation="convolve", mode="full", axis=-1, **options):
    result = getattr(gpuconv, operation)(a, v, mode, axis=axis, **options)
    assert_close(result, expected(a, v, operation, mode, axis, result.dtype), a, v)
    return result


@st.composite
def broadcast_shapes(draw):
    """Shapes of two operands that go together, and an axis that both have."""
    around = draw(st.lists(st.integers(1, 3), max_size=3))
    lengths = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    shapes = []
    for length in lengths:
        mine = [count if draw(st.booleans()) else 1 for count in around]
        shapes.append([*mine[draw(st.integers(0, len(mine))) :], length])
    axis = draw(st.integers(1, min([len(s) for s in shapes if len(s) > 1], default=1)))
    with_axis = [tuple(np.moveaxis(np.empty(s), -1, -axis if len(s) > 1 else -1).shape) for s in shapes]
    return (*with_axis, -axis)


def laid_out(rng, array):
    """The same values in an array whose axes lie in another order, with gaps, and some of them backwards."""
    order = rng.permutation(array.ndim)
    steps = rng.integers(1, 3, array.ndim)
    base = np.zeros([array.shape[i] * steps[i] for i in order], array.dtype)
    view = base.transpose(np.argsort(order))[tuple(slice(None, None, s) for s in steps)]
    turned = tuple(slice(None, None, -1 if rng.integers(2) else 1) for _ in range(array.ndim))
    view = view[turned]
    view[...] = array
    return view


@given(
    st.integers(0, 2**32),
    broadcast_shapes(),
    st.sampled_from("bldfe"),
    st.sampled_from(("full", "same", "valid")),
    st.sampled_from(OPERATIONS),
    st.booleans(),
)
def test_broadcasting_with_any_strides(seed, shapes, letter, mode, operation, with_out):
    rng = np.random.default_rng(seed)
    a, v, axis = random_array(rng, shapes[0], letter), random_array(rng, shapes[1], letter), shapes[2]
    strided = laid_out(rng, a), laid_out(rng, v)
    result = check(*strided, operation, mode, axis)
    if with_out:
        out = laid_out(rng, np.zeros_like(result))
        assert getattr(gpuconv, operation)(*strided, mode, axis=axis, out=out) is out
        np.testing.assert_array_equal(out, result)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "a, v, axis, shape",
    [
        ((4, 9), (3,), -1, (4, 11)),
        ((9, 4), (3,), 0, (11, 4)),
        ((4, 9), (4, 3), 1, (4, 11)),
        ((9, 4), (3, 4), 0, (11, 4)),
        ((4, 1, 9), (5, 3), -1, (4, 5, 11)),
        ((9,), (5, 3), -1, (5, 11)),
        ((9,), (3, 5), 0, (11, 5)),
        ((2, 9, 4), (3,), 1, (2, 11, 4)),
        ((2, 9, 4), (2, 3, 1), 1, (2, 11, 4)),
        ((2, 9, 4), (2, 3, 4), -2, (2, 11, 4)),
        ((2, 3, 4, 9), (3, 1, 2), -1, (2, 3, 4, 10)),
        ((1, 1, 9), (1, 3), -1, (1, 1, 11)),
        ((0, 9), (3,), -1, (0, 11)),
        ((5, 1, 9), (1, 0, 3), -1, (5, 0, 11)),
    ],
)
def test_shapes(a, v, axis, shape, operation, rng):
    for letter in "fl":
        assert check(random_array(rng, a, letter), random_array(rng, v, letter), operation, axis=axis).shape == shape


def test_shapes_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"could not be broadcast together with shapes \(2, 9\) \(3, 4\)"):
        gpuconv.convolve(np.ones((2, 9)), np.ones((3, 4)))


@pytest.mark.parametrize("a, v, axis", [((9,), (3,), 1), ((9,), (3,), -2), ((2, 9), (3,), 2), ((2, 2, 9), (2, 3), 2), ((9,), (2, 3), -3)])
def test_axes_that_are_not_there(a, v, axis):
    with pytest.raises(AxisError):
        gpuconv.convolve(np.ones(a), np.ones(v), axis=axis)


def test_many_rows_in_every_order(rng):
    a = random_array(rng, (7, 400, 6), "f")
    v = random_array(rng, (1, 30, 6), "f")
    check(a, v, axis=1)
    check(a.transpose(2, 0, 1), v.transpose(2, 0, 1), mode="same")


def test_a_row_gives_the_same_bits_in_any_batch(rng):
    a, v = random_array(rng, (20, 500), "f"), random_array(rng, 9, "f")
    together = gpuconv.convolve(a, v, method="direct")
    for row, alone in zip(together, a):
        np.testing.assert_array_equal(row, gpuconv.convolve(alone, v, method="direct"))


class TestInputs:
    def test_lists_scalars_and_0_d(self):
        np.testing.assert_array_equal(gpuconv.convolve([1, 2, 3], (0, 1, 0.5)), [0, 1, 2.5, 4, 1.5])
        for scalar in (3, np.int64(3), np.array(3)):
            np.testing.assert_array_equal(gpuconv.convolve(scalar, [1, 2]), [3, 6])
            np.testing.assert_array_equal(gpuconv.convolve([1, 2], scalar), [3, 6])
            np.testing.assert_array_equal(gpuconv.convolve(scalar, scalar), [9])
            np.testing.assert_array_equal(gpuconv.convolve([[1, 2], [3, 4]], scalar, axis=0), [[3, 6], [9, 12]])

    def test_correlate_refuses_scalars_as_numpy_does(self):
        for module in (np, gpuconv):
            with pytest.raises(ValueError, match="object of too small depth for desired array"):
                module.correlate(3.0, [1.0, 2.0])

    @pytest.mark.parametrize("letter", "hilefd")
    def test_byte_orders(self, letter, rng):
        a, v = random_array(rng, (2, 9), letter), random_array(rng, 4, letter)
        result = gpuconv.convolve(a.astype(a.dtype.newbyteorder(">")), v.astype(v.dtype.newbyteorder(">")))
        assert result.dtype.isnative
        np.testing.assert_array_equal(result, gpuconv.convolve(a, v))

    def test_read_only_zero_strides_and_unaligned(self, rng):
        a, v = random_array(rng, (3, 9), "d"), random_array(rng, 4, "d")
        reference = gpuconv.convolve(a, v)
        a.flags.writeable = v.flags.writeable = False
        np.testing.assert_array_equal(gpuconv.convolve(a, v), reference)
        check(np.broadcast_to(2.5, 9), np.broadcast_to(1.5, 4))
        check(np.broadcast_to(a[0], (3, 9)), v)
        check(a, np.broadcast_to(v, (3, 4)))
        odd = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
        odd[...] = a
        assert not odd.flags.aligned
        np.testing.assert_array_equal(gpuconv.convolve(odd, v), reference)
        fields = np.zeros(9, [("before", "i1"), ("value", "f8")])
        fields["value"] = a[0]
        np.testing.assert_array_equal(gpuconv.convolve(fields["value"], v), reference[0])

    def test_parts_of_complex_numbers_and_windows(self, rng):
        a = random_array(rng, 40, "D")
        v = random_array(rng, 5, "d")
        check(a.real, v)
        check(a.imag[::-1], v)
        check(np.lib.stride_tricks.sliding_window_view(a.real, 8), v)
        check(v, np.lib.stride_tricks.sliding_window_view(a.real, 8))

    def test_inputs_stay_as_they_are(self, rng):
        for operation in OPERATIONS:
            a, v = random_array(rng, 9, "d"), random_array(rng, 12, "d")
            before = a.copy(), v.copy()
            getattr(gpuconv, operation)(a, v, "full")
            np.testing.assert_array_equal(a, before[0])
            np.testing.assert_array_equal(v, before[1])


class TestSubclasses:
    class Kept(np.ndarray):
        __array_priority__ = 1.0

        def __array_finalize__(self, other):
            self.note = getattr(other, "note", None)

    class Higher(Kept):
        __array_priority__ = 2.0

    def test_as_numpy_keeps_or_drops_them(self):
        plain = np.arange(4.0)
        kept, higher = plain.view(self.Kept), plain[:3].view(self.Higher)
        kept.note = "kept"
        for a, v in ((kept, plain), (plain, kept), (kept, higher), (higher, kept), (kept, kept), (kept[:2], kept)):
            for operation in OPERATIONS:
                result, expected = (getattr(module, operation)(a, v, "full") for module in (gpuconv, np))
                assert type(result) is type(expected)
                assert getattr(result, "note", None) == getattr(expected, "note", None)

    def test_masked_arrays(self):
        a = np.ma.array([1.0, 2, 3], mask=[0, 1, 0])
        result, expected = (module.correlate(a, [1.0, 2]) for module in (gpuconv, np))
        assert type(result) is np.ma.MaskedArray
        np.testing.assert_array_equal(result, expected)


class TestOut:
    def test_is_filled_and_returned_whatever_it_was(self, rng):
        a, v = random_array(rng, (3, 9), "f"), random_array(rng, 4, "f")
        out = np.full((3, 12), np.nan, "f")
        assert gpuconv.convolve(a, v, out=out) is out
        np.testing.assert_array_equal(out, gpuconv.convolve(a, v))
        kept = np.empty((3, 12), "f").view(np.ma.MaskedArray)
        assert gpuconv.convolve(a, v, out=kept) is kept

    @pytest.mark.parametrize(
        "shape, letter, error", [((3, 11), "f", "shape"), ((12,), "f", "shape"), ((3, 12), "d", "float64"), ((3, 12), ">f4", ">f4")]
    )
    def test_has_exactly_the_shape_and_the_type(self, shape, letter, error):
        with pytest.raises(ValueError, match=error):
            gpuconv.convolve(np.ones((3, 9), "f"), np.ones(4, "f"), out=np.zeros(shape, letter))

    def test_is_a_writable_array(self):
        out = np.zeros(4)
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            gpuconv.convolve([1.0, 2, 3], [1.0, 2], out=out)
        with pytest.raises(TypeError, match="ArrayType"):
            gpuconv.convolve([1.0, 2, 3], [1.0, 2], out=[0.0] * 4)

    @pytest.mark.parametrize("offset", range(-6, 7))
    def test_may_overlap_the_operands(self, offset, rng):
        memory = random_array(rng, 40, "d")
        for first, second in ((9, 4), (4, 9)):
            data = memory.copy()
            a, v = data[10 : 10 + first], data[8 : 8 + second]
            expected = gpuconv.convolve(a.copy(), v.copy())
            out = data[10 + offset : 10 + offset + first + second - 1]
            gpuconv.convolve(a, v, out=out)
            np.testing.assert_array_equal(out, expected)

    def test_in_place(self, rng):
        a = random_array(rng, (5, 50), "f")
        expected = gpuconv.convolve(a, [0.25, 0.5, 0.25], "same", dtype="d").astype("f")
        v = np.array([0.25, 0.5, 0.25], "f")
        gpuconv.convolve(a, v, "same", out=a)
        np.testing.assert_allclose(a, expected, atol=1e-6)

    def test_odd_strides(self, rng):
        a, v = random_array(rng, (3, 9), "d"), random_array(rng, 4, "d")
        expected = gpuconv.convolve(a, v)
        for out in (
            np.zeros((12, 3)).T,
            np.zeros((6, 24))[::-2, ::-2],
            np.zeros((3, 12, 2))[..., 1],
            np.zeros(12 * 3 * 8 + 1, np.uint8)[1:].view("d").reshape(3, 12),
            np.zeros((3, 12), [("before", "i1"), ("value", "f8")])["value"],
            np.lib.stride_tricks.as_strided(np.zeros(64), (3, 12), (8 * 13, 8 * 1)),
        ):
            assert gpuconv.convolve(a, v, out=out) is out
            np.testing.assert_array_equal(out, expected)

    def test_of_bools(self):
        out = np.zeros(4, bool)
        assert gpuconv.convolve([True, False, True], [True, True], out=out) is out
        assert out.all()
