"""Stages that time gpuconv beside other libraries and copies: peers/worker.py, which goes on in a new process after a problem that
ended it. Each time stands beside its error and the clocks under load; a wrong result fails its problem however fast it is."""

from dataclasses import asdict
import json
import sys

from . import machine
from .process import Deadline
from .stage import Context, Stage, Unavailable

PATIENCE = 150  # seconds that a problem may take
VERSIONS = "versions"
# Relative L2 errors beyond these are wrong results, whatever the method. Integers are exact.
WRONG = {"float32": 1e-5, "float64": 1e-13, "complex64": 1e-5}


def problems(suite: str) -> list:
    try:
        from peers.worker import SUITES
    except ImportError as missing:
        raise Unavailable(f"{missing}: the comparison needs NumPy and SciPy") from None
    return [problem for problem in SUITES[suite].PROBLEMS if problem.suite == suite]


def answers(text: str) -> dict[str, dict]:
    """The worker's answers, by unit; libraries print lines of their own between them."""
    out = {}
    for line in text.splitlines():
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and VERSIONS in answer:
            out[VERSIONS] = {"outcome": "noted", "libraries": answer[VERSIONS]}
        elif isinstance(answer, dict) and "problem" in answer:
            out[answer["problem"]] = record_of(answer)
    return out


def record_of(answer: dict) -> dict:
    from peers.workload import Problem
    problem = asdict(Problem.of(answer["problem"])) | {"data": answer.get("data")}
    if "skipped" in answer:
        return {"outcome": "skipped", "problem": problem, "text": answer["skipped"]}
    if "error" in answer:
        return {"outcome": "failed", "problem": problem, "text": answer["error"]}
    record = {"outcome": "measured", "problem": problem, "contestants": answer["contestants"], "clocks": answer.get("clocks", {})}
    if faults := wrong(problem["dtype"], answer["contestants"]):
        record |= {"outcome": "failed", "text": "wrong: " + "; ".join(faults)}
    return record


def wrong(dtype: str, contestants: list[dict]) -> list[str]:
    """Contestants of gpuconv whose results are not right. A NaN is never within a bound."""
    bound = WRONG.get(dtype, 0.0)
    return [f"{c['contestant']}: relative L2 error {c.get('relative_l2')}" for c in contestants
            if c["library"] == "gpuconv" and "skipped" not in c and not c.get("relative_l2", 1.0) <= bound]


def stage(suite: str, device: str, summary: str, usual: bool = True) -> Stage:
    def units(context: Context) -> list[str]:
        library = context.build / "bench" / "libgpuconv_bench.so"
        if not library.exists():
            raise Unavailable(f"{library} is not built: GPUCONV_BUILD_BENCH=ON")
        return [VERSIONS, *map(str, problems(suite))]

    def run_pending(context: Context, pending: list[str], deadline: Deadline):
        while pending and not deadline.over():
            few = [unit for unit in pending if unit != VERSIONS][:4]  # at a time, for starting the libraries takes seconds
            # Not with the variables that find cuFFT: a toolkit's folder ahead of their own would confuse the libraries.
            status, text = deadline.run([sys.executable, "-B", machine.WORKER, context.build, *few], {}, PATIENCE * len(few))
            found = {unit: record for unit, record in answers(text).items() if unit in pending}
            unanswered = [unit for unit in few if unit not in found]
            if unanswered and status != "cut":
                found[unanswered[0]] = {"outcome": "failed", "text": f"the worker ended with {status}: {text[-1000:]}"}
            yield from found.items()
            pending = [unit for unit in pending if unit not in found]

    return Stage(suite, summary, units, run_pending, timed=True, device=device, usual=usual)


BENCH = stage("bench", "cuda", "every solver on many problems, beside the speed of a copy; the CPU against the GPU")
PEERS = stage("peers", "cuda", "PyTorch, CuPy, JAX and plain cuFFT on the same arrays")
SMALL = stage("small", "cpu", "NumPy, SciPy and the Python package at sizes that people try first, where the call itself counts")
LARGE = stage("large", "cpu", "NumPy, SciPy and PyTorch on signals that leave the cache, beside a streaming copy")
CROSSOVER = stage("crossover", "cpu", "a grid of signal and filter lengths that shows which method wins")
IMAGES = stage("images", "cpu", "OpenCV, scikit-image and SciPy on an image", usual=False)
CHUNKS = stage("chunks", "cpu", "gpuconv.dask on chunks of an array, beside a plan on all of it", usual=False)
