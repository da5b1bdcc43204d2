"""Figures on pages are those of the result files that the pages link to."""

import json
import re
import unittest

from fixture import BENCH, need

need("numpy", "pandas")

import report

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


class Contestants:
    """Those of a problem: gpuconv's plan, other libraries, a copy."""

    def __init__(self, result: dict, signal: int, taps: int):
        *_, self.entry = report.problems(report.pick(report.times(result), signal=signal, taps=taps, dtype="float32"), "small", "large")
        self.ours = self["gpuconv plan"]

    def __getitem__(self, name: str):
        return report.first(report.pick(self.entry, contestant=name, call="python"))

    def rival(self, **of):
        return report.rival(self.entry, self.ours, **of)


class Figures(unittest.TestCase):
    def test_the_start_page_has_those_of_one_problem(self):
        text = page("docs/index.md")
        samples, taps = (int(n.replace(",", "")) for n in re.search(r"([\d,]+) samples of float32 with (\d+) taps", text).groups())
        entry = Contestants(linked(text, "cpu"), samples, taps)
        (row,) = table(text, "`numpy.convolve`")
        times = entry["numpy.convolve"], entry.rival(), entry.ours
        self.assertEqual(times[1].library, "scipy")
        for cell, time, digits in zip(row, times, (3, 3, 2)):
            self.assertEqual(number(cell), float(f"{time.seconds:.{digits}g}"))

    def test_the_tables_against_numpy_and_scipy(self):
        for name, rows in (("README.md", 3), ("docs/performance.md", 12)):
            text = page(name)
            found = table(text, "samples", "taps", "times faster")
            self.assertEqual(len(found), rows)
            for signal, taps, faster, faster_than_workers, of_a_copy in found:
                with self.subTest(page=name, signal=signal, taps=taps):
                    entry = Contestants(linked(text, "cpu"), int(number(signal)), int(number(taps)))
                    for cell, peer in ((faster, entry.rival()), (faster_than_workers, entry.rival(all_cores=True))):
                        self.assertEqual(number(cell), float(f"{peer.seconds / entry.ours.seconds:.2g}"))
                    if of_a_copy:
                        self.assertEqual(of_a_copy, f"{entry['streaming copy'].seconds / entry.ours.seconds:.0%}")

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
