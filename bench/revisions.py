#!/usr/bin/env python3
"""Records what every solver of a build makes of generated problems, a line for each run: two revisions compute the same where their
lines are the same, which `diff` tells. Of outputs a line has a hash of all bits, also of the memory around them, and, for those that
differ only in their last bits, their 2-norm. A line has no estimates, whose meaning may differ between revisions.

Usage: revisions.py BUILD [--emulated] [--seed N] [--count N] [--longest SAMPLES] [--products N]: operands of LONGEST samples at most;
direct sums of more than PRODUCTS multiply-adds are left out.
"""

import argparse
import ctypes as ct
import hashlib
import json
from pathlib import Path
import sys

import numpy as np

from peers.contestants import Absent
from peers.gpu import Array as DeviceArray
from peers.shim import Call, Shim

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
VALUES = ["plain", "small", "wide", "tiny", "huge", "not finite"]
PRIMES = [2, 3, 5, 7, 13, 31, 61, 127, 251, 509, 1021, 4093, 8191, 65521]


class Random:
    """Numbers that depend on the seed and the number of the problem alone."""

    def __init__(self, *seed: int):
        self.numbers = np.random.default_rng(seed)

    def pick(self, low: int, high: int) -> int:
        """In [low, high], low and high included."""
        return int(self.numbers.integers(low, high, endpoint=True))

    def one_in(self, n: int) -> bool:
        return self.pick(1, n) == 1

    def any_of(self, values):
        return values[self.pick(0, len(values) - 1)]

    def size(self, longest: int) -> int:
        """A number up to `longest`, every order of magnitude equally likely: around a power of two, around a multiple of a vector,
        a prime, or any."""
        power = 1 << self.pick(0, longest.bit_length() - 1)
        free = power + self.pick(0, power - 1)
        around = power + self.pick(-1, 1)
        return min(max(1, self.any_of([around, around, free // 8 * 8 + self.pick(-1, 1), self.any_of(PRIMES), free, free])), longest)

    def values(self, kind: str, dtype: np.dtype, shape) -> np.ndarray:
        if dtype.kind != "f":
            whole = np.iinfo(dtype)
            return self.numbers.integers(0, 8, shape, dtype) if kind == "small" else self.numbers.integers(
                whole.min, whole.max, shape, dtype, endpoint=True)
        plain, limits = self.numbers.uniform(-1, 1, shape).astype(dtype), np.finfo(dtype)
        if kind == "small":
            return self.numbers.integers(-8, 9, shape).astype(dtype)  # sums are exact
        if kind == "not finite":
            return np.where(self.numbers.random(shape) < 1 / 200, self.numbers.choice([np.nan, np.inf, -np.inf], shape), plain)
        powers = {"wide": self.numbers.integers(-40, 41, shape), "tiny": limits.minexp + 1, "huge": limits.maxexp - 1}  # sums overflow
        return np.ldexp(plain, powers.get(kind, 0))


def any_problem(random: Random, number: int, longest: int) -> dict:
    """As shim.cpp reads it. Enough outputs that they are written around the cache every 400th time. One filter may be for all rows or
    for each its own; the filter is the longer operand in a third of the problems."""
    largest = min(longest, random.any_of([2500, 2500, 2500, 20_000, longest]))
    sizes = [random.size(largest), random.size(min(largest, random.any_of([32, 300, longest, longest])))]
    batch = 1 if random.one_in(2) else min(max(1, 8 * largest // sum(sizes)), random.pick(1, 20))
    if random.one_in(4):
        sizes.reverse()
    if number % 400 == 399 and longest >= 180_000:
        sizes = [random.pick(100_000, 180_000), random.size(random.any_of([20, 2000]))]
        batch = 1_300_000 // sizes[0] + 1
    kind = random.any_of(["float32", "float32", "float64", random.any_of(TYPES)])
    taps_kind = random.any_of(TYPES) if random.one_in(4) else kind
    floating = "float" in kind + taps_kind
    usual = np.result_type(kind, taps_kind).name if floating else "uint64" if kind[0] == taps_kind[0] == "u" else "int64"
    result = ("float64" if floating else random.any_of(TYPES[:8])) if random.one_in(4) else usual
    return {"batch": batch, "signal": sizes[0], "taps": sizes[1], "type": kind, "filter_type": taps_kind, "result_type": result,
            "mode": random.any_of(["full", "same", "valid"]), "same": random.any_of(["numpy", "scipy", "matlab"]),
            "filters": random.any_of(["shared", "one per row"])}


def outputs(problem: dict) -> int:
    n, m = problem["signal"], problem["taps"]
    return {"full": n + m - 1, "same": max(n, m) if problem["same"] == "numpy" else n, "valid": abs(n - m) + 1}[problem["mode"]]


class Array:
    """Rows at any place past an alignment, with any stride, among bytes 0xFF: a NaN, or -1, to those who read there."""

    def __init__(self, random: Random, dtype: str, rows: int, columns: int, may_overlap: bool):
        dtype, self.stride = np.dtype(dtype), columns
        if may_overlap and random.one_in(8):
            self.stride = random.pick(1, columns)
        elif random.one_in(2):
            self.stride += random.pick(1, 40)
        self.begin = (64 + random.pick(0, 17)) * dtype.itemsize
        self.memory = np.full(self.begin + ((rows - 1) * self.stride + columns + 64) * dtype.itemsize, 0xFF, np.uint8)
        self.rows = np.lib.stride_tricks.as_strided(self.memory[self.begin:].view(dtype), (rows, columns),
                                                    (self.stride * dtype.itemsize, dtype.itemsize))
        self.clean = self.memory.copy()

    def address(self) -> ct.c_void_p:
        return ct.c_void_p(self.memory.ctypes.data + self.begin)

    def on_device(self, shim: Shim) -> tuple[DeviceArray, ct.c_void_p]:
        """A copy in device memory, with the same bytes around its rows, and its address."""
        copy = DeviceArray(shim, self.memory.size, np.uint8).set(self.memory)
        return copy, ct.c_void_p(copy.value + self.begin)

    def summary(self) -> str:
        """Every NaN counts as the same one; the norm is that of finite elements."""
        if self.rows.dtype.kind == "f":
            self.rows[np.isnan(self.rows)] = np.nan
        wide = self.rows[np.isfinite(self.rows)].astype(np.longdouble)
        return f"norm {np.sqrt(np.sum(wide * wide)):.4e}, bits {hashlib.blake2b(self.memory.tobytes(), digest_size=8).hexdigest()}"


def run(shim: Shim, described: dict, signal: Array, taps: Array, out: Array) -> str:
    out.memory[:] = out.clean
    try:
        if described["memory"] == "device":
            (x, x_at), (h, h_at), (y, y_at) = (array.on_device(shim) for array in (signal, taps, out))
            call = Call(shim, described, h_at.value)
            shim.check(shim.execute(call, x_at, y_at))
            out.memory[:] = y.get()
        else:
            call = Call(shim, described, taps.address())
            shim.check(shim.execute(call, signal.address(), out.address()))
    except Absent as refusal:
        return f"refused: {refusal}"
    return f"{call.description.split(', about ')[0]}, {out.summary()}"


def record(shim: Shim, number: int, seed: int, longest: int, most_products: int):
    random = Random(seed, number)  # no problem depends on those before
    problem = any_problem(random, number, longest)
    kind, n, m, batch = VALUES[max(0, random.pick(-10, 5))], problem["signal"], problem["taps"], problem["batch"]
    products = batch * min(n, m) * outputs(problem)
    if kind in ("huge", "not finite") and products > most_products / 16:
        kind = "plain"  # blocks that overflow or are not finite are summed directly, which takes too long at larger sizes
    signal = Array(random, problem["type"], batch, n, True)
    taps = Array(random, problem["filter_type"], batch if problem["filters"] == "one per row" else 1, m, True)
    out = Array(random, problem["result_type"], batch, outputs(problem), False)
    special = random.any_of([signal, taps])  # the one that is tiny, huge or not finite
    for array in (signal, taps):
        array.rows[:] = random.values(kind if array is special or kind in VALUES[:3] else "plain", array.rows.dtype, array.rows.shape)
    key = f"{number}, {json.dumps(problem)}, {kind}: "
    strides = {"signal_stride": signal.stride, "filter_stride": taps.stride, "out_stride": out.stride}
    for device in ("cpu", "cuda") if shim.facts["available"] else ("cpu",):
        chosen = problem | {"device": device, "threads": 2, "filter_stride": taps.stride}
        yield f"{key}chosen on the {device}: {Call(shim, chosen, taps.address()).description.split(', about ')[0]}"
        for memory in ("host", "device") if device == "cuda" else ("host",):
            for method in ("reference", "direct", "overlap-save", "fft"):
                for threads in (1, 2) if memory == "host" else (1,):
                    how = problem | strides | {"device": device, "method": method, "threads": threads, "memory": memory, "taps_memory": memory}
                    left_out = products > most_products and method in ("reference", "direct")
                    found = "left out" if left_out else run(shim, how, signal, taps, out)
                    yield f"{key}{device} {method}{', device memory' if memory == 'device' else ''}, {threads} threads: {found}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--emulated", action="store_true", help="with the emulated GPU besides")
    for name, usual in (("seed", 20261125), ("count", 2000), ("longest", 200_000), ("products", 1 << 27)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    arguments = parser.parse_args()
    shim = Shim(arguments.build, "bench/emulated" if arguments.emulated else "bench")
    print(f"seed {arguments.seed}, {shim.facts['simd_target']}, NumPy {np.__version__}")
    with np.errstate(all="ignore"):
        for number in range(arguments.count):
            for line in record(shim, number, arguments.seed, arguments.longest, arguments.products):
                print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
