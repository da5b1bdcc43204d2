"""The examples of the pages that need CuPy and a GPU, with a library of the tests' own and the emulated one."""

import contextlib
import io
import sys
from pathlib import Path

import numpy as np
import pytest
import standin

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "docs"))
from blocks import blocks, expected_output, matches

PAGES = {path: path.read_text() for path in sorted((ROOT / "docs").rglob("*.md"))}
EXAMPLES = [(path, block) for path, text in PAGES.items() for block in blocks(text) if block.language == "python gpu"]


class OfCupy(standin.ByInterface):
    """One of CuPy's arrays."""


def test_there_are_examples():
    assert {"python.md"} <= {path.name for path, _ in EXAMPLES}


@pytest.mark.parametrize("path, block", EXAMPLES, ids=lambda x: x.name if isinstance(x, Path) else f"line {x.line}")
def test_an_example_prints_what_it_says(path, block):
    cupy = standin.library("cupy", OfCupy)
    cupy.ones = lambda shape, dtype: OfCupy(np.ones(shape, dtype))
    cupy.empty = lambda shape, dtype: OfCupy(np.empty(shape, dtype), filled=False)  # on the current device
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, str(path), "exec"), {})
    assert matches(expected_output(PAGES[path], block, blocks(PAGES[path])), printed.getvalue())
