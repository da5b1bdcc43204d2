#!/usr/bin/env python3
"""Compares two records of revision_record, made at two revisions with the same arguments on the same machine.

Usage: compare.py BEFORE AFTER [--allow-contraction] [--json FILE]. BEFORE and AFTER are what the programs were given as
OUT_FILE. Prints every difference and a table by solver and class. Everything has to be equal to the bit (a NaN equals any
NaN), with two exceptions that are allowed and shown:

- swapped problems, whose filter is longer than the signal, by overlap-save or fft: outputs within the tolerance, the plan's
  parameters, a solver that takes what it refused, and what `automatic` chooses for such a problem;
- with --allow-contraction, for revisions whose compilers fuse other multiplications and additions: floating-point outputs
  of all solvers, within the tolerance.

The tolerance of an output is twice u log2(N) |h| |x|, over its row: that far both revisions may be from the exact sum, by
the tolerance table of the tests. Estimated times are not compared. Exit status: 0 nothing but what is allowed, 1 something
else, 2 the records cannot be compared.
"""

import argparse
import json
from pathlib import Path
import re
import sys

import numpy as np

BLOCK_METHODS = ("overlap-save", "fft")
OF_THE_PROBLEM = ("problem", "text", "values", "swapped", "type", "rows", "columns", "places", "inputs")


class Record:
    """A record's header, problems and outputs."""

    def __init__(self, path: str):
        with open(f"{path}.jsonl") as file:
            self.header, *self.problems = map(json.loads, file)
        if self.header.get("record") != "gpuconv revisions" or self.header["format"] != 1:
            raise ValueError(f"{path}.jsonl is no record that this script knows")
        if len(self.problems) != self.header["count"]:
            raise ValueError(f"{path}.jsonl has {len(self.problems)} of {self.header['count']} problems")
        binary = Path(f"{path}.bin")
        self.bytes = np.memmap(binary, np.uint8, "r") if binary.stat().st_size else np.empty(0, np.uint8)

    def output(self, problem: dict, run: dict) -> np.ndarray:
        dtype = np.dtype(problem["type"])
        size = problem["rows"] * problem["columns"] * dtype.itemsize
        if run["at"] + size > len(self.bytes):
            raise ValueError(f"the outputs of problem {problem['problem']} are cut off")
        return self.bytes[run["at"]:run["at"] + size].view(dtype).reshape(problem["rows"], problem["columns"])


def without_times(text: str) -> str:
    return re.sub(r", about [^\n]*", "", text)


def unequal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where the bits differ, but for those of NaNs."""
    bits = np.dtype(f"u{a.dtype.itemsize}")
    differs = a.view(bits) != b.view(bits)
    return differs & ~(np.isnan(a) & np.isnan(b)) if a.dtype.kind == "f" else differs


def judge(problem: dict, a: np.ndarray, b: np.ndarray) -> dict:
    """How far outputs are apart that are not equal. `ratio` is the largest difference over its tolerance; infinite where only
    one of two outputs is finite, unless sums of their row may overflow on the way."""
    differs = unequal(a, b)
    out = {"outputs": int(differs.sum()), "of": int(differs.size), "ratio": float("inf"), "relative_l2": None}
    if a.dtype.kind != "f":
        return out
    both = np.isfinite(a) & np.isfinite(b)
    with np.errstate(all="ignore"):
        wide = [np.where(both, array, 0).astype(np.longdouble) for array in (a, b)]
        distance = np.abs(wide[0] - wide[1])
        norm = np.sqrt(np.sum(wide[0] ** 2))
        out["relative_l2"] = float(np.sqrt(np.sum(distance ** 2)) / norm) if norm else None
        ratios = distance / (2 * np.array(problem["bounds"], np.longdouble))[:, None]
    not_alike = differs & ~both & ~np.array(problem["may_overflow"])[:, None]
    ratios[distance == 0] = 0
    out["ratio"] = float("inf") if not_alike.any() or np.isnan(ratios).any() else float(ratios.max())
    return out


class Comparison:
    """Collects differences; `found` has one entry for each, `table` the counts by solver and class."""

    COLUMNS = ("runs", "identical", "within", "beyond", "refused", "left out", "plans", "other")

    def __init__(self, before: Record, after: Record, allow_contraction: bool):
        self.before, self.after, self.allow_contraction = before, after, allow_contraction
        self.found, self.table = [], {}
        for field in ("seed", "count", "longest", "products", "simd", "devices"):
            a, b = before.header[field], after.header[field]
            if a != b:
                raise ValueError(f"the records are not of the same problems or machine: {field} {a} before, {b} after")
        for a, b in zip(before.problems, after.problems):
            self.problem(a, b)

    def add(self, problem: dict, solver: str, what: str, detail: str, allowed: bool) -> None:
        self.found.append({"problem": problem["problem"], "text": problem["text"], "values": problem["values"],
                           "swapped": problem["swapped"], "solver": solver, "what": what, "detail": detail, "allowed": allowed})

    def count(self, problem: dict, solver: str, column: str) -> None:
        key = (solver, "swapped" if problem["swapped"] else "usual")
        self.table.setdefault(key, dict.fromkeys(self.COLUMNS, 0))[column] += 1

    def problem(self, a: dict, b: dict) -> None:
        for field in OF_THE_PROBLEM:
            if a[field] != b[field]:
                raise ValueError(f"problem {a['problem']} is not the same: {field} {a[field]} before, {b[field]} after")
        for x, y in zip(a["explain"], b["explain"], strict=True):
            self.explanation(a, x, y)
        self.pairs(a, a["choices"], b["choices"], ("device", "threads"), self.choice)
        self.pairs(a, a["runs"], b["runs"], ("solver", "threads"), self.run)

    def pairs(self, problem: dict, before: list, after: list, key: tuple, compare) -> None:
        keys = [[tuple(entry[field] for field in key) for entry in entries] for entries in (before, after)]
        if keys[0] != keys[1]:
            raise ValueError(f"problem {problem['problem']}: {keys[0]} before, {keys[1]} after")
        for x, y in zip(before, after):
            compare(problem, x, y)

    def explanation(self, problem: dict, x: str, y: str) -> None:
        """For swapped problems, what is said of block methods, and where in the order."""
        x, y = without_times(x), without_times(y)
        of_blocks = re.compile(rf"  \w+ +({'|'.join(BLOCK_METHODS)}) ")
        others = [[line for line in text.splitlines() if not of_blocks.match(line)] for text in (x, y)]
        if x != y:
            self.add(problem, "all", "explain", f"{x!r} before, {y!r} after", problem["swapped"] and others[0] == others[1])

    def choice(self, problem: dict, x: dict, y: dict) -> None:
        by_blocks = x["method"] in BLOCK_METHODS or y["method"] in BLOCK_METHODS
        plans = [without_times(choice["plan"]) for choice in (x, y)]
        if x["method"] != y["method"] or plans[0] != plans[1]:
            self.add(problem, f"automatic on {x['device']}, threads {x['threads']}", "choice",
                     f"{plans[0]!r} before, {plans[1]!r} after", problem["swapped"] and by_blocks)

    def run(self, problem: dict, x: dict, y: dict) -> None:
        solver, label = x["solver"], f"{x['solver']}, threads {x['threads']}"
        self.count(problem, solver, "runs")
        free = problem["swapped"] and solver.split(",")[0].split()[1] in BLOCK_METHODS
        if "refused" in x or "refused" in y:
            self.refusal(problem, label, x, y, free)
            return
        plans = [without_times(run["plan"]) for run in (x, y)]
        if plans[0] != plans[1]:
            self.count(problem, solver, "plans")
            self.add(problem, label, "plan", f"{plans[0]!r} before, {plans[1]!r} after", free)
        if "left_out" in x and "left_out" in y:
            self.count(problem, solver, "left out")
            return
        for name, run in (("before", x), ("after", y)):
            if not run["guards"]:
                self.count(problem, solver, "other")
                self.add(problem, label, "guards", f"memory outside the output was written {name}", False)
        self.outputs(problem, solver, label, (x, y), free)

    def refusal(self, problem: dict, label: str, x: dict, y: dict, free: bool) -> None:
        before, after = (repr(run.get("refused", "taken")) for run in (x, y))
        if before == after:
            self.count(problem, x["solver"], "refused")
            return
        self.count(problem, x["solver"], "other")
        self.add(problem, label, "refusal", f"{before} before, {after} after", free and "refused" in x)

    def outputs(self, problem: dict, solver: str, label: str, runs: tuple, free: bool) -> None:
        a, b = self.before.output(problem, runs[0]), self.after.output(problem, runs[1])
        if np.array_equal(a.view(np.uint8), b.view(np.uint8)) or not unequal(a, b).any():
            self.count(problem, solver, "identical")
            return
        how = judge(problem, a, b)
        within = how["ratio"] <= 1
        self.count(problem, solver, "within" if within else "beyond")
        relative = "" if how["relative_l2"] is None else f", relative L2 {how['relative_l2']:.1e}"
        detail = f"{how['outputs']} of {how['of']} differ, at most {how['ratio']:.2g} times the tolerance{relative}"
        self.add(problem, label, "output within" if within else "output beyond", detail,
                 within and (free or self.allow_contraction))

    def not_allowed(self) -> list[dict]:
        return [entry for entry in self.found if not entry["allowed"]]


def lines(comparison: Comparison):
    for entry in comparison.found:
        verdict = "allowed" if entry["allowed"] else "DIFFERS"
        yield (f"{verdict} problem {entry['problem']}: {entry['text']}, {entry['values']}{', swapped' if entry['swapped'] else ''}; "
               f"{entry['solver']}: {entry['what']}: {entry['detail']}")
    yield f"{'solver':<32} {'problems':<9}" + "".join(f"{column:>10}" for column in comparison.COLUMNS)
    for (solver, kind), counts in sorted(comparison.table.items()):
        yield f"{solver:<32} {kind:<9}" + "".join(f"{counts[column]:>10}" for column in comparison.COLUMNS)
    bad = len(comparison.not_allowed())
    yield f"{len(comparison.found)} differences in {len(comparison.before.problems)} problems, {bad} of them not allowed"


def result(comparison: Comparison) -> dict:
    table = [{"solver": solver, "problems": kind, **counts} for (solver, kind), counts in sorted(comparison.table.items())]
    return {"before": comparison.before.header, "after": comparison.after.header, "table": table,
            "differences": comparison.found, "allow_contraction": comparison.allow_contraction,
            "not_allowed": len(comparison.not_allowed())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--allow-contraction", action="store_true", help="allow last bits of all floating-point solvers to differ")
    parser.add_argument("--json", type=Path, help="write the result here too")
    arguments = parser.parse_args()
    try:
        comparison = Comparison(Record(arguments.before), Record(arguments.after), arguments.allow_contraction)
        if arguments.json:
            arguments.json.write_text(json.dumps(result(comparison), indent=1) + "\n")
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"compare.py: {error!r}", file=sys.stderr)
        return 2
    print("\n".join(lines(comparison)))
    return 1 if comparison.not_allowed() else 0


if __name__ == "__main__":
    sys.exit(main())
