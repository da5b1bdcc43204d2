"""Packs what a run needs of a build into a folder that can be taken to a machine with a GPU: the programs, stripped, CTest's tests
of them, and the commit."""

import json
from pathlib import Path
import shutil
import subprocess

from . import machine, tests

PROGRAMS = ["bench/libgpuconv_bench.so", "tests/unit/test_unit", "tests/unit/test_allocation", "tests/device/test_device",
            "tests/gpu/test_gpu", "tests/gpu/planted_gpu"]


def pack(source: Path, build: Path, to: Path) -> list[Path]:
    """The files' new places. Raises FileNotFoundError where something is not built."""
    missing = [name for name in PROGRAMS if not (build / name).exists()]
    if missing:
        raise FileNotFoundError(f"not built in {build}: {', '.join(missing)}")
    wanted = {to / name: build / name for name in PROGRAMS}
    for target, file in wanted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
        subprocess.run(["strip", "--strip-unneeded", target], check=True)
    known = json.dumps(tests.ask_ctest(build)).replace(str(build), tests.BUILD).replace(str(source), tests.SOURCE)
    (to / tests.CARRIED).write_text(known)
    (to / machine.ABOUT).write_text(json.dumps(machine.commit(source, build) | {"carried": True}, indent=1) + "\n")
    return [*wanted, to / tests.CARRIED, to / machine.ABOUT]
