"""Cases of a GoogleTest program, run so that every case has its own outcome, whatever the program does: a crash or a
hang fails the case it happened in, and the others go on in a new process."""

from pathlib import Path
import tempfile

from .process import Deadline, Expired, Program, Silent, output

PATIENCE = 150  # seconds that a case may take
KEPT = 2000  # characters of a failure's text


class Suite:
    """A program, which of its cases, and with which environment."""

    def __init__(self, program: Path, filter: str = "*", environment: dict | None = None):
        self.program, self.filter, self.environment = program, filter, environment or {}

    def names(self) -> list[str]:
        """Of all cases the filter takes. Raises RuntimeError where the program does not say."""
        status, text = output([self.program, "--gtest_list_tests", f"--gtest_filter={self.filter}"], self.environment, 60)
        if status != "0":
            raise RuntimeError(f"{self.program.name} --gtest_list_tests ended with {status}: {text[-KEPT:]}")
        return parse_list(text)

    def run(self, names, deadline: Deadline):
        """Yields (name, record) for each case until the deadline. The records: `outcome` passed, failed or skipped,
        `seconds`, `text` of what is worth telling, `notes` that the case printed."""
        pending = list(names)
        while pending and not deadline.over():
            done = set()
            for name, record in self._run_once(pending, deadline):
                done.add(name)
                yield name, record
            if not done:  # cut, in its first case
                return
            pending = [name for name in pending if name not in done]

    def _run_once(self, names, deadline):
        with tempfile.NamedTemporaryFile("w", suffix=".flags") as flags:  # the list may be too long for a command line
            flags.write("--gtest_filter=" + ":".join(names) + "\n--gtest_color=no\n")
            flags.flush()
            with Program([self.program, f"--gtest_flagfile={flags.name}"], self.environment) as program:
                program.close_input()
                parser, last = Parser(), None
                try:
                    for line in program.lines(deadline, PATIENCE):
                        if result := parser.feed(line):
                            yield result
                    last = f"the program ended with {program.status()}"
                except Silent:
                    last = f"no end within {PATIENCE} s"
                except Expired:
                    return
                if parser.running:
                    yield parser.running, parser.record("failed", 0.0, last)
                elif not parser.ended:  # between cases: the next one has to answer for it
                    missing = [name for name in names if name not in parser.seen]
                    if missing:
                        yield missing[0], {"outcome": "failed", "seconds": 0.0, "text": f"before the case: {last}: {parser.tail()}"}


def parse_list(text: str) -> list[str]:
    """What --gtest_list_tests prints: suites in their own lines, indented cases with comments below them."""
    names, suite = [], None
    for line in text.splitlines():
        entry = line.split("#")[0].rstrip()
        if entry.startswith("  ") and suite:
            names.append(suite + entry.strip())
        elif entry.endswith(".") and " " not in entry:
            suite = entry
    return names


class Parser:
    """GoogleTest's output, line by line."""

    MARKS = {"[       OK ] ": "passed", "[  FAILED  ] ": "failed", "[  SKIPPED ] ": "skipped"}

    def __init__(self):
        self.running, self.ended, self.seen = None, False, set()
        self._text, self._notes = [], []

    def feed(self, line: str):
        """(name, record) where the line ends a case, else None."""
        if self.ended:
            return None
        if line.startswith("[ RUN      ] "):
            self.running, self._text, self._notes = line[13:].strip(), [], []
        elif line.startswith("[==========]") and " ran. " in line:
            self.ended = True
        elif (mark := line[:13]) in self.MARKS and self.running and line[13:].startswith(self.running):
            return self.running, self.record(self.MARKS[mark], seconds_of(line))
        elif line.startswith("[ NOTE     ] "):
            self._notes.append(line[13:])
        else:
            self._text.append(line)
        return None

    def record(self, outcome: str, seconds: float, last: str = "") -> dict:
        self.seen.add(self.running)
        self.running = None
        out = {"outcome": outcome, "seconds": seconds}
        text = self.tail() + (f"\n{last}" if last else "")
        if outcome != "passed" and text.strip():
            out["text"] = text.strip()[:KEPT]
        if self._notes:
            out["notes"] = list(self._notes)
        self._text, self._notes = [], []
        return out

    def tail(self) -> str:
        return "\n".join(self._text)[-KEPT:]


def seconds_of(line: str) -> float:
    """The time at the end of a result's line, "(12 ms)"."""
    try:
        return float(line.rsplit("(", 1)[1].split(" ms")[0]) / 1000
    except (IndexError, ValueError):
        return 0.0
