"""Statistics and conclusions that bench/run.py draws, on numbers whose answers are known."""

import unittest

from fixture import need, sample

need("numpy", "scipy")

import numpy as np

from peers import analysis, report, timing
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
    def test_is_interpolated_where_the_lines_cross(self):
        # direct = taps, transform = 32: they meet at 32.
        times = [(m, m, 32) for m in (2, 8, 16, 64, 256)]
        self.assertAlmostEqual(analysis.crossover_taps(times), 32)

    def test_never_when_direct_wins_to_the_end(self):
        self.assertIsNone(analysis.crossover_taps([(2, 1, 9), (4, 2, 9)]))

    def test_a_single_lucky_point_does_not_count(self):
        times = [(2, 1, 9), (4, 10, 9), (8, 3, 9), (16, 12, 9), (32, 24, 9)]
        self.assertGreater(analysis.crossover_taps(times), 8)

    def test_an_unmeasured_direct_sum_counts_as_slower(self):
        self.assertEqual(analysis.crossover_taps([(2, 1, 9), (1024, None, 9)]), 1024)

    def test_transforms_that_always_win_overtake_at_the_first_filter(self):
        self.assertEqual(analysis.crossover_taps([(2, 9, 1), (4, 9, 1)]), 2)


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
        single, double, other = {"relative_l2": 2e-7}, {"relative_l2": 3e-16}, {"relative_l2": 5e-7}
        self.assertTrue(analysis.equal_accuracy(single, other))
        self.assertFalse(analysis.equal_accuracy(single, double))

    def test_an_exact_result_is_not_called_equal_to_a_rounded_one(self):
        self.assertFalse(analysis.equal_accuracy({"relative_l2": 0.0}, {"relative_l2": 4e-16}))


class Report(unittest.TestCase):
    def test_names_every_contestant_and_the_noise(self):
        text = "\n".join(report.lines(sample()))
        for word in ("numpy.convolve", "scipy oaconvolve", "gpuconv plan", "streaming copy", "noise:", "max error", "rel. L2"):
            self.assertIn(word, text)

    def test_a_peer_of_another_accuracy_is_marked(self):
        result = sample()
        self.assertNotIn("*", "\n".join(report.lines(result)))
        for m in result["measurements"]:
            if m["library"] == "gpuconv":
                m["relative_l2"] = 1e-3
        self.assertIn("not the same work", "\n".join(report.lines(result)))

    def test_says_where_gpuconv_is_slower(self):
        result = sample()
        for m in result["measurements"]:
            if m["contestant"] == "gpuconv plan" and m["signal"] == 10_000:
                m["seconds"] = {k: 1.0 for k in m["seconds"]}
        self.assertIn("10,000 x 50 float32, gpuconv plan from python", "\n".join(report.lines(result)))


if __name__ == "__main__":
    unittest.main()
