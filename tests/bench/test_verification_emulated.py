"""bench/verify.py from end to end on the emulated GPU: programs are found, run, cut and resumed, and nothing is claimed.

The folder of a build with the emulated tests is the first argument. What takes the benchmarks is skipped where they are
not built.
"""

import ctypes as ct
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
from time import monotonic
import types
import unittest
from unittest import mock

from fixture import BENCH, need

need("numpy")

import numpy as np

from verification import contestants, peer_worker
from verification.arrays import DeviceShim
from verification.process import Deadline
from verification.worker import run_jobs


HERE = Path(__file__).resolve().parent
BUILD = Path(sys.argv.pop(1)).resolve()
SUITE, PLANS = BUILD / "tests/device/test_unit_emulated", BUILD / "tests/device/test_device_emulated"
BENCHMARK = BUILD / "bench/gpuconv_bench_device_emulated"


class Verification(unittest.TestCase):
    """Runs verify.py on a folder that looks like a build for a GPU, of links to other programs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out"

    def link(self, **programs) -> Path:
        for target, program in programs.items():
            link = self.folder / "build" / target
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(program)
        return self.folder / "build"

    def verify(self, build, *arguments, device=""):
        return subprocess.run([sys.executable, "-B", BENCH / "verify.py", "--build", build, "--out", self.out, *arguments],
                              env=os.environ | {"FAKE_DEVICE": device}, capture_output=True, text=True, timeout=100)

    def result(self) -> dict:
        return json.loads(next(path for path in self.out.glob("*.json") if "state" not in path.name).read_text())


class WithTheSuite(Verification):
    def build_with(self, suite) -> Path:
        return self.link(**{"bench/gpuconv_bench_device": HERE / "fake_device.py", "tests/unit/test_unit": suite})

    def test_a_suite_that_was_cut_is_taken_up_again(self):
        build = self.link(**{"bench/gpuconv_bench_device": HERE / "fake_device.py", "tests/device/test_device": PLANS})
        first = self.verify(build, "--stages", "suite", "--within", "3", device="emulated GPU")
        self.assertEqual(first.returncode, 77, first.stdout + first.stderr)
        before = self.result()["stages"]["suite"]
        self.assertEqual(before["status"], "cut")
        second = self.verify(build, "--stages", "suite", "--resume", device="emulated GPU")
        self.assertEqual(second.returncode, 77, second.stdout + second.stderr)
        after = self.result()["stages"]["suite"]
        self.assertEqual((after["status"], after["faults"]), ("complete", {}))
        self.assertEqual(after["passed"], before.get("passed", 0) + before["left"])

    def test_without_a_gpu_nothing_is_run_and_no_file_written(self):
        done = self.verify(self.build_with(SUITE))
        self.assertEqual(done.returncode, 77)
        self.assertIn("There is no GPU to verify on: there is no NVIDIA driver", done.stdout)
        self.assertFalse(self.out.exists())

    def test_a_failing_case_fails_the_verification_and_is_named(self):
        done = self.verify(self.build_with(HERE / "fake_gtest.py"), "--stages", "suite", device="NVIDIA X")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("Two/Param.Fails/cuda_direct", done.stdout)
        self.assertEqual(self.result()["verdict"], "failed")

    def test_a_state_of_another_device_is_not_taken_up(self):
        build = self.build_with(HERE / "fake_gtest.py")
        self.verify(build, "--stages", "suite", device="NVIDIA X")
        done = self.verify(build, "--stages", "suite", "--resume", device="NVIDIA Y")
        self.assertEqual(done.returncode, 1)
        self.assertIn("has device NVIDIA X, this is NVIDIA Y", done.stderr)

    def test_all_stages_together_end_within_their_time(self):
        begin = monotonic()
        done = self.verify(self.build_with(SUITE), "--within", "5", device="NVIDIA X")
        self.assertLess(monotonic() - begin, 60)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        stages = self.result()["stages"]
        self.assertEqual([stages[s]["status"] for s in ("environment", "suite", "bench")], ["complete", "cut", "not run"])

    def test_what_is_not_there_makes_it_incomplete(self):
        build = self.link(**{"bench/gpuconv_bench_device": HERE / "fake_device.py"})
        done = self.verify(build, "--stages", "environment,suite,limits", device="NVIDIA X")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(self.result()["verdict"], "incomplete")
        self.assertIn("no test program", done.stdout)


@unittest.skipUnless(BENCHMARK.exists(), "the benchmarks are not built")
class WithTheBenchmarks(Verification):
    def emulated_build(self) -> Path:
        return self.link(**{"bench/gpuconv_bench_device": BENCHMARK,
                            "bench/libgpuconv_bench.so": BUILD / "bench/emulated/libgpuconv_bench.so"})

    def test_no_time_of_an_emulator_is_written(self):
        done = self.verify(self.emulated_build(), "--stages", "environment,bench,peers", "--quick")
        self.assertEqual(done.returncode, 77, done.stdout + done.stderr)
        result = self.result()
        self.assertTrue(result["emulated"])
        self.assertIn("emulator", result["verdict"])
        self.assertEqual(result["measurements"], [])
        self.assertEqual([result["stages"][s]["status"] for s in ("bench", "peers")], ["refused", "refused"])
        self.assertNotIn('"seconds": {', json.dumps(result))

    def test_the_benchmark_computes_but_does_not_time(self):
        jobs = {"device": {"type": "float32", "signal": 3000, "taps": 65},
                "rows": {"type": "int16", "signal": 100, "taps": 5, "batch": 7},
                "host": {"type": "float64", "signal": 2000, "taps": 33, "memory": "host"},
                "wrong": {"type": "float32"}}
        answers = dict(run_jobs([BENCHMARK], jobs, Deadline(60)))
        self.assertIn("signal", answers["wrong"]["error"])
        took_part = {name: [c["contestant"] for c in answers[name]["record"]["contestants"] if "relative_l2" in c]
                     for name in ("device", "rows", "host")}
        self.assertEqual(took_part["device"], ["cuda direct", "cuda overlap-save", "cuda fft"])
        self.assertEqual(took_part["rows"], ["cuda direct"])
        self.assertIn("cpu overlap-save", took_part["host"])
        for name, bound in (("device", 1e-6), ("rows", 0), ("host", 1e-14)):
            for c in answers[name]["record"]["contestants"]:
                self.assertLessEqual(c.get("relative_l2", 0), bound, c)
                self.assertNotIn("seconds", c)

    def test_peers_that_are_not_installed_are_left_out_and_gpuconv_is_right(self):
        shim = DeviceShim(self.emulated_build())
        self.assertTrue(shim.emulated)
        record = peer_worker.compare(shim, {"type": "float32", "signal": 2000, "taps": 65, "seconds": 0.1, "least": 3})
        by_name = {c["contestant"]: c for c in record["contestants"]}
        self.assertLess(by_name["gpuconv plan"]["relative_l2"], 1e-6)
        self.assertEqual(len(by_name), len(contestants.ALL))
        self.assertNotIn("seconds", by_name["gpuconv plan"])
        for name, c in by_name.items():
            self.assertTrue(name in ("copy", "gpuconv plan") or "skipped" in c, c)

    def test_others_see_the_arrays_in_device_memory(self):
        """With NumPy in the place of CuPy, which it can take because the emulated device's memory is the host's."""
        def asarray(array):
            interface = array.__cuda_array_interface__
            memory = (ct.c_char * array.nbytes).from_address(interface["data"][0])
            return np.frombuffer(memory, interface["typestr"]).reshape(interface["shape"])

        cupy = types.SimpleNamespace(asarray=asarray, asnumpy=np.asarray, convolve=np.convolve, __version__="0",
                                     cuda=types.SimpleNamespace(is_available=lambda: True))
        shim = DeviceShim(self.emulated_build())
        with mock.patch.dict(sys.modules, {"cupy": cupy}):
            record = peer_worker.compare(shim, {"type": "float64", "signal": 500, "taps": 33, "seconds": 0.1, "least": 3})
        by_name = {c["contestant"]: c for c in record["contestants"]}
        self.assertLess(by_name["cupy convolve"]["relative_l2"], 1e-14)
        self.assertLess(by_name["gpuconv plan"]["relative_l2"], 1e-14)

    def test_times_of_contestants_can_be_taken(self):
        shim = DeviceShim(self.emulated_build())
        shim.emulated = False  # the timers' logic; nobody keeps what they say
        record = peer_worker.compare(shim, {"type": "float32", "signal": 300, "taps": 9, "seconds": 0.0, "least": 2})
        timed = [c for c in record["contestants"] if "seconds" in c]
        self.assertEqual([c["contestant"] for c in timed], ["copy", "gpuconv plan"])
        self.assertEqual([c["seconds"]["samples"] for c in timed], [2, 2])


if __name__ == "__main__":
    if not SUITE.exists():
        print("skipped: this build has no emulated GPU")
        sys.exit(77)
    unittest.main()
