"""Packs what the verification needs of a build into a folder that can be taken to a machine with a GPU: the programs,
stripped, and what is known of them here. There it takes the sources' bench/ and tests/, and nothing to build or install."""

import json
from pathlib import Path
import shutil
import subprocess

from . import machine

FILES = ["bench/gpuconv_bench_device", "bench/libgpuconv_bench.so", "tests/unit/test_unit", "tests/unit/test_allocation",
         "tests/device/test_device", "tests/gpu/test_gpu", "tests/gpu/planted_gpu"]


def pack(source: Path, build: Path, to: Path) -> list[Path]:
    """The files' new places. Raises FileNotFoundError where nothing of the build is there."""
    found = [name for name in FILES if (build / name).exists()]
    if not found:
        raise FileNotFoundError(f"nothing in {build} is to be carried: {', '.join(FILES)}")
    out = []
    for name in found:
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(build / name, target)
        subprocess.run(["strip", "--strip-unneeded", target], check=True)
        out.append(target)
    about = machine.commit(source, build) | {"carried": True, "missing": [name for name in FILES if name not in found]}
    (to / machine.CARRIED).write_text(json.dumps(about, indent=1) + "\n")
    return out
