"""The logic of bench/verify.py: stages that are cut and resumed, test programs and workers that crash or hang, what the
sanitizers' output says, and verdicts. Needs no GPU and no build."""

import json
import os
from pathlib import Path
import tempfile
import time
import unittest
from unittest import mock

from fixture import BENCH, need

need("numpy")

from verification import gtest, problems, result, sanitizer, suite, timing, worker
from verification.process import Deadline, Expired, Program, Silent, output
from verification.stages import Context, Stage, State, Unavailable, run_stage

HERE = Path(__file__).resolve().parent
REAL, EMULATED = {"available": True, "name": "NVIDIA X", "emulated": False}, {"available": True, "name": "emulated GPU", "emulated": True}


def context(device=REAL) -> Context:
    return Context(Path("/nowhere"), BENCH.parent, device)


class Programs(unittest.TestCase):
    def test_lines_arrive_one_by_one_with_the_status_at_the_end(self):
        with Program(["sh", "-c", "echo one; echo two >&2; exit 3"]) as program:
            self.assertEqual(list(program.lines(Deadline(10))), ["one", "two"])
            self.assertEqual(program.status(), "3")

    def test_a_program_that_hangs_is_ended_with_its_children(self):
        begin = time.monotonic()
        with self.assertRaises(Expired), Program(["sh", "-c", "echo $$; sleep 600 & sleep 600"]) as program:
            leader = int(program.line(Deadline(10)))
            list(program.lines(Deadline(0.2)))
        self.assertLess(time.monotonic() - begin, 10)
        self.assertFalse(Path(f"/proc/{leader}").exists())

    def test_silence_is_told_from_the_deadline(self):
        with self.assertRaises(Silent), Program(["sleep", "600"]) as program:
            program.line(Deadline(60), patience=0.2)

    def test_a_missing_program_is_said_to_be_missing(self):
        self.assertEqual(output(["/no/such/program"])[0], "missing")


class Stages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "state.json"
        self.ran = []

    def stage(self, names, stop_after=100, timed=False):
        def run(context, pending, deadline):
            for name in pending[:stop_after]:
                self.ran.append(name)
                yield name, {"outcome": "passed"}
        return Stage("s", "a stage", lambda context: names, run, timed)

    def test_a_stage_that_is_cut_goes_on_where_it_stopped(self):
        entry = run_stage(self.stage(list("abcde"), stop_after=2), context(), State(self.path), 10)
        self.assertEqual((entry["status"], entry["left"]), ("cut", 3))
        entry = run_stage(self.stage(list("abcde"), stop_after=2), context(), State.load(self.path), 10)
        self.assertEqual((entry["status"], entry["left"]), ("cut", 1))
        entry = run_stage(self.stage(list("abcde")), context(), State.load(self.path), 10)
        self.assertEqual((entry["status"], entry["left"]), ("complete", 0))
        self.assertEqual(self.ran, list("abcde"))

    def test_a_complete_stage_is_not_run_again(self):
        state = State(self.path)
        for _ in range(2):
            run_stage(self.stage(list("ab")), context(), state, 10)
        self.assertEqual(self.ran, ["a", "b"])

    def test_a_unit_that_takes_the_whole_limit_fails_and_blocks_nobody(self):
        entry = run_stage(self.stage(list("ab"), stop_after=0), context(), State(self.path), 10)
        self.assertEqual(entry["units"]["a"]["outcome"], "failed")
        self.assertEqual((entry["status"], entry["left"]), ("cut", 1))

    def test_a_unit_that_had_only_what_was_left_of_the_time_is_tried_again(self):
        entry = run_stage(self.stage(list("ab"), stop_after=0), context(), State(self.path), 10, whole=False)
        self.assertEqual((entry["units"], entry["left"]), ({}, 2))

    def test_what_is_missing_is_said_and_tried_again(self):
        def missing(context):
            raise Unavailable("not installed")
        entry = run_stage(Stage("s", "", missing, None), context(), State(self.path), 10)
        self.assertEqual((entry["status"], entry["why"]), ("unavailable", "not installed"))
        entry = run_stage(self.stage(["a"]), context(), State.load(self.path), 10)
        self.assertEqual(entry["status"], "complete")
        self.assertNotIn("why", entry)

    def test_nothing_is_timed_on_an_emulator(self):
        entry = run_stage(self.stage(["a"], timed=True), context(EMULATED), State(self.path), 10)
        self.assertEqual((entry["status"], entry["units"], self.ran), ("refused", {}, []))
        self.assertTrue(timing.BENCH.timed and timing.PEERS.timed)


class GoogleTest(unittest.TestCase):
    def run_fake(self, trouble="", seconds=30):
        fake = gtest.Suite(HERE / "fake_gtest.py", "*", {"FAKE_GTEST": trouble})
        return dict(fake.run(fake.names(), Deadline(seconds)))

    def outcomes(self, **arguments):
        return [record["outcome"] for record in self.run_fake(**arguments).values()]

    def test_every_case_has_its_outcome(self):
        records = self.run_fake()
        self.assertEqual([r["outcome"] for r in records.values()], ["passed", "passed", "failed", "skipped"])
        self.assertEqual(records["Two/Param.Troubles/cuda_direct"],
                         {"outcome": "passed", "seconds": 0.012, "notes": ["largest error 0"]})
        self.assertIn("Expected equality", records["Two/Param.Fails/cuda_direct"]["text"])
        self.assertIn("no driver", records["Three.Skips"]["text"])

    def test_a_crash_fails_its_case_and_the_others_run(self):
        records = self.run_fake(trouble="crash")
        self.assertEqual([r["outcome"] for r in records.values()], ["passed", "failed", "failed", "skipped"])
        self.assertIn("SIGSEGV", records["Two/Param.Troubles/cuda_direct"]["text"])

    def test_a_hang_fails_its_case_and_the_others_run(self):
        usual, gtest.PATIENCE = gtest.PATIENCE, 1
        try:
            self.assertEqual(self.outcomes(trouble="hang"), ["passed", "failed", "failed", "skipped"])
        finally:
            gtest.PATIENCE = usual

    def test_at_the_deadline_the_case_under_way_is_left_for_the_next_run(self):
        self.assertEqual(self.outcomes(trouble="hang", seconds=2), ["passed"])

    def test_the_filter_for_device_memory_is_that_of_the_tests(self):
        cases = suite.device_memory_cases(BENCH.parent)
        self.assertTrue(cases.startswith("*cuda_*"), cases)
        self.assertIn("-", cases)
        self.assertNotIn("\n", cases)


class Workers(unittest.TestCase):
    def answers(self, *todo, seconds=30):
        jobs = {str(i): {"do": what} for i, what in enumerate(todo)}
        return dict(worker.run_jobs([HERE / "fake_worker.py"], jobs, Deadline(seconds)))

    def test_jobs_are_answered_by_one_process(self):
        answers = self.answers("work", "refuse", "work")
        self.assertEqual(answers["0"]["record"]["pid"], answers["2"]["record"]["pid"])
        self.assertEqual(answers["1"], {"error": "refused"})

    def test_a_crash_fails_its_job_and_the_next_gets_a_new_process(self):
        answers = self.answers("work", "crash", "work")
        self.assertIn("SIGABRT", answers["1"]["error"])
        self.assertIn("out of luck", answers["1"]["error"])
        self.assertNotEqual(answers["0"]["record"]["pid"], answers["2"]["record"]["pid"])

    def test_a_hang_fails_its_job(self):
        usual, worker.PATIENCE = worker.PATIENCE, 1
        try:
            answers = self.answers("hang", "work")
        finally:
            worker.PATIENCE = usual
        self.assertIn("no answer", answers["0"]["error"])
        self.assertIn("record", answers["1"])

    def test_at_the_deadline_the_job_under_way_is_left(self):
        self.assertEqual(list(self.answers("work", "hang", "work", seconds=2)), ["0"])


MEMCHECK = """========= COMPUTE-SANITIZER
========= Invalid __global__ read of size 4 bytes
=========     at planted::fir(planted::Fir, planted::Bug)+0x1d0
=========     by thread (0,0,0) in block (5,0,0)
wrong result
========= ERROR SUMMARY: 2 errors"""
RACECHECK = """========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at planted::exchange+0x90 and Read access at planted::exchange+0xb0 [960 hazards]
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)"""
CLEAN = "========= COMPUTE-SANITIZER\n[  PASSED  ] 12 tests.\n========= ERROR SUMMARY: 0 errors"
CLEAN_RACES = "right\n========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"


class Sanitizers(unittest.TestCase):
    def test_findings_are_counted_and_named(self):
        self.assertEqual(sanitizer.parse(MEMCHECK), (2, ["Invalid __global__ read of size 4 bytes"]))
        self.assertEqual(sanitizer.parse(RACECHECK)[0], 1)
        self.assertEqual(sanitizer.parse(CLEAN), (0, []))
        self.assertEqual(sanitizer.parse(CLEAN_RACES), (0, []))

    def test_a_planted_bug_has_to_be_noticed_and_right_kernels_must_not_be(self):
        judge = lambda *arguments: sanitizer._judge_planted(*arguments)["outcome"]
        self.assertEqual(judge("read_past_the_end", "1", MEMCHECK), "passed")
        self.assertEqual(judge("read_past_the_end", "0", CLEAN), "failed")
        self.assertEqual(judge("none", "0", CLEAN), "passed")
        self.assertEqual(judge("none", "0", RACECHECK), "failed")

    def test_a_tool_that_does_not_work_is_no_success(self):
        broken = "========= COMPUTE-SANITIZER\n========= Error: Device not supported. Please refer to the documentation"
        self.assertEqual(sanitizer._judge_planted("none", "1", broken)["outcome"], "failed")
        self.assertEqual(sanitizer._judge_planted("read_past_the_end", "1", broken)["outcome"], "failed")
        self.assertEqual(sanitizer._judge_cases("1", broken)["outcome"], "failed")

    def test_no_case_is_no_success(self):
        self.assertEqual(sanitizer._judge_cases("0", CLEAN)["outcome"], "passed")
        self.assertEqual(sanitizer._judge_cases("0", CLEAN.replace("12", "0"))["outcome"], "failed")

    FAKE = """#!/bin/sh
# compute-sanitizer, as far as it is asked: notices every planted bug, and nothing else.
[ "$1" = --tool ] || exit 2
case "$*" in
  *planted_gpu\\ none*) echo "========= $2"; echo "========= ERROR SUMMARY: 0 errors" ;;
  *planted_gpu\\ no_copy_wait*) echo "========= $2"; echo "========= ERROR SUMMARY: 0 errors" ;;
  *planted_gpu*) echo "========= ERROR SUMMARY: 1 error" ;;
  *GoldenValues*) while [ "${1#/}" = "$1" ]; do shift; done; "$@"; echo "========= ERROR SUMMARY: 0 errors" ;;
  *) echo "[  PASSED  ] 3 tests."; echo "========= ERROR SUMMARY: 0 errors" ;;
esac
"""

    def test_the_stage_runs_every_tool_on_every_program(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tool = folder / "bin" / "compute-sanitizer"
            for path in (tool, folder / "tests/gpu/planted_gpu", folder / "tests/unit/test_unit"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.FAKE if path == tool else "#!/bin/sh\necho '[  PASSED  ] 21 tests.'\n")
                path.chmod(0o755)
            with mock.patch.dict("os.environ", {"PATH": f"{tool.parent}:{os.environ['PATH']}"}):
                here = Context(folder, BENCH.parent, REAL)
                entry = run_stage(sanitizer.SANITIZER, here, State(folder / "state.json"), 60)
        self.assertEqual(entry["status"], "complete")
        tools = len(sanitizer.TOOLS)
        self.assertEqual(len(entry["units"]), tools + len(sanitizer.PLANTED) + 2 * len(sanitizer.CASES) * tools)
        missed = [unit for unit, record in entry["units"].items() if record["outcome"] != "passed"]
        self.assertEqual(missed, ["planted no_copy_wait/racecheck"])
        self.assertEqual(entry["units"]["host golden/memcheck"]["cases"], 21)

    def test_every_planted_bug_is_one_that_the_program_knows(self):
        known = (BENCH.parent / "tests" / "emulator" / "planted" / "planted.cu").read_text()
        for bug in sanitizer.PLANTED:
            self.assertIn(f'"{bug}"', known)


def contestant(name, library="gpuconv", median=1e-3, error=1e-7):
    seconds = {"median": median, "lower": median, "upper": median, "least": median, "samples": 7}
    return {"contestant": name, "library": library, "seconds": seconds, "max_error": error, "relative_l2": error}


class Results(unittest.TestCase):
    def state(self, **stages):
        entry = lambda status, **units: {"status": status, "seconds": 1.0, "units": units}
        return {"date": "2026-01-02T03:04:05+00:00", "stages": {name: entry(*value[:1], **value[1]) for name, value in stages.items()}}

    STAGES = [Stage("suite", "", None, None), Stage("bench", "", None, None, timed=True)]

    def verdict(self, device=REAL, **stages):
        return result.verdict(self.STAGES, self.state(**stages), device)

    def test_verdicts(self):
        passed, failed = {"a": {"outcome": "passed"}}, {"a": {"outcome": "failed", "text": "wrong"}}
        measured = {"a": {"outcome": "measured"}}
        self.assertEqual(self.verdict(suite=("complete", passed), bench=("complete", measured)), "passed")
        self.assertEqual(self.verdict(suite=("complete", failed), bench=("complete", measured)), "failed")
        self.assertEqual(self.verdict(suite=("cut", passed), bench=("complete", measured)), "incomplete")
        self.assertEqual(self.verdict(suite=("complete", passed)), "incomplete")
        skipped = {"a": {"outcome": "skipped"}}
        self.assertEqual(self.verdict(suite=("complete", skipped), bench=("complete", measured)), "incomplete")
        self.assertIn("emulator", self.verdict(EMULATED, suite=("complete", passed), bench=("complete", measured)))

    def test_a_wrong_result_is_a_failure_however_fast(self):
        job = problems.device(False)[0]
        answer = {"record": {"contestants": [contestant("cuda direct", error=1e-7), contestant("cuda fft", error=1e-2)]}}
        record = timing._record(job, answer)
        self.assertEqual(record["outcome"], "failed")
        self.assertIn("cuda fft", record["text"])
        nothing = {"record": {"contestants": [contestant("cuda direct", error=None)]}}  # JSON's NaN
        self.assertEqual(timing._record(job, nothing)["outcome"], "failed")

    def test_integers_have_to_be_exact(self):
        self.assertEqual(problems.wrong("int32", [contestant("cuda direct", error=0.0)]), [])
        self.assertEqual(len(problems.wrong("int32", [contestant("cuda direct", error=1e-9)])), 1)

    def test_problems_have_names_of_their_own(self):
        for quick in (False, True):
            for jobs in (problems.device(quick) + problems.host(quick), problems.peers(quick)):
                self.assertEqual(len({problems.name(job) for job in jobs}), len(jobs))

    def test_measurements_have_the_copy_beside_them(self):
        record = {"outcome": "measured", "problem": problems.device(False)[0], "chosen": "cuda direct",
                  "contestants": [contestant("copy", "copy", 1e-3), contestant("cuda direct", median=2e-3),
                                  {"contestant": "cuda fft", "library": "gpuconv", "skipped": "no cuFFT"}]}
        state = self.state(suite=("complete", {"a": {"outcome": "passed"}}), bench=("complete", {"p": record}))
        out = result.build(self.STAGES, state, REAL)
        self.assertEqual(out["verdict"], "passed")
        self.assertEqual([m.get("of_copy") for m in out["measurements"]], [1.0, 0.5, None])
        self.assertIn("0.50 cuda direct", "\n".join(result.lines(out)))
        json.dumps(out)

    def test_the_file_is_named_after_day_and_device(self):
        from datetime import datetime
        name = result.file_name(datetime(2026, 1, 2), {"name": "NVIDIA H200 (x)"})
        self.assertEqual(name, "2026-01-02-nvidia-h200-x.json")


if __name__ == "__main__":
    unittest.main()
