"""Figures on pages are those of the result files that the pages link to."""

import json
import re
import unittest

from fixture import BENCH, need

need("numpy", "scipy", "matplotlib")  # what bench/'s scripts import

import report
from report import seconds

ROOT = BENCH.parent


def page(name: str) -> str:
    return (ROOT / name).read_text()


def linked(text: str, kind: str) -> dict:
    """The result file whose name ends in `kind`, by a link of the page."""
    (name,) = set(re.findall(rf"bench/results/([\d-]+-{kind}\.json)", text))
    return json.loads((BENCH / "results" / name).read_text())


def table(text: str, *header: str) -> list[list[str]]:
    """The cells of the rows under a header that begins so."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines()
            if line.startswith("|")]
    first = next(i for i, row in enumerate(rows) if tuple(row[:len(header)]) == header) + 2
    last = next((i for i, row in enumerate(rows) if i > first and set(row[0]) == {"-"}), len(rows) + 1) - 1
    return rows[first:last]


def number(text: str) -> float:
    return float(text.strip("*").replace(",", "").removesuffix(" s"))


def contestants(result: dict, signal: int, taps: int) -> dict:
    for suite in ("large", "small"):
        if entry := report.problems(result, suite).get((signal, taps, "float32")):
            return entry
    raise KeyError((signal, taps))


class Figures(unittest.TestCase):
    def test_the_start_page_has_those_of_one_problem(self):
        text = page("docs/index.md")
        samples, taps = (int(n.replace(",", "")) for n in re.search(r"([\d,]+) samples of float32 with (\d+) taps", text).groups())
        entry = contestants(linked(text, "cpu"), samples, taps)
        ours = entry["gpuconv plan", "python"]
        (row,) = table(text, "`numpy.convolve`")
        times = entry["numpy.convolve", "python"], report.rival(entry, ours), ours
        self.assertEqual(times[1]["library"], "scipy")
        for cell, time, digits in zip(row, times, (3, 3, 2)):
            self.assertEqual(number(cell), float(f"{seconds(time):.{digits}g}"))

    def test_the_tables_against_numpy_and_scipy(self):
        for name, rows in (("README.md", 3), ("docs/performance.md", 12)):
            text = page(name)
            found = table(text, "samples", "taps", "times faster")
            self.assertEqual(len(found), rows)
            for signal, taps, faster, faster_than_workers, of_a_copy in found:
                with self.subTest(page=name, signal=signal, taps=taps):
                    entry = contestants(linked(text, "cpu"), int(number(signal)), int(number(taps)))
                    ours = entry["gpuconv plan", "python"]
                    for cell, peer in ((faster, report.rival(entry, ours)),
                                       (faster_than_workers, report.rival(entry, ours, all_cores=True))):
                        self.assertEqual(number(cell), float(f"{seconds(peer) / seconds(ours):.2g}"))
                    if of_a_copy:
                        self.assertEqual(of_a_copy, f"{seconds(entry['streaming copy', 'python']) / seconds(ours):.0%}")

    def test_the_table_of_python_calls(self):
        text = page("docs/python.md")
        times = {(r["samples"], r["taps"], r["dtype"]): r["times"] for r in linked(text, "python")["results"]}
        rows = table(text, "samples", "taps", "float32", "float64", "int64", "correlate, float32")
        self.assertEqual(len(rows), 8)
        for signal, taps, *cells in rows:
            for dtype, call, cell in zip(("float32", "float64", "int64", "float32"), ("convolve",) * 3 + ("correlate",), cells):
                with self.subTest(signal=signal, taps=taps, dtype=dtype, call=call):
                    of = times[int(number(signal)), int(number(taps)), dtype]
                    self.assertEqual(cell, f"{of[call]['least'] / of[f'numpy.{call}']['least']:.2f}")

    def test_the_table_of_images(self):
        text = page("docs/performance.md")
        results = {(r["lines"], r["separable"]): r["times"] for r in linked(text, "images")["results"]}
        rows = table(text, "filter", "gpuconv's solver")
        self.assertEqual(len(rows), 18)
        for size, _, opencv, scipy in rows:
            with self.subTest(size=size):
                times = results[int(size.split()[0]), size.endswith("product")]
                ours = times["gpuconv"]["median"]
                name = min((n for n in times if n.startswith("opencv")), key=lambda n: times[n]["median"])
                fastest = min(times[n]["median"] for n in times if n.startswith("scipy"))
                self.assertEqual(opencv, f"{times[name]['median'] / ours:.1f} ({name.removeprefix('opencv ')})")
                self.assertEqual(scipy, f"{fastest / ours:.0f}")


if __name__ == "__main__":
    unittest.main()
