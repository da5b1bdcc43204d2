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
        text = " ".join(page("docs/index.md").split())
        problem = re.search(r"([\d,]+) samples with (\d+) taps take \*\*([\d.]+) s\*\*; `numpy.convolve` takes ([\d.]+) s, "
                            r"and the fastest of SciPy's, `(\w+)`, ([\d.]+) s", text)
        samples, taps, ours, numpy, name, scipy = problem.groups()
        entry = Contestants(linked(text, "cpu"), int(number(samples)), int(taps))
        rival = entry.rival()
        self.assertEqual(rival.contestant, f"scipy {name}")
        for figure, time, digits in ((ours, entry.ours, 2), (numpy, entry["numpy.convolve"], 3), (scipy, rival, 3)):
            self.assertEqual(float(figure), float(f"{time.seconds:.{digits}g}"))

    def test_the_start_page_has_those_of_some_python_calls(self):
        of_python = table(page("docs/python.md"), "samples", "taps", "float32")
        self.assertEqual(len(rows := table(page("docs/index.md"), "samples", "taps", "share of `numpy.convolve`'s time")), 4)
        for signal, taps, share in rows:
            self.assertIn([signal, taps, share.strip("*")], [row[:3] for row in of_python])

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
        times = report.times(linked(text, "images"))
        rows = table(text, "filter", "gpuconv's solver")
        self.assertEqual(len(rows), 18)
        for size, _, opencv, scipy in rows:
            with self.subTest(size=size):
                entry = report.pick(times, taps=int(size.split()[0]), separable=size.endswith("product"))
                ours = report.first(report.pick(entry, library="gpuconv")).seconds
                with_opencv, with_scipy = (report.fastest(report.pick(entry, library=library)) for library in ("opencv", "scipy"))
                self.assertEqual(opencv, f"{with_opencv.seconds / ours:.1f} ({with_opencv.contestant.removeprefix('opencv ')})")
                self.assertEqual(scipy, f"{with_scipy.seconds / ours:.2g}")

    def test_result_files_name_no_path_of_a_machine(self):
        for path in (BENCH / "results").glob("*.json"):
            self.assertNotRegex(path.read_text(), r'"(/[\w.-]+){2,}', path.name)


if __name__ == "__main__":
    unittest.main()
