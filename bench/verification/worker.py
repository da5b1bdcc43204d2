"""Programs that answer jobs: a line of JSON in, {"record": {...}} or {"error": "..."} out. A crash or a hang fails the job
it happened in, and the others go on in a new process."""

import json

from .process import Deadline, Expired, Program, Silent

PATIENCE = 120  # seconds a job may take
KEPT = 1500  # characters of what a program said before it ended


def run_jobs(command, jobs: dict[str, dict], deadline: Deadline, environment: dict | None = None):
    """Yields (name, answer) for each of the jobs until the deadline; an answer is the program's, or {"error": ...}."""
    pending = list(jobs)
    while pending and not deadline.over():
        with Program(command, environment) as program:
            while pending and not deadline.over():
                program.write(json.dumps(jobs[pending[0]]))
                try:
                    answer, alive = _answer(program, deadline)
                except Expired:
                    return
                yield pending.pop(0), answer
                if not alive:
                    break


def _answer(program: Program, deadline: Deadline) -> tuple[dict, bool]:
    """The answer to the job just sent, and whether the program can take another."""
    said = []
    try:
        for line in program.lines(deadline, PATIENCE):
            answer = _parsed(line)
            if answer is not None:
                return answer, True
            said.append(line)
    except Silent:
        return {"error": f"no answer within {PATIENCE} s"}, False
    return {"error": f"the program ended with {program.status()}: " + "\n".join(said)[-KEPT:]}, False


def _parsed(line: str) -> dict | None:
    """None for what is no answer: libraries print warnings."""
    if not line.startswith("{"):
        return None
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and ("record" in answer or "error" in answer) else None
