"""Common ground of the tests of bench/'s scripts. Ends a test that lacks its packages with the status that means skipped."""

import copy
import json
from pathlib import Path
import sys
import tempfile
import unittest

SKIPPED = 77
BENCH = Path(__file__).resolve().parents[2] / "bench"
SAMPLE = BENCH / "results" / "2026-11-22-cpu.json"
sys.path.insert(0, str(BENCH))


def need(*packages: str) -> None:
    for package in packages:
        try:
            __import__(package)
        except ImportError as error:
            print(f"skipped: {error}")
            sys.exit(SKIPPED)


def sample() -> dict:
    return copy.deepcopy(json.loads(SAMPLE.read_text()))


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
