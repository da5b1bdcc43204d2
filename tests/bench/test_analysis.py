"""Statistics and conclusions that bench/run.py and bench/calibrate.py draw, on numbers whose answers are known."""

import unittest

from fixture import need, sample

need("numpy", "scipy")

import numpy as np

import calibrate
import report
from peers import timing
from peers.workload import Workload


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
    def test_is_where_transforms_stay_ahead(self):
        for times, expected in (([(m, m, 32) for m in (2, 8, 16, 64, 256)], 32),  # the lines cross between two filters
                                ([(2, 1, 9), (4, 2, 9)], None), ([(2, 9, 1), (4, 9, 1)], 2),
                                ([(2, 1, 9), (1024, None, 9)], 1024)):  # a sum that nobody measured is slower
            self.assertAlmostEqual(report.crossover_taps(times), expected)

    def test_a_single_lucky_point_does_not_count(self):
        times = [(2, 1, 9), (4, 10, 9), (8, 3, 9), (16, 12, 9), (32, 24, 9)]
        self.assertGreater(report.crossover_taps(times), 8)


class Accuracy(unittest.TestCase):
    def test_the_expected_outputs_are_numpys(self):
        work = Workload(40, 7, "float64")
        np.testing.assert_allclose(np.convolve(work.signals[0], work.filter), work.expected.astype(float), rtol=1e-12, atol=1e-14)

    def test_a_wrong_output_shows(self):
        work = Workload(5000, 300, "float32")
        right = np.convolve(work.signals[0], work.filter)
        self.assertLess(work.errors(right)["relative_l2"], 1e-6)
        right[work.outputs - 1] += 1
        self.assertGreater(work.errors(right)["max_error"], 0.99)

    def test_unequal_accuracy_is_told_from_equal(self):
        for one, other, equal in ((2e-7, 5e-7, True), (2e-7, 3e-16, False), (0.0, 4e-16, False)):
            self.assertEqual(report.equal_accuracy({"relative_l2": one}, {"relative_l2": other}), equal)


class Report(unittest.TestCase):
    def test_names_every_contestant_and_the_noise(self):
        text = "\n".join(report.lines(sample()))
        for word in ("numpy.convolve", "scipy oaconvolve", "gpuconv plan", "streaming copy", "noise:", "max error", "rel. L2"):
            self.assertIn(word, text)

    def test_a_peer_of_another_accuracy_is_not_ranked(self):
        result = sample()
        self.assertIn("20.6x", "\n".join(report.lines(result)))
        for m in result["measurements"]:
            if m["library"] == "gpuconv":
                m["relative_l2"] = 1e-3
        self.assertNotIn("x numpy.convolve", "\n".join(report.lines(result)))

    def test_the_cpu_and_the_gpu_are_not_mixed(self):
        result = sample()
        leads = [line for line in report.lines(result) if line.startswith("    16,777,216")]
        result["measurements"] += [m | {"suite": "peers", "seconds": dict.fromkeys(m["seconds"], 1.0)} for m in result["measurements"]
                                   if m["signal"] == 1 << 24 and m["contestant"] in ("gpuconv plan", "scipy oaconvolve")]
        both = [line for line in report.lines(result) if line.startswith("    16,777,216")]
        self.assertEqual(both[:len(leads)], leads)
        self.assertEqual([line.split()[3] for line in both[len(leads):]], ["1.0x"] * (len(both) - len(leads)))
        self.assertEqual(len(both), 2 * len(leads))

    def test_says_where_gpuconv_is_slower(self):
        result = sample()
        for m in result["measurements"]:
            if m["contestant"] == "gpuconv plan" and m["signal"] == 10_000:
                m["seconds"] = dict.fromkeys(m["seconds"], 1.0)
        self.assertIn("10,000 x 50 float32, gpuconv plan from python", "\n".join(report.lines(result)))


class Fits(unittest.TestCase):
    def test_the_coefficients_are_found(self):
        sizes = [1.0, 10.0, 100.0, 1000.0]
        found, worst = calibrate.fit([[1, x] for x in sizes], [3 + 0.5 * x for x in sizes])
        self.assertAlmostEqual(found[0], 3)
        self.assertAlmostEqual(found[1], 0.5)
        self.assertLess(worst, 1e-9)

    def test_measurements_count_by_their_percentage(self):
        found, _ = calibrate.fit([[1]] * 3, [1, 1, 1000])
        self.assertLess(found[0], 2)  # the mean would be 334


class Regrets(unittest.TestCase):
    def run_of(self, who, seconds, chosen, label):
        return {"dtype": "float32", "signal": 9, "taps": 3, "batch": 1, "contestant": who, "seconds": seconds, "chosen": chosen,
                "estimate": seconds, "label": label}

    def test_is_the_ratio_of_the_choice_to_the_fastest(self):
        found, = calibrate.regrets([self.run_of("direct", 3.0, 1.0, "cpu direct, 1 thread"),
                                    self.run_of("fft", 2.0, 0.0, "cpu fft, blocks of 512")])
        self.assertEqual((found["regret"], found["chosen"], found["best"]), (1.5, "direct", "fft"))

    def test_methods_with_the_same_blocks_are_one(self):
        found, = calibrate.regrets([self.run_of("overlap-save", 3.0, 1.0, "cpu overlap-save, blocks of 512, 1 thread"),
                                    self.run_of("fft", 2.0, 0.0, "cpu fft, blocks of 512, 1 thread")])
        self.assertEqual(found["regret"], 1.0)


if __name__ == "__main__":
    unittest.main()
