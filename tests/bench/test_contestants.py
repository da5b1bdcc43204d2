"""Every contestant of bench/peers/cpu.py computes the same convolution; gpuconv through the library of bench/shim.cpp.

The folder of the build is the first argument.
"""

from pathlib import Path
import sys
import unittest
from unittest import mock

from fixture import need

need("numpy", "scipy")

import numpy as np

from peers import cpu
from peers.contestants import compare
from peers.shim import Plan, Shim, ShimError
from peers.timing import Budget
from peers.workload import Workload

TOLERANCE = {"float32": 2e-6, "float64": 1e-14, "int64": 1e-14}  # relative L2


class Contestants(unittest.TestCase):
    shim: Shim

    def test_all_agree_and_can_be_timed(self):
        for signal, taps in ((100, 50), (7, 7), (5000, 300)):
            for dtype, tolerance in TOLERANCE.items():
                work, known = Workload(signal, taps, dtype), {}
                for suite in ("small",) if dtype == "int64" else cpu.PROBLEMS:
                    known |= cpu.makers(self.shim, work, suite)
                records = compare(known, work, Budget(0, 2))
                absent = {c["contestant"] for c in records if c.get("skipped") == "not installed"}
                self.assertLessEqual(absent, {"torch conv1d", "gpuconv.convolve", "gpuconv.correlate"})
                for record in (c for c in records if c["contestant"] not in absent):
                    with self.subTest(record=record):
                        self.assertTrue(0 < record["seconds"]["least"] <= record["seconds"]["median"])
                        self.assertTrue(record["library"] == "copy" or record["relative_l2"] < tolerance)

    def test_who_takes_no_part_is_recorded_with_the_reason(self):
        work = Workload(100, 50, "float32")
        known = {("torch conv1d", "python"): lambda: cpu.torch_conv1d(work), ("numpy.convolve", "python"): lambda: cpu.numpy_sums(work, "convolve", 100),
                 ("gpuconv plan", "python"): lambda: cpu.gpuconv_plan(work, self.shim, "nonsense"), ("scipy", "python"): lambda: 1 / 0}
        with mock.patch.dict(sys.modules, {"torch": None}):
            records = compare(known, work, Budget(0, 2))
        for record, reason in zip(records, ("not installed", "takes too long", "unknown name nonsense", "ZeroDivisionError")):
            self.assertIn(reason, record["skipped"])

    def test_a_refusal_of_the_library_carries_its_text(self):
        with self.assertRaisesRegex(ShimError, "unknown name nonsense"):
            Plan(self.shim, np.ones(3, np.float32), 10, method="nonsense")


if __name__ == "__main__":
    Contestants.shim = Shim(Path(sys.argv.pop(1)))
    unittest.main()
