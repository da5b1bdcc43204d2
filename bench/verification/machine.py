"""What a result says of the machine, and where programs find cuFFT on it."""

import ctypes
import json
import os
from pathlib import Path
import platform
import site
import sys

import origin

from .process import Deadline, output
from .sanitizer import version as sanitizer_version
from .stages import Context, Stage

CUFFT = ["libcufft.so.12", "libcufft.so.11"]  # of CUDA 13 and 12
CARRIED = "carried.json"  # in a build that was carried here: what is known where it was built


def find_cufft() -> Path | None:
    """The folder of a cuFFT that the dynamic linker does not find by itself: in a toolkit, or among the wheels that
    PyTorch brings."""
    for library in CUFFT:
        try:
            ctypes.CDLL(library)
            return None
        except OSError:
            pass
    toolkits = [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    toolkits += [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
    folders = [toolkit / part for toolkit in toolkits for part in ("lib64", "lib", "targets/x86_64-linux/lib")]
    packages = {Path(p) for p in [*site.getsitepackages(), site.getusersitepackages(), *sys.path] if p}
    for package in sorted(packages):
        folders += [*package.glob("nvidia/cu*/lib"), *package.glob("nvidia/cufft/lib")]
    for folder in folders:
        if any((folder / library).exists() for library in CUFFT):
            return folder
    return None


def environment() -> dict:
    """Variables with which programs find what they load."""
    folder = find_cufft()
    if not folder:
        return {}
    known = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": f"{folder}:{known}" if known else str(folder)}


def device_info(build: Path, variables: dict) -> dict:
    """What gpuconv_bench_device --info says; {"available": False, "detail": ...} where it cannot."""
    program = build / "bench" / "gpuconv_bench_device"
    if not program.exists():
        return {"available": False, "detail": f"{program} is not built: GPUCONV_CUDA=ON, GPUCONV_BUILD_BENCH=ON"}
    status, text = output([program, "--info"], variables)
    try:
        return json.loads(text)
    except ValueError:
        return {"available": False, "detail": f"{program.name} --info ended with {status}: {text[-500:]}"}


def smi(*fields: str) -> dict:
    """What nvidia-smi says of the first GPU; empty where it says nothing."""
    status, text = output(["nvidia-smi", "--id=0", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"])
    if status != "0":
        return {}
    return dict(zip(fields, (part.strip() for part in text.splitlines()[0].split(","))))


def clocks() -> dict:
    return smi("clocks.sm", "clocks.mem", "temperature.gpu", "power.draw", "pstate")


def commit(source: Path, build: Path) -> dict:
    """The commit that was built: of a carried build as its file says, else of the working tree."""
    carried = build / CARRIED
    if carried.exists():
        return json.loads(carried.read_text())
    return origin.commit(source)


def describe(context: Context) -> dict:
    status, toolkit = output(["nvcc", "--version"])
    return {**commit(context.source, context.build),
            "machine": {"gpu": context.device.get("name"), "cpu": origin.cpu_model(), "cpus": len(os.sched_getaffinity(0)),
                        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
                        "system": f"{platform.system()} {platform.release()} {platform.machine()}"},
            "device": context.device,
            "smi": smi("name", "driver_version", "vbios_version", "clocks.max.sm", "clocks.max.mem", "power.limit",
                       "ecc.mode.current", "mig.mode.current"),
            "clocks": clocks(),
            "libraries": {"python": platform.python_version(), "compute_sanitizer": sanitizer_version(),
                          "nvcc_here": toolkit.splitlines()[-1] if status == "0" and toolkit else "not installed",
                          "LD_LIBRARY_PATH": context.environment.get("LD_LIBRARY_PATH", "")}}


def _run(context: Context, pending, _: Deadline):
    for unit in pending:
        yield unit, {"outcome": "noted", **describe(context)}


ENVIRONMENT = Stage("environment", "commit, build, device, driver, libraries", lambda context: ["environment"], _run)
