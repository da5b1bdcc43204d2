"""Any axis of arrays of any rank, and rows that are longer than what is computed at once."""

import os
import re
import resource
import subprocess
import unittest

import numpy as np
import tool
from tool import MODES, thinned

PADS = {"nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}
LONG = 9_000_011  # samples of a byte whose row, with results of eight, goes in two pieces


def along(axis, function, x, filters):
    """`function` of each row of x along the axis and the row of `filters` that broadcasts to it."""
    rows, taps = np.moveaxis(x, axis, -1), np.moveaxis(filters, axis, -1)
    taps = np.broadcast_to(taps, (*rows.shape[:-1], taps.shape[-1]))
    out = np.array([function(rows[i], taps[i]) for i in np.ndindex(rows.shape[:-1])])
    return np.moveaxis(out.reshape(*rows.shape[:-1], -1), -1, axis)


class Axis(tool.ToolTest):
    def small(self, *shape):
        return self.random.integers(-99, 100, shape)

    def check(self, x, h, axis, expected, *options):
        """Signal and filter in either order of memory, one with the bytes of other machines, through a file and a pipe."""
        for order, dtype in (("C", "<i8"), ("F", ">i8")):
            signal, filter = np.asarray(x, dtype, order=order), np.asarray(h, dtype, order=order)
            got = self.convolve(signal, filter, "--axis", axis, *options)
            np.testing.assert_array_equal(got, expected, f"{x.shape} {h.shape} {axis} {order} {dtype} {options}")
        piped = self.succeed("convolve", "-", "filter.npy", "-o", "-", "--axis", axis, *options, input=self.contents("signal.npy"))
        self.assertEqual(piped.stdout, self.contents("out.npy"))

    def test_every_axis_of_every_rank(self):
        shapes = [(9,), (5, 9), (2, 5, 4), (2, 3, 4, 5), (3, 1, 4, 1, 2)]
        for shape, axis, mode in thinned((s, axis, mode) for s in shapes for axis in range(-len(s), len(s)) for mode in MODES):
            x, h = self.small(*shape), self.small(3)
            self.check(x, h, axis, np.apply_along_axis(np.convolve, axis, x, h, mode), "--mode", mode)

    def test_a_filter_for_each_row(self):
        for shape in [(4, 9), (2, 5, 4), (2, 3, 4, 5)]:
            x = self.small(*shape)
            for axis in range(x.ndim):
                each = [1 if d != axis else 3 for d in range(x.ndim)]
                for same in range(x.ndim):  # the filters broadcast but for this dimension, or are one
                    filters = list(each)
                    filters[same] = x.shape[same] if same != axis else 3
                    h = self.small(*filters)
                    self.check(x, h, axis, along(axis, np.convolve, x, h))
                h = self.small(*(3 if d == axis else length for d, length in enumerate(shape)))
                self.check(x, h, axis, along(axis, np.convolve, x, h))

    def test_a_bank_lies_before_the_axis(self):
        h = self.small(3, 4)
        for shape in [(9,), (5, 9), (2, 7, 4), (2, 3, 6, 5)]:
            x = self.small(*shape)
            for axis in range(x.ndim):
                expected = np.stack([np.apply_along_axis(np.convolve, axis, x, taps) for taps in h], axis)
                self.check(x, h, axis, expected, "--bank")

    def test_boundaries_and_lags(self):
        x, h = self.small(3, 20, 2), self.small(5)
        for boundary, pad in PADS.items():
            padded = np.pad(x, ((0, 0), (2, 2), (0, 0)), pad)
            expected = np.apply_along_axis(np.convolve, 1, padded, h, "valid")
            self.check(x, h, 1, expected, "--mode", "same", "--boundary", boundary)
        self.succeed("correlate", "signal.npy", "filter.npy", "-o", "out.npy", "--axis", "1", "--lags", "-4:8:3")
        full = np.apply_along_axis(np.correlate, 1, x, h, "full")
        np.testing.assert_array_equal(np.load(self.path("out.npy")), full[:, 0:13:3])

    def test_batches_longer_than_what_is_convolved_at_once(self):
        x, h = self.integers("int16", 30011, 40, 3), self.integers("int16", 5)
        for axis in (0, 1):
            last = x.shape[axis] - 4
            expected = sum(int(h[j]) * np.moveaxis(x, axis, 0)[4 - j :][:last].astype(np.int64) for j in range(5))
            for order in "CF":
                got = self.convolve(np.asarray(x, order=order), h, "--mode", "valid", "--axis", axis)
                np.testing.assert_array_equal(got, np.moveaxis(expected, 0, axis))

    def test_columns_have_the_bits_of_rows(self):
        x, h = self.values("float32", 700, 20), self.values("float32", 33)
        for method in tool.METHODS[1:]:
            columns = self.convolve(x, h, "--axis", "0", "--method", method)
            rows = self.convolve(np.ascontiguousarray(x.T), h, "--method", method)
            self.assertEqual(columns.tobytes(), rows.T.tobytes(), method)

    def test_what_makes_no_sense_is_refused(self):
        for shape in [(), (5,), (4, 5), (2, 3, 4)]:
            self.save("x.npy", np.ones(shape)), self.save("h.npy", np.ones(2))
            rank = max(1, len(shape))
            for axis in (rank, -rank - 1, 63, -64):
                self.fails("convolve", "x.npy", "h.npy", "-o", "out.npy", "--axis", axis, names=["x.npy"], says=f"the axis is {axis}")
        for shape, names in [((3, 2), "(3, 2)"), ((2, 2, 3), "(2, 2, 3)"), ((3, 3, 2, 1), "(3, 3, 2, 1)"), ((4, 3, 2), "(4, 3, 2)")]:
            self.save("h.npy", np.ones(shape))
            self.fails("convolve", "x.npy", "h.npy", "-o", "out.npy", "--axis", "1", names=["h.npy", "x.npy", names], says="is expected")
        self.fails("convolve", "x.npy", "h.npy", "-o", "out.npy", "--bank", names=["h.npy"], says="(filters, taps) is expected")
        for axis in ("", "x", "1.5", "64", "-65"):
            self.assertEqual(self.tool("convolve", "x.npy", "h.npy", "-o", "out.npy", "--axis", axis).returncode, 2)
        self.assertEqual(self.tool("explain", "--signal", "5", "--filter", "3", "--axis", "0").returncode, 2)


class Pieces(tool.ToolTest):
    def check(self, x, h, expected, *options, says="outputs, which go at a time", command="convolve"):
        self.save("x.npy", x), self.save("h.npy", h)
        done = self.succeed(command, "x.npy", "h.npy", "-o", "out.npy", "--stats", *options)
        self.assertIn(says, done.stderr.decode())
        got = np.load(self.path("out.npy"))
        self.assertEqual(got.shape, expected.shape)
        np.testing.assert_array_equal(got, expected)

    def test_modes(self):
        x, h = self.integers("int8", LONG), self.integers("int8", 30)
        full = np.convolve(x.astype(np.int64), h.astype(np.int64))
        self.check(x, h, full)
        self.check(x, h, full[14 : 14 + LONG], "--mode", "same")
        self.check(x, h, full[29:LONG], "--mode", "valid")
        with open(self.path("x.npy"), "rb") as file:
            self.succeed("convolve", "-", "h.npy", "-o", "piped.npy", "--mode", "valid", stdin=file)
        self.assertEqual(self.contents("piped.npy"), self.contents("out.npy"))

    def test_boundaries_at_both_ends(self):
        x, h = self.integers("int8", LONG), self.integers("int8", 31).astype(np.int64)
        for boundary, pad in PADS.items():
            expected = np.convolve(np.pad(x, 15, pad).astype(np.int64), h, "valid")
            self.check(x, h, expected, "--mode", "same", "--boundary", boundary)
            with subprocess.Popen(["cat", self.path("x.npy")], stdout=subprocess.PIPE) as cat:
                self.succeed("convolve", "-", "h.npy", "-o", "out.npy", "--mode", "same", "--boundary", boundary, stdin=cat.stdout)
            np.testing.assert_array_equal(np.load(self.path("out.npy")), expected)

    def test_lags_with_gaps_between_them(self):
        x, h = self.integers("int8", 4 * LONG), self.integers("int8", 3)
        full = np.correlate(x.astype(np.int64), h.astype(np.int64), "full")
        for first, step in ((-2, 1), (-1, 2), (100, 5)):
            last = 4 * LONG - 1
            self.check(x, h, full[first + 2 :: step], f"--lags={first}:{last}:{step}", command="correlate")

    def test_banks_and_columns(self):
        x, h = self.integers("int8", LONG), self.integers("int8", 2, 5)
        expected = np.array([np.convolve(x.astype(np.int64), taps.astype(np.int64), "valid") for taps in h])
        self.check(x, h, expected, "--bank", "--mode", "valid")
        with open(self.path("x.npy"), "rb") as file, subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            self.succeed("convolve", "-", "h.npy", "-o", "piped.npy", "--bank", "--mode", "valid", stdin=cat.stdout)
        self.assertEqual(self.contents("piped.npy"), self.contents("out.npy"))
        columns = x[: LONG // 3 * 3].reshape(-1, 3)
        expected = np.stack([np.convolve(c.astype(np.int64), h[0].astype(np.int64)) for c in columns.T], 1)
        for order in "CF":
            self.check(np.asarray(columns, order=order), h[0], expected, "--axis", "0", says="")

    @unittest.skipIf(tool.SANITIZED, "the other tests of pieces are shorter")
    def test_floats_and_nan_stay_as_they_are(self):
        n = 20_000_003  # 160 MB: three pieces
        x, h = self.values("float32", n), self.values("float32", 200)
        x[[7, 9_999_000, 10_000_000, n - 1]] = np.nan, np.inf, -np.inf, np.nan
        self.save("x.npy", x), self.save("h.npy", h)
        for method in ("direct", "overlap-save"):
            stats = self.succeed("convolve", "x.npy", "h.npy", "-o", "out.npy", "--method", method, "--stats").stderr
            self.assertIn(b"which go at a time", stats)
            got = np.load(self.path("out.npy"), mmap_mode="r")
            bad = np.flatnonzero(~np.isfinite(got))
            places = [np.arange(p, p + len(h)) for p in np.flatnonzero(~np.isfinite(x))]
            np.testing.assert_array_equal(bad, np.unique(np.concatenate(places)))
            for begin in range(10_000_000 - 4000, n - 4000, 1_111_111):  # across the seams, wherever they are
                part = np.convolve(x[begin : begin + 6000].astype(float), h.astype(float), "valid")
                finite = np.isfinite(part)
                error = np.abs(got[begin + len(h) - 1 : begin + 6000][: len(part)][finite] - part[finite])
                self.assertLess(np.max(error, initial=0), 1e-3)

    @unittest.skipIf(tool.SANITIZED, "sanitizers take memory of their own")
    def test_a_row_larger_than_the_memory_it_may_use(self):
        """600 MB in, as much out, in an address space of 400 MB; from a file and through a pipe."""
        n, limit = 150_000_000, 400 << 20
        head = np.lib.format.header_data_from_array_1_0(np.ones(1, np.float32)) | {"shape": (n,)}
        with open(self.path("x.npy"), "wb") as file:
            np.lib.format.write_array_header_1_0(file, head)
            begin = file.tell()
            file.truncate(begin + 4 * n)
            for place in (0, n // 2, n - 1):
                file.seek(begin + 4 * place)
                file.write(np.float32(1).tobytes())
        self.save("h.npy", np.arange(1, 10, dtype="f4"))
        bounded = lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        peak = lambda done: float(re.search(r"peak ([\d.]+) MiB", done.stderr.decode())[1])
        for boundary in ([], ["--mode", "same", "--boundary", "nearest"]):
            done = self.succeed("convolve", "x.npy", "h.npy", "-o", "out.npy", "--stats", *boundary, preexec_fn=None if boundary else bounded)
            self.assertLess(peak(done), 200)
            got = np.load(self.path("out.npy"), mmap_mode="r")
            shift = 4 if boundary else 0
            np.testing.assert_array_equal(got[n // 2 - shift : n // 2 - shift + 9], np.arange(1, 10))
        with open(self.path("x.npy"), "rb") as file:
            done = self.succeed("convolve", "-", "h.npy", "-o", "/dev/null", "--stats", stdin=file, preexec_fn=bounded)
        self.assertLess(peak(done), 200)

    def cut_short(self, threads):
        """What the tool says, and its status, when the signal's file loses what has not been read yet."""
        self.save("x.npy", np.ones(LONG, np.int8)), self.save("h.npy", np.ones(3, np.int8))
        arguments = [tool.GPUCONV, "convolve", "x.npy", "h.npy", "-o", "-", "--threads", str(threads)]
        with subprocess.Popen(arguments, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
            started.stdout.read(1)  # the first piece is being written, the second one has not been read
            os.truncate(self.path("x.npy"), 1 << 12)
            text = started.communicate(timeout=tool.TIMEOUT)[1]
        return text, started.returncode

    def test_a_file_that_becomes_shorter_is_an_error_on_whichever_thread_it_shows(self):
        for threads in (1, 4, 4, 4, 4):
            self.assertEqual(self.cut_short(threads), (b"gpuconv: a file has become shorter while it was being read\n", 1))


if __name__ == "__main__":
    tool.main()
