"""What a result file says of the machine, the build and the versions it was measured with."""

import os
import platform

import numpy as np
import scipy

from origin import cpu_model

from .shim import Shim
from .workload import cache_bytes


def describe(shim: Shim) -> dict:
    return {
        "machine": {"cpu": cpu_model(), "cpus": len(os.sched_getaffinity(0)), "threads": shim.threads(),
                    "last_level_cache_bytes": cache_bytes(),
                    "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
                    "system": f"{platform.system()} {platform.release()} {platform.machine()}"},
        "build": shim.describe_build(),
        "libraries": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    }


def load() -> float:
    """Processes that ran or waited to, averaged over the last minute."""
    return os.getloadavg()[0]
