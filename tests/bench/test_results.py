"""Result files: bench/plot.py draws every picture of a saved one, and bench/compare.py finds what became slower."""

import copy
import json
from pathlib import Path
import struct
import subprocess
import sys
import unittest

from fixture import BENCH, SAMPLE, WithFolder, need, sample

need("numpy", "pandas", "matplotlib")

from stages.comparison import BENCH as TIMES, PEERS
from stages.stage import Result


def contestant(name, library, median):
    seconds = {"median": median, "lower": 0.99 * median, "upper": 1.01 * median, "least": 0.98 * median, "samples": 7}
    return {"contestant": name, "library": library, "call": "c++", "seconds": seconds, "max_error": 1e-7, "relative_l2": 1e-7,
            "chosen": name == "cuda fft"}


def of_a_gpu() -> dict:
    """A result of a GPU, made up."""
    def unit(memory, signal, batch, taps, names, suite="bench"):
        problem = {"suite": suite, "memory": memory, "dtype": "float32", "batch": batch, "signal": signal, "taps": taps}
        base = signal * batch * 2e-12
        return {"outcome": "measured", "problem": problem, "contestants": [
            contestant(name, name if name in ("copy", "torch") else "gpuconv", base * (i + 1)) for i, name in enumerate(names)]}

    ours = ["cuda direct", "cuda fft"]
    bench = [unit("device", 1 << 26, 1, taps, ["copy", *ours]) for taps in (16, 257, 1024)]
    bench += [unit("device", 256, 1 << 18, 64, ["copy", *ours]), unit("host", 1 << 26, 1, 257, ["cpu overlap-save", *ours])]
    result = Result(Path("/nowhere"), {"date": "2026-01-02T03:04:05+00:00", "commit": "0123456789ab", "modified": False, "libraries": {},
                                       "stages": {}, "measurements": [], "machine": {"gpu": "NVIDIA X", "cpu": "CPU Y", "threads": 2},
                                       "build": {"version": "0.1.0", "simd_target": "avx2"}})
    for stage, records in ((TIMES, bench), (PEERS, [unit("device", 1 << 26, 1, taps, ["torch conv1d"], "peers") for taps in (16, 257)])):
        for i, record in enumerate(records):
            result.add(stage, str(i), record)
    return result.data


class WithFiles(WithFolder):
    def write(self, name: str, data) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(data) if isinstance(data, dict) else data)
        return path

    def script(self, name: str, *arguments):
        return subprocess.run([sys.executable, "-B", BENCH / name, *arguments], capture_output=True, text=True)


class Pictures(WithFiles):
    def test_all_are_drawn_at_a_size_that_can_be_read(self):
        for file, names in ((SAMPLE, ("crossover", "throughput", "roofline")), (SAMPLE.with_name("2026-11-26-chunks.json"), ("chunks",)),
                            (self.write("gpu.json", of_a_gpu()), ("device_throughput", "cpu_and_gpu"))):
            done = self.script("plot.py", file, "--out", self.folder / "out")
            self.assertEqual((done.returncode, done.stdout.count("picture: ")), (0, len(names)), done.stderr)
            self.assertEqual(done.stdout.count("not drawn"), 6 - len(names))
            for name in names:
                header = (self.folder / "out" / f"{name}.png").read_bytes()[:24]
                self.assertEqual(header[:8], b"\x89PNG\r\n\x1a\n")
                self.assertTrue(all(size > 500 for size in struct.unpack(">II", header[16:24])))

    def test_a_file_that_is_no_result_is_an_error(self):
        self.assertEqual(self.script("plot.py", self.write("broken.json", "{"), "--out", self.folder).returncode, 1)


class Compare(WithFiles):
    def compare_with(self, change, *arguments, of=sample):
        """Compares a result with itself after `change(measurement)`."""
        new = copy.deepcopy(of())
        for m in new["measurements"]:
            change(m)
        return self.script("compare.py", self.write("old.json", of()), self.write("new.json", new), *arguments)

    @staticmethod
    def slower(factor, **of):
        def change(m):
            if "seconds" in m and all(m[key] == value for key, value in (of or {"library": "gpuconv"}).items()):
                for part in ("median", "lower", "upper", "least"):
                    m["seconds"][part] *= factor
        return change

    def test_what_is_slower_beyond_threshold_and_noise_is_a_regression(self):
        def noisy(m):
            m["seconds"]["lower"], m["seconds"]["median"] = m["seconds"]["least"], m["seconds"]["median"] * 3
        for change, options, status in ((lambda m: None, [], 0), (self.slower(3), [], 1), (self.slower(1 / 3), [], 0),
                                        (self.slower(3), ["--threshold", "4"], 0), (noisy, [], 0)):
            done = self.compare_with(change, *options)
            self.assertEqual((done.returncode, "REGRESSION" in done.stdout), (status, status == 1), done.stderr)

    def test_slower_peers_are_drift(self):
        done = self.compare_with(self.slower(3, library="numpy"))
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"copies and other libraries, which did not change: [12]\.")

    def test_on_a_gpu_copies_tell_of_the_machine(self):
        done = self.compare_with(self.slower(2, contestant="cuda fft", batch=1 << 18), of=of_a_gpu)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("1 regressions", done.stdout)
        self.assertIn("copies and other libraries, which did not change: 1.00", done.stdout)

    def test_another_machine_is_named(self):
        new = sample()
        new["machine"]["cpu"] = "another one"
        self.assertIn("another one", self.script("compare.py", SAMPLE, self.write("new.json", new)).stdout)

    def test_what_cannot_be_compared_is_an_error(self):
        done = self.compare_with(lambda m: m.update(suite="other"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("no measurement is in both", done.stderr)
        self.assertEqual(self.script("compare.py", SAMPLE, self.write("new.json", "{}")).returncode, 2)
        self.assertEqual(self.script("compare.py", SAMPLE, "missing.json").returncode, 2)


if __name__ == "__main__":
    unittest.main()
