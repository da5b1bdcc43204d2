"""Runs a Python program with its convolutions on gpuconv: python -m gpuconv [options] (FILE | -m MODULE | -c CODE) [ARGUMENT ...]

--report   prints at the end which calls gpuconv took, how many and how long, and why others were left
--fft      lets gpuconv choose transforms where NumPy and SciPy sum directly (see gpuconv.patch)
--small    takes calls too that are too small to gain from it
--help     prints this

The program sees sys.argv, __name__, __file__, exit codes and tracebacks as without gpuconv.
"""

from __future__ import annotations

import atexit
import os
import sys

import gpuconv
from gpuconv import _program, _report

USAGE_ERROR = 2


def main(arguments: list[str]) -> None:
    options = set()
    while arguments and arguments[0] in ("--report", "--fft", "--small", "--help", "-h"):
        options.add(arguments.pop(0))
    if options & {"--help", "-h"}:
        print(__doc__, end="")
        return
    takes_more = arguments[:1] in (["-m"], ["-c"])
    if len(arguments) < 1 + takes_more or (arguments[0].startswith("-") and not takes_more):
        print(__doc__, end="", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    if "--report" in options:
        atexit.register(_report.print_report, os.getpid())
    gpuconv.patch(fft="--fft" in options, small="--small" in options)
    _program.run(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
