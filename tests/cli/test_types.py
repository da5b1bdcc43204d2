"""Types beside NumPy's integers and floats of four and eight bytes: float16 and complex numbers, in either byte order."""

import numpy as np
import tool
from tool import MODES

BOUNDS = {"float16": 2e-3, "complex64": 1e-5, "complex128": 1e-13}


class Types(tool.ToolTest):
    def correlate(self, x, h, *options):
        self.save("x.npy", x), self.save("h.npy", h)
        self.succeed("correlate", "x.npy", "h.npy", "-o", "out.npy", *options)
        return np.load(self.path("out.npy"))

    def wide(self, array):
        return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)

    def assert_close(self, got, expected, dtype):
        self.assertEqual((got.dtype, got.shape), (np.dtype(dtype), expected.shape))
        np.testing.assert_allclose(got, expected, rtol=0, atol=BOUNDS[np.dtype(dtype).name] * np.abs(expected).max())

    def test_both_byte_orders_and_modes(self):
        for dtype in BOUNDS:
            x, h = self.values(dtype, 300), self.values(dtype, 7)
            for order in "<>":
                for mode in MODES:
                    stored = [a.astype(a.dtype.newbyteorder(order)) for a in (x, h)]
                    got = self.convolve(*stored, "--mode", mode)
                    self.assert_close(got, np.convolve(self.wide(x), self.wide(h), mode), dtype)

    def test_a_correlation_conjugates_the_filter(self):
        for dtype in tool.COMPLEX:
            for n, m in [(60, 9), (9, 60), (4, 5)]:
                for mode in MODES:
                    x, h = self.values(dtype, n), self.values(dtype, m)
                    self.assert_close(self.correlate(x, h, "--mode", mode), np.correlate(self.wide(x), self.wide(h), mode), dtype)

    def test_complex_with_real(self):
        x, h = self.values("complex64", 2, 90), self.values("float32", 5)
        expected = np.apply_along_axis(np.convolve, 0, self.wide(x.T), self.wide(h))
        self.assert_close(self.convolve(x.T, h, "--axis", "0"), expected, "complex64")
        self.assert_close(self.convolve(h, x[0]), np.convolve(self.wide(h), self.wide(x[0])), "complex64")
        self.assert_close(self.convolve(x[0], self.values("float64", 1)), x[0] * np.load(self.path("filter.npy")), "complex128")
        got = self.convolve(x[0], h, "--mode", "same", "--boundary", "wrap")
        self.assert_close(got, np.convolve(np.pad(self.wide(x[0]), 2, "wrap"), self.wide(h), "valid"), "complex64")

    def test_named_results(self):
        x, h = self.values("float16", 100), self.values("float16", 9)
        self.assertEqual(self.convolve(x, h, "--dtype", "float32").dtype, np.float32)
        self.fails("convolve", "signal.npy", "filter.npy", "-o", "none.npy", "--dtype", "int32", says="int32")


if __name__ == "__main__":
    tool.main()
