"""What is convolved: a problem, random data of it in copies enough to find none in the cache, and what its results should be."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

COLD_BYTES = 256 << 10  # as in support/data.hpp: smaller problems are measured warm, as their callers find them
REFERENCE_PRODUCTS = 1 << 22


def cache_bytes() -> int:
    """Bytes of the last-level cache, or a common size where Linux does not say."""
    try:
        return int(Path("/sys/devices/system/cpu/cpu0/cache/index3/size").read_text().strip().rstrip("K")) << 10
    except (OSError, ValueError):
        return 32 << 20


@dataclass(frozen=True)
class Problem:
    """One problem of a suite. Its text, "suite=small/dtype=float32/signal=100/taps=50", has what is not as usual; in it `of` finds
    the problem again."""

    suite: str
    dtype: str
    signal: int
    taps: int
    batch: int = 1
    mode: str = "full"  # in mode same the result is as large as the signal
    memory: str = "host"
    lines: int = 1  # of an image
    filter_lines: int = 1
    separable: bool = False  # the filter is the product of a column and a row

    def __str__(self) -> str:
        return "/".join(f"{f.name}={getattr(self, f.name)!s}" for f in fields(self) if getattr(self, f.name) != f.default)

    @classmethod
    def of(cls, text: str) -> "Problem":
        parts = dict(part.split("=") for part in text.split("/"))
        return cls(**{name: int(value) if value.isdigit() else value == "True" if name == "separable" else value
                      for name, value in parts.items()})

    def products(self) -> int:
        return self.batch * self.lines * self.signal * self.filter_lines * self.taps

    def out_shape(self) -> tuple[int, int, int]:
        """Rows, lines, and samples of a line."""
        if self.mode == "same":
            return self.batch, self.lines, self.signal
        return self.batch, self.lines + self.filter_lines - 1, self.signal + self.taps - 1

    def described(self, **choices) -> dict:
        """As support/problem.hpp reads it, with choices of a plan."""
        return {"type": self.dtype, "signal": self.signal, "taps": self.taps, "batch": self.batch, "mode": self.mode, "same": "scipy",
                "memory": self.memory, "lines": self.lines, "filter_lines": self.filter_lines, "separable": self.separable} | choices


class Workload:
    """Signals and a filter, the same values for every contestant; outputs of floats are of order one. Arrays have no axis for a batch
    of one row or for lines of no image. `rotate`: as many signals as do not fit in the CPU's cache."""

    def __init__(self, problem: Problem, seed: int = 1, rotate: bool = True):
        self.problem, self.dtype = problem, np.dtype(problem.dtype)
        self.result = np.dtype(self.dtype.kind + "8") if self.dtype.kind in "iu" else self.dtype  # gpuconv's, where nothing else is wanted
        self.signal, self.taps = problem.signal, problem.taps
        image = problem.lines > 1 or problem.filter_lines > 1
        shape = (*[problem.batch] * (problem.batch > 1), *[problem.lines] * image, problem.signal)
        self.outputs, signals = int(np.prod(problem.out_shape())), problem.batch * problem.lines * problem.signal
        self._random = random = np.random.default_rng(seed)

        def draw(*shape):  # in float32 so that float64 contestants get the same values
            if self.dtype.kind in "iu":
                return random.integers(-100 if self.dtype.kind == "i" else 0, 101, shape).astype(self.dtype)
            one = lambda: random.random(shape, dtype=np.float32) * 2 - 1
            return (one() + 1j * one() if self.dtype.kind == "c" else one()).astype(self.dtype)

        lines, taps = problem.filter_lines, problem.taps
        self.factors = (draw(lines), draw(taps)) if problem.separable else None
        self.filter = np.outer(*self.factors) if problem.separable else draw(lines, taps) if image else draw(taps)
        if self.dtype.kind not in "iu":
            scale = self.dtype.type(np.sqrt(lines * taps))
            self.filter /= scale
            self.factors = self.factors and (self.factors[0], self.factors[1] / scale)
        size = signals * self.dtype.itemsize + self.outputs * self.result.itemsize
        self.cold = size >= COLD_BYTES
        self.sets = max(2, 2 * cache_bytes() // size + 1) if self.cold and rotate else 1
        self.signals = [draw(*shape) for _ in range(self.sets)]

    @cached_property
    def expected(self) -> tuple[np.ndarray, np.ndarray]:
        """Places of some outputs, and their values, in long double or, of integers, exact."""
        p, random = self.problem, self._random
        wide = {"i": np.int64, "u": np.int64, "c": np.clongdouble}.get(self.dtype.kind, np.longdouble)
        each = min(p.signal, p.taps) * min(p.lines, p.filter_lines)
        count = int(np.clip(REFERENCE_PRODUCTS // each, 32, 2000))
        first = ((p.filter_lines - 1) // 2, (p.taps - 1) // 2) if p.mode == "same" else (0, 0)  # in the full result
        shorter, longer = sorted([p.signal, p.taps])
        edges = [0, shorter - 1, longer - 1, self.outputs - 1]
        chosen = range(self.outputs) if count >= self.outputs else np.append(random.integers(0, self.outputs, count), edges)
        positions = np.unique(np.clip(chosen, 0, self.outputs - 1))
        x = self.signals[0].reshape(p.batch, p.lines, p.signal)
        taps = self.filter.reshape(p.filter_lines, p.taps).astype(wide)

        def output(row: int, *place: int):
            at = [k + start for k, start in zip(place, first)]
            low = [max(0, k - n + 1) for k, n in zip(at, x.shape[1:])]
            high = [min(m, k + 1) for k, m in zip(at, taps.shape)]
            (l0, k0), (l1, k1) = ([k - bound + 1 for k, bound in zip(at, bounds)] for bounds in (high, low))
            return np.sum(x[row, l0:l1, k0:k1][::-1, ::-1].astype(wide) * taps[low[0]:high[0], low[1]:high[1]])

        return positions, np.array([output(*map(int, place)) for place in zip(*np.unravel_index(positions, p.out_shape()))])

    def errors(self, output: np.ndarray) -> dict:
        """Errors of the expected outputs: the largest difference, and the norm of the difference over the result's."""
        positions, expected = self.expected
        wide = np.clongdouble if self.dtype.kind == "c" else np.longdouble
        expected = expected.astype(wide)
        difference = output.reshape(-1)[positions].astype(wide) - expected
        norm = np.sqrt(np.sum(np.abs(expected) ** 2))
        return {"max_error": float(np.max(np.abs(difference))),
                "relative_l2": float(np.sqrt(np.sum(np.abs(difference) ** 2)) / norm),
                "checked_outputs": len(positions)}


def nothing(work: Workload) -> np.ndarray:
    """An output with all bits set, NaNs, which show what nobody writes. Zeros would be pages that the system only hands out, and
    clears, at the first execute."""
    return np.full(work.outputs * work.result.itemsize, 0xFF, np.uint8).view(work.result)
