"""What --report prints: which calls the core took, how many and how long, and why others were left."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from ._delegation import calls
from ._patch import _PRODUCTS


def text() -> str:
    """A line for each function, and one for each reason why calls of it were left to the original."""
    lines = []
    for name, counts in calls().items():
        taken = counts["core"]
        lines.append(f"{name}: {taken} {'call' if taken == 1 else 'calls'} taken, {counts['seconds']:.6f} s")
        for reason, left in sorted(counts["left"].items(), key=lambda item: -item[1]):
            lines.append(f"  {left} left: {reason}")
    if not lines:
        lines = ["no call"]
    lines.append(f"calls of NumPy's with fewer than {_PRODUCTS} products are not counted unless --small takes them")
    return "".join(f"gpuconv: {line}\n" for line in lines)


def print_report(process: int, to: TextIO | None = None) -> None:
    """Prints the text on the standard error, in the process of this number and not in those that it forked."""
    if os.getpid() == process:
        (to or sys.stderr).write(text())
