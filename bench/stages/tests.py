"""CTest's tests of a label, a few at a time: each in a process of its own, so that an error that sticks to a process ends one
test. Which tests there are is what CTest says of the build, or said of it where a carried build was packed; they are run here, for
a test that only had what was left of the time has not failed."""

from concurrent.futures import ThreadPoolExecutor
import json
import re
import shutil
from time import monotonic

from .process import Deadline, run
from .stage import Context, Stage, Unavailable

CARRIED = "tests.json"  # in a carried build, with these words in place of the folders
BUILD, SOURCE = "@build@", "@source@"
TIMEOUT = 300.0  # of a test that says none, in seconds
KEPT = 2000  # characters of a failure's text
NOTE = "[ NOTE     ] "


def ask_ctest(build) -> list[dict]:
    """The tests of those labels as `ctest --show-only=json-v1` describes them."""
    status, text = run(["ctest", "--test-dir", build, "--show-only=json-v1", "-L", "^gpu_"])
    if status != "0":
        raise Unavailable(f"ctest does not know {build}: {text.strip()[-300:]}")
    return json.loads(text)["tests"]


def tests_of(context: Context, label: str) -> dict[str, dict]:
    """The properties of each test, by its name, its command among them."""
    carried = context.build / CARRIED
    if carried.exists():
        known = json.loads(carried.read_text().replace(BUILD, str(context.build)).replace(SOURCE, str(context.source)))
    else:
        known = ask_ctest(context.build)
    found = {}
    for test in known:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        if label in properties.get("LABELS", []) and "command" in test and shutil.which(test["command"][0]):
            found[test["name"]] = properties | {"command": test["command"]}
        if "PASS_REGULAR_EXPRESSION" in properties or "FAIL_REGULAR_EXPRESSION" in properties or properties.get("WILL_FAIL"):
            raise ValueError(f"{test['name']} passes by other rules than its exit status")
    if not found:
        raise Unavailable(f"no test of the label {label} is built in {context.build}")
    return found


def run_test(test: dict, context: Context, deadline: Deadline) -> dict | None:
    """The record of a test; None where the time was over first."""
    if deadline.over():
        return None
    begin, variables = monotonic(), dict(setting.split("=", 1) for setting in test.get("ENVIRONMENT", []))
    status, output = deadline.run(test["command"], context.environment | variables, test.get("TIMEOUT", TIMEOUT))
    if status == "cut":
        return None
    skipped = status == str(test.get("SKIP_RETURN_CODE")) or status == "0" and any(
        re.search(pattern, output) for pattern in test.get("SKIP_REGULAR_EXPRESSION", []))
    record = {"outcome": "skipped" if skipped else "passed" if status == "0" else "failed", "seconds": round(monotonic() - begin, 3)}
    if record["outcome"] != "passed":
        record["text"] = f"{output.strip()[-KEPT:]}\nended with {status}".strip()
    if notes := [line[len(NOTE):] for line in output.splitlines() if line.startswith(NOTE)]:
        record["notes"] = notes
    return record


def stage(name: str, label: str, summary: str) -> Stage:
    def run_pending(context: Context, pending: list[str], deadline: Deadline):
        tests = tests_of(context, label)
        jobs = 1 if any(test.get("RUN_SERIAL") for test in tests.values()) else context.jobs
        with ThreadPoolExecutor(jobs) as pool:
            for unit, record in zip(pending, pool.map(lambda unit: run_test(tests[unit], context, deadline), pending)):
                if record:
                    yield unit, record

    return Stage(name, summary, lambda context: list(tests_of(context, label)), run_pending)


SUITE = stage("suite", "gpu_suite", "the unit suite on the GPU, for arrays in host and in device memory")
LIMITS = stage("limits", "gpu_limits", "more than 2^31 elements, memory that runs out, 100 repeats, graphs, threads and streams")
SANITIZER = stage("sanitizer", "gpu_sanitizer", "compute-sanitizer's tools on all kernels, and on bugs that they have to notice")
