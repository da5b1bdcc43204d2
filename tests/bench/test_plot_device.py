"""bench/plot_device.py draws a result of bench/verify.py, and compare.py compares two of them."""

import copy
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest

from fixture import BENCH, need

need("numpy", "matplotlib")

from verification import problems, result
from verification.stages import Stage

STAGES = [Stage("suite", "", None, None), Stage("bench", "", None, None, timed=True), Stage("peers", "", None, None, timed=True)]
DEVICE = {"available": True, "name": "NVIDIA X", "gpuconv": "0.1.0"}


def contestant(name, library, median):
    seconds = {"median": median, "lower": 0.99 * median, "upper": 1.01 * median, "least": 0.98 * median, "samples": 7}
    return {"contestant": name, "library": library, "seconds": seconds, "max_error": 1e-7, "relative_l2": 1e-7}


def made_up_result() -> dict:
    def unit(job):
        base = job["signal"] * job["batch"] * 2e-12
        names = [("cuda direct", "gpuconv"), ("cuda fft", "gpuconv")]
        if job["memory"] == "host":
            names = [("transfers", "copy"), ("cpu overlap-save", "gpuconv"), *names]
        else:
            names = [("copy", "copy"), *names]
        return {"outcome": "measured", "problem": job, "chosen": "cuda fft",
                "contestants": [contestant(name, library, base * (i + 1)) for i, (name, library) in enumerate(names)]}

    jobs = problems.device(False) + problems.host(False)
    peers = {problems.name(job): unit(job) | {"contestants": [contestant("torch conv1d", "torch", 1e-2)]} for job in problems.peers(False)}
    entry = lambda units: {"status": "complete", "seconds": 1.0, "units": units}
    state = {"date": "2026-01-02T03:04:05+00:00",
             "stages": {"suite": entry({"a": {"outcome": "passed"}}), "peers": entry(peers),
                        "bench": entry({problems.name(job): unit(job) for job in jobs}),
                        "environment": entry({"environment": {"outcome": "noted", "commit": "0123456789ab", "modified": False,
                                                              "machine": {"gpu": "NVIDIA X", "cpu": "CPU Y"}, "libraries": {}}})}}
    return result.build(STAGES, state, DEVICE)


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, data) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(data))
        return path

    def run_script(self, script, *arguments):
        return subprocess.run([sys.executable, "-B", BENCH / script, *arguments], capture_output=True, text=True)

    def test_both_pictures_are_drawn(self):
        done = self.run_script("plot_device.py", self.write("result.json", made_up_result()), "--out", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("device_throughput", "cpu_and_gpu"):
            self.assertGreater((self.folder / f"{name}.png").stat().st_size, 10_000)

    def test_what_was_not_measured_is_not_drawn(self):
        data = made_up_result()
        data["measurements"] = []
        done = self.run_script("plot_device.py", self.write("result.json", data), "--out", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("not drawn"), 2)

    def test_a_slower_solver_is_found_and_the_copies_tell_of_the_machine(self):
        old, new = made_up_result(), copy.deepcopy(made_up_result())
        for m in new["measurements"]:
            if m["contestant"] == "cuda fft" and m["batch"] > 1:
                for part in ("median", "lower", "upper", "least"):
                    m["seconds"][part] *= 2
        done = self.run_script("compare.py", self.write("old.json", old), self.write("new.json", new))
        self.assertEqual(done.returncode, 1, done.stderr)
        batches = sum(m["contestant"] == "cuda fft" and m["batch"] > 1 for m in new["measurements"])
        self.assertIn(f"{batches} regressions", done.stdout)
        self.assertIn("copies and other libraries, which did not change: 1.00", done.stdout)


if __name__ == "__main__":
    unittest.main()
