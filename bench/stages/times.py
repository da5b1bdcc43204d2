"""Stages that time: gpuconv_bench, a process for each problem; each time beside its error and the clocks under load."""

import json
from pathlib import Path
import re
import tempfile

from peers.timing import spread

from .machine import Clocks
from .process import Deadline, run
from .stage import Context, Stage, Unavailable, one_by_one

# Relative L2 errors beyond these are wrong results, whatever the method. Integers are exact.
WRONG = {"float32": 1e-5, "float64": 1e-13, "complex64": 1e-5}
PATIENCE = 150  # seconds that a problem may take
REPETITIONS, LEAST = 7, 0.02  # samples of a contestant, in turn, and the seconds of each
NAME = re.compile(r"(?P<problem>(?P<memory>[a-z/]+)/(?P<dtype>\w+)/batch:(?P<batch>\d+)/signal:(?P<signal>\d+)/taps:(?P<taps>\d+))"
                  r"/(?P<contestant>[^/]+)")


def named(benchmark: str) -> dict | None:
    """What a benchmark's name says of its problem and who computes it; None of another kind of name."""
    match = NAME.match(benchmark)
    return match and {key: int(value) if value.isdigit() else value for key, value in match.groupdict().items()}


def program(context: Context) -> Path:
    return context.build / "bench" / "gpuconv_bench"


def problems(context: Context) -> list[str]:
    """Names of the problems in the order of the program; those in device memory first."""
    status, text = run([program(context), "--benchmark_list_tests"], context.environment)
    found = [about["problem"] for about in map(named, text.splitlines()) if about and about["memory"] in ("device", "host")]
    if not found:
        raise Unavailable(f"{program(context)} lists no problem (status {status}): GPUCONV_BUILD_BENCH=ON")
    return sorted(dict.fromkeys(found), key=lambda problem: problem.startswith("host"))


def measure(run, program: Path, pattern: str, environment: dict, patience: float, repetitions: int = REPETITIONS,
            least: float = LEAST) -> tuple[str, str, list[dict] | None]:
    """The program's status and output by `run`, and its runs, repetitions in random order; None where it wrote no results."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        status, text = run([program, f"--benchmark_filter=^{pattern}", f"--benchmark_out={out}", f"--benchmark_repetitions={repetitions}",
                            f"--benchmark_min_time={least}", "--benchmark_enable_random_interleaving=true"], environment, patience)
        try:
            runs = json.loads(out.read_text())["benchmarks"]
        except (OSError, ValueError):
            return status, text, None
    return status, text, [one for one in runs if one.get("run_type") != "aggregate"]


def contestants(runs: list[dict]) -> list[dict]:
    """A record for each contestant, from all of its repetitions. An "error" is one that the program gave."""
    out = {}
    for one in runs:
        name = named(one["name"])["contestant"]
        record = out.setdefault(name, {"contestant": name, "call": "c++", "times": []})
        record["library"] = "copy" if name in ("copy", "transfers") else "gpuconv"
        if one.get("error_occurred"):
            record["error"] = one.get("error_message", "")
            continue
        record["times"].append(one["real_time"] * 1e-9 / one.get("calls", 1))
        record |= {key: one[key] for key in ("max_error", "relative_l2", "estimate", "replayed") if key in one}
        record |= {"chosen": bool(one.get("chosen")), "detail": one.get("label", "")}
    for record in out.values():
        if times := record.pop("times"):
            record["seconds"] = spread(times)
        if record.get("error", "").startswith("skipped: "):
            record["skipped"] = record.pop("error").removeprefix("skipped: ")
    return list(out.values())


def wrong(dtype: str, record: list[dict]) -> list[str]:
    """Contestants of gpuconv that failed, or whose results are not right. A NaN is never within a bound."""
    bound = WRONG.get(dtype, 0.0)
    return [f"{c['contestant']}: {c.get('error') or 'relative L2 error ' + str(c.get('relative_l2'))}" for c in record
            if "error" in c or c["library"] == "gpuconv" and "skipped" not in c and not c.get("relative_l2", 1.0) <= bound]


def time_problem(context: Context, problem: str, deadline: Deadline) -> dict | None:
    """The record of a problem; None where the time was over first."""
    with Clocks() as clocks:
        status, text, runs = measure(deadline.run, program(context), problem + "/", context.environment, PATIENCE)
        about = named(problem + "/-")
        record = {"outcome": "measured", "clocks": clocks.summary(),
                  "problem": {key: about[key] for key in ("memory", "dtype", "batch", "signal", "taps")}}
    if status == "cut":
        return None
    if runs is None:
        return record | {"outcome": "failed", "text": f"the program ended with {status}: {text[-1500:]}"}
    record["contestants"] = contestants(runs)
    if faults := wrong(about["dtype"], record["contestants"]):
        record |= {"outcome": "failed", "text": "wrong: " + "; ".join(faults)}
    return record


BENCH = Stage("bench", "every solver on many problems, beside the speed of a copy; the CPU against the GPU", problems,
              one_by_one(time_problem), timed=True)
