"""Statistics and conclusions that bench/run.py and bench/calibrate.py draw, on numbers whose answers are known."""

import unittest

from fixture import need, sample

need("numpy", "scipy", "pandas")

import numpy as np
import pandas as pd
import scipy.signal

import calibrate
import report
from peers import contestants as timing
from peers.workload import Problem, Workload


class Timing(unittest.TestCase):
    def test_spread_is_median_quartiles_and_least(self):
        self.assertEqual(timing.spread([5, 1, 3, 2, 4]), {"median": 3, "lower": 2, "upper": 4, "least": 1, "samples": 5})

    def test_contestants_are_sampled_in_turn(self):
        calls = []

        def sampler(who):
            def sample_once(first, repeats):
                calls.append((who, first))
                return 0.1
            return sample_once

        timing.WARM_UP, usual = 0, timing.WARM_UP
        try:
            times = timing.measure([sampler("a"), sampler("b")], timing.Budget(0, 4))
        finally:
            timing.WARM_UP = usual
        self.assertEqual([who for who, _ in calls], ["a", "b"] * 5)  # a warm-up each, then four rounds
        self.assertEqual([first for _, first in calls[2:]], [0, 1, 1, 2, 2, 3, 3, 4])  # never what the one before has read
        self.assertEqual([t["samples"] for t in times], [4, 4])

    def test_short_calls_are_repeated_within_a_sample(self):
        repeats_seen = []

        def one_microsecond(first, repeats):
            repeats_seen.append(repeats)
            return 1e-6

        timing.measure([one_microsecond], timing.Budget(0, 1))
        self.assertEqual(repeats_seen[-1], round(timing.SHORTEST_SAMPLE / 1e-6))


class Crossover(unittest.TestCase):
    def crossover(self, **by_taps):
        """By filter length, the seconds of a direct sum and of a transform."""
        taps, direct, transform = zip(*((int(name[1:]), *seconds) for name, seconds in by_taps.items()))
        return report.crossover_taps(pd.Series(direct, taps).dropna(), pd.Series(transform, taps))

    def test_is_where_transforms_stay_ahead(self):
        self.assertAlmostEqual(self.crossover(_2=(2, 32), _8=(8, 32), _16=(16, 32), _64=(64, 32), _256=(256, 32)), 32)  # between two filters
        self.assertTrue(np.isnan(self.crossover(_2=(1, 9), _4=(2, 9))))
        self.assertEqual(self.crossover(_2=(9, 1), _4=(9, 1)), 2)
        self.assertEqual(self.crossover(_2=(1, 9), _1024=(None, 9)), 1024)  # a sum that nobody measured is slower

    def test_a_single_lucky_point_does_not_count(self):
        self.assertGreater(self.crossover(_2=(1, 9), _4=(10, 9), _8=(3, 9), _16=(12, 9), _32=(24, 9)), 8)


class Problems(unittest.TestCase):
    def test_a_text_is_a_problem_again(self):
        for problem in (Problem("small", "int64", 100, 50), Problem("images", "float32", 64, 9, mode="same", lines=32, filter_lines=7, separable=True)):
            self.assertEqual(Problem.of(str(problem)), problem)


class Accuracy(unittest.TestCase):
    def test_the_expected_outputs_are_numpys_and_scipys(self):
        for dtype in ("float64", "int8", "complex64"):
            work = Workload(Problem("small", dtype, 40, 7, batch=3))
            full = [np.convolve(row.astype(work.result), work.filter.astype(work.result)) for row in work.signals[0]]
            np.testing.assert_allclose(np.ravel(full), work.expected[1], rtol=1e-5 if dtype == "complex64" else 1e-12, atol=1e-6)
        for mode in ("full", "same"):
            work = Workload(Problem("images", "float64", 30, 5, mode=mode, lines=20, filter_lines=7))
            np.testing.assert_allclose(scipy.signal.convolve2d(work.signals[0], work.filter, mode).ravel(), work.expected[1].astype(float), atol=1e-14)

    def test_a_wrong_output_shows(self):
        work = Workload(Problem("small", "float32", 5000, 300))
        right = np.convolve(work.signals[0], work.filter)
        self.assertLess(work.errors(right)["relative_l2"], 1e-6)
        right[work.outputs - 1] += 1
        self.assertGreater(work.errors(right)["max_error"], 0.99)


class Report(unittest.TestCase):
    def test_names_every_contestant_and_the_noise(self):
        text = "\n".join(report.lines(sample()))
        for word in ("numpy.convolve", "scipy oaconvolve", "gpuconv plan", "streaming copy", "noise:", "max error", "rel. L2"):
            self.assertIn(word, text)

    def test_a_peer_of_another_accuracy_is_not_ranked(self):
        for one, other, ranked in ((2e-7, 5e-7, True), (2e-7, 3e-16, False), (0.0, 4e-16, False)):
            entry = pd.DataFrame([{"library": "numpy", "contestant": "numpy.convolve", "threads": 1, "relative_l2": other, "seconds": 1.0}])
            self.assertEqual(report.rival(entry, pd.Series({"relative_l2": one})) is not None, ranked)

    def test_the_cpu_and_the_gpu_are_not_mixed(self):
        result = sample()
        leads = lambda: [line.split() for line in "\n".join(report.lines(result)).splitlines() if line.strip().startswith("16,777,216 * 257 ") and "x" in line]
        before = leads()
        result["measurements"] += [m | {"suite": "peers", "seconds": dict.fromkeys(m["seconds"], 1.0)} for m in result["measurements"]
                                   if m["signal"] == 1 << 24 and m["contestant"] in ("gpuconv plan", "scipy oaconvolve")]
        both = leads()
        self.assertEqual(both[:len(before)], before)
        self.assertEqual([line[4] for line in both[len(before):]], ["1.0x"])

    def test_says_where_gpuconv_is_slower(self):
        result = sample()
        for m in result["measurements"]:
            if m["contestant"] == "gpuconv plan" and m["signal"] == 10_000:
                m["seconds"] = dict.fromkeys(m["seconds"], 1.0)
        self.assertIn("10,000 * 50 float32, gpuconv plan from python", "\n".join(report.lines(result)))


class Fits(unittest.TestCase):
    def test_the_coefficients_are_found(self):
        sizes = pd.Series([1.0, 10.0, 100.0, 1000.0])
        found = calibrate.fit({"call": 1, "sample": sizes}, 3 + 0.5 * sizes)
        self.assertAlmostEqual(found["call"], 3)
        self.assertAlmostEqual(found["sample"], 0.5)
        self.assertLess(found["worst"], 1e-9)

    def test_measurements_count_by_their_percentage(self):
        self.assertLess(calibrate.fit({"mean": 1}, pd.Series([1, 1, 1000]))["mean"], 2)  # the mean would be 334


class Regrets(unittest.TestCase):
    def regret_of(self, *runs):
        return calibrate.regrets(pd.DataFrame([{"type": "float32", "signal": 9, "taps": 3, "batch": 1, "who": who, "seconds": seconds, "chosen": chosen,
                                                "estimate": seconds, "label": label} for who, seconds, chosen, label in runs])).iloc[0]

    def test_is_the_ratio_of_the_choice_to_the_fastest(self):
        found = self.regret_of(("direct", 3.0, True, "cpu direct, 1 thread"), ("fft", 2.0, False, "cpu fft, blocks of 512"))
        self.assertEqual((found.regret, found.chosen, found.best), (1.5, "direct", "fft"))

    def test_methods_with_the_same_blocks_are_one(self):
        found = self.regret_of(("overlap-save", 3.0, True, "cpu overlap-save, blocks of 512, 1 thread"),
                               ("fft", 2.0, False, "cpu fft, blocks of 512, 1 thread"))
        self.assertEqual(found.regret, 1.0)


if __name__ == "__main__":
    unittest.main()
