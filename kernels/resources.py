#!/usr/bin/env python3
"""Registers, spills, stack, shared and constant memory of every kernel, kept in resources.txt by compiler version.

Usage: resources.py record COMMAND...             as a launcher of nvcc: keeps what ptxas says beside the object
       resources.py check --compiler V OBJECT...  compares the records of these objects with the table
       resources.py update --compiler V OBJECT... writes them into it

Exit status of check: 0 where they agree; 1 where they differ, where a function spills of which the table has no spill,
or where there are more kernels or larger objects than the bounds below; 77 where the table does not know the compiler or the architecture.
"""

import argparse
import difflib
from pathlib import Path
import re
import subprocess
import sys
from typing import NamedTuple

TABLE = Path(__file__).with_name("resources.txt")
RECORD = ".ptxas"  # appended to the object's name
SKIPPED = 77
# Half as much again as before complex numbers and 16-bit types: 50 kernels, 5 MB of objects per architecture.
MOST_KERNELS, MOST_BYTES = 75, 7_500_000
HEADER = """\
# What the kernels take, by compiler and architecture: registers per thread; bytes of stack, of spills stored and loaded,
# of static shared memory, and of constant memory with the parameters ("-": ptxas does not say for this architecture).
# Written by resources.py, compared by the test resources.table: a change of a line is a change of the machine code.
"""
COLUMNS = ("sm", "registers", "stack", "stores", "loads", "shared", "constant", "function")


class Usage(NamedTuple):
    """What one function takes on one architecture. `registers` is None for one that is called, not launched."""

    sm: str
    function: str
    registers: int | None
    stack: int
    stores: int
    loads: int
    shared: int
    constant: int | None

    @property
    def spills(self) -> bool:
        return self.stores + self.loads > 0


# ---- what ptxas says ---------------------------------------------------------------------------------------------------

ENTRY = re.compile(r"ptxas info\s*: Compiling entry function '(\S+)' for 'sm_(\w+)'")
PROPERTIES = re.compile(r"ptxas info\s*: Function properties for (\S+)")
MEMORY = re.compile(r"\s+(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"ptxas info\s*: Used (\d+) registers(.*)")
INFORMATION = re.compile(r"ptxas info\s*:|\s+\d+ bytes stack frame,")


def parse(text: str) -> list[Usage]:
    """The functions in the output of `ptxas -v`, with mangled names. Of those that are not kernels, which ptxas lists
    where they were not inlined, only those that use memory."""
    usages = []
    entry = function = sm = None
    memory = {}
    for line in text.splitlines():
        if match := ENTRY.match(line):
            entry, sm = match.groups()
        elif match := PROPERTIES.match(line):
            function = match[1]
        elif match := MEMORY.match(line):
            stack, stores, loads = map(int, match.groups())
            if function == entry:
                memory = dict(stack=stack, stores=stores, loads=loads)
            elif stack or stores or loads:
                if sm is None:
                    raise ValueError(f"ptxas does not say for which architecture {function} is")
                usages.append(Usage(sm, function, None, stack, stores, loads, 0, None))
        elif match := USED.match(line):
            if entry is None or not memory:
                raise ValueError(f"ptxas does not say of which kernel this is: {line}")
            constant = [int(n) for n in re.findall(r"(\d+) bytes cmem\[", match[2])]
            shared = re.search(r"(\d+) bytes smem", match[2])
            usages.append(Usage(sm, entry, int(match[1]), shared=int(shared[1]) if shared else 0,
                                constant=sum(constant) if constant else None, **memory))
            entry, memory = None, {}
    if entry is not None:
        raise ValueError(f"ptxas does not say what {entry} takes")
    return usages


def record(command: list[str]) -> int:
    """Runs a compiler; what ptxas says goes to a file beside the object, the rest of its messages to stderr."""
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace")
    said, rest = [], []
    for line in run.stderr.splitlines(keepends=True):
        (said if INFORMATION.match(line) else rest).append(line)
    sys.stderr.write("".join(rest))
    if run.returncode == 0 and "-o" in command:
        Path(command[command.index("-o") + 1] + RECORD).write_text("".join(said))
    return run.returncode


def recorded(objects: list[str]) -> list[Usage]:
    """The kernels in those of the objects that nvcc made, with readable names, in the table's order."""
    usages = set()
    for path in objects:
        if path.endswith(".cu.o"):
            file = Path(path + RECORD)
            if not file.exists():
                sys.exit(f"resources.py: {file} is missing: build again")
            usages.update(parse(file.read_text()))
    names = sorted({usage.function for usage in usages})
    readable = dict(zip(names, demangled(names)))
    return sorted((usage._replace(function=readable[usage.function]) for usage in usages), key=place)


def demangled(names: list[str]) -> list[str]:
    """Names as in the source, without results and parameters: what identifies an instantiation stands before those."""
    output = subprocess.run(["c++filt", "--no-params"], input="\n".join(names), capture_output=True, text=True, check=True)
    return output.stdout.splitlines()


def beyond_bounds(found: list[Usage], objects: list[str]) -> str:
    """What is too much, or nothing. The objects hold the same kernels once for each architecture."""
    kernels = len({u.function for u in found if u.registers is not None})
    if kernels > MOST_KERNELS:
        return f"there are {kernels} kernels, {MOST_KERNELS} at most are wanted"
    architectures = max(1, len({u.sm for u in found}))
    size = sum(Path(path).stat().st_size for path in objects if path.endswith(".cu.o")) // architectures
    return f"the objects take {size} bytes per architecture, {MOST_BYTES} at most are wanted" if size > MOST_BYTES else ""


# ---- the table ---------------------------------------------------------------------------------------------------------

def place(usage: Usage) -> tuple:
    # Functions that differ only in parameters of their type have one readable name: the numbers order them.
    numbers = [-1 if cell is None else cell for cell in usage if not isinstance(cell, str)]
    return usage.function, int(re.match(r"\d+", usage.sm)[0]), usage.sm, numbers


def lines(usages: list[Usage]) -> list[str]:
    rows = [COLUMNS] + [tuple("-" if cell is None else str(cell) for cell in (getattr(u, column) for column in COLUMNS))
                        for u in usages]
    return [" ".join(cell.rjust(9) for cell in row[:-1]) + "  " + row[-1] + "\n" for row in rows]


def read(table: Path) -> dict[str, list[Usage]]:
    """The table's sections, by compiler version."""
    sections = {}
    for line in table.read_text().splitlines() if table.exists() else ():
        if line.startswith("compiler "):
            section = sections.setdefault(line.split()[1], [])
        elif line and not line.startswith("#") and line.split() != list(COLUMNS):
            cells = line.split(None, len(COLUMNS) - 1)
            numbers = {c: None if cell == "-" else int(cell) for c, cell in list(zip(COLUMNS, cells))[1:-1]}
            section.append(Usage(sm=cells[0], function=cells[-1], **numbers))
    return sections


def write(table: Path, sections: dict[str, list[Usage]]) -> None:
    text = HEADER
    for compiler, usages in sorted(sections.items()):
        text += f"\ncompiler {compiler}\n" + "".join(lines(sorted(usages, key=place)))
    table.write_text(text)


def check(table: Path, compiler: str, found: list[Usage]) -> tuple[int, str]:
    """Exit status, and what to say."""
    if not found:
        return 1, "there is no kernel in these objects"
    sections = read(table)
    known_spills = {u.function for usages in sections.values() for u in usages if u.spills}
    new_spills = [u for u in found if u.spills and u.function not in known_spills]
    if new_spills:
        return 1, "spills that the table does not have:\n" + "".join(lines(new_spills))
    if compiler not in sections:
        return SKIPPED, f"SKIPPED: the table has {', '.join(sections) or 'no compiler'}, this is {compiler}"
    architectures = {u.sm for u in found}
    expected = [u for u in sections[compiler] if u.sm in architectures]
    unknown = architectures - {u.sm for u in expected}
    difference = list(difflib.unified_diff(lines(expected), lines([u for u in found if u.sm not in unknown]),
                                           str(table), "this build", n=0))
    if difference:
        return 1, "the kernels differ from the table:\n" + "".join(difference)
    if unknown:
        return SKIPPED, f"SKIPPED: the table does not have sm_{', sm_'.join(sorted(unknown))} for {compiler}"
    return 0, f"{len(found)} lines agree, for nvcc {compiler}"


def main() -> int:
    if sys.argv[1:2] == ["record"]:
        return record(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("check", "update"))
    parser.add_argument("--compiler", required=True, metavar="V", help="version of nvcc, such as 13.0.88")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--hint", default="resources.py update", help="what updates the table, to be said where they differ")
    parser.add_argument("objects", nargs="+")
    arguments = parser.parse_args()
    found = recorded(arguments.objects)
    if arguments.action == "check":
        status, message = check(arguments.table, arguments.compiler, found)
        if too_much := beyond_bounds(found, arguments.objects):
            print(too_much)
            return 1
        print(message)
        if status:
            print(f"If this is as it should be: {arguments.hint}")
        return status
    sections = read(arguments.table)
    architectures = {u.sm for u in found}
    others = [u for u in sections.get(arguments.compiler, []) if u.sm not in architectures]
    write(arguments.table, sections | {arguments.compiler: others + found})
    print(f"{arguments.table}: {len(found)} lines for nvcc {arguments.compiler}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
