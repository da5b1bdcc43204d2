"""What fails ends with the right exit code and one line that names file and cause, and leaves nothing behind."""

import os
import re
import resource
import signal
import subprocess
import time
import unittest

import numpy as np
import tool

MAGIC = b"\x93NUMPY"


def npy(dictionary, data=b"", version=1):
    length = len(dictionary).to_bytes(2 if version == 1 else 4, "little")
    return MAGIC + bytes([version, 0]) + length + dictionary.encode("latin1") + data


def header(descr="'<f8'", order="False", shape="(3,)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


class Inputs(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.save("good.npy", np.ones(3))
        self.save("out.npy", np.arange(4))  # an older result, which a failure must not touch

    def write(self, data):
        with open(self.path("bad.npy"), "wb") as file:
            file.write(data)

    def refused(self, data, says, code=1):
        """As signal and as filter, from a file and through a pipe, over an older output and without one."""
        self.write(data)
        self.fails("convolve", "bad.npy", "good.npy", "-o", "out.npy", names=["bad.npy"], says=says, code=code)
        self.fails("convolve", "good.npy", "bad.npy", "-o", "new.npy", names=["bad.npy"], says=says, code=code)

    def refused_in_a_pipe(self, data, says):
        self.fails("convolve", "-", "good.npy", "-o", "new.npy", names=["standard input"], says=says, input=data)

    def test_files_that_are_not_npy(self):
        self.refused(b"", "empty")
        self.refused(b"\n", "not a .npy file")
        self.refused(b"PK\x03\x04" + bytes(100), "not a .npy file")
        self.refused(b"1.0, 2.0, 3.0\n", "not a .npy file")
        self.refused(npy(header(), bytes(24), version=4), "version 4.0")

    def test_every_truncation_of_a_file(self):
        self.save("bad.npy", np.arange(3.0))
        with open(self.path("bad.npy"), "rb") as file:
            whole = file.read()
        for length in tool.thinned(range(len(whole))):
            self.write(whole[:length])
            self.fails("convolve", "bad.npy", "good.npy", "-o", "out.npy", names=["bad.npy"])
        for length in (0, 5, 7, 9, 50, 128, 151):
            self.refused_in_a_pipe(whole[:length], "")

    def test_malformed_headers(self):
        for dictionary in (
            "", "[]", "{", "{}", header()[:-1], header() + "x", header(shape="3"), header(shape="(3"), header(shape="[3]"),
            header(shape="(-3,)"), header(shape="(3.5,)"), header(shape="('3',)"), header(order="0"), header(order="Maybe"),
            header(descr="8"), header(descr="None"), header(shape="(" * 5000), "{'descr': '<f8', 'shape': (3,)}",
            "\0" * 100, "{'descr': '<f8'" + " " * 60000,
        ):  # fmt: skip
            with self.subTest(dictionary=dictionary[:80]):
                self.refused(npy(dictionary, bytes(24)), "")

    def test_lying_headers(self):
        for shape in ("(4,)", "(2, 2)", "(1000000000000,)", "(1, 1000000000000000000)", "(1000000000000000000, 1)"):
            with self.subTest(shape=shape):
                self.refused(npy(header(shape=shape), bytes(24)), "the file holds 24")
        self.refused_in_a_pipe(npy(header(shape="(4,)"), bytes(24)), "truncated: it ends after 24 of 32")
        self.refused_in_a_pipe(npy(header(shape="(1000000000, 1000)"), bytes(24)), "truncated")
        self.refused_in_a_pipe(npy(header(shape="(1000000000000000000,)"), bytes(24)), "truncated")
        self.refused_in_a_pipe(npy(header(shape="(1000000000000000000, 1)"), bytes(24)), "overflow")
        self.refused_in_a_pipe(npy(header(order="True", shape="(10000000, 1000000)"), bytes(24)), "bytes are needed")

    def test_huge_headers(self):
        self.refused(npy(header(shape="(9223372036854775808,)")), "overflows")
        self.refused(npy(header(shape="(4294967296, 4294967296)")), "overflows")
        self.refused(npy(header(shape="(" + "9" * 5000 + ",)")), "overflows")
        self.refused(npy(header() + " " * 10000, bytes(24)), "at most 10000 are expected")
        self.refused(MAGIC + b"\x02\x00\xff\xff\xff\xff{'descr'", "a header of 4294967295 bytes")
        self.refused(npy(header(shape="(" + "1," * 4000 + ")"), bytes(8)), "4000 dimensions")

    def test_types_that_are_not_convolved(self):
        for dtype, says in (("G", "complex of this size"), ("g", "floating point"),
                            ("S3", "byte strings"), ("U3", "Unicode strings"), ("O", "pickled Python objects"),
                            ("M8[s]", "dates"), ("m8[s]", "time differences"), ("V4", "raw bytes"),
                            ([("a", "f4"), ("b", "i4")], "structure")):  # fmt: skip
            with self.subTest(dtype=dtype):
                array = np.zeros(3, dtype)
                self.save("bad.npy", array)
                with open(self.path("bad.npy"), "rb") as file:
                    self.refused(file.read(), says)

    def test_empty_arrays(self):
        for shape, says in (((0,), "is empty"), ((0, 5), "is empty"), ((5, 0), "is empty"), ((2, 0, 3), "is empty")):
            with self.subTest(shape=shape):
                self.save("bad.npy", np.zeros(shape))
                with open(self.path("bad.npy"), "rb") as file:
                    self.refused(file.read(), says)

    def test_filters_of_another_number_of_rows(self):
        self.save("batch.npy", np.ones((4, 5)))
        for rows in (2, 3, 5):
            self.save("filters.npy", np.ones((rows, 3)))
            self.fails("convolve", "batch.npy", "filters.npy", "-o", "out.npy", names=["filters.npy", "batch.npy"], says=f"{rows} rows")
            self.fails("convolve", "good.npy", "filters.npy", "-o", "out.npy", names=["filters.npy", "good.npy"], says=f"{rows} rows")

    def test_a_result_type_that_cannot_hold_the_result(self):
        for dtype in ("int64", "float32"):
            self.fails("convolve", "good.npy", "good.npy", "-o", "out.npy", "--dtype", dtype, names=["good.npy"], says=dtype)

    def test_files_that_cannot_be_read(self):
        for name, says in (("missing.npy", "No such file"), (".", "Is a directory"), ("good.npy/x", "Not a directory"),
                           ("x" * 300, "name too long"), ("", "No such file")):  # fmt: skip
            self.fails("convolve", name, "good.npy", "-o", "out.npy", names=[name], says=says)
            self.fails("convolve", "good.npy", name, "-o", "out.npy", names=[name], says=says)
        self.fails("convolve", "-", "good.npy", "-o", "out.npy", names=["standard input"], preexec_fn=lambda: os.close(0))

    def test_a_file_name_cannot_break_the_line(self):
        self.fails("convolve", "two\nlines\x1b[2J", "good.npy", "-o", "out.npy", names=["two?lines"], says="No such file")

    @unittest.skipIf(tool.SANITIZED, "sanitizers need address space")
    def test_memory_that_runs_out(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
        self.save("big.npy", np.ones(1 << 26, np.float32))
        self.fails("convolve", "big.npy", "big.npy", "-o", "new.npy", names=["big.npy"], says="out of memory", preexec_fn=limit)
        around = ["--mode", "same", "--boundary", "wrap"]  # its beginning needs its end, which a pipe cannot give first
        with open(self.path("big.npy"), "rb") as file:
            self.fails("convolve", "/dev/fd/0", "good.npy", "-o", "new.npy", *around, says="out of memory", preexec_fn=limit, stdin=file)


class Outputs(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.save("x.npy", np.ones((100, 10000)))
        self.save("h.npy", np.ones(3))

    def refused(self, out, says, **keywords):
        return self.fails("convolve", "x.npy", "h.npy", "-o", out, says=says, **keywords)

    def test_places_that_cannot_be_written(self):
        os.mkdir(self.path("folder"))
        for out, says in (("folder", "Is a directory"), ("no/such/folder.npy", "No such file"), ("x.npy/y", "Not a directory"),
                          ("new/", "No such file"), ("x" * 300, "name too long"), ("/proc/new.npy", "No such file"),
                          ("", "No such file")):  # fmt: skip
            self.refused(out, says, names=[out])

    def test_places_without_permission(self):
        os.chmod(self.save("old.npy", np.ones(3)), 0o444)
        os.mkdir(self.path("folder"), 0o555)
        for out in ("old.npy", "folder/new.npy"):
            self.refused(out, "Permission denied", **self.without_privileges())

    def test_links_in_a_circle(self):
        os.symlink("b.npy", self.path("a.npy"))
        os.symlink("a.npy", self.path("b.npy"))
        self.assertEqual(self.tool("convolve", "x.npy", "h.npy", "-o", "a.npy").returncode, 1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.npy", "b.npy", "h.npy", "x.npy"])

    def test_a_full_device(self):
        self.refused("/dev/full", "/dev/full: No space left on device")

    def test_a_limit_on_file_sizes(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        self.refused("out.npy", "out.npy: File too large", preexec_fn=limit)

    def test_a_reader_that_goes_away(self):
        reading, writing = os.pipe()
        os.close(reading)
        self.refused("-", "standard output: Broken pipe", stdout=writing)
        self.refused(f"/dev/fd/{writing}", "Broken pipe", pass_fds=[writing])
        os.close(writing)

    def test_a_closed_standard_output(self):
        self.refused("-", "standard output: Bad file descriptor", preexec_fn=lambda: os.close(1))

    def test_signals_leave_nothing_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            reading, writing = os.pipe()
            arguments = [tool.GPUCONV, "convolve", "-", "h.npy", "-o", "out.npy"]
            heed = lambda n=number: signal.signal(n, signal.SIG_DFL)  # the suite itself may run where they are ignored
            started = subprocess.Popen(arguments, cwd=self.folder, stdin=reading, preexec_fn=heed)
            os.close(reading)
            os.write(writing, npy(header(shape="(1000000, 1000)"), bytes(1000)))
            deadline = time.monotonic() + 30
            while len(os.listdir(self.folder)) == 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(len(os.listdir(self.folder)), 3, "it did not start to write")
            started.send_signal(number)
            self.assertEqual(started.wait(tool.TIMEOUT), -number)
            os.close(writing)
            self.assertEqual(sorted(os.listdir(self.folder)), ["h.npy", "x.npy"])


class ExitCodes(tool.ToolTest):
    def setUp(self):
        super().setUp()
        self.save("x.npy", np.ones(50))
        self.save("h.npy", np.ones(3))

    def test_wrong_usage(self):
        convolve = ["convolve", "x.npy", "h.npy", "-o", "out.npy"]
        for arguments in (
            [], ["nonsense"], ["--nonsense"], ["convolve"], ["convolve", "x.npy"], ["convolve", "x.npy", "h.npy"],
            ["convolve", "x.npy", "-o", "out.npy"], [*convolve, "third.npy"], [*convolve, "--mode"], [*convolve, "--mode", "Full"],
            [*convolve, "--mode", "1"], [*convolve, "--same", "numpi"], [*convolve, "--method", "reference"],
            [*convolve, "--same", "matlab"], [*convolve, "--same", "matlab", "--mode", "valid"], [*convolve, "--mode", "full", "--same", "numpy"],
            ["explain", "--signal", "5", "--filter", "3", "--mode", "valid", "--same", "scipy"],
            [*convolve, "--device", "gpu"], [*convolve, "--dtype", "complex32"], [*convolve, "--dtype", "bfloat16"], [*convolve, "--dtype", ""],
            [*convolve, "--threads", "-1"], [*convolve, "--threads", "two"], [*convolve, "--threads", "99999999999999999999"],
            [*convolve, "--threads", "1.5"], [*convolve, "--mode", "full", "--mode", "same"], [*convolve, "--nonsense"],
            ["convolve", "-", "-", "-o", "out.npy"], ["explain"], ["explain", "--signal", "5"], ["explain", "--filter", "5"],
            ["explain", "--signal", "0", "--filter", "1"], ["explain", "--signal", "-5", "--filter", "1"],
            ["explain", "--signal", "5", "--filter", "1e400"], ["explain", "--signal", "0x10", "--filter", "3"],
            ["explain", "--signal", "5 ", "--filter", "3"], ["explain", "--signal", "", "--filter", "3"], ["explain", "--signal", "9" * 30, "--filter", "3"],
            ["explain", "--signal", "5", "--filter", "3", "--batch", "0"], ["explain", "--signal", "5", "--filter", "3", "--type", "f4"],
            ["info", "extra"],
        ):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.is_wrong_usage(*arguments)

    def test_same_in_its_mode(self):
        for options in (["--mode", "same", "--same", "matlab"], ["--same", "matlab", "--mode", "same"]):
            self.succeed("convolve", "x.npy", "h.npy", "-o", "same.npy", *options)
            self.succeed("explain", "--signal", "5", "--filter", "3", *options)

    def no_gpu(self):
        """Why there is none."""
        found = re.search(rb"device cuda: none: (.+)", self.succeed("info").stdout)
        if not found:
            self.skipTest("this machine has a CUDA device")
        return found.group(1).decode()

    def test_a_forced_device_that_does_not_apply(self):
        why = self.no_gpu()
        self.assertRegex(why, "no NVIDIA driver|no CUDA device")
        self.fails("convolve", "x.npy", "h.npy", "-o", "out.npy", "--device", "cuda", code=3, names=["x.npy", "h.npy"], says=why)
        self.fails("convolve", "x.npy", "h.npy", "-o", "out.npy", "--device", "cuda", "--method", "fft", code=3, says=why)

    def test_without_a_gpu_everything_runs_on_the_cpu(self):
        self.no_gpu()
        for method in tool.METHODS:
            done = self.succeed("convolve", "x.npy", "h.npy", "-o", f"{method}.npy", "--method", method, "--stats")
            self.assertIn(b"method      cpu ", done.stderr)

    def test_an_explanation_of_what_cannot_run(self):
        """All the reasons on stdout, and the exit status that convolve would have."""
        sizes = ["explain", "--signal", "50", "--filter", "5"]
        forced = [[*sizes, "--type", "int32", "--method", "fft"]]
        if b"device cuda: none" in self.succeed("info").stdout:
            forced += [[*sizes, "--device", "cuda"], [*sizes, "--device", "cuda", "--method", "direct"]]
        for arguments in forced:
            done = self.fails(*arguments, code=3, says="no solver applies")
            self.assertGreaterEqual(done.stdout.count(b" no: "), 4, done.stdout)
        self.succeed(*sizes, "--method", "fft")

    def test_a_forced_method_that_does_not_apply(self):
        """Which methods refuse which types is the library's: whatever explain says no to has to end in 3."""
        self.save("ints.npy", np.ones(50, np.int32))
        lines = self.succeed("explain", "--signal", "50", "--filter", "50", "--type", "int32").stdout.decode().splitlines()
        refusing = [line.split()[1] for line in lines if line.startswith("  cpu") and " no: " in line and "reference" not in line]
        for method in refusing:
            self.fails("convolve", "ints.npy", "ints.npy", "-o", "out.npy", "--method", method, code=3, names=["ints.npy"], says=method)
        self.assertTrue(refusing, lines)

    def test_help_and_version_succeed(self):
        for arguments in (["--help"], ["-h"], ["--version"], ["convolve", "--help"], ["explain", "-h"], ["info", "--help"]):
            done = self.succeed(*arguments)
            self.assertEqual(done.stderr, b"")
            self.assertNotEqual(done.stdout, b"")

    def test_text_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            for arguments in (["info"], ["--help"], ["explain", "--signal", "5", "--filter", "3"]):
                self.fails(*arguments, stdout=full, says="standard output")


if __name__ == "__main__":
    tool.main()
