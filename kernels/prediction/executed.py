"""How many instructions a compiled kernel executes for what the emulated one does to memory."""

from collections import Counter
from typing import Callable

from loops import Code
from sass import Instruction
from workloads import Loop

Turns = dict[str, list[Instruction]]  # what one turn of each loop executes, by the loop's name


class Mismatch(Exception):
    """A kernel that is not as it is described."""


def executed(kernel: str, code: Code, loops: list[Loop], done: Counter) -> Counter:
    """Instructions by kind. `done`: accesses of the emulated kernel, by instruction, those included that are made only at
    the ends of a row and count as zero. Both for one output. Raises Mismatch."""
    if not loops:
        raise Mismatch(f"{kernel} is not described")
    try:
        turns = turns_of(code, loops, set(done))
        runs = runs_of(loops, turns, done)
        compare(turns, runs, done)
    except Mismatch as mismatch:
        raise Mismatch(f"{kernel}: {mismatch}") from None
    kinds = Counter()
    for loop, turn in turns.items():
        for instruction in turn:
            kinds[instruction.kind] += runs[loop] * instruction.share
    return kinds


def turns_of(code: Code, loops: list[Loop], seen: set[str]) -> Turns:
    """Blocks are out of the way if they make accesses that no emulated thread makes, or call: to divide numbers beyond 32
    bits."""
    def passable(loop: Loop) -> Callable:
        def out_of_the_way(x: Instruction) -> bool:
            unseen = x.is_access and str(x) not in seen and str(x) not in loop.narrowed
            return x.name == "CALL" or str(x) in loop.avoid or unseen
        return lambda block: not any(map(out_of_the_way, block))

    def share_of(loop: Loop) -> Callable:
        return lambda block: loop.share if any(loop.most in (x.name, str(x)) for x in block) else 1.0

    found = {"": code.top}
    for loop in loops:
        here = found[loop.within]
        if loop.most and (here := here.most(loop.most, loop.without, loop.alike, loop.short)) is None:
            raise Mismatch(f"within '{loop.within}' there is no loop, or more than one, that has most {loop.most}")
        found[loop.name] = here
    turns = {}
    for loop in loops:
        through = [found[inner.name] for inner in loops if inner.within == loop.name and not inner.rare]
        if (turn := found[loop.name].turn(through, loop.runs, passable(loop), loop.once, share_of(loop))) is None:
            raise Mismatch(f"there is no way through the loop '{loop.name}' and the described ones within")
        turns[loop.name] = turn
    return turns


def runs_of(loops: list[Loop], turns: Turns, done: Counter) -> dict[str, float]:
    """How often each loop runs: to make what is left of the accesses that it is described by."""
    runs: dict[str, float] = {}
    while pending := [loop for loop in loops if loop.name not in runs]:
        loop = next(loop for loop in pending if loop.runs in runs or loop.runs not in turns)
        if loop.runs in turns:
            runs[loop.name] = runs[loop.runs] * loop.times
            continue
        left = sum(n for instruction, n in done.items() if loop.runs in (instruction, instruction.split(".")[0]))
        left -= sum(runs[other] * accesses(turns[other], loop.runs)[1] for other in runs)
        if (each := accesses(turns[loop.name], loop.runs)[1]) == 0:
            raise Mismatch(f"no {loop.runs} in the loop '{loop.name}'")
        runs[loop.name] = max(left, 0) / each
    return runs


def accesses(turn: list[Instruction], wanted: str) -> tuple[int, int]:
    """How many of an instruction, with or without its width: at least and at most, for some are under a condition."""
    found = [x for x in turn if x.is_access and wanted in (x.name, str(x))]
    return sum(not x.conditional for x in found), len(found)


def compare(turns: Turns, runs: dict[str, float], done: Counter) -> None:
    """The way through the machine code is the emulated kernel's if it makes as many accesses. Not of each width: of 16
    bytes the compiler reads the 8 that are used."""
    names = {x.name for turn in turns.values() for x in turn if x.is_access} | {i.split(".")[0] for i in done}
    for name in sorted(names):
        wanted = sum(n for instruction, n in done.items() if instruction.split(".")[0] == name)
        counts = [(runs[loop], *accesses(turn, name)) for loop, turn in turns.items()]
        least, most = sum(r * n for r, n, _ in counts), sum(r * n for r, _, n in counts)
        slack = 0.01 + 0.02 * wanted
        if not least - slack <= wanted <= most + slack:
            raise Mismatch(f"{wanted:.3f} {name} an output in the emulated kernel, "
                           f"{least:.3f} to {most:.3f} in the machine code")
