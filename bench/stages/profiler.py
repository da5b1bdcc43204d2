"""Profiles of the kernels, where profilers are installed: Nsight Compute's metrics of each launch, and Nsight
Systems' sum over a run."""

import csv
from pathlib import Path
import re
import shutil
import sys
import tempfile

from . import machine
from .process import Deadline
from .stage import Context, Stage, Unavailable, one_by_one

PATIENCE = 180  # seconds that a program may take under a profiler
LAUNCHES = 8  # those that set the filter, and the first of the execution
PROBLEMS = [f"cuda {'direct' if taps == 16 else 'overlap-save'} suite=bench/dtype=float32/signal={1 << 26}/taps={taps}/memory=device"
            for taps in (16, 64, 257, 512, 1024, 4096, 8192, 1 << 15)]
SECTIONS = ["SpeedOfLight", "Occupancy", "LaunchStats", "SchedulerStats", "WarpStateStats", "MemoryWorkloadAnalysis"]
# Metrics that the table shows; the state keeps all.
SHOWN = {"microseconds": "gpu__time_duration.sum", "memory %": "dram__throughput.avg.pct_of_peak_sustained_elapsed",
         "L1 hits %": "l1tex__t_sector_hit_rate.pct", "L2 hits %": "lts__t_sector_hit_rate.pct",
         "issue %": "smsp__issue_active.avg.pct_of_peak_sustained_active", "warps %": "sm__warps_active.avg.pct_of_peak_sustained_active",
         "no instruction": "smsp__average_warps_issue_stalled_no_instruction_per_issue_active.ratio"}


def find(tool: str) -> str | None:
    known = sorted(Path("/usr/local").glob("cuda*/bin")) + sorted(Path("/opt/nvidia").glob("nsight-*/*"), reverse=True)
    return shutil.which(tool) or next((found for place in known if (found := shutil.which(tool, path=place))), None)


def units(context: Context) -> list[str]:
    tools = [tool for tool in ("ncu", "nsys") if find(tool)]
    if not tools:
        raise Unavailable("neither ncu nor nsys is installed")
    return [f"{tool} {problem}" for tool in tools for problem in (PROBLEMS if tool == "ncu" else PROBLEMS[2:3])]


def number(text: str) -> float | str:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def parse_ncu(text: str) -> list[dict]:
    """A record for each launch, from ncu's raw page as CSV: a line of names, one of units, then one for each launch."""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    rows = list(csv.DictReader(lines))
    return [{"kernel": row["Kernel Name"], "metrics": {name: number(value) for name, value in row.items() if name and "__" in name and value}}
            for row in rows if row.get("Kernel Name")]


def ncu(deadline: Deadline, program: list, environment: dict) -> tuple[str, dict]:
    sections = [part for section in SECTIONS for part in ("--section", section)]
    under = [find("ncu"), "--csv", "--page", "raw", "--print-units", "base", "--clock-control", "none", "--launch-count", LAUNCHES,
             "--kill", "yes", *sections]
    status, text = deadline.run([*under, *program], environment, PATIENCE)
    launches = parse_ncu(text)
    if launches:
        return status, {"outcome": "noted", "launches": launches}
    return status, {"outcome": "skipped", "text": f"ncu ended with {status}: {text[-1000:]}"}  # as where counters are not for everyone


def nsys(deadline: Deadline, program: list, environment: dict) -> tuple[str, dict]:
    with tempfile.TemporaryDirectory() as folder:
        for command in ([find("nsys"), "profile", "-o", f"{folder}/run", "--trace", "cuda", *program],
                        [find("nsys"), "stats", "--report", "cuda_gpu_kern_sum,cuda_api_sum", "--format", "csv", f"{folder}/run.nsys-rep"]):
            status, text = deadline.run(command, environment, PATIENCE)
            if status != "0":
                break
    return status, {"outcome": "noted" if status == "0" else "skipped", "text": text[-6000:]}


def profile(context: Context, unit: str, deadline: Deadline) -> dict | None:
    tool, solver, problem = re.fullmatch(r"(\w+) (.+) (\S+)", unit).groups()
    program = [sys.executable, "-B", machine.WORKER, context.build, problem, "--only", solver]
    status, record = (ncu if tool == "ncu" else nsys)(deadline, program, context.environment)
    return None if status == "cut" else record


PROFILER = Stage("profiler", "Nsight Compute's metrics of the kernels; Nsight Systems' sum over a run", units, one_by_one(profile), timed=True)
