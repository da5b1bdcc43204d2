"""Every contestant of bench/run.py computes the same convolution; gpuconv through the library of bench/shim.cpp.

The folder of the build is the first argument.
"""

from functools import partial
from pathlib import Path
import sys
import unittest
from unittest import mock

from fixture import need

need("numpy", "scipy")

import numpy as np

from peers import contestants, suites
from peers.shim import Plan, Shim, ShimError
from peers.timing import Budget
from peers.workload import Workload

TOLERANCE = {"float32": 2e-6, "float64": 1e-14}  # relative L2


class Contestants(unittest.TestCase):
    shim: Shim

    def makers(self):
        plan, one_shot = partial(contestants.gpuconv_plan, self.shim), partial(contestants.gpuconv_one_shot, self.shim)
        return [plan, one_shot, partial(plan, call="c++"), partial(one_shot, call="c++"), *suites._methods(self.shim),
                *suites._peers(workers=2)]

    def test_all_agree(self):
        for signal, taps in ((100, 50), (7, 7), (5000, 300)):
            for dtype, tolerance in TOLERANCE.items():
                work = Workload(signal, taps, dtype)
                for make in self.makers():
                    contestant = make(work=work)
                    with self.subTest(contestant=contestant.name, signal=signal, taps=taps, dtype=dtype):
                        self.assertLess(work.errors(contestant.result())["relative_l2"], tolerance)

    def test_all_can_be_timed(self):
        problem = suites.Problem(100, 50, "float32", self.makers(), Budget(0, 2))
        records = list(suites.compare("test", problem, float("inf")))
        self.assertEqual(len(records), len(self.makers()))
        self.assertTrue(all(0 < r["seconds"]["least"] <= r["seconds"]["median"] for r in records))

    def test_no_problem_is_begun_when_the_time_is_over(self):
        record, = suites.compare("test", suites.Problem(100, 50, "float32", self.makers(), Budget(0, 2)), 0)
        self.assertIn("--within", record["skipped"])

    def test_a_library_that_is_not_installed_is_skipped_with_the_reason(self):
        with mock.patch.dict(sys.modules, {"torch": None}), self.assertRaisesRegex(contestants.Skipped, "not installed"):
            contestants.torch_conv1d(Workload(100, 50, "float32"))

    def test_the_arithmetic_peak_is_that_of_a_computer(self):
        self.assertTrue(1e8 < suites.arithmetic_peak(self.shim) < 1e15)

    def test_sums_that_take_minutes_are_refused_with_the_reason(self):
        work = Workload(1 << 10, 1 << 10, "float32")
        with self.assertRaisesRegex(contestants.Skipped, "takes too long"):
            contestants.numpy_convolve(work, limit=1 << 19)

    def test_a_refusal_of_the_library_carries_its_text(self):
        with self.assertRaisesRegex(ShimError, "unknown name nonsense"):
            Plan(self.shim, np.ones(3, np.float32), 10, method="nonsense")


if __name__ == "__main__":
    Contestants.shim = Shim(Path(sys.argv.pop(1)))
    unittest.main()
