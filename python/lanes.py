#!/usr/bin/env python3
"""Builds the wheels of the Python package and tests them with every Python that is at hand: ./dev python.

A lane is an interpreter with a NumPy: Debian's Python with Debian's NumPy, and the CPythons that pyenv has with the newest
from the Python index. Wheels are built as `pip install .` builds them, in isolation. The first lane runs all tests, and the
suites of NumPy and SciPy (peers.py), the others a few tests, unless --full says otherwise: then all tests, with SciPy and
packages that use it. The newest Python has Dask, and runs its tests with both kinds of arrays that Dask has. Exit status 77:
nothing could be tested on this machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "python" / "tests"
MINORS = (10, 11, 12, 13)
STABLE = 12  # from this minor version on, one wheel serves all
TOOLS = ("pytest>=7", "hypothesis>=6")
PEERS = ("scipy", "scikit-image", "astropy", "array-api-strict")  # what programs are run of that compute with gpuconv
# Of the lanes that do not run everything: what is installed, NumPy's own tests, the texts of errors, and each type once.
SMOKE = ("test_package.py", "test_numpy_suite.py", "test_arguments.py", "test_rows.py", "test_arrays.py")
OF_DASK = ("test_dask.py", "test_dask_cluster.py")
CHUNKINGS = 10_000  # random ones that --dask tries


class Skipped(Exception):
    """The lane cannot run on this machine, and why."""


class Failed(Exception):
    """What has failed."""


@dataclass
class Lane:
    name: str
    python: Path
    minor: int
    system_packages: bool = False
    packages: tuple[str, ...] = ("numpy", "ml_dtypes")
    has_dask: bool = False

    @property
    def wheel_tag(self) -> str:
        return f"cp3{self.minor}-cp3{self.minor}" if self.minor < STABLE else f"cp3{STABLE}-abi3"


def output_of(*command: str | Path) -> str:
    """What the command prints, or nothing where there is none or it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def run(*command: str | Path, **options) -> bool:
    """Prints a command and runs it; whether it succeeded."""
    print("+", *command, flush=True)
    return subprocess.run(command, **options).returncode == 0


def use_ccache() -> None:
    """Objects that the C++ builds have compiled are not compiled again."""
    if shutil.which("ccache"):
        os.environ.setdefault("CCACHE_BASEDIR", str(ROOT))
        os.environ.setdefault("CCACHE_NOHASHDIR", "1")
        os.environ.setdefault("CMAKE_CXX_COMPILER_LAUNCHER", "ccache")
        os.environ.setdefault("CMAKE_CUDA_COMPILER_LAUNCHER", "ccache")
        os.environ.setdefault("CXX", "c++")  # as CMake calls it unasked: to ccache, g++ is another compiler


def minor_of(python: Path) -> int:
    """x of CPython 3.x; -1 where it is none."""
    version = output_of(python, "-c", "import sys; print(sys.version_info[0], sys.version_info[1], sys.implementation.name)")
    match = re.fullmatch(r"3 (\d+) cpython", version)
    return int(match[1]) if match else -1


def pyenv_pythons() -> dict[int, Path]:
    """The newest interpreter of each minor version that pyenv has."""
    root = output_of("pyenv", "root")
    newest: dict[int, tuple[int, Path]] = {}
    for folder in Path(root, "versions").glob("3.*.*") if root else ():
        match = re.fullmatch(r"3\.(\d+)\.(\d+)", folder.name)
        if match and (folder / "bin" / "python").exists():
            minor, patch = int(match[1]), int(match[2])
            newest[minor] = max(newest.get(minor, (-1, Path())), (patch, folder / "bin" / "python"))
    return {minor: python for minor, (_, python) in newest.items()}


def lanes() -> tuple[list[Lane], list[str]]:
    """The lanes that can run here, and what is missing for others."""
    found, missing = [], []
    debian = Path("/usr/bin/python3")
    if output_of(debian, "-c", "import numpy; print(numpy.__version__)") and minor_of(debian) in MINORS:
        found.append(Lane("debian", debian, minor_of(debian), system_packages=True, packages=()))
    else:
        missing.append("no Python of the system's with a NumPy")
    pythons = pyenv_pythons()
    for minor in MINORS:
        if minor in pythons:
            found.append(Lane(f"3.{minor}", pythons[minor], minor))
        else:
            missing.append(f"pyenv has no CPython 3.{minor}")
    newest = max(found, key=lambda lane: (lane.minor, not lane.system_packages), default=None)
    if newest and not newest.system_packages:
        newest.packages, newest.has_dask = (*newest.packages, "dask[array,distributed]", "array-api-strict", "scipy"), True
    else:
        missing.append("no Python of pyenv's that Dask could be installed for")
    return found, missing


class Builder:
    """Builds each wheel once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.wheels: dict[str, Path] = {}

    def environment(self, lane: Lane, with_peers: bool) -> Path:
        """The Python of a new virtual environment with what the tests need."""
        folder = self.folder / lane.name
        shutil.rmtree(folder, ignore_errors=True)
        options = ["--system-site-packages"] if lane.system_packages else []
        if not run(lane.python, "-m", "venv", *options, folder):
            raise Skipped(f"{lane.python} makes no virtual environments")
        python = folder / "bin" / "python"
        packages = (*TOOLS, *lane.packages, *(PEERS if with_peers and not lane.system_packages else ()))
        if not run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages):
            raise Skipped("the Python index cannot be reached, or lacks what the tests need")
        return python

    def wheel(self, lane: Lane, python: Path) -> Path:
        """The wheel that serves the lane."""
        if lane.wheel_tag not in self.wheels:
            into = self.folder / "wheels" / lane.wheel_tag
            shutil.rmtree(into, ignore_errors=True)
            build = f"--config-settings=build-dir={ROOT / ('build-wheel-' + lane.wheel_tag)}"
            if not run(python, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", build, "-w", into, ROOT):
                raise Failed("the wheel cannot be built")
            (self.wheels[lane.wheel_tag],) = into.glob("*.whl")
        return self.wheels[lane.wheel_tag]

    def install(self, lane: Lane, with_peers: bool = False) -> Path:
        """The Python that has the wheel installed."""
        python = self.environment(lane, with_peers)
        wheel = self.wheel(lane, python)
        if lane.wheel_tag not in wheel.name:
            raise Failed(f"the wheel is called {wheel.name}, {lane.wheel_tag} is expected")
        if not run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", wheel):
            raise Failed(f"{wheel.name} cannot be installed")
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB", flush=True)
        return python

    def run_tests(self, python: Path, names: tuple[str, ...], **variables: str) -> None:
        """Runs the tests of these files, all of them where there is none."""
        environment = {"GPUCONV_EXAMPLES": "1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        files = [TESTS / name for name in names] or [TESTS]
        if not run(python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *files, cwd=self.folder, env=environment):
            raise Failed("tests have failed")

    def test_dask(self, python: Path, **variables: str) -> None:
        """The tests of chunked arrays, once with each kind of them that Dask has."""
        for planning in ("False", "True"):
            self.run_tests(python, OF_DASK, DASK_ARRAY__QUERY_PLANNING=planning, **variables)

    def test_peers(self, python: Path) -> None:
        """The suites of NumPy and SciPy, as programs that compute with gpuconv."""
        if not run(python, ROOT / "python" / "peers.py", cwd=self.folder):
            raise Failed("suites of NumPy or SciPy have failed, or few of their calls were computed")

    def test(self, lane: Lane, everything: bool, peers: bool) -> None:
        """Installs the wheel and runs the tests with it."""
        python = self.install(lane, with_peers=everything)
        few = {} if everything else {"GPUCONV_EXAMPLES": os.environ.get("GPUCONV_EXAMPLES", "0.2")}
        self.run_tests(python, () if everything else SMOKE, **few)
        if peers:
            self.test_peers(python)
        if lane.has_dask:
            self.test_dask(python)


def wanted(lane: Lane, options: argparse.Namespace) -> bool:
    return lane.has_dask if options.dask else not options.names or lane.name in options.names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build-python", help="where environments and wheels go")
    parser.add_argument("--full", action="store_true", help="all tests in every lane")
    parser.add_argument("--dask", action="store_true", help=f"only gpuconv.dask: {CHUNKINGS} random chunkings, a large file")
    parser.add_argument("--peers", action="store_true", help="only the suites of NumPy and SciPy; no lane named: in the first one")
    parser.add_argument("names", nargs="*", help="lanes: debian, 3.10, ...; none: all")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    use_ccache()
    found, missing = lanes()
    table, failed, tested = [], False, False
    for reason in missing if not options.names else ():
        table.append(f"SKIPPED: {reason}")
    builder = Builder(options.folder)
    those = [lane for lane in found if wanted(lane, options)]
    for lane in those[:1] if options.peers and not options.names else those:
        print(f"\n==== Python {lane.name}: {lane.python}", flush=True)
        began = time.monotonic()
        try:
            if options.peers:
                builder.test_peers(builder.install(lane, with_peers=True))
            elif options.dask:
                builder.test_dask(builder.install(lane), GPUCONV_CHUNKINGS=str(CHUNKINGS), GPUCONV_LARGE="1")
            else:
                builder.test(lane, everything=options.full or not tested, peers=not tested)
            outcome, tested = "passed", True
        except Skipped as reason:
            outcome = f"SKIPPED: {reason}"
        except Failed as reason:
            outcome, failed = f"FAILED: {reason}", True
        table.append(f"{lane.name:8} {outcome}, {time.monotonic() - began:.0f} s")
    print("\nPython package:", *table, sep="\n  ", flush=True)
    if failed:
        return 1
    return 0 if tested else 77


if __name__ == "__main__":
    sys.exit(main())
