"""bench/run.py with stand-ins for a GPU's programs and tools: stages that are cut and taken up again, tests that crash or
hang, what profilers and sanitizers say, verdicts; and the programs of a build on the emulated GPU.

Usage: test_run.py [BUILD]. Without a build that has the emulated GPU and the benchmarks, that part is skipped.
"""

from contextlib import redirect_stderr, redirect_stdout
import ctypes as ct
import io
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from time import monotonic
import types
import unittest
from unittest import mock

from fixture import BENCH, WithFolder as Folder, need

need("numpy", "scipy", "pandas")

import numpy as np

from peers import gpu
from peers.contestants import Budget, compare
from peers.shim import Shim
from peers.workload import Problem, Workload
import run as whole
from run import STAGES
from stages import comparison, machine, profiler, tests
from stages.process import Deadline, run
from stages.stage import Context, Unavailable, counts, verdict

HERE = Path(__file__).resolve().parent
BUILD = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else Path("/nowhere")
SUITE, LIBRARY = BUILD / "tests/device/test_device_emulated", BUILD / "bench/emulated/libgpuconv_bench.so"
REAL, EMULATED = {"available": True, "name": "NVIDIA X"}, {"available": True, "name": "emulated GPU", "emulated": True}
PROBLEMS = [Problem("bench", "float32", 1 << 26, taps, memory="device") for taps in (257, 1024)]
NVIDIA_SMI = """case $* in *--loop-ms*) printf '345, 3201, 30, 80.1, 0\\n1980, 3201, 40, 600.5, 99\\n1965, 3201, 41, 610, 100\\n1' ;;
  *--list-gpus*) echo 'GPU 0: NVIDIA X' ;; esac"""


class WithFolder(Folder):
    def program(self, name: str, script: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def on_path(self, **scripts) -> dict:
        """The environment of programs that find these before others."""
        for name, script in scripts.items():
            self.program(f"tools/{name.replace('_', '-')}", script)
        return os.environ | {"PATH": f"{self.folder}/tools:{os.environ['PATH']}"}

    def context(self, device=REAL) -> Context:
        return Context(self.folder, BENCH.parent, device, {}, 2)


class Programs(WithFolder):
    def test_a_program_that_hangs_is_ended_with_its_children(self):
        begin = monotonic()
        status, text = run(["sh", "-c", "echo $$; sleep 600 & sleep 600"], seconds=0.3)
        self.assertEqual(status, "expired")
        self.assertLess(monotonic() - begin, 20)
        self.assertFalse(Path(f"/proc/{int(text)}").exists())

    def test_a_program_that_crashes_leaves_no_children(self):
        status, text = run(["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!; kill -SEGV $$"])
        self.assertEqual(status, "SIGSEGV")
        end = monotonic() + 20  # until the system has ended it
        while run(["ps", "-o", "stat=", "-p", int(text)])[1].strip() not in ("", "Z"):
            self.assertLess(monotonic(), end)


def described(name: str, command: list, label="gpu_suite", **more) -> dict:
    found = {"LABELS": [label], "TIMEOUT": 300.0, "SKIP_REGULAR_EXPRESSION": [r"\[  SKIPPED \]"], **more}
    return {"name": name, "command": [str(part) for part in command],
            "properties": [{"name": key, "value": value} for key, value in found.items()]}


class Tests(WithFolder):
    def run_tests(self, *known, seconds=60):
        (self.folder / tests.CARRIED).write_text(json.dumps(known))
        names = tests.SUITE.units(self.context())
        return dict(tests.SUITE.run(self.context(), names, Deadline(seconds)))

    def test_every_test_has_its_outcome_whatever_the_others_do(self):
        records = self.run_tests(
            described("gpu/Crashes", ["sh", "-c", "echo out of luck; kill -SEGV $$"]),
            described("gpu/Hangs", ["sleep", "600"], TIMEOUT=1.0),
            described("gpu/Fails", ["sh", "-c", "echo Expected equality; exit 1"]),
            described("gpu/Skips", ["echo", "[  SKIPPED ] no GPU"]),
            described("gpu/One;[two] \"three\" $four", ["sh", "-c", "echo \"[ NOTE     ] $NOTE\""], ENVIRONMENT=["NOTE=largest error 0"]),
            described("other", ["false"], label="other"))
        self.assertEqual({name: r["outcome"] for name, r in records.items()},
                         {"gpu/Crashes": "failed", "gpu/Hangs": "failed", "gpu/Fails": "failed", "gpu/Skips": "skipped",
                          "gpu/One;[two] \"three\" $four": "passed"})
        self.assertRegex(records["gpu/Crashes"]["text"], "out of luck\nended with SIGSEGV")
        self.assertIn("Expected equality", records["gpu/Fails"]["text"])
        self.assertEqual(records["gpu/One;[two] \"three\" $four"]["notes"], ["largest error 0"])

    def test_a_test_that_had_only_what_was_left_of_the_time_is_tried_again(self):
        self.assertEqual(self.run_tests(described("gpu/Long", ["sleep", "600"]), seconds=2), {})


class Tools(WithFolder):
    def test_clocks_are_those_under_load(self):
        with mock.patch.dict(os.environ, self.on_path(nvidia_smi=NVIDIA_SMI + "; sleep 60")), machine.Clocks() as clocks:
            end = monotonic() + 20
            while len(clocks.summary()) == 0 and monotonic() < end:
                pass
            self.assertEqual(clocks.summary()["clocks.sm"], [1965, 1972.5, 1980])

    def test_a_profiler_that_is_missing_is_said_to_be(self):
        with mock.patch.object(profiler, "find", lambda tool: None), self.assertRaisesRegex(Unavailable, "neither ncu nor nsys"):
            profiler.units(self.context())

    def profile(self, script: str) -> dict:
        with mock.patch.dict(os.environ, self.on_path(ncu=script)):
            unit = next(unit for unit in profiler.units(self.context()) if unit.startswith("ncu"))
            return dict(profiler.PROFILER.run(self.context(), [unit], Deadline(30)))[unit]

    def test_metrics_of_each_launch_are_kept(self):
        record = self.profile("""cat <<'END'
==PROF== Connected to process 7
"ID","Kernel Name","gpu__time_duration.sum","l1tex__t_sector_hit_rate.pct"
"","","ns","%"
"0","void direct<float>(int)","1,234.5","61.5"
END""")
        self.assertEqual(record["launches"], [{"kernel": "void direct<float>(int)", "metrics": {
            "gpu__time_duration.sum": 1234.5, "l1tex__t_sector_hit_rate.pct": 61.5}}])

    def test_a_profiler_that_cannot_work_is_skipped_and_said(self):
        record = self.profile("echo '==ERROR== LibraryNotLoaded'; exit 9")
        self.assertEqual((record["outcome"], "LibraryNotLoaded" in record["text"]), ("skipped", True))

    def sanitize(self, expected: str, script: str):
        environment = self.on_path(nvidia_smi=NVIDIA_SMI, compute_sanitizer=script) | {"PATIENCE": "1"}
        return subprocess.run(["sh", HERE.parent / "gpu/sanitize.sh", expected, "memcheck", "true"], env=environment,
                              capture_output=True, text=True).returncode

    def test_a_sanitizer_has_to_count_as_expected(self):
        for summary, status, clean, finds in (("ERROR SUMMARY: 0 errors", 0, 0, 1), ("ERROR SUMMARY: 2 errors", 0, 1, 0),
                                              ("RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)", 1, 1, 0),
                                              ("ERROR SUMMARY: 0 errors", 1, 1, 1), ("Device not supported", 0, 77, 77),
                                              ("ERROR SUMMARY: 0 errors [  PASSED  ] 0 tests.", 0, 1, 1)):
            script = f"echo '========= {summary}'; exit {status}"
            with self.subTest(summary=summary, status=status):
                self.assertEqual((self.sanitize("clean", script), self.sanitize("finds", script)), (clean, finds))

    def test_a_sanitizer_that_takes_too_long_is_skipped_unless_it_has_found_something(self):
        self.assertEqual(self.sanitize("clean", "echo '========= COMPUTE-SANITIZER'; sleep 60"), 77)
        self.assertEqual(self.sanitize("clean", "echo '========= Invalid __global__ write of size 4 bytes'; sleep 60"), 1)


class Run(WithFolder):
    """run.py from end to end, on a folder that looks like a build."""

    def setUp(self):
        super().setUp()
        (self.folder / "bench").mkdir()
        (self.folder / "bench/libgpuconv_bench.so").touch()
        self.write_tests(described("gpu/Passes", ["true"]), described("gpu/Gone", ["/no/such/program"], label="gpu_limits"))

    def write_tests(self, *known):
        (self.folder / tests.CARRIED).write_text(json.dumps(known))

    def run_it(self, *arguments, gpu_name="NVIDIA X", trouble=""):
        variables = self.on_path(nvidia_smi=NVIDIA_SMI) | {"FAKE_GPU": gpu_name, "FAKE_TROUBLE": trouble}
        out, errors = io.StringIO(), io.StringIO()
        command = ["run.py", "--build", str(self.folder), "--out", str(self.folder / "out"), *arguments]
        with mock.patch.dict(os.environ, variables), mock.patch.object(machine, "WORKER", HERE / "fake_worker.py"), \
                mock.patch.object(gpu, "PROBLEMS", PROBLEMS), mock.patch.object(sys, "argv", command), redirect_stdout(out), redirect_stderr(errors):
            status = whole.main()
        return types.SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=errors.getvalue())

    def result(self, device="nvidia-x") -> dict:
        return json.loads((self.folder / "out" / device / "result.json").read_text())

    def test_without_a_gpu_nothing_is_run_and_no_file_written(self):
        done = self.run_it("--stages", "suite", gpu_name="")
        self.assertEqual((done.returncode, (self.folder / "out").exists()), (77, False), done.stderr)
        self.assertIn("There is no GPU to verify on: there is no NVIDIA driver", done.stdout)

    def test_what_was_measured_is_in_the_result_with_its_share_and_its_clock(self):
        done = self.run_it("--stages", "suite,bench")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"0\.50 cuda direct +0\.50 direct +1\.0e-07 +1972 MHz")
        self.assertIn("replayed", done.stdout)
        by_name = {m["contestant"]: m for m in self.result()["measurements"] if m["taps"] == 257}
        self.assertAlmostEqual(by_name["cuda direct"]["seconds"]["median"], 1e-7)
        self.assertEqual((by_name["cuda direct"]["of_copy"], by_name["cuda direct"]["chosen"]), (0.5, True))
        self.assertIn("out of memory", by_name["cuda fft"]["skipped"])
        self.assertEqual(self.result()["verdict"], "incomplete")

    def test_a_crash_or_a_wrong_result_fails_its_problem_and_no_other(self):
        for trouble, text in (("crash", "SIGSEGV"), ("wrong", "relative L2 error nan")):
            done = self.run_it("--stages", "bench", "--anew", trouble=trouble)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(text, done.stdout)
            self.assertEqual(counts(self.result()["stages"]["bench"]), {"noted": 1, "failed": 1, "measured": 1})
            self.assertEqual(self.result()["verdict"], "failed")

    def test_all_ends_in_time_and_goes_on(self):
        begin = monotonic()
        done = self.run_it("--within", "3", "--stages", "suite,bench", trouble="hang")
        self.assertLess(monotonic() - begin, 30)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual([self.result()["stages"][s]["status"] for s in ("suite", "bench")], ["complete", "cut"])
        self.write_tests(described("gpu/Passes", ["false"]))  # is not run again
        done = self.run_it("--stages", "suite,bench")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.run_it("--stages", "suite", "--anew").returncode, 1)
        self.assertEqual([self.result()["stages"][s]["status"] for s in ("suite", "bench")], ["complete", "complete"])

    def test_two_devices_are_never_mixed_nor_two_commits(self):
        for name in ("NVIDIA X", "NVIDIA Y"):
            self.assertEqual(self.run_it("--stages", "suite", gpu_name=name).returncode, 0)
        self.assertEqual(sorted(p.name for p in (self.folder / "out").iterdir()), ["nvidia-x", "nvidia-y"])
        (self.folder / machine.ABOUT).write_text('{"commit": "another", "modified": false}')
        done = self.run_it("--stages", "suite")
        self.assertEqual(done.returncode, 1)
        self.assertIn("this is another: --anew forgets it", done.stderr)
        self.assertEqual(self.run_it("--stages", "suite", "--anew").returncode, 0)

    def test_what_is_not_there_makes_it_incomplete(self):
        done = self.run_it("--stages", "limits")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("no test of the label gpu_limits", done.stdout)
        self.write_tests(described("gpu/Passes", ["true"], label="gpu_limits"))
        self.assertEqual(self.run_it("--stages", "limits").returncode, 0)

    def test_a_packed_build_is_a_build(self):
        build, packed = self.folder / "cmake", self.folder / "packed"
        for name in ("bench/libgpuconv_bench.so", "tests/unit/test_unit", "tests/unit/test_allocation",
                     "tests/device/test_device", "tests/gpu/test_gpu", "tests/gpu/planted_gpu"):
            (build / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(shutil.which("true"), build / name)
        (build / "CTestTestfile.cmake").write_text(f"add_test(gpu/A {build}/tests/unit/test_unit --gtest_filter=A)\n"
                                                   "set_tests_properties(gpu/A PROPERTIES LABELS gpu_suite)\n")
        done = subprocess.run([sys.executable, "-B", BENCH / "run.py", "--build", build, "--pack", packed], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        shutil.rmtree(build)
        context = Context(packed, BENCH.parent, REAL, {}, 1)
        self.assertEqual(dict(tests.SUITE.run(context, tests.SUITE.units(context), Deadline(30)))["gpu/A"]["outcome"], "passed")


class Results(unittest.TestCase):
    def test_verdicts(self):
        absent = {"available": False}
        whole = {s.name: {"status": "complete", "seconds": 1.0, "units": {"a": {"outcome": "passed"}}} for s in STAGES}
        failed = whole | {"limits": {"status": "complete", "seconds": 1.0, "units": {"a": {"outcome": "failed"}}}}
        cut = whole | {"peers": {"status": "cut", "seconds": 1.0, "units": {}}}
        for stages, device, expected in ((whole, REAL, "passed"), (failed, REAL, "failed"), (cut, REAL, "incomplete"), ({}, REAL, "incomplete"),
                                         (whole, EMULATED, "dry run on an emulator: says nothing of a GPU"), (failed, EMULATED, "failed")):
            self.assertEqual(verdict(STAGES, {"stages": stages, "device": device}), expected)
        of_the_cpu = {s.name: whole[s.name] for s in STAGES if s.device != "cuda"}
        self.assertEqual(verdict(STAGES, {"stages": of_the_cpu, "device": absent}), "passed")
        self.assertEqual(verdict(STAGES, {"stages": {}, "device": absent}), "incomplete")

    def test_integers_have_to_be_exact(self):
        right, off = ({"contestant": "c", "library": "gpuconv", "relative_l2": error} for error in (0.0, 1e-9))
        self.assertEqual((comparison.wrong("int32", [right]), comparison.wrong("float32", [off])), ([], []))
        self.assertEqual(len(comparison.wrong("int32", [off])), 1)


@unittest.skipUnless(LIBRARY.exists(), "the benchmarks of an emulated GPU are not built")
class OnTheEmulatedGpu(WithFolder):
    def setUp(self):
        super().setUp()
        (self.folder / "bench").mkdir()
        (self.folder / "bench/libgpuconv_bench.so").symlink_to(LIBRARY)

    def test_tests_run_and_no_time_is_written(self):
        names = run([SUITE, "--gtest_list_tests", "--gtest_filter=Plans*Graph*:*RefuseHostPointers*"])[1]
        self.assertIn("RefuseHostPointers", names)
        (self.folder / tests.CARRIED).write_text(json.dumps([described("gpu/R", [SUITE, "--gtest_filter=*RefuseHostPointers*"])]))
        done = subprocess.run([sys.executable, "-B", BENCH / "run.py", "--build", self.folder, "--out", self.folder / "out",
                               "--stages", "suite,bench,profiler,peers"], capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 77, done.stdout + done.stderr)
        out = json.loads((self.folder / "out/emulated-gpu/result.json").read_text())
        self.assertEqual((out["measurements"], counts(out["stages"]["suite"])), ([], {"passed": 1}))
        self.assertEqual([out["stages"][s]["status"] for s in ("bench", "profiler", "peers")], ["refused"] * 3)
        self.assertNotIn('"seconds": {', json.dumps(out))

    def test_the_worker_checks_everyone_but_times_nobody(self):
        solver = Problem("bench", "float32", 3000, 65, memory="device")
        status, text = run([sys.executable, "-B", machine.WORKER, self.folder, solver, "--only", "cuda overlap-save"])
        record = comparison.answers(text)[str(solver)]
        self.assertEqual((status, record["outcome"], [c["contestant"] for c in record["contestants"]]), ("0", "measured", ["cuda overlap-save"]), text)
        self.assertNotIn("seconds", text)

    def compare(self, problem: Problem, short=gpu.SHORT, timed=True, **modules) -> dict:
        """With NumPy in the place of CuPy, which it can take because the emulated device's memory is the host's. Timed to test
        the timers' logic; nobody keeps what they say."""
        shim, work = Shim(self.folder), Workload(problem, rotate=False)
        with mock.patch.dict(sys.modules, {"torch": None, "jax": None, "cupy": None} | modules), mock.patch.object(gpu, "SHORT", short):
            return {c["contestant"]: c for c in compare(gpu.makers(shim, work), work, Budget(0, 2), timed)}

    def test_every_solver_is_right_and_short_calls_are_replayed(self):
        for problem, bound in ((Problem("bench", "float32", 3000, 65, memory="device"), 1e-6), (Problem("bench", "float64", 2000, 300, memory="device"), 1e-14),
                               (Problem("bench", "int16", 100, 5, 7, memory="device"), 0), (Problem("bench", "complex64", 500, 9), 1e-6)):
            found = self.compare(problem, short=1e9)
            ours = {name: c for name, c in found.items() if c["library"] == "gpuconv"}
            self.assertEqual([name for name, c in ours.items() if c.get("relative_l2", 1) <= bound], list(ours), found)
            self.assertTrue(all(c.get("replayed", problem.memory == "host") for c in found.values()), found)
            self.assertEqual(len([c for c in ours.values() if c["chosen"]]), 1)
        self.assertLessEqual({"transfers", "cpu direct", "cpu fft", "cuda direct", "cuda fft"}, found.keys())  # of the last problem

    def test_peers_that_are_not_installed_are_left_out_and_gpuconv_is_right(self):
        found = self.compare(Problem("peers", "float64", 500, 33, memory="device"), timed=False)
        self.assertEqual(len(found), 10)
        self.assertLess(found["gpuconv plan"]["relative_l2"], 1e-14)
        self.assertTrue(all("seconds" not in c and (name in ("copy", "gpuconv plan") or "skipped" in c) for name, c in found.items()))

    def test_others_see_the_arrays_in_device_memory_and_are_timed(self):
        def asarray(array):
            about = array.__cuda_array_interface__
            memory = (ct.c_char * array.nbytes).from_address(about["data"][0])
            return np.frombuffer(memory, about["typestr"]).reshape(about["shape"])

        cupy = types.SimpleNamespace(asarray=asarray, asnumpy=np.asarray, convolve=np.convolve, __version__="0",
                                     cuda=types.SimpleNamespace(is_available=lambda: True))
        found = self.compare(Problem("peers", "float64", 500, 33, memory="device"), cupy=cupy)
        self.assertLess(found["cupy convolve"]["relative_l2"], 1e-14)
        self.assertEqual({name: c["seconds"]["samples"] for name, c in found.items() if "seconds" in c},
                         {"copy": 2, "gpuconv plan": 2, "cupy convolve": 2})


if __name__ == "__main__":
    unittest.main()
