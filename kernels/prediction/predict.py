#!/usr/bin/env python3
"""How fast the kernels should be, as fractions of a copy's speed on an H200: kept in predictions.txt.

Usage: predict.py check --compiler V --program P OBJECT...    compares this build with the table
       predict.py update --compiler V --program P OBJECT...   writes the table; what was measured stays
       predict.py measure RESULT                              fills in what was measured, by a run of bench/run.py

P is count_accesses (tests/accesses): what each kernel does to memory, on the emulated GPU. The objects, as nvcc made them
for sm_90, say how many instructions that takes.

Exit status of check: 0 where they agree; 1 where they differ, or where a kernel is not as workloads.py describes it; 77
where the table does not know the compiler or the objects hold no code for sm_90.
"""

import argparse
from collections import Counter
import difflib
import json
from pathlib import Path
import re
import subprocess
import sys

sys.path.append(str(Path(__file__).resolve().parents[1]))
from executed import Mismatch, executed
from loops import Code
import resources
import sass
from workloads import PROBLEMS, loops_of

TABLE = Path(resources.__file__).with_name("predictions.txt")
SM = 90
SKIPPED = 77

# ---- the device: an H200 -----------------------------------------------------------------------------------------------
DEVICE = "H200"  # as it is in the name of such a GPU
MULTIPROCESSORS = 132
CLOCK = 1.98e9  # a second: the highest
COPY = 4.3e12  # bytes per second, read and written, of a copy in its memory
L2 = 5.5e12  # bytes per second between multiprocessors and L2: what others report of the H100
L1 = 256 * 1024  # bytes of a multiprocessor, shared memory among them
SECTOR = 32  # bytes
LANES = {"issue": 128, "fp64": 64}  # instructions of a lane that a multiprocessor starts in a cycle
# Memory, issue and shared memory are busy at the same time, though not perfectly: their times are combined as the length of
# a vector is, with this exponent for 2. A guess, until a GPU has been measured.
OVERLAP = 2.5
# The room of a multiprocessor for blocks that are resident at the same time.
REGISTERS, REGISTER_UNIT, WARPS, BLOCKS = 65536, 256, 64, 32
SHARED, SHARED_OF_A_BLOCK, SHARED_UNIT = 228 * 1024, 1024, 128

SLOTS = MULTIPROCESSORS * CLOCK * LANES["issue"] * 8 / COPY  # while a float is copied
HEADER = f"""\
# What the kernels should reach on an H200. Nothing of it was measured but the last column. Written by predict.py, compared
# by the test predictions.table; workloads.py says which problems, and how they go through each kernel.
#
# For an output in the middle of a long row. fp32 to slots: instructions of a thread by kind, and all of them, on the
# problem's way through the code for sm_{SM}; where an edge would take another way, on the costlier one. wave: wavefronts of
# shared memory; conf: how many times those without bank conflicts. rd, wr: 32-byte sectors of global memory that requests
# touch; mem: different sectors, those that have to come from memory and go there (a copy of float32: 0.25). KiB: what more
# than half of the blocks read, such as taps, tables and spectra. regs: a thread's; blk: blocks resident in a multiprocessor.
#
# Shares of a copy's speed. bound: by what takes longest.
#   memory  mem at {COPY / 1e12} TB/s
#   L2      rd and wr at {L2 / 1e12} TB/s, but for what most blocks read where it fits into L1 beside the shared memory
#   issue   slots, of which there are {SLOTS:.1f} while a float is copied; fp64: half as many
#   shared  a wavefront a cycle in each of {MULTIPROCESSORS} multiprocessors at {CLOCK / 1e9} GHz
# predicted: they overlap imperfectly, the times of memory (or L2), issue and shared are combined as a {OVERLAP}-norm. Left out:
# latency, which few resident blocks do not hide, and what a block does once.
"""
DIGITS = {"wave": 3, "rd": 3, "wr": 3, "mem": 3, "KiB": 0}  # after the point; others have 2
COLUMNS = ("fp32", "fp64", "int", "shared", "global", "ctrl", "slots", "wave", "conf", "rd", "wr", "mem", "KiB", "regs",
           "blk", "bound", "by", "predicted", "measured")


# ---- what the emulated kernels do --------------------------------------------------------------------------------------

def instruction_of(kind: dict) -> str:
    name = "LDGSTS" if kind["async"] else ("LD", "ST")[kind["write"]] + ("G", "S")[kind["space"] == "shared"]
    return f"{name}.{kind['bytes'] * 8}"


def counted(program: Path, problems: list[dict]) -> list[dict]:
    """Of each problem, an output: by kernel, its accesses (`lanes`, by instruction), wavefronts and sectors."""
    jobs = [problem | {"signal": factor * problem["signal"]} for problem in problems for factor in (1, 2)]
    run = subprocess.run([program], input="".join(json.dumps(job) + "\n" for job in jobs), capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"predict.py: {program} failed: {run.stderr}")
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    for problem, short, long in zip(problems, answers[::2], answers[1::2]):
        if len({re.sub(", about .*", "", answer["plan"]) for answer in (short, long)}) > 1:
            raise Mismatch(f"{problem}: '{short['plan']}', but '{long['plan']}' for a row twice as long")
    return [{name: difference(short["kernels"][name], kernel, long["outputs"] - short["outputs"])
             for name, kernel in long["kernels"].items()} for short, long in zip(answers[::2], answers[1::2])]


def difference(short: dict, long: dict, outputs: int) -> dict:
    """What the longer row does more, for each output that it has more."""
    sums = {"lanes": Counter()} | dict.fromkeys(
        ("wavefronts", "ideal_wavefronts", "read", "written", "distinct", "common"), 0.0)
    for sign, kernel in ((-1 / outputs, short), (1 / outputs, long)):
        for kind in kernel["counts"]:
            instruction = instruction_of(kind)
            if not (kind["async"] and kind["write"]):
                sums["lanes"][instruction] += sign * kind["lanes"]
            sums["wavefronts"] += sign * kind["wavefronts"]
            sums["ideal_wavefronts"] += sign * kind["ideal_wavefronts"]
            sums["written" if kind["write"] else "read"] += sign * kind["sectors"]
        sums["distinct"] += sign * (kernel["sectors_read"] + kernel["sectors_written"])
        sums["common"] += sign * kernel["common_requests"]
    return sums | {"common_bytes": SECTOR * long["sectors_common"],
                   "threads": long["threads"], "shared_bytes": long["shared_bytes"]}


# ---- the prediction ----------------------------------------------------------------------------------------------------

def resident(registers: int, shared: int, threads: int) -> int:
    """Blocks that a multiprocessor holds at a time."""
    def up(n, unit):
        return -(-n // unit) * unit
    warps = -(-threads // 32)
    return min(BLOCKS, WARPS // warps, REGISTERS // up(registers * 32, REGISTER_UNIT) // warps,
               SHARED // (up(shared, SHARED_UNIT) + SHARED_OF_A_BLOCK))


def seconds(kinds: Counter, done: dict, blocks: int) -> dict[str, float]:
    """What an output takes of each thing that can be the limit. What most blocks read comes from L1 where there is room."""
    rate = MULTIPROCESSORS * CLOCK
    room = L1 - blocks * (done["shared_bytes"] + SHARED_OF_A_BLOCK)
    from_l1 = done["common"] if done["common_bytes"] <= room else 0
    return {"memory": SECTOR * done["distinct"] / COPY,
            "L2": SECTOR * (done["read"] - from_l1 + done["written"]) / L2,
            "issue": kinds.total() / (rate * LANES["issue"]),
            "fp64": kinds["fp64"] / (rate * LANES["fp64"]),
            "shared": done["wavefronts"] / rate}


def combined(times: dict[str, float]) -> float:
    """A copy keeps memory and L2 busy at once, and its time is 1 by definition: those two count as one."""
    parts = max(times["memory"], times["L2"]), max(times["issue"], times["fp64"]), times["shared"]
    return sum(t ** OVERLAP for t in parts) ** (1 / OVERLAP)


def label(problem: dict) -> str:
    lines = f"{problem['filter_lines']} x " if "filter_lines" in problem else ""
    return f"{problem['method']}, {problem['type']}, {lines}{problem['taps']} taps"


def rows_of(problem: dict, kernels: dict[str, dict], codes: dict[str, Code], usages: dict) -> list[dict]:
    """A line for each kernel and, where there are several, for all together."""
    copy = 2 * {"float16": 2, "float32": 4, "float64": 8}[problem["type"]] / COPY
    rows, bound, expected = [], 0.0, 0.0
    for name, done in kernels.items():
        if name not in codes:
            raise Mismatch(f"{name} is emulated, but these objects do not hold it")
        kinds, usage = executed(name, codes[name], loops_of(name, problem), done["lanes"]), usages[name]
        products = problem["taps"] * problem.get("filter_lines", 1)
        if problem["method"] == "direct" and kinds["fp32"] + kinds["fp64"] < 0.999 * products:
            raise Mismatch(f"{name}: fewer multiply-adds an output than the filter has taps, {products}")
        blocks = resident(usage.registers, usage.shared + done["shared_bytes"], done["threads"])
        times = seconds(kinds, done, blocks)
        by = max(times, key=times.get)
        bound, expected = bound + times[by], expected + combined(times)
        rows.append({"fp32": kinds["fp32"], "fp64": kinds["fp64"], "int": kinds["integer"], "shared": kinds["shared"],
                     "global": kinds["global"], "ctrl": kinds["control"] + kinds["spill"], "slots": kinds.total(),
                     "wave": done["wavefronts"],
                     "conf": done["wavefronts"] / done["ideal_wavefronts"] if done["ideal_wavefronts"] else None,
                     "rd": done["read"], "wr": done["written"], "mem": done["distinct"], "regs": str(usage.registers),
                     "KiB": done["common_bytes"] / 1024, "blk": str(blocks),
                     "bound": copy / times[by], "by": by, "predicted": copy / combined(times),
                     "kernel": name.removeprefix("gpuconv::kernels::").replace("_kernel", "")})
    if len(rows) > 1:
        rows.append({"bound": copy / bound, "predicted": copy / expected, "kernel": "all of them"})
    return [row | {"problem": label(problem)} for row in rows]


def predicted(program: Path, objects: list[str]) -> list[dict]:
    """The table's rows for this build; none where it holds no code for the architecture. Raises Mismatch."""
    compiled = dict(f for o in objects if o.endswith(".cu.o") for f in sass.kernels(Path(o), SM))
    if not compiled:
        return []
    readable = dict(zip(compiled, resources.demangled(list(compiled))))
    codes = {readable[name]: Code(found) for name, found in compiled.items()}
    usages = {u.function: u for u in resources.recorded(objects) if u.sm == str(SM)}
    rows = []
    for problem, kernels in zip(PROBLEMS, counted(program, PROBLEMS)):
        names = dict(zip(kernels, resources.demangled(list(kernels))))
        rows += rows_of(problem, {names[k]: done for k, done in kernels.items()}, codes, usages)
    return rows


# ---- the table ---------------------------------------------------------------------------------------------------------

def cells_of(row: dict) -> list[str]:
    def text(column: str, value) -> str:
        return "-" if value is None else value if isinstance(value, str) else f"{value:.{DIGITS.get(column, 2)}f}"
    return [*(text(column, row.get(column)) for column in COLUMNS), f"{row['problem']}: {row['kernel']}"]


def lines(rows: list[list[str]]) -> list[str]:
    return ["  ".join((" ".join(cell.rjust(max(6, len(column))) for cell, column in zip(row, COLUMNS)), row[-1])) + "\n"
            for row in [[*COLUMNS, "problem: kernel"], *rows]]


def read(table: Path) -> dict[str, list[list[str]]]:
    """The rows of the table's sections, by compiler version."""
    sections = {}
    for line in table.read_text().splitlines() if table.exists() else ():
        if line.startswith("compiler "):
            section = sections.setdefault(line.split()[1], [])
        elif line.strip() and not line.startswith("#") and line.split()[:1] != [COLUMNS[0]]:
            section.append(line.split(None, len(COLUMNS)))
    return sections


def write(table: Path, sections: dict[str, list[list[str]]]) -> None:
    text = HEADER
    for compiler, rows in sorted(sections.items()):
        text += f"\ncompiler {compiler}\n" + "".join(lines(rows))
    table.write_text(text)


def problem_of(row: list[str]) -> str:
    return row[-1].split(": ")[0]


def kept(rows: list[list[str]]) -> dict[str, str]:
    """What was measured, by problem."""
    return {problem_of(row): row[-2] for row in rows if row[-2] != "-"}


def filled(rows: list[list[str]], figures: dict[str, str]) -> list[list[str]]:
    """The rows with what was measured: of all kernels of a problem together, so in its last row."""
    last = {problem_of(row): row for row in rows}
    return [[*row[:-2], figures.get(problem_of(row), "-") if row is last[problem_of(row)] else "-", row[-1]] for row in rows]


def measured(file: Path) -> dict[str, str]:
    """By problem, the method's share of a copy's speed on the longest row of as many taps. Raises ValueError where that was
    measured on another device than the model is of."""
    found, result = {}, json.loads(file.read_text())
    if DEVICE not in (gpu := result["machine"].get("gpu") or "CPU"):
        raise ValueError(f"the table is of an {DEVICE}, {file} of an {gpu}: a table is of one device")
    for problem in PROBLEMS:
        wanted = {"suite": "bench", "memory": "device", "batch": 1, "contestant": f"cuda {problem['method']}",
                  "dtype": problem["type"], "taps": problem["taps"]}
        here = [m for m in result["measurements"]
                if "of_copy" in m and all(m.get(key) == value for key, value in wanted.items())]
        if here:
            found[label(problem)] = f"{max(here, key=lambda m: m['signal'])['of_copy']:.2f}"
    return found


def check(table: Path, compiler: str, rows: list[list[str]]) -> tuple[int, str]:
    """Exit status, and what to say."""
    sections = read(table)
    if not rows:
        return SKIPPED, f"SKIPPED: this build holds no code for sm_{SM}"
    if compiler not in sections:
        return SKIPPED, f"SKIPPED: the table has {', '.join(sections) or 'no compiler'}, this is {compiler}"
    expected = sections[compiler]
    found = lines(filled(rows, kept(expected)))
    difference = list(difflib.unified_diff(lines(expected), found, str(table), "this build", n=0))
    if difference:
        return 1, "the predictions differ from the table:\n" + "".join(difference)
    return 0, f"{len(rows)} lines agree, for nvcc {compiler}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("check", "update", "measure"))
    parser.add_argument("--compiler", metavar="V", help="version of nvcc, such as 13.0.88")
    parser.add_argument("--program", type=Path, metavar="P", help="count_accesses")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--hint", default="predict.py update", help="what updates the table, to be said where they differ")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    sections = read(arguments.table)
    if arguments.action == "measure":
        try:
            figures = measured(Path(arguments.files[0]))
        except ValueError as error:
            print(f"predict.py: {error}", file=sys.stderr)
            return 1
        write(arguments.table, {compiler: filled(rows, figures) for compiler, rows in sections.items()})
        print(f"{arguments.table}: {len(figures)} of {len(PROBLEMS)} problems were measured")
        return 0
    try:
        rows = [cells_of(row) for row in predicted(arguments.program, arguments.files)]
    except Mismatch as mismatch:
        print(f"{mismatch}\nIf the kernels have changed: workloads.py describes them, loops.py shows them")
        return 1
    if arguments.action == "check":
        status, message = check(arguments.table, arguments.compiler, rows)
        print(message if status != 1 else f"{message}If this is as it should be: {arguments.hint}")
        return status
    if rows:
        sections[arguments.compiler] = filled(rows, kept(sections.get(arguments.compiler, [])))
    write(arguments.table, sections)
    print(f"{arguments.table}: {len(rows)} lines for nvcc {arguments.compiler}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
