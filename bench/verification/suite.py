"""The test programs of the build on the GPU: the unit suite's cases of the CUDA solvers, for arrays in either memory,
what only holds for plans on a GPU, and the limits that only a real one has."""

import re
from pathlib import Path

from .gtest import Suite
from .process import Deadline
from .stages import Context, Stage, Unavailable

DEVICE_CASES = re.compile(r"string\(JOIN \":\" gpuconv_device_memory_cases\s+([^)]*)\)")


def device_memory_cases(source: Path) -> str:
    """The filter of tests/CMakeLists.txt for arrays in device memory."""
    found = DEVICE_CASES.search((source / "tests" / "CMakeLists.txt").read_text())
    if not found:
        raise Unavailable("tests/CMakeLists.txt does not name gpuconv_device_memory_cases")
    return ":".join(found[1].split())


def suites(context: Context) -> dict[str, Suite]:
    """Those that are built, by name."""
    tests = context.build / "tests"
    # A carried build knows another place of the sources.
    common = context.environment | {"GPUCONV_GOLDEN_FILE": str(context.source / "tests" / "golden" / "golden.json")}
    on_device = common | {"GPUCONV_TEST_MEMORY": "device"}
    out = {"host": Suite(tests / "unit" / "test_unit", "*cuda_*", common),
           "device": Suite(tests / "unit" / "test_unit", device_memory_cases(context.source), on_device),
           "allocation": Suite(tests / "unit" / "test_allocation", "*cuda_*", common),
           "plans": Suite(tests / "device" / "test_device", "*", common)}
    return {name: suite for name, suite in out.items() if suite.program.exists()}


def limits(context: Context) -> dict[str, Suite]:
    suite = Suite(context.build / "tests" / "gpu" / "test_gpu", "*", context.environment)
    return {"gpu": suite} if suite.program.exists() else {}


def _stage(name: str, summary: str, suites_of) -> Stage:
    def units(context: Context) -> list[str]:
        found = suites_of(context)
        if not found:
            raise Unavailable(f"no test program is in {context.build}/tests")
        return [f"{prefix}/{case}" for prefix, suite in found.items() for case in suite.names()]

    def run(context: Context, pending: list[str], deadline: Deadline):
        for prefix, suite in suites_of(context).items():
            mine = [unit.removeprefix(f"{prefix}/") for unit in pending if unit.startswith(f"{prefix}/")]
            for case, record in suite.run(mine, deadline):
                yield f"{prefix}/{case}", record

    return Stage(name, summary, units, run)


SUITE = _stage("suite", "the unit suite on the GPU, for arrays in host and in device memory", suites)
LIMITS = _stage("limits", "more than 2^31 elements, memory that runs out, 100 repeats, graphs, threads and streams", limits)
