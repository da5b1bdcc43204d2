"""Programs that are watched: their output line by line, until they end, fall silent or run out of time."""

import os
import queue
import signal
import subprocess
import threading
from time import monotonic


class Expired(Exception):
    """The time was up, and the program was ended."""


class Silent(Exception):
    """The program said nothing for too long, and was ended."""


class Deadline:
    """A point in time. `seconds` None: never."""

    def __init__(self, seconds: float | None):
        self._end = None if seconds is None else monotonic() + seconds

    def left(self) -> float:
        return float("inf") if self._end is None else self._end - monotonic()

    def over(self) -> bool:
        return self.left() <= 0

    def sooner(self, seconds: float) -> "Deadline":
        """The earlier of this one and `seconds` from now."""
        return Deadline(min(seconds, self.left()))


class Program:
    """A running program, whose stdout and stderr are one stream of lines. Use it in a `with` statement: what is left of
    it at the end, its children too, is killed."""

    def __init__(self, command, environment: dict | None = None, folder=None):
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}), cwd=folder, text=True, errors="replace", bufsize=1,
            start_new_session=True)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.returncode is None:  # not waited for: its group is still its own
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self.close_input()

    def write(self, line: str) -> None:
        """Writes a line to its stdin. A program that has ended does not mind: its status tells."""
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def close_input(self) -> None:
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass

    def line(self, deadline: Deadline, patience: float = float("inf")) -> str | None:
        """The next line, None after the last. Raises Expired or Silent."""
        wait = min(deadline.left(), patience)
        if wait <= 0:
            raise Expired
        try:
            return self._lines.get(timeout=None if wait == float("inf") else wait)
        except queue.Empty:
            raise (Expired if deadline.over() else Silent) from None

    def lines(self, deadline: Deadline, patience: float = float("inf")):
        while (line := self.line(deadline, patience)) is not None:
            yield line

    def status(self) -> str:
        """How it ended, once its output has: "0", "1", "SIGSEGV"."""
        code = self._process.wait()
        return str(code) if code >= 0 else signal.Signals(-code).name


def output(command, environment: dict | None = None, seconds: float = 60) -> tuple[str, str]:
    """Status and output of a short program. Status "missing" where there is none, "expired" where it took too long."""
    try:
        with Program(command, environment) as program:
            program.close_input()
            lines = list(program.lines(Deadline(seconds)))
            return program.status(), "\n".join(lines)
    except OSError as error:
        return "missing", str(error)
    except Expired:
        return "expired", f"no end within {seconds:g} s"
