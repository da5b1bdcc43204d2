"""Runs the gpuconv executable, whose path is in $GPUCONV, in an empty folder. Shared by the tests beside it."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
except ImportError:
    print("skipped: this Python has no numpy")
    sys.exit(77)

GPUCONV = os.environ["GPUCONV"]
SANITIZED = bool(os.environ.get("GPUCONV_SANITIZED"))
TIMEOUT = 120
NOBODY = 65534

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
TYPES = INTEGERS + ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]
ALL_TYPES = TYPES + ["float16", *COMPLEX, "bool"]  # what files may hold
MODES = ["full", "same", "valid"]
METHODS = ["auto", "direct", "overlap-save", "fft"]


def thinned(cases):
    """All of some cases that are alike; under a sanitizer, where every start of the tool takes long, one in five."""
    return list(cases)[:: 5 if SANITIZED else 1]


class ToolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gpuconv-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.random = np.random.default_rng(20240501)

    def path(self, name):
        return str(self.folder / name)

    def save(self, name, array):
        np.save(self.path(name), array)
        return self.path(name)

    def tool(self, *arguments, **keywords):
        """Runs the tool in the test's folder; its output is kept as bytes unless it is redirected."""
        for stream in ("stdout", "stderr"):
            keywords.setdefault(stream, subprocess.PIPE)
        return subprocess.run([GPUCONV, *map(str, arguments)], cwd=self.folder, timeout=TIMEOUT, **keywords)

    def succeed(self, *arguments, **keywords):
        done = self.tool(*arguments, **keywords)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def convolve(self, signal, filter, *options):
        """Both as arrays, through files; returns the result as an array."""
        self.save("signal.npy", signal)
        self.save("filter.npy", filter)
        done = self.succeed("convolve", "signal.npy", "filter.npy", "-o", "out.npy", *options)
        self.assertEqual(done.stdout + done.stderr, b"")
        return np.load(self.path("out.npy"))

    def fails(self, *arguments, names=(), says="", code=1, **keywords):
        """The tool ends with `code` and one line on stderr, and the folder is as it was."""
        before = self.listing()
        done = self.tool(*arguments, **keywords)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, code, text)
        self.assertTrue(text.startswith("gpuconv: ") and text.endswith("\n") and text.count("\n") == 1, text)
        for part in (*names, says):
            self.assertIn(part, text)
        self.assertEqual(self.listing(), before)
        return done

    def is_wrong_usage(self, *arguments):
        """The tool ends with the code of a wrong command line and says so, and the folder is as it was."""
        before = self.listing()
        done = self.tool(*arguments)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, b"")
        self.assertNotEqual(done.stderr, b"")
        self.assertEqual(self.listing(), before)

    def without_privileges(self):
        """Root may write everywhere: the tool is then run as a user who may not."""
        if os.geteuid() != 0:
            return {}
        os.chmod(self.folder, 0o755)
        nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        try:
            self.tool("info", **nobody)
        except PermissionError:
            self.skipTest("the executable lies where only root may run it")
        return nobody

    def contents(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def listing(self):
        return sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in self.folder.iterdir())

    def integers(self, dtype, *shape):
        """All values of the type, its extremes among them."""
        info = np.iinfo(dtype)
        values = self.random.integers(info.min, info.max, shape, dtype, endpoint=True)
        values.flat[0], values.flat[-1] = info.min, info.max
        return values

    def values(self, dtype, *shape):
        if np.issubdtype(dtype, np.integer):
            return self.integers(dtype, *shape)
        if np.dtype(dtype).kind == "b":
            return self.random.random(shape) < 0.5
        if np.dtype(dtype).kind == "c":
            return (self.random.standard_normal(shape) + 1j * self.random.standard_normal(shape)).astype(dtype)
        return self.random.standard_normal(shape).astype(dtype)


def main():
    unittest.main(verbosity=1)
