"""What the tests of bench/'s scripts share. Ends a test that lacks its packages with the status that means skipped."""

import copy
import json
from pathlib import Path
import sys

SKIPPED = 77
BENCH = Path(__file__).resolve().parents[2] / "bench"
SAMPLE = Path(__file__).resolve().parent / "sample_result.json"
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
