"""Every contestant of bench/peers on the CPU computes the same convolution, gpuconv through the library of bench/shim; and records of
bench/revisions.py differ where results do.

The folder of the build is the first argument.
"""

import os
from pathlib import Path
import re
import subprocess
import sys
import unittest
from unittest import mock

from fixture import BENCH, need

need("numpy", "scipy")

from peers import chunks, cpu, images
from peers.contestants import Budget, compare
from peers.shim import Shim, plan
from peers.workload import Problem, Workload
from stages.comparison import WRONG

BUILD = Path(sys.argv.pop(1))
OPTIONAL = {"torch conv1d", "gpuconv.convolve", "gpuconv.correlate", "gpuconv.Plan", "opencv filter2D", "opencv sepFilter2D", "skimage correlate_sparse"}


class Contestants(unittest.TestCase):
    shim: Shim

    def agree(self, module, problem: Problem):
        work = Workload(problem)
        records = compare(module.makers(self.shim, work), work, Budget(0, 2))
        absent = {c["contestant"] for c in records if c.get("skipped") == "not installed"}
        self.assertLessEqual({name for name in absent if "dask" not in name}, OPTIONAL)
        for record in (c for c in records if c["contestant"] not in absent):
            with self.subTest(problem=problem, record=record):
                if "is no product" not in record.get("skipped", ""):
                    self.assertTrue(0 < record["seconds"]["least"] <= record["seconds"]["median"])
                    self.assertTrue(record["library"] == "copy" or record["relative_l2"] < WRONG.get(problem.dtype, 1e-14))

    def test_all_agree_and_can_be_timed(self):
        for signal, taps in ((100, 50), (7, 7), (5000, 300)):
            for dtype in ("float32", "float64", "int64"):
                for suite in ("small",) if dtype == "int64" else cpu.BUDGETS:
                    self.agree(cpu, Problem(suite, dtype, signal, taps))
        for separable in (False, True):
            self.agree(images, Problem("images", "float32", 64, 9, mode="same", lines=50, filter_lines=5, separable=separable))
        with mock.patch.object(chunks, "SIZES", [100, 1000]):
            self.agree(chunks, Problem("chunks", "float32", 3000, 33, mode="same"))

    def test_who_takes_no_part_is_recorded_with_the_reason(self):
        work = Workload(Problem("small", "float32", 100, 50))
        known = {("torch conv1d", "python"): lambda: cpu.torch_conv1d(work), ("numpy.convolve", "python"): lambda: cpu.numpy_sums(work, "convolve", 100),
                 ("gpuconv plan", "python"): lambda: plan(self.shim, work, device="cuda", method="direct"), ("scipy", "python"): lambda: 1 / 0}
        with mock.patch.dict(sys.modules, {"torch": None}):
            records = compare(known, work, Budget(0, 2))
        for record, reason in zip(records, ("not installed", "takes too long", "device cuda", "ZeroDivisionError")):
            self.assertIn(reason, record["skipped"])

    def test_the_offers_are_the_solvers_with_the_choice_first(self):
        offers = self.shim.offers_for(type="float32", signal=1 << 20, taps=8000)
        self.assertEqual(offers[0]["seconds"], min(offer["seconds"] for offer in offers))
        self.assertLessEqual({"direct", "overlap-save", "fft"}, {offer["method"] for offer in offers})


class Revisions(unittest.TestCase):
    def record(self, *arguments, **variables) -> str:
        return subprocess.run([sys.executable, "-B", BENCH / "revisions.py", BUILD, "--count", "60", "--longest", "2000", "--seed", "5", *arguments],
                              env=os.environ | variables, capture_output=True, text=True, check=True).stdout

    def test_two_records_are_the_same_and_those_of_other_vectors_are_not(self):
        found = self.record()
        self.assertEqual(self.record(), found)
        for word in ("cpu direct", "cpu overlap-save", "cpu fft", "refused", "norm", "chosen", "int16", "tiny", "not finite"):
            self.assertIn(word, found)
        if "avx" in found.splitlines()[0]:
            portable = self.record(GPUCONV_SIMD="portable")
            self.assertNotEqual(portable, found)
            ends = lambda text: re.findall(r"(refused: .*|norm [^,]+)", text)
            same = sum(a == b for a, b in zip(ends(portable), ends(found))) / len(ends(found))
            self.assertGreater(same, 0.95)  # what differs are last bits

    @unittest.skipUnless((BUILD / "bench/emulated").exists(), "the emulated GPU is not built")
    def test_the_emulated_gpu_has_its_lines(self):
        found = self.record("--emulated", "--count", "10", "--products", "100000")
        for word in ("cuda direct, device memory", "cuda fft, 2 threads", "chosen on the cuda"):
            self.assertIn(word, found)


if __name__ == "__main__":
    Contestants.shim = Shim(BUILD)
    unittest.main()
