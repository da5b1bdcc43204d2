#!/usr/bin/env python3
"""The loops of compiled kernels, and what one turn of each executes on the way that a problem takes through it.

Usage: loops.py NAME OBJECT...   shows the loops of the kernels with NAME in their (mangled) names, for workloads.py
"""

from collections import Counter
from pathlib import Path
import sys
from collections.abc import Callable, Iterator

from sass import Instruction, kernels


class Loop:
    """A loop, or at the top the whole kernel: basic blocks, and loops within. A block is named by its first index."""

    def __init__(self, code: "Code", header: int, blocks: set[int]):
        self.code, self.header, self.blocks = code, header, blocks
        self.children: list[Loop] = []
        for part in _cycles(blocks, lambda b: [s for s in code.after[b] if s in blocks and s != header]):
            entries = [b for b in part if any(b in code.after[p] for p in code.after if p not in part)]
            self.children.append(Loop(code, min(entries), part))

    def most(self, text: str, without: list[str], alike: bool = False, short: bool = False) -> "Loop | None":
        """Of the loops directly within, the one that has most of an instruction, or the `short`est that has it. None if none
        or, unless they are `alike`, two have: the first one then."""
        counts = [(Counter(map(str, child.instructions())), child) for child in self.children]
        counts = sorted((c.total() if short else -c[text], child.header, child)
                        for c, child in counts if c[text] and not any(map(c.get, without)))
        return counts[0][2] if counts and (alike or len(counts) == 1 or counts[0][0] < counts[1][0]) else None

    def turn(self, through: list["Loop"], wanted: str, passable, once: bool = False,
             share_of: Callable = lambda block: 1.0) -> list[Instruction] | None:
        """The instructions of one turn, those of the loops within left out: on the costliest way that goes through these
        of them and no others, that has most of the wanted instruction, and only blocks that are passable. `once`: and out
        of the loop at its end. `share_of` tells in which share of the turns a block is executed. None if there is no such way."""
        inner = {b: child for child in self.children for b in child.blocks}
        best: dict[int, tuple | None] = {}  # loops, wanted instructions and instructions from here on; block; what follows

        def cost(node: int) -> tuple | None:
            if node not in best:
                child = inner.get(node)
                blocks = child.blocks if child else {node}
                code = [] if child else self.code.block(node)
                after = {s for b in blocks for s in self.code.after[b]} - blocks
                ends = [e for s in after if s in self.blocks and s != self.header and (e := cost(s))]
                ends += [(0, 0, 0, None, None)] if self._ends(blocks, once) else []
                if ends and (child in through if child else passable(code)):
                    end = max(ends, key=lambda e: e[:3])
                    own = (bool(child), sum(wanted in (x.name, str(x)) for x in code), len(code))
                    best[node] = (*map(sum, zip(end, own)), None if child else node, end)
                else:
                    best[node] = None
            return best[node]

        way = cost(self.header)
        if not way or way[0] != len(through):
            return None
        found = []
        while way:
            block = self.code.block(way[3]) if way[3] is not None else []
            share = share_of(block)
            found += block if share == 1 else [x._replace(share=share, conditional=True) for x in block]
            way = way[4]
        return found

    def _ends(self, blocks: set[int], once: bool) -> bool:
        leaves = any(self.code.block(b)[-1].name in ("EXIT", "RET") for b in blocks)
        if self is self.code.top:
            return leaves
        after = {s for b in blocks for s in self.code.after[b]}
        return leaves or not after <= self.blocks if once else self.header in after

    def instructions(self) -> Iterator[Instruction]:
        for block in sorted(self.blocks):
            yield from self.code.block(block)


class Code:
    """A kernel's basic blocks and how they follow each other."""

    def __init__(self, instructions: list[Instruction]):
        self.instructions = instructions
        ends = {i + 1 for i, x in enumerate(instructions) if x.name in ("BRA", "EXIT", "RET")}
        targets = {x.target for x in instructions if x.target is not None}
        self.starts = sorted({0} | {i for i in ends | targets if 0 <= i < len(instructions)})
        self.stops = dict(zip(self.starts, self.starts[1:] + [len(instructions)]))
        self.after: dict[int, list[int]] = {b: self._followers(b) for b in self.starts}
        reached = {0} | _reached(0, self.after.get)
        self.after = {b: s for b, s in self.after.items() if b in reached}
        self.top = Loop(self, 0, reached)

    def _followers(self, block: int) -> list[int]:
        last = self.instructions[self.stops[block] - 1]
        following = [last.target] if last.target is not None else []
        if last.name not in ("BRA", "EXIT", "RET") or last.conditional:
            following += [self.stops[block]] if self.stops[block] < len(self.instructions) else []
        return following

    def block(self, start: int) -> list[Instruction]:
        return self.instructions[start:self.stops[start]]


def _reached(start: int, after) -> set[int]:
    """What comes after a node, which itself only belongs to it if it comes again."""
    found, waiting = set(), list(after(start))
    while waiting:
        if (node := waiting.pop()) not in found:
            found.add(node)
            waiting += after(node)
    return found


def _cycles(nodes: set[int], after) -> list[set[int]]:
    """The nodes that reach themselves, those that reach each other together."""
    reached = {node: _reached(node, after) for node in nodes}
    groups = {frozenset(m for m in reached[n] if n in reached[m]) for n in nodes if n in reached[n]}
    return [set(group) for group in groups]


def show(loop: Loop, depth: int = 0) -> None:
    found = list(loop.instructions())
    telling = [x for x in found if x.kind not in ("integer", "control") or x.name in ("I2F", "I2FP", "F2F")]
    print("  " * depth + f"at {loop.header}: {len(found)} instructions, {dict(Counter(map(str, telling)).most_common())}")
    for child in sorted(loop.children, key=lambda c: c.header):
        show(child, depth + 1)


if __name__ == "__main__":
    for kernel, code in ((k, c) for file in sys.argv[2:] for k, c in kernels(Path(file), 90) if sys.argv[1] in k):
        print(kernel)
        show(Code(code).top)
