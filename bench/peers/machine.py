"""What a result file says of the machine, the build and the versions it was measured with."""

import os
from pathlib import Path
import platform
import subprocess

import numpy as np
import scipy

from .shim import Shim
from .workload import cache_bytes


def describe(shim: Shim) -> dict:
    return {
        "machine": {"cpu": _cpu_model(), "cpus": len(os.sched_getaffinity(0)), "threads": shim.threads(),
                    "last_level_cache_bytes": cache_bytes(),
                    "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
                    "system": f"{platform.system()} {platform.release()} {platform.machine()}"},
        "build": shim.describe_build(),
        "libraries": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    }


def load() -> float:
    """Processes that ran or waited to, averaged over the last minute."""
    return os.getloadavg()[0]


def commit(source: Path) -> dict:
    """The commit of the working tree, and whether the tree has changes; "unknown" outside one."""
    def git(*arguments):
        return subprocess.run(["git", "-C", source, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "modified": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "modified": True}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    fields = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    family = f" (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else ""
    return fields.get("model name", platform.machine()) + family
