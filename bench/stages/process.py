"""Programs that are ended when their time is over; their children end with them in any case."""

from contextlib import suppress
import os
import signal
import subprocess
from time import monotonic


class Deadline:
    """A moment, `seconds` from now."""

    def __init__(self, seconds: float):
        self._end = monotonic() + seconds

    def left(self) -> float:
        return self._end - monotonic()

    def over(self) -> bool:
        return self.left() <= 0

    def run(self, command, environment: dict | None = None, patience: float = 60) -> tuple[str, str]:
        """As `run`; the status is "cut" where the program had less than its `patience` left, and took longer."""
        seconds = min(patience, self.left())
        status, text = run(command, environment, seconds)
        return ("cut" if status == "expired" and seconds < patience else status), text


def run(command, environment: dict | None = None, seconds: float = 60) -> tuple[str, str]:
    """Status and output, stderr within it. The status is "0", "1", "SIGSEGV"; "missing" where there is no such program;
    "expired" where it took longer than `seconds`, the output then being what it had said."""
    try:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=os.environ | (environment or {}), text=True,
                                   errors="replace", start_new_session=True)
    except OSError as error:
        return "missing", str(error)
    try:
        text, _ = process.communicate(timeout=max(seconds, 0.1))
    except subprocess.TimeoutExpired:
        end(process)
        return "expired", process.communicate()[0]
    end(process)
    code = process.returncode
    return str(code) if code >= 0 else signal.Signals(-code).name, text


def end(process: subprocess.Popen) -> None:
    """Ends it and what it has started, which a program that crashed leaves behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
