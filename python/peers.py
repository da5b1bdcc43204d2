#!/usr/bin/env python3
"""Runs NumPy's and SciPy's own tests of their convolutions on gpuconv: ./dev python peers.

The tests are programs whose lines stay as they are: `python -m gpuconv -m pytest`, with the Python that runs this file, which
has gpuconv installed. All of their calls are counted, however small (--small). It fails where a case fails that is not listed
below with the reason, and where the core takes a smaller share of the calls than it did.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

# The suites under their names in old and in new versions, and of their cases those of functions that gpuconv replaces.
SUITES = (
    ("numpy._core.tests.test_numeric", "numpy.core.tests.test_numeric"),
    ("scipy.signal.tests.test_signaltools",),
    ("scipy.ndimage.tests.test_filters",),
)
CASES = "convol or correl or gauss or TestLinearFilter or TestLfilter"
FEWEST = 13_000  # cases of all suites
SHARE = 0.85  # the least share of the calls that the core takes
# Cases that fail, without their parameters, and why.
EXPECTED = {
    "TestFFTConvolve.test_fft_nan": "NaN stays within its window, so that there is no NaN everywhere to warn of",
}


def reason_to_fail(case: str) -> str | None:
    return EXPECTED.get(case.partition("[")[0])


@dataclass
class Outcome:
    """What has become of the cases of a suite, and of the calls that they made."""

    printed: str
    seconds: float
    is_complete: bool
    passed: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)
    core: int = 0
    left: Counter[str] = field(default_factory=Counter)

    def add_cases(self, results: Path) -> None:
        for case in ElementTree.parse(results).iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                self.failed.append(f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}")
            elif "skipped" in kinds:
                self.skipped += 1
            else:
                self.passed += 1

    def add_calls(self, report: str) -> None:
        self.core += sum(int(count) for count in re.findall(r"^gpuconv: \S+: (\d+) calls? taken", report, re.MULTILINE))
        for count, reason in re.findall(r"^gpuconv:   (\d+) left: (.*)$", report, re.MULTILINE):
            self.left[reason] += int(count)


def found(names: tuple[str, ...]) -> str | None:
    """That of the names which a module is here for."""
    for name in names:
        try:
            if importlib.util.find_spec(name):
                return name
        except ModuleNotFoundError:  # of a package around it
            continue
    return None


def run(suite: str) -> Outcome:
    """Runs the cases of a suite, and says what has become of them."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.xml")
        program = ["pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={results}", "-k", CASES, "--pyargs", suite]
        command = [sys.executable, "-m", "gpuconv", "--small", "--report", "-m", *program]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        began = time.monotonic()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        printed = " ".join(["+", *command, "\n"]) + done.stdout + done.stderr
        # 0 and 1 are pytest's when it ran to its end.
        outcome = Outcome(printed, time.monotonic() - began, is_complete=done.returncode in (0, 1) and results.exists())
        if outcome.is_complete:
            outcome.add_cases(results)
            outcome.add_calls(done.stderr)
        return outcome


def main() -> int:
    suites = [suite for suite in map(found, SUITES) if suite]
    for names in SUITES:
        if not found(names):
            print(f"SKIPPED: {names[0]} is not here.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(run, suites))
    failures = 0
    for suite, outcome in zip(suites, outcomes):
        if not outcome.is_complete or not all(map(reason_to_fail, outcome.failed)):
            print(outcome.printed)
            failures += 1
        counts = f"{outcome.passed} passed, {len(outcome.failed)} failed, {outcome.skipped} skipped"
        print(f"{suite}: {counts}, {outcome.seconds:.0f} s; {outcome.core} calls by the core, {outcome.left.total()} left")
        for case in outcome.failed:
            print(f"  {case}: {reason_to_fail(case) or 'FAILED'}")
    passed, core = sum(o.passed for o in outcomes), sum(o.core for o in outcomes)
    left = sum((o.left for o in outcomes), Counter())
    share = core / max(core + left.total(), 1)
    print(f"{passed} cases passed. The core took {100 * share:.1f} % of the calls; left were")
    for reason, count in left.most_common():
        print(f"{count:7} {reason}")
    if len(suites) == len(SUITES) and passed < FEWEST:
        print(f"FAILED: at least {FEWEST} cases are expected.")
        failures += 1
    if share < SHARE:
        print(f"FAILED: at least {100 * SHARE:.0f} % of the calls are expected.")
        failures += 1
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
