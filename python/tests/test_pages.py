"""The Python examples of the README and of the pages in docs: what they print; and that the gallery's programs draw."""

import contextlib
import io
import re
import sys
from pathlib import Path

import gpuconv
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "docs"))
from blocks import blocks, expected_output, matches

PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))}
EXAMPLES = [(path, block) for path, text in PAGES.items() for block in blocks(text) if block.language == "python"]


def test_there_are_examples():
    assert {"README.md", "python.md", "wishes.md"} <= {path.name for path, _ in EXAMPLES}


@pytest.mark.parametrize("path, block", EXAMPLES, ids=lambda x: x.name if isinstance(x, Path) else f"line {x.line}")
def test_an_example_prints_what_it_says(path, block):
    if "dask" in block.text:
        pytest.importorskip("dask.array", reason="Dask is not installed")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, str(path), "exec"), {})
    assert matches(expected_output(PAGES[path], block, blocks(PAGES[path])), printed.getvalue())


def test_pages_ask_for_this_version():
    asked = {version for text in PAGES.values() for version in re.findall(r"find_package\(gpuconv ([\d.]+)", text)}
    assert asked == {gpuconv.__version__.rpartition(".")[0]}
    assert f"## [{gpuconv.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("program", sorted((ROOT / "docs" / "gallery").glob("*.py")), ids=lambda path: path.stem)
def test_the_gallery_is_drawn(program, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(ROOT)
    drawn = {}
    exec(compile(program.read_text(), str(program), "exec"), drawn)
    drawn["figure"].canvas.draw()
    drawn["plt"].close("all")
    assert f".. plot:: gallery/{program.name}" in PAGES[ROOT / "docs" / "gallery.md"]


def side_by_side():
    """The calls of gpuconv, NumPy and SciPy in the rows of the first table, where a cell is one call."""
    table = PAGES[ROOT / "docs" / "coming_from.md"].split("\n\nAnd from MATLAB")[0]
    for line in table.splitlines():
        task, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        calls = [match[1] for cell in cells if (match := re.fullmatch(r"`((?:gc|np|signal|ndimage)\.[^`]*\))`", cell))]
        if len(calls) > 1:
            yield pytest.param(calls, id=task)


@pytest.mark.parametrize("calls", list(side_by_side()))
def test_calls_side_by_side_are_the_same(calls):
    scope = {"gc": gpuconv, "np": np}
    if any("signal." in call or "ndimage." in call for call in calls):
        scope["signal"] = pytest.importorskip("scipy.signal")
        scope["ndimage"] = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(4)
    shapes = {"x": (50,), "h": (5,), "X": (6, 40), "H": (6, 5), "stack": (3, 20, 30)}
    scope.update((name, rng.standard_normal(shape)) for name, shape in shapes.items())
    ours, *others = (eval(call, scope) for call in calls)
    for call, other in zip(calls[1:], others):
        assert ours.shape == other.shape, call
        np.testing.assert_allclose(ours, other, atol=1e-12, err_msg=call)
