"""Pipes, devices, terminals, statistics, and batches that are never in memory whole."""

import os
import pty
import re
import select
import subprocess
import threading
import time
import unittest

import numpy as np
import tool


def npy_bytes(shape, data):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def read_until_closed(descriptor):
    parts = []
    while True:
        try:
            part = os.read(descriptor, 1 << 16)
        except OSError:  # a terminal whose other side was closed
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


class Streams(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.x, self.h = self.integers("int16", 3000, 900), self.integers("int16", 9)  # longer than what is read at once
        self.save("x.npy", self.x)
        self.save("h.npy", self.h)
        self.succeed("convolve", "x.npy", "h.npy", "-o", "expected.npy")
        with open(self.path("expected.npy"), "rb") as file:
            self.expected = file.read()

    def test_standard_input_and_output(self):
        for signal in ("-", "/dev/stdin"):
            for out in ("-", "/dev/stdout"):
                done = self.succeed("convolve", signal, "h.npy", "-o", out, input=self.contents("x.npy"))
                self.assertEqual(done.stdout, self.expected)
                self.assertEqual(done.stderr, b"")

    def test_the_filter_from_a_pipe(self):
        done = self.succeed("convolve", "x.npy", "-", "-o", "-", input=self.contents("h.npy"))
        self.assertEqual(done.stdout, self.expected)

    def test_standard_input_that_is_a_file_is_read_from_where_it_stands(self):
        with open(self.path("two.npy"), "w+b") as file:
            file.write(b"something before" + self.contents("x.npy"))
            file.seek(16)
            os.lseek(file.fileno(), 16, os.SEEK_SET)
            self.assertEqual(self.succeed("convolve", "-", "h.npy", "-o", "-", stdin=file).stdout, self.expected)

    def test_standard_output_that_is_a_file(self):
        for out in ("-", "/dev/stdout"):
            with open(self.path("out.npy"), "wb") as file:
                self.succeed("convolve", "x.npy", "h.npy", "-o", out, stdout=file)
            self.assertEqual(self.contents("out.npy"), self.expected)

    def test_named_pipes(self):
        os.mkfifo(self.path("in"))
        os.mkfifo(self.path("out"))

        def feed():
            with open(self.path("in"), "wb") as file:
                file.write(self.contents("x.npy"))

        got = []
        threads = [threading.Thread(target=feed), threading.Thread(target=lambda: got.append(self.contents("out")))]
        for thread in threads:
            thread.start()
        self.succeed("convolve", "in", "h.npy", "-o", "out")
        for thread in threads:
            thread.join()
        self.assertEqual(got, [self.expected])
        self.assertEqual(sorted(os.listdir(self.folder)), ["expected.npy", "h.npy", "in", "out", "x.npy"])

    def test_devices_are_written_and_stay_what_they_are(self):
        before = os.stat("/dev/null")
        self.succeed("convolve", "x.npy", "h.npy", "-o", "/dev/null")
        self.assertEqual(os.stat("/dev/null").st_rdev, before.st_rdev)
        self.assertEqual(os.stat("/dev/null").st_ino, before.st_ino)

    def test_fortran_order_and_big_endian_through_a_pipe(self):
        self.save("f.npy", np.asarray(self.x, dtype=">i2", order="F"))
        self.assertEqual(self.succeed("convolve", "-", "h.npy", "-o", "-", input=self.contents("f.npy")).stdout, self.expected)


class Statistics(tool.ToolTest):
    def stats(self, *options):
        self.save("x.npy", self.values("float32", 20, 5000))
        self.save("h.npy", self.values("float32", 33))
        done = self.succeed("convolve", "x.npy", "h.npy", "-o", "/dev/stdout", "--stats", *options)
        self.assertEqual(done.stdout[:6], b"\x93NUMPY")
        return done.stderr.decode()

    def test_method_time_throughput_and_memory_are_printed_to_stderr(self):
        text = self.stats()
        self.assertRegex(text, r"(?m)^problem +20 x 5000 float32 \* 33 float32 -> full 5032 float32$")
        self.assertRegex(text, r"(?m)^time +[\d.]+ [mun]?s: reading .* convolving .* writing ")
        self.assertRegex(text, r"(?m)^throughput +[\d.]+ [kMG]?sample/s convolving, [\d.]+ [kMG]?sample/s with files$")
        self.assertRegex(text, r"(?m)^memory +plan [\d.]+ \w+, peak [\d.]+ MiB resident$")

    def test_whether_integer_sums_can_wrap(self):
        x = np.arange(30011 * 100, dtype="int16").reshape(30011, 100)  # goes in several chunks
        quiet = np.tile(np.array([1, 0], "int16"), (len(x), 1))
        loud = quiet.copy()
        loud[1000] = 2, 0
        self.save("x.npy", x)
        for h, dtype, said in [
            (quiet, "int16", "exact, whatever"),
            (loud, "int16", "wrap with some"),
            (loud[1000], "int16", "wrap with some"),
            (loud, "int64", "exact, whatever"),
        ]:
            self.save("h.npy", h)
            done = self.succeed("convolve", "x.npy", "h.npy", "-o", "y.npy", "--stats", "--dtype", dtype)
            self.assertRegex(done.stderr.decode(), rf"(?m)^sums +{said} signal of int16 ")
        self.assertNotRegex(self.stats(), "(?m)^sums")

    def test_the_method_printed_is_the_one_forced(self):
        for method in tool.METHODS[1:]:
            self.assertRegex(self.stats("--method", method), rf"(?m)^method +cpu {method}\b")

    def test_numbers_are_finite_and_plausible(self):
        time_text = re.search(r"(?m)^time +([\d.]+) (\w+)", self.stats())
        seconds = float(time_text[1]) * {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[time_text[2]]
        self.assertTrue(0 < seconds < 60)

    @unittest.skipIf(tool.SANITIZED, "sanitizers take memory of their own")
    def test_a_batch_larger_than_the_memory_used(self):
        rows, columns = 20000, 4096  # 330 MB in, as much out

        def feed(pipe):
            pipe.write(npy_bytes((rows, columns), b""))
            block = bytes(columns * 4 * 100)
            for _ in range(rows // 100):
                pipe.write(block)
            pipe.close()

        self.save("h.npy", np.ones(9, np.float32))
        arguments = [tool.GPUCONV, "convolve", "-", "h.npy", "-o", "/dev/null", "--stats"]
        with subprocess.Popen(arguments, cwd=self.folder, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as started:
            feed(started.stdin)
            text = started.stderr.read().decode()
        self.assertEqual(started.returncode, 0, text)
        peak = float(re.search(r"peak ([\d.]+) MiB", text)[1])
        self.assertLess(peak, 60, text)


class Progress(tool.ToolTest):
    def slow_batch(self, terminal):
        """A batch whose second half comes after more than a second; what the tool wrote to stderr."""
        self.save("h.npy", np.ones(3, np.float32))
        rows, columns = 8192, 1024
        reading, writing = pty.openpty() if terminal else os.pipe()
        arguments = [tool.GPUCONV, "convolve", "-", "h.npy", "-o", "out.npy"]
        started = subprocess.Popen(arguments, cwd=self.folder, stdin=subprocess.PIPE, stderr=writing)
        os.close(writing)
        half = bytes(rows // 2 * columns * 4)
        started.stdin.write(npy_bytes((rows, columns), half))
        started.stdin.flush()
        time.sleep(1.3)
        started.stdin.write(half)
        started.stdin.close()
        text = read_until_closed(reading)
        os.close(reading)
        self.assertEqual(started.wait(tool.TIMEOUT), 0)
        self.assertEqual(np.load(self.path("out.npy")).shape, (rows, columns + 2))
        return text.decode()

    def test_a_long_batch_shows_progress_on_a_terminal_and_removes_it(self):
        text = self.slow_batch(terminal=True)
        self.assertRegex(text, r"\d+%  \d+ of 8192 rows")
        self.assertTrue(text.endswith("\r\x1b[K"), repr(text))

    def test_so_does_a_single_row_that_goes_in_pieces(self):
        length = 20_000_000  # bytes with results of eight: three pieces
        self.save("h.npy", np.ones(3, np.int8))
        reading, writing = pty.openpty()
        arguments = [tool.GPUCONV, "convolve", "-", "h.npy", "-o", "/dev/null"]
        with subprocess.Popen(arguments, cwd=self.folder, stdin=subprocess.PIPE, stderr=writing) as started:
            os.close(writing)
            started.stdin.write(npy_bytes((length,), bytes(length // 2)).replace(b"<f4", b"|i1"))
            started.stdin.flush()
            time.sleep(1.3)
            started.stdin.write(bytes(length - length // 2))
            started.stdin.close()
            text = read_until_closed(reading).decode()
        os.close(reading)
        self.assertRegex(text, rf"67%  \d+ of {length + 2} outputs")

    def test_and_none_in_a_pipe(self):
        self.assertEqual(self.slow_batch(terminal=False), "")

    def test_a_short_batch_shows_none_on_a_terminal(self):
        self.save("x.npy", np.ones((3, 10)))
        self.save("h.npy", np.ones(3))
        reading, writing = pty.openpty()
        self.succeed("convolve", "x.npy", "h.npy", "-o", "out.npy", stderr=writing)
        self.assertEqual(select.select([reading], [], [], 0)[0], [])
        os.close(writing)
        os.close(reading)

    def test_binary_is_not_written_to_a_terminal(self):
        self.save("x.npy", np.ones(10))
        self.save("h.npy", np.ones(3))
        reading, writing = pty.openpty()
        self.assertEqual(self.tool("convolve", "x.npy", "h.npy", "-o", "-", stdout=writing).returncode, 2)
        self.assertEqual(select.select([reading], [], [], 0)[0], [])
        os.close(writing)
        os.close(reading)


class Text(tool.ToolTest):
    def test_explain_lists_every_solver_with_its_estimate_or_the_reason_against_it(self):
        done = self.succeed("explain", "--signal", "100000", "--filter", "257", "--batch", "3", "--mode", "same", "--same", "scipy")
        lines = done.stdout.decode().splitlines()
        self.assertEqual(lines[0], "3 x 100000 float32 * 257 float32 -> same (scipy) 100000 float32")
        for method in ("direct", "overlap-save", "fft", "reference"):
            self.assertTrue(any(f"cpu  {method}" in line and ("about" in line or "no: " in line) for line in lines), lines)
        self.assertTrue(any(line.startswith("  cuda") for line in lines), lines)

    def test_explain_takes_a_type(self):
        text = self.succeed("explain", "--signal", "100", "--filter", "7", "--type", "int8").stdout.decode()
        self.assertIn("int8 * 7 int8 -> full 106 int64", text)

    def test_info_tells_version_devices_vectors_and_threads(self):
        text = self.succeed("info").stdout.decode()
        version = self.succeed("--version").stdout.decode().strip()
        self.assertRegex(version, r"^gpuconv \d+\.\d+\.\d+$")
        self.assertTrue(text.startswith(version + "\n"), text)
        self.assertRegex(text, r"(?m)^device cpu: ")
        self.assertRegex(text, r"(?m)^device cuda: ")
        self.assertRegex(text, r"(?m)^vectors: \d+ bits ")
        self.assertRegex(text, r"(?m)^threads: [1-9]\d*$")


if __name__ == "__main__":
    tool.main()
