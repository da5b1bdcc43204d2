"""The machine as a result describes it, and the place where programs find cuFFT on it."""

import csv
import ctypes
import io
import json
import os
from pathlib import Path
import platform
import site
from statistics import median
import subprocess
import sys
import tempfile

from .process import run
from .stage import Context, Stage, one_by_one

WORKER = Path(__file__).resolve().parents[1] / "peers" / "worker.py"
CUFFT = ["libcufft.so.12", "libcufft.so.11"]  # of CUDA 13 and 12
ABOUT = "carried.json"  # in a build that was carried here: what is known where it was built
UNDER_LOAD = ["clocks.sm", "clocks.mem", "temperature.gpu", "power.draw", "utilization.gpu"]


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
    for package in sorted({Path(p) for p in [*site.getsitepackages(), site.getusersitepackages(), *sys.path] if p}):
        folders += [*package.glob("nvidia/cu*/lib"), *package.glob("nvidia/cufft/lib")]
    return next((folder for folder in folders if any((folder / library).exists() for library in CUFFT)), None)


def environment() -> dict:
    """Variables with which programs find cuFFT."""
    folder = find_cufft()
    return {"LD_LIBRARY_PATH": ":".join(filter(None, [str(folder), os.environ.get("LD_LIBRARY_PATH")]))} if folder else {}


def device(build: Path, variables: dict) -> dict:
    """The build and its GPU as the worker finds them; {"available": False, "detail": ...} where it cannot."""
    status, text = run([sys.executable, "-B", WORKER, build], variables)
    try:
        return {"available": False, **json.loads(text)}
    except ValueError:
        return {"available": False, "detail": f"the worker ended with {status}: {text[-500:]}"}


def smi(*fields: str) -> dict:
    """Answers of nvidia-smi about the first GPU; empty where it gives none."""
    status, text = run(["nvidia-smi", "--id=0", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"])
    return dict(zip(fields, (part.strip() for part in text.splitlines()[0].split(",")))) if status == "0" and text else {}


class Clocks:
    """Clocks, temperature and power of the first GPU, read while a `with` statement's body runs."""

    def __enter__(self):
        self._output = tempfile.TemporaryFile("w+")
        try:
            self._process = subprocess.Popen(["nvidia-smi", "--id=0", f"--query-gpu={','.join(UNDER_LOAD)}", "--loop-ms=100",
                                              "--format=csv,noheader,nounits"], stdout=self._output, stderr=subprocess.DEVNULL)
        except OSError:
            self._process = None
        return self

    def __exit__(self, *_):
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def summary(self) -> dict:
        """Least, median and largest value of each where the GPU was at work."""
        self._output.seek(0)
        rows = []
        for line in csv.reader(io.StringIO(self._output.read())):
            try:
                rows.append([float(part) for part in line])
            except ValueError:  # "[N/A]", or a line that is not finished
                continue
        busy = [row for row in rows if len(row) == len(UNDER_LOAD) and row[-1] >= 50]
        return {name: [min(column), median(column), max(column)] for name, column in zip(UNDER_LOAD, zip(*busy))}


def commit(source: Path, build: Path | None = None) -> dict:
    """The commit that was built, and whether there were changes: of a carried build as its file says, else of the working tree;
    "unknown" outside one."""
    if build and (build / ABOUT).exists():
        return json.loads((build / ABOUT).read_text())
    answers = [run(["git", "-C", source, *arguments]) for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain"))]
    if any(status != "0" for status, _ in answers):
        return {"commit": "unknown", "modified": True}
    return {"commit": answers[0][1].strip(), "modified": bool(answers[1][1].strip())}


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    fields = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    family = f" (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else ""
    return fields.get("model name", platform.machine()) + family


def describe(context: Context) -> dict:
    """What a result is of. `load`: processes that ran or waited to, averaged over the last minute. `variables`: the names of those
    that programs were given, whose values are paths of a machine."""
    device = context.device
    build = {"version": device.get("gpuconv"), **{key: device.get(key) for key in ("simd_target", "compiler", "build_type", "nvcc", "architectures")}}
    return {**commit(context.source, context.build), "build": build, "load": os.getloadavg()[0], "variables": sorted(context.environment),
            "machine": {"gpu": device["name"] if device["available"] else None, "cpu": cpu_model(), "cpus": len(os.sched_getaffinity(0)),
                        "threads": device.get("threads"), "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
                        "system": f"{platform.system()} {platform.release()} {platform.machine()}"},
            "smi": smi("name", "driver_version", "vbios_version", "clocks.max.sm", "clocks.max.mem", "power.limit",
                       "ecc.mode.current", "mig.mode.current")}


ENVIRONMENT = Stage("environment", "commit, build, device, driver, libraries", lambda context: ["environment"],
                    one_by_one(lambda context, *_: {"outcome": "noted", "about": describe(context)}), device=None)
