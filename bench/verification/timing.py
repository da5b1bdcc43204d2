"""Stages that time: every solver beside a copy, and other libraries on the same arrays. Every time has its error."""

import sys
from pathlib import Path

from . import problems
from .machine import clocks
from .process import Deadline
from .stages import Context, Stage, Unavailable
from .worker import run_jobs

CLOCKS = ["clocks before", "clocks after"]  # units that only look


def _record(job: dict, answer: dict) -> dict:
    if "error" in answer:
        return {"outcome": "failed", "problem": job, "text": answer["error"]}
    record = {"outcome": "measured", "problem": job, **answer["record"]}
    if faults := problems.wrong(job["type"], record["contestants"]):
        record |= {"outcome": "failed", "text": "wrong results: " + "; ".join(faults)}
    return record


def _run(command, environment: dict, jobs: list[dict], pending: list[str], deadline: Deadline):
    if CLOCKS[0] in pending:
        yield CLOCKS[0], {"outcome": "noted", **clocks()}
    by_name = {problems.name(job): job for job in jobs}
    wanted = {unit: by_name[unit] for unit in pending if unit in by_name}
    left = len(wanted)
    for unit, answer in run_jobs(command, wanted, deadline, environment):
        yield unit, _record(by_name[unit], answer)
        left -= 1
    if CLOCKS[1] in pending and not left:
        yield CLOCKS[1], {"outcome": "noted", **clocks()}


def _names(jobs: list[dict]) -> list[str]:
    return [CLOCKS[0], *map(problems.name, jobs), CLOCKS[1]]


def _bench_jobs(context: Context) -> list[dict]:
    return problems.device(context.quick) + problems.host(context.quick)


def _bench_units(context: Context) -> list[str]:
    if not _program(context).exists():
        raise Unavailable(f"{_program(context)} is not built: GPUCONV_BUILD_BENCH=ON")
    return _names(_bench_jobs(context))


def _program(context: Context) -> Path:
    return context.build / "bench" / "gpuconv_bench_device"


def _bench_run(context: Context, pending, deadline):
    return _run([_program(context)], context.environment, _bench_jobs(context), pending, deadline)


def _peers_units(context: Context) -> list[str]:
    library = context.build / "bench" / "libgpuconv_bench.so"
    if not library.exists():
        raise Unavailable(f"{library} is not built: GPUCONV_BUILD_BENCH=ON")
    return ["versions", *_names(problems.peers(context.quick))]


def _peers_run(context: Context, pending, deadline):
    # Not with the variables that find cuFFT: a toolkit's folder ahead of their own would confuse the other libraries.
    command = [sys.executable, "-B", Path(__file__).with_name("peer_worker.py"), context.build]
    if "versions" in pending:
        for unit, answer in run_jobs(command, {"versions": {"versions": True}}, deadline):
            yield unit, {"outcome": "failed", "text": answer["error"]} if "error" in answer else \
                {"outcome": "noted", **answer["record"]}
    yield from _run(command, {}, problems.peers(context.quick), pending, deadline)


BENCH = Stage("bench", "every solver on many problems, beside the speed of a copy; the CPU against the GPU",
              _bench_units, _bench_run, timed=True)
PEERS = Stage("peers", "PyTorch, CuPy, JAX and plain cuFFT on the same arrays", _peers_units, _peers_run, timed=True)
