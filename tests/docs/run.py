"""Runs an example of the documentation and compares what it prints.

run.py cpp PROGRAM [EXPECTED]       the output must be that in the file EXPECTED, if given
run.py console FILE LINE ROOT BIN   the block at LINE of a Markdown file, in an empty folder that shows ROOT's data/,
                                    with BIN first on the PATH
"""

import os
from pathlib import Path
import subprocess
import sys
import tempfile

from blocks import blocks, commands, matches


def compare(what: str, expected: str, actual: str) -> None:
    if not matches(expected, actual):
        sys.exit(f"{what}\nprinted:\n{actual}\nthe documentation says:\n{expected}")


def run_program(program: str, expected: str | None = None) -> None:
    done = subprocess.run([program], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    if expected:
        compare(program, Path(expected).read_text(), done.stdout)


def run_console(file: str, line: str, root: str, folder: str) -> None:
    block = next(b for b in blocks(Path(file).read_text()) if b.line == int(line))
    path = os.pathsep.join([folder, "/usr/bin", os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as empty:
        os.symlink(Path(root) / "data", Path(empty) / "data")
        for command, expected in commands(block):
            done = subprocess.run(["sh", "-ec", command], cwd=empty, env={**os.environ, "PATH": path},
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                sys.exit(f"$ {command}\nended with {done.returncode}\n{done.stdout}")
            compare(f"$ {command}", expected, done.stdout)


if __name__ == "__main__":
    {"cpp": run_program, "console": run_console}[sys.argv[1]](*sys.argv[2:])
