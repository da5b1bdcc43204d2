"""bench/plot.py draws a saved result: every picture, at a size that can be read."""

import json
from pathlib import Path
import struct
import subprocess
import sys
import tempfile
import unittest

from fixture import BENCH, SAMPLE, need, sample

need("numpy", "scipy", "matplotlib")


def png_size(path: Path):
    header = path.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", header[16:24])


class Plot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def plot(self, result: Path):
        return subprocess.run([sys.executable, "-B", BENCH / "plot.py", result, "--out", self.folder / "out"],
                              capture_output=True, text=True)

    def test_draws_every_picture(self):
        done = self.plot(SAMPLE)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("crossover", "throughput", "roofline", "small"):
            width, height = png_size(self.folder / "out" / f"{name}.png")
            self.assertGreaterEqual(width, 1200)
            self.assertGreater(height, 500)

    def test_says_which_pictures_lack_their_suite(self):
        result = sample()
        result["measurements"] = [m for m in result["measurements"] if m["suite"] != "large"]
        path = self.folder / "part.json"
        path.write_text(json.dumps(result))
        done = self.plot(path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("throughput.png: not drawn", done.stdout)
        self.assertFalse((self.folder / "out" / "throughput.png").exists())

    def test_a_file_that_is_no_result_is_an_error(self):
        path = self.folder / "broken.json"
        path.write_text("{")
        self.assertEqual(self.plot(path).returncode, 1)


if __name__ == "__main__":
    unittest.main()
