"""gpuconv correlate against numpy.correlate, lags and boundaries; what makes no sense together is refused by name."""

import numpy as np
import tool
from tool import MODES

PADS = {"constant": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}


class Correlate(tool.ToolTest):
    def correlate(self, signal, filter, *options):
        self.save("signal.npy", signal), self.save("filter.npy", filter)
        self.succeed("correlate", "signal.npy", "filter.npy", "-o", "out.npy", *options)
        return np.load(self.path("out.npy"))

    def small(self, count):
        return self.random.integers(-99, 100, count)

    def refused(self, command, *options, says):
        self.save("signal.npy", self.small(20)), self.save("filter.npy", self.small(3))
        before = self.listing()
        done = self.tool(command, "signal.npy", "filter.npy", "-o", "none.npy", *options)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(says, done.stderr.decode())
        self.assertEqual(self.listing(), before)

    def test_modes_in_either_order(self):
        for n, m in [(1, 1), (50, 7), (7, 50), (4, 5), (5, 4), (6, 6)]:
            for mode in MODES:
                x, h = self.small(n), self.small(m)
                np.testing.assert_array_equal(self.correlate(x, h, "--mode", mode), np.correlate(x, h, mode))

    def test_lags(self):
        x, h = self.small(300), self.small(40)
        full = np.correlate(x, h, "full")  # from lag -39 on
        np.testing.assert_array_equal(self.correlate(x, h, "--lags", "-20:30"), full[19:70])
        np.testing.assert_array_equal(self.correlate(x, h, "--lags", "-20:31:7"), full[19:71:7])
        np.testing.assert_array_equal(self.correlate(x, h, "--lags", "298:301"), [full[-2], full[-1], 0, 0])

    def test_boundaries(self):
        for boundary, pad in PADS.items():
            x, h = self.small(60), self.small(9)
            expected = np.correlate(np.pad(x, 4, pad), h, "valid")
            got = self.correlate(x, h, "--mode", "same", "--boundary", boundary)
            np.testing.assert_array_equal(got, expected, boundary)
        expected = np.convolve(np.pad(x, 4, constant_values=-7), h, "valid")
        got = self.convolve(x, h, "--mode", "same", "--boundary", "constant=-7")
        np.testing.assert_array_equal(got, expected)

    def test_batches(self):
        x, h = self.random.integers(-9, 10, (40, 30)), self.random.integers(-9, 10, (40, 4))
        expected = [np.correlate(a, v, "full")[1:9:2] for a, v in zip(x, h)]
        np.testing.assert_array_equal(self.correlate(x, h, "--lags=-2:5:2"), expected)

    def test_banks(self):
        x, h = self.random.integers(-9, 10, (300, 30)), self.random.integers(-9, 10, (5, 4))
        expected = np.array([[np.correlate(a, v, "valid") for v in h] for a in x])
        np.testing.assert_array_equal(self.correlate(x, h, "--mode", "valid", "--bank"), expected)
        np.testing.assert_array_equal(self.correlate(x[0], h, "--mode", "valid", "--bank"), expected[0])
        np.testing.assert_array_equal(self.correlate(x, h[0], "--mode", "valid", "--bank"), expected[:, :1])
        self.save("signal.npy", x), self.save("filter.npy", h)
        self.fails("correlate", "signal.npy", "filter.npy", "-o", "none.npy", says="--bank")

    def test_what_makes_no_sense_is_refused(self):
        self.refused("convolve", "--boundary", "wrap", says="--boundary: needs --mode same")
        self.refused("correlate", "--boundary", "wrap", "--mode", "valid", says="needs --mode same or --lags")
        self.refused("convolve", "--mode", "same", "--boundary", "wrap=1", says="'wrap=1'")
        self.refused("convolve", "--mode", "same", "--boundary", "constant=", says="'constant='")
        self.refused("convolve", "--mode", "same", "--boundary", "around", says="'around'")
        self.refused("correlate", "--mode", "full", "--lags", "0:1", says="--lags")
        self.refused("correlate", "--same", "scipy", "--lags", "0:1", says="--lags")
        for lags in ("", "1", "2:1", "0:3:0", "0:3:-1", "0:1:2:3", "0:x", ":", "0:99999999999999999999"):
            self.refused("correlate", "--lags", lags, says="--lags")
        self.refused("convolve", "--lags", "0:1", says="--lags")

    def test_constants_that_are_no_elements(self):
        self.save("signal.npy", self.small(20)), self.save("filter.npy", self.small(3))
        self.fails("convolve", "signal.npy", "filter.npy", "-o", "none.npy", "--mode", "same", "--boundary",
                   "constant=0.5", says="0.5")


if __name__ == "__main__":
    tool.main()
