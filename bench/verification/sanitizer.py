"""NVIDIA's compute-sanitizer on cases that run every kernel, and on the planted bugs, which it has to notice: a tool that
finds nothing has only said something where it can find something."""

import re
import shutil

from . import suite
from .process import Deadline, Expired, Program, Silent, output
from .stages import Context, Stage, Unavailable

TOOLS = ["memcheck", "racecheck", "initcheck", "synccheck"]
PATIENCE = 200  # seconds a program may take under a tool

# Few products, all kernels in every type they are compiled for, edges of tiles and blocks, repairs.
CASES = {"golden": "*GoldenValues*cuda_*",
         "batches": "*Batches.EveryRowIsRight/cuda_*:*Batches.SlidingWindows*/cuda_*",
         "not finite": "*NotFinite.OneNaN/cuda_*:*NotFinite.OneInfinity/cuda_*:*NotFinite.InfiniteTap/cuda_*"}

# Which tool has to notice each of tests/emulator/planted. None can be expected to notice a race of blocks in global
# memory (non_atomic_accumulation) or of streams (no_event_wait): racecheck looks at shared memory.
PLANTED = {"no_barrier_after_load": "racecheck", "no_barrier_before_reload": "racecheck", "no_exchange_barrier": "racecheck",
           "unsynchronized_update": "racecheck", "no_copy_wait": "racecheck", "tile_one_short": "memcheck",
           "read_past_the_end": "memcheck", "misaligned_store": "memcheck", "uninitialized_read": "initcheck",
           "divergent_barrier": "synccheck"}

SUMMARY = re.compile(r"ERROR SUMMARY: (\d+) error|RACECHECK SUMMARY: (\d+) hazard")
FINDING = re.compile(r"========= (Invalid|Uninitialized|Misaligned|Race|Error: Race|Error: Potential|Barrier error|Divergent|Program hit|Warning: Race|Host API)")


def find_tool() -> str | None:
    for place in (None, "/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer"):
        if found := shutil.which("compute-sanitizer", path=place):
            return found
    return None


def parse(text: str) -> tuple[int | None, list[str]]:
    """Findings the tool counted, None where it did not get to count; and the first lines of some."""
    counted = [int(a or b) for a, b in SUMMARY.findall(text)]
    findings = [line[10:] for line in text.splitlines() if FINDING.match(line)]
    return (sum(counted) if counted else None), findings[:10]


def _command(tool: str) -> list[str]:
    # A failing call of the runtime is not what is looked for: tests provoke some.
    extra = ["--report-api-errors", "no"] if tool == "memcheck" else []
    return [find_tool(), "--tool", tool, "--print-limit", "50", *extra]


def _units(context: Context) -> list[str]:
    if not find_tool():
        raise Unavailable("compute-sanitizer is not installed")
    units = []
    if (context.build / "tests" / "gpu" / "planted_gpu").exists():
        units += [f"planted none/{tool}" for tool in TOOLS]
        units += [f"planted {bug}/{tool}" for bug, tool in PLANTED.items()]
    for memory in suite.suites(context):
        if memory in ("host", "device"):
            units += [f"{memory} {cases}/{tool}" for cases in CASES for tool in TOOLS]
    if not units:
        raise Unavailable(f"neither test_unit nor planted_gpu is in {context.build}/tests")
    return units


def _watch(command, environment: dict, deadline: Deadline) -> tuple[str, str]:
    """Status and output; status "expired" after PATIENCE. Raises Expired at the deadline."""
    own = deadline.sooner(PATIENCE)
    lines = []
    with Program(command, environment) as program:
        program.close_input()
        try:
            for line in program.lines(own):
                lines.append(line)
            return program.status(), "\n".join(lines)
        except (Expired, Silent):
            if deadline.over():
                raise Expired from None
            return "expired", "\n".join(lines)


def _judge_planted(bug: str, status: str, text: str) -> dict:
    found, findings = parse(text)
    if found is None and not findings:
        return {"outcome": "failed", "text": f"the tool gave no summary; status {status}: {text[-1000:]}"}
    noticed = bool(found or findings)
    right = noticed != (bug == "none")
    return {"outcome": "passed" if right else "failed", "findings": found, "text": "\n".join(findings[:3]) or "nothing found"}


def _judge_cases(status: str, text: str) -> dict:
    found, findings = parse(text)
    ran = re.search(r"\[  PASSED  \] (\d+) test", text)
    record = {"findings": found, "cases": int(ran[1]) if ran else 0}
    if status == "expired":
        return record | {"outcome": "cut", "text": f"no end within {PATIENCE} s; findings until then: {len(findings)}"} \
            if not findings else record | {"outcome": "failed", "text": "\n".join(findings)}
    if found == 0 and status == "0" and record["cases"] > 0:
        return record | {"outcome": "passed"}
    return record | {"outcome": "failed", "text": "\n".join(findings) or f"status {status}: {text[-1000:]}"}


def _run(context: Context, pending: list[str], deadline: Deadline):
    suites = suite.suites(context)
    for unit in pending:
        what, tool = unit.rsplit("/", 1)
        group, name = what.split(" ", 1)
        try:
            if group == "planted":
                program = [context.build / "tests" / "gpu" / "planted_gpu", name]
                yield unit, _judge_planted(name, *_watch(_command(tool) + program, context.environment, deadline))
            else:
                s = suites[group]
                program = [s.program, f"--gtest_filter={CASES[name]}"]
                yield unit, _judge_cases(*_watch(_command(tool) + program, s.environment, deadline))
        except Expired:
            return


def version() -> str:
    """For the record; "not installed" where it is not."""
    tool = find_tool()
    if not tool:
        return "not installed"
    found = re.search(r"[Vv]ersion (\S+)", output([tool, "--version"])[1])
    return found[1] if found else "unknown"


SANITIZER = Stage("sanitizer", "compute-sanitizer's four tools on all kernels, and on bugs that they have to notice", _units, _run)
