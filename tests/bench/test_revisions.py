"""bench/revisions: what compare.py says of planted differences, and that the program's records of one build are equal.

Usage: test_revisions.py [PROGRAM]. Without revision_record, only the planted differences."""

import copy
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest

from fixture import BENCH, need

need("numpy")

import numpy as np  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else None
HEADER = {"record": "gpuconv revisions", "format": 1, "seed": "1", "longest": 9, "products": 99, "simd": "avx2", "devices": ["cpu"]}
SOLVERS = ("cpu direct", "cpu overlap-save", "cpu fft")
BLOCKS = "blocks of 256, 1 thread, about 3 us"


def problem(number: int, text: str, swapped: bool, kind: str) -> dict:
    """Two rows of three outputs by three solvers, whose outputs all lie at the same place; overlap-save refuses integers."""
    runs = [{"solver": solver, "threads": 1, "plan": f"{solver}, {BLOCKS}", "guards": True, "at": 24 * number} for solver in SOLVERS]
    if kind == "int32":
        runs[1] = {"solver": SOLVERS[1], "threads": 1, "refused": "integers are exact"}
    explain = f"{text}\n  cpu  direct  1 thread, about 1 us\n  cpu  fft  {BLOCKS}\n"
    return {"problem": number, "text": text, "values": "plain", "swapped": swapped, "type": kind, "rows": 2, "columns": 3,
            "places": [], "inputs": ["7", "8"], "bounds": [1e-6, 1e-6], "may_overflow": [False, True], "explain": [explain],
            "choices": [{"device": "cpu", "threads": 1, "method": "direct", "plan": "cpu direct, 1 thread, about 1 us"}], "runs": runs}


class Compare(unittest.TestCase):
    """Problem 0 is a usual one, 1 a swapped one, 2 one of integers."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.problems = [problem(0, "usual", False, "float32"), problem(1, "long", True, "float32"), problem(2, "whole", False, "int32")]
        self.floats = np.array([[1, 2, np.nan], [4, 3e38, np.inf]] * 2, np.float32).reshape(2, 2, 3)
        self.header = HEADER | {"count": 3}
        self.write("before")

    def write(self, name: str) -> None:
        text = "\n".join(map(json.dumps, [self.header, *self.problems]))
        (self.folder / f"{name}.jsonl").write_text(text + "\n")
        (self.folder / f"{name}.bin").write_bytes(self.floats.tobytes() + np.arange(6, dtype=np.int32).tobytes() + self.extra)

    extra = b""

    def place(self, number: int, run: int, outputs: np.ndarray) -> None:
        """Gives one run outputs of its own."""
        self.problems[number]["runs"][run]["at"] = 72 + len(self.extra)
        self.extra += outputs.tobytes()

    def compare(self, *arguments):
        self.write("after")
        command = [sys.executable, "-B", BENCH / "revisions/compare.py", self.folder / "before", self.folder / "after", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def expect(self, status: int, *texts: str, options=()):
        done = self.compare(*options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for text in texts:
            self.assertIn(text, done.stdout + done.stderr)
        return done.stdout

    def changed(self, number: int, value: float, row: int = 0, column: int = 0):
        outputs = self.floats[number].copy()
        outputs[row, column] = value
        return outputs

    def test_a_record_equals_itself(self):
        self.expect(0, "0 differences in 3 problems, 0 of them not allowed")

    def test_a_last_bit_of_a_usual_problem_differs(self):
        self.place(0, 0, self.changed(0, np.nextafter(np.float32(1), np.float32(2))))
        self.expect(1, "DIFFERS problem 0: usual, plain; cpu direct, threads 1: output within: 1 of 6 differ", "1 of them not allowed")

    def test_a_last_bit_is_contraction_where_that_is_allowed(self):
        self.place(0, 0, self.changed(0, np.nextafter(np.float32(1), np.float32(2))))
        self.expect(0, "allowed problem 0", options=["--allow-contraction"])

    def test_contraction_explains_no_large_difference_and_no_integer(self):
        self.place(0, 0, self.changed(0, 1.001))
        self.place(2, 0, np.array([0, 1, 2, 3, 4, 6], np.int32))
        self.expect(1, "DIFFERS problem 0", "DIFFERS problem 2", "output beyond", options=["--allow-contraction"])

    def test_a_block_method_may_be_off_by_the_tolerance_where_the_problem_is_swapped(self):
        self.place(1, 2, self.changed(1, 1.000001))
        self.expect(0, "allowed problem 1: long, plain, swapped; cpu fft, threads 1: output within", "0.48 times the tolerance")

    def test_beyond_the_tolerance_it_differs(self):
        self.place(1, 1, self.changed(1, 1.00001))
        self.expect(1, "DIFFERS problem 1", "cpu overlap-save, threads 1: output beyond")

    def test_direct_has_no_tolerance_where_the_problem_is_swapped(self):
        self.place(1, 0, self.changed(1, 1.000001))
        self.expect(1, "DIFFERS problem 1", "cpu direct, threads 1: output within")

    def test_a_block_method_has_none_where_the_problem_is_not(self):
        self.place(0, 2, self.changed(0, 1.000001))
        self.expect(1, "DIFFERS problem 0", "cpu fft, threads 1: output within")

    def test_every_nan_is_the_same(self):
        outputs = self.floats[0].copy()
        outputs.view(np.uint32)[0, 2] = 0xFFC00123
        self.place(0, 0, outputs)
        self.expect(0, "0 differences")

    def test_minus_zero_is_not_zero(self):
        self.floats[0, 0, 0] = 0
        self.write("before")
        self.place(0, 0, self.changed(0, -0.0))
        self.expect(1, "DIFFERS problem 0")

    def test_a_nan_is_no_number(self):
        self.place(1, 2, self.changed(1, np.nan))
        self.expect(1, "DIFFERS problem 1", "output beyond: 1 of 6 differ, at most inf times the tolerance")

    def test_a_number_is_no_nan(self):
        self.place(1, 2, self.changed(1, 0, column=2))
        self.expect(1, "DIFFERS problem 1", "output beyond")

    def test_sums_that_may_overflow_on_the_way_may_be_infinite(self):
        self.place(1, 2, self.changed(1, np.inf, row=1, column=1))
        self.expect(0, "allowed problem 1")

    def test_another_block_size_is_allowed_only_where_the_problem_is_swapped(self):
        for number, status, verdict in ((1, 0, "allowed problem 1"), (0, 1, "DIFFERS problem 0")):
            self.problems[number]["runs"][2]["plan"] = "cpu fft, blocks of 512, 1 thread, about 3 us"
            self.expect(status, verdict, "blocks of 256, 1 thread' before", "blocks of 512, 1 thread' after")

    def test_estimated_times_are_not_compared(self):
        self.problems[0]["runs"][2]["plan"] = self.problems[0]["runs"][2]["plan"].replace("3 us", "4 us")
        self.problems[0]["explain"][0] = self.problems[0]["explain"][0].replace("3 us", "4 us")
        self.expect(0, "0 differences")

    def test_another_choice_is_allowed_only_where_the_problem_is_swapped(self):
        for number, status, verdict in ((1, 0, "allowed problem 1"), (0, 1, "DIFFERS problem 0")):
            self.problems[number]["choices"][0] |= {"method": "fft", "plan": f"cpu fft, {BLOCKS}"}
            self.expect(status, verdict, "automatic on cpu, threads 1: choice: 'cpu direct, 1 thread' before")

    def test_another_explanation_of_a_block_method_is_allowed_only_where_the_problem_is_swapped(self):
        for number, status, verdict in ((1, 0, "allowed problem 1"), (0, 1, "DIFFERS problem 0")):
            self.problems[number]["explain"][0] = self.problems[number]["explain"][0].replace("256", "512")
            self.expect(status, verdict, "all: explain")

    def test_another_explanation_of_direct_is_never_allowed(self):
        self.problems[1]["explain"][0] = self.problems[1]["explain"][0].replace("direct  1", "direct  2")
        self.expect(1, "DIFFERS problem 1", "all: explain")

    def test_a_new_refusal_differs_and_so_does_another_reason(self):
        self.problems[1]["runs"][2] = {"solver": SOLVERS[2], "threads": 1, "refused": "no"}
        self.problems[2]["runs"][1]["refused"] = "who knows"
        self.expect(1, "DIFFERS problem 1", "refusal: 'taken' before, 'no' after", "DIFFERS problem 2", "'who knows' after")

    def test_a_swapped_problem_may_be_taken_that_was_refused(self):
        taken = copy.deepcopy(self.problems[1]["runs"][1])
        self.problems[1]["runs"][1] = {"solver": SOLVERS[1], "threads": 1, "refused": "the filter is too long"}
        self.write("before")
        self.problems[1]["runs"][1] = taken
        self.expect(0, "allowed problem 1", "refusal: 'the filter is too long' before, 'taken' after")

    def test_writing_outside_the_output_differs(self):
        self.problems[1]["runs"][2]["guards"] = False
        self.expect(1, "DIFFERS problem 1", "memory outside the output was written after")

    def test_the_table_counts_by_solver_and_class(self):
        self.place(1, 2, self.changed(1, 1.000001))
        table = [line.split() for line in self.expect(0).splitlines() if line.startswith("cpu")]
        self.assertIn(["cpu", "fft", "swapped", *"10100000"], table)
        self.assertIn(["cpu", "fft", "usual", *"22000000"], table)
        self.assertIn(["cpu", "overlap-save", "usual", *"21001000"], table)

    def test_the_result_can_be_saved(self):
        self.place(0, 0, self.changed(0, 3))
        self.expect(1, options=["--json", str(self.folder / "result.json")])
        saved = json.loads((self.folder / "result.json").read_text())
        self.assertEqual(saved["not_allowed"], 1)
        self.assertEqual([(entry["problem"], entry["what"]) for entry in saved["differences"]], [(0, "output beyond")])

    def test_records_of_other_problems_cannot_be_compared(self):
        self.problems[0]["inputs"] = ["7", "9"]
        self.expect(2, "problem 0 is not the same: inputs")

    def test_records_of_another_seed_or_machine_cannot_be_compared(self):
        for field in ("seed", "simd"):
            self.header = HEADER | {"count": 3, field: "2"}
            self.expect(2, f"the records are not of the same problems or machine: {field}")

    def test_records_that_are_cut_off_cannot_be_compared(self):
        self.problems[2]["runs"][0]["at"] = 1 << 20
        self.expect(2, "the outputs of problem 2 are cut off")
        self.problems.pop()
        self.expect(2, "has 2 of 3 problems")
        (self.folder / "before.bin").unlink()
        self.assertEqual(self.compare().returncode, 2)


@unittest.skipUnless(PROGRAM, "revision_record is not built")
class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def record(self, name: str, *arguments: str):
        return subprocess.run([PROGRAM, self.folder / name, *arguments], capture_output=True, text=True)

    def test_two_records_are_equal_and_name_their_problems(self):
        for name in ("before", "after"):
            done = self.record(name, "--count", "60", "--longest", "2000", "--seed", "5")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("seed 5, 60 problems", done.stdout)
        command = [sys.executable, "-B", BENCH / "revisions/compare.py", self.folder / "before", self.folder / "after"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("0 differences in 60 problems", done.stdout)
        header, *problems = [json.loads(line) for line in (self.folder / "before.jsonl").read_text().splitlines()]
        self.assertIn("cpu", header["devices"])
        for word in ("swapped", "values", "type", "rows"):
            self.assertGreater(len({str(problem[word]) for problem in problems}), 1, word)
        self.assertTrue(all(run.get("guards", True) for problem in problems for run in problem["runs"]))

    def test_wrong_arguments_are_said(self):
        for arguments in ([], ["--count"], ["--count", "0"], ["--what", "1"], ["more"]):
            done = self.record("record", *arguments) if arguments else subprocess.run([PROGRAM], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("usage: revision_record", done.stderr)

    def test_a_file_that_cannot_be_written_is_said(self):
        done = self.record("missing/record")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main()
