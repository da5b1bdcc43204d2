"""bench/compare.py from the command line: what it calls a regression, and its exit status."""

import json
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest

from fixture import BENCH, SAMPLE, need, sample

need("numpy", "scipy")


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.new = Path(folder.name) / "new.json"

    def run_compare(self, *arguments):
        return subprocess.run([sys.executable, "-B", BENCH / "compare.py", *arguments], capture_output=True, text=True)

    def compare_with(self, change, *arguments):
        """Compares the sample with itself after `change(measurement)`."""
        result = sample()
        for m in result["measurements"]:
            change(m)
        self.new.write_text(json.dumps(result))
        return self.run_compare(SAMPLE, self.new, *arguments)

    @staticmethod
    def slower(factor, library="gpuconv"):
        def change(m):
            if m["library"] == library:
                for part in ("median", "lower", "upper", "least"):
                    m["seconds"][part] *= factor
        return change

    def test_a_file_equals_itself(self):
        done = self.run_compare(SAMPLE, SAMPLE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("0 regressions", done.stdout)

    def test_three_times_the_time_is_a_regression(self):
        done = self.compare_with(self.slower(3))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("REGRESSION", done.stdout)

    def test_a_third_of_the_time_is_none(self):
        self.assertEqual(self.compare_with(self.slower(1 / 3)).returncode, 0)

    def test_a_threshold_above_the_ratio_forgives(self):
        self.assertEqual(self.compare_with(self.slower(3), "--threshold", "4").returncode, 0)

    def test_a_median_within_the_old_quartiles_is_noise(self):
        def noisy(m):
            m["seconds"]["lower"], m["seconds"]["median"] = m["seconds"]["least"], m["seconds"]["median"] * 3
        self.assertEqual(self.compare_with(noisy).returncode, 0)

    def test_slower_peers_are_drift_unless_they_are_judged(self):
        done = self.compare_with(self.slower(3, "numpy"))
        self.assertEqual(done.returncode, 0)
        self.assertIn("NumPy and SciPy, which did not change: 1.", done.stdout)
        self.assertEqual(self.compare_with(self.slower(3, "numpy"), "--all").returncode, 1)

    def test_another_machine_is_named(self):
        result = sample()
        result["machine"]["cpu"] = "another one"
        self.new.write_text(json.dumps(result))
        self.assertIn("another one", self.run_compare(SAMPLE, self.new).stdout)

    def test_nothing_in_common_is_an_error(self):
        done = self.compare_with(lambda m: m.update(suite="other"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("no measurement is in both", done.stderr)

    def test_a_file_that_is_no_result_is_an_error(self):
        self.new.write_text("{}")
        self.assertEqual(self.run_compare(SAMPLE, self.new).returncode, 2)
        self.assertEqual(self.run_compare(SAMPLE, "missing.json").returncode, 2)


if __name__ == "__main__":
    unittest.main()
