"""Stages that time other libraries beside gpuconv: peers/worker.py, which goes on in a new process after a problem that ended it."""

import json
from pathlib import Path
import sys

from .machine import Clocks
from .process import Deadline
from .stage import Context, Stage, Unavailable

PATIENCE = 150  # seconds that a problem may take
VERSIONS = "versions"
WORKER = Path(__file__).resolve().parents[1] / "peers" / "worker.py"


def problems(suite: str, device: str) -> list[tuple[str, int, int]]:
    try:
        from peers import cpu, gpu
    except ImportError as missing:
        raise Unavailable(f"{missing}: the comparison needs NumPy and SciPy") from None
    return gpu.PROBLEMS if device == "cuda" else cpu.PROBLEMS[suite]


def answers(text: str, device: str) -> dict[str, dict]:
    """The worker's answers, by unit; libraries print lines of their own between them."""
    out = {}
    for line in text.splitlines():
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and VERSIONS in answer:
            out[VERSIONS] = {"outcome": "noted", "libraries": answer[VERSIONS]}
        elif isinstance(answer, dict) and "job" in answer:
            out[answer["job"]] = record_of(answer, device)
    return out


def record_of(answer: dict, device: str) -> dict:
    _, dtype, signal, taps = answer["job"].split(":")
    problem = {"memory": "device" if device == "cuda" else "host", "dtype": dtype, "batch": 1, "signal": int(signal), "taps": int(taps)}
    if "error" in answer:
        return {"outcome": "failed", "problem": problem, "text": answer["error"]}
    if "data" in answer:
        problem["data"] = answer["data"]
    return {"outcome": "measured", "problem": problem, "contestants": answer["contestants"]}


def stage(suite: str, device: str, summary: str) -> Stage:
    def units(context: Context) -> list[str]:
        library = context.build / "bench" / "libgpuconv_bench.so"
        if not library.exists():
            raise Unavailable(f"{library} is not built: GPUCONV_BUILD_BENCH=ON")
        return [VERSIONS, *(f"{suite}:{dtype}:{n}:{m}" for dtype, n, m in problems(suite, device))]

    def run_pending(context: Context, pending: list[str], deadline: Deadline):
        while pending and not deadline.over():
            few = [unit for unit in pending if unit != VERSIONS][:4]  # at a time, for starting the libraries takes seconds
            with Clocks() as clocks:
                # Not with the variables that find cuFFT: a toolkit's folder ahead of their own would confuse the libraries.
                status, text = deadline.run([sys.executable, "-B", WORKER, context.build, device, *few], {}, PATIENCE * max(1, len(few)))
                load = clocks.summary()
            found = {unit: record for unit, record in answers(text, device).items() if unit in pending}
            unanswered = [unit for unit in few or [VERSIONS] if unit not in found]
            if unanswered and status != "cut":
                found[unanswered[0]] = {"outcome": "failed", "text": f"the worker ended with {status}: {text[-1000:]}"}
            for unit, record in found.items():
                yield unit, record | ({"clocks": load} if load and "problem" in record else {})
            pending = [unit for unit in pending if unit not in found]

    return Stage(suite, summary, units, run_pending, timed=True, device=device)


PEERS = stage("peers", "cuda", "PyTorch, CuPy, JAX and plain cuFFT on the same arrays")
SMALL = stage("small", "cpu", "NumPy, SciPy and the Python package at sizes that people try first, where the call itself counts")
LARGE = stage("large", "cpu", "NumPy, SciPy and PyTorch on signals that leave the cache, beside a streaming copy")
CROSSOVER = stage("crossover", "cpu", "a grid of signal and filter lengths that shows which method wins")
