"""gpuconv convolve against numpy.convolve: modes, types, batches, methods."""

from itertools import product

import numpy as np
import tool
from tool import INTEGERS, METHODS, MODES, TYPES

SIZES = [(1, 1), (1, 5), (7, 3), (3, 7), (64, 64), (1000, 31), (31, 1000), (5000, 257), (3000, 2000)]


def wide(array):
    return array.astype(np.uint64 if array.dtype.kind == "u" else np.int64)


def integer_oracle(x, h, mode):
    result = np.int64 if "i" in (x.dtype.kind, h.dtype.kind) else np.uint64
    with np.errstate(over="ignore"):
        return np.convolve(x.astype(result), h.astype(result), mode)


def float_bound(x, h, mode, u):
    """Error that any method may have: relative to the sum of magnitudes, and to the largest values for an FFT."""
    sums = np.convolve(np.abs(x), np.abs(h), mode)
    scale = np.linalg.norm(h) * np.abs(x).max() * np.sqrt(len(x) + len(h))
    return (len(h) + 2) * u * sums + 8 * u * scale


def named_same(x, h, convention):
    first = (len(h) - 1) // 2 if convention == "scipy" else len(h) // 2
    return np.convolve(x, h)[first : first + len(x)]


class Convolve(tool.ToolTest):
    def assert_close(self, got, x, h, mode, dtype):
        exact = np.convolve(x.astype(np.float64), h.astype(np.float64), mode)
        self.assertEqual((got.dtype, got.shape), (np.dtype(dtype), exact.shape))
        bound = float_bound(x.astype(np.float64), h.astype(np.float64), mode, np.finfo(dtype).eps)
        worst = np.max(np.abs(got - exact) / bound)
        self.assertLessEqual(worst, 1)

    def test_floats_in_every_mode_and_size(self):
        for (n, m), mode, dtype in tool.thinned(product(SIZES, MODES, ("float32", "float64"))):
            with self.subTest(n=n, m=m, mode=mode, dtype=dtype):
                x, h = self.values(dtype, n), self.values(dtype, m)
                self.assert_close(self.convolve(x, h, "--mode", mode), x, h, mode, dtype)

    def test_integers_are_exact_and_never_overflow_silently(self):
        for dtype, (n, m), mode in tool.thinned(product(INTEGERS, SIZES[:6], MODES)):
            with self.subTest(dtype=dtype, n=n, m=m, mode=mode):
                x, h = self.integers(dtype, n), self.integers(dtype, m)
                got, expected = self.convolve(x, h, "--mode", mode), integer_oracle(x, h, mode)
                self.assertEqual(got.dtype, expected.dtype)
                np.testing.assert_array_equal(got, expected)

    def test_mixed_types(self):
        for signal in TYPES:
            for filter in TYPES:
                with self.subTest(signal=signal, filter=filter):
                    x, h = self.values(signal, 40), self.values(filter, 9)
                    got = self.convolve(x, h)
                    if x.dtype.kind in "iu" and h.dtype.kind in "iu":
                        expected = integer_oracle(x, h, "full")
                        self.assertEqual(got.dtype, expected.dtype)
                        np.testing.assert_array_equal(got, expected)
                    else:
                        self.assert_close(got, x, h, "full", np.result_type(x, h))

    def test_a_narrow_result_type_wraps_as_numpy_does(self):
        for dtype in INTEGERS:
            x, h = self.integers(dtype, 100), self.integers(dtype, 7)
            got = self.convolve(x, h, "--dtype", dtype)
            self.assertEqual(got.dtype, np.dtype(dtype))
            np.testing.assert_array_equal(got, np.convolve(x, h))

    def test_a_wider_result_type(self):
        x, h = self.values("float32", 100), self.values("float32", 7)
        self.assert_close(self.convolve(x, h, "--dtype", "float64"), x, h, "full", "float64")
        got = self.convolve(self.integers("int8", 100), self.integers("int8", 7), "--dtype", "float64")
        self.assertEqual(got.dtype, np.float64)

    def test_the_other_conventions_of_same(self):
        for n, m in [(10, 4), (10, 5), (4, 10), (5, 10)]:
            for convention in ("scipy", "matlab"):
                x, h = self.integers("int16", n).astype(np.int64), self.integers("int16", m).astype(np.int64)
                got = self.convolve(x, h, "--mode", "same", "--same", convention)
                np.testing.assert_array_equal(got, named_same(x, h, convention), f"{n} {m} {convention}")

    def test_every_method_forced(self):
        x, h = self.values("float32", 20000), self.values("float32", 300)
        for method in METHODS:
            for mode in MODES:
                with self.subTest(method=method, mode=mode):
                    got = self.convolve(x, h, "--mode", mode, "--method", method, "--device", "cpu", "--threads", "2")
                    self.assert_close(got, x, h, mode, "float32")


class Bool(tool.ToolTest):
    def bits(self, *shape):
        return self.random.random(shape) < 0.3

    def test_bool_with_bool_is_logical_or(self):
        for n, m in [(1, 1), (300, 3), (3, 300), (5000, 4)]:
            for mode in MODES:
                x, h = self.bits(n), self.bits(m)
                got = self.convolve(x, h, "--mode", mode)
                self.assertEqual(got.dtype, np.bool_)
                np.testing.assert_array_equal(got, np.convolve(x, h, mode))
        rows, taps = self.bits(3, 700, 2), self.bits(4)
        got = self.convolve(np.asfortranarray(rows), taps, "--axis", "1")
        np.testing.assert_array_equal(got, np.apply_along_axis(np.convolve, 1, rows, taps))

    def test_sums_of_256_and_more_are_not_zero(self):
        for length in (256, 65536):
            x = np.ones(length, bool)
            np.testing.assert_array_equal(self.convolve(x, x), np.ones(2 * length - 1, bool))

    def test_with_other_types_it_is_zero_or_one(self):
        x = self.bits(400)
        for dtype in TYPES:
            h = self.values(dtype, 5)
            expected = np.convolve(x.astype(wide(h).dtype if h.dtype.kind in "iu" else h.dtype), wide(h) if h.dtype.kind in "iu" else h)
            got = self.convolve(x, h)
            self.assertEqual(got.dtype, expected.dtype)
            np.testing.assert_allclose(got, expected, rtol=0, atol=0 if h.dtype.kind in "iu" else 1e-5)
        got = self.convolve(x, np.ones(9, bool), "--dtype", "int32")
        self.assertEqual(got.dtype, np.int32)
        self.assertGreater(got.max(), 1)


class Batch(tool.ToolTest):
    def expected(self, x, h, mode="full"):
        filters = np.broadcast_to(h, (len(x), h.shape[-1]))
        return np.stack([np.convolve(row, taps, mode) for row, taps in zip(wide(x), wide(filters))])

    def test_one_filter_for_all_rows(self):
        for mode in MODES:
            x, h = self.integers("int16", 12, 50), self.integers("int16", 7)
            np.testing.assert_array_equal(self.convolve(x, h, "--mode", mode), self.expected(x, h, mode))

    def test_a_filter_a_row(self):
        for mode in MODES:
            x, h = self.integers("int16", 12, 50), self.integers("int8", 12, 7)
            np.testing.assert_array_equal(self.convolve(x, h, "--mode", mode), self.expected(x, h, mode))

    def test_batches_longer_than_what_is_convolved_at_once(self):
        x = self.integers("int16", 30011, 100)  # 6 MB, a prime number of rows
        for h in (self.integers("int16", 5), self.integers("int16", len(x), 5)):
            for order in "CF":
                got = self.convolve(np.asarray(x, order=order), np.asarray(h, order=order), "--mode", "valid")
                np.testing.assert_array_equal(got, self.expected(x, h, "valid"))

    def test_the_rank_of_the_signal_is_kept(self):
        x, h = self.integers("int16", 1, 50), self.integers("int16", 7)
        self.assertEqual(self.convolve(x, h).shape, (1, 56))
        self.assertEqual(self.convolve(x[0], h).shape, (56,))
        self.assertEqual(self.convolve(x[0], h[None]).shape, (56,))
        self.assertEqual(self.convolve(x.T, h[:1]).shape, (50, 1))

    def test_a_row_does_not_depend_on_its_place(self):
        x, h = self.values("float32", 4001, 700), self.values("float32", 40)
        for method in METHODS[1:]:
            together = self.convolve(x, h, "--method", method)
            for row in (0, 1, 1999, 4000):
                alone = self.convolve(x[row], h, "--method", method)
                self.assertEqual(together[row].tobytes(), alone.tobytes(), f"{method}, row {row}")

    def test_neither_rows_nor_nans_leak_into_others(self):
        x, h = self.values("float32", 2000, 600), self.values("float32", 33)
        x[1000, 300] = np.nan
        finite = np.isfinite(self.convolve(x, h, "--mode", "same"))
        self.assertTrue(finite[np.arange(2000) != 1000].all())
        self.assertEqual(np.count_nonzero(~finite), 33)


if __name__ == "__main__":
    tool.main()
