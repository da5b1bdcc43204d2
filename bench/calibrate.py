#!/usr/bin/env python3
"""Measures what the cost models of the CPU solvers need (src/cpu/cost.hpp and the cost sections of src/cpu/*.cpp), and how
good the planner's choices are.

Usage: calibrate.py --build BUILD [direct] [blocks] [overhead] [across] [regret] [--quick] [--json FILE]. Everything if nothing is
named. Times are the least of some turns, in which all problems of a section are measured in random order, without Python between
the calls. Mode same, one thread where nothing else is said.
"""

import argparse
import ctypes as ct
from functools import partial
from itertools import product
import json
from pathlib import Path
import random
import sys

import numpy as np
import pandas as pd

from peers.contestants import on_host_clock, warm_up
from peers.cpu import METHODS, from_cpp, gpuconv_plan
from peers.shim import Owner, Shim, plan
from peers.workload import Problem, Workload, nothing

KEY = ["type", "batch", "signal", "taps"]
# A solver is not run where its estimate is this many times the best one and the run would take long: a cost model that is wrong by
# more shows at smaller sizes.
HOPELESS, LONG = 30, 0.02
LONGEST_INTEGER_SUM = 1 << 30  # products: of integers, which have one method, it is wanted whether its estimate holds


def measure(jobs: list, quick: bool) -> pd.DataFrame:
    """A row for each that the jobs yield, as (row, sampler), with the least seconds of a call."""
    rounds, least = (2, 0.002) if quick else (7, 0.02)
    found = {}
    for _ in range(rounds):
        for job in random.sample(jobs, len(jobs)):
            for row, sample in job():
                repeats = max(1, round(least / max(warm_up(sample), 1e-8)))
                key = tuple(row.items())
                found[key] = min(found.get(key, np.inf), sample(1, repeats))
    return pd.DataFrame([dict(row) | {"seconds": seconds} for row, seconds in found.items()])


def same(kind: str, signal: int, taps: int, batch: int = 1) -> Problem:
    return Problem("calibrate", kind, signal, taps, batch, mode="same")


def key_of(p: Problem) -> dict:
    return dict(zip(KEY, (p.dtype, p.batch, p.signal, p.taps)))


def planned(shim: Shim, problem: Problem, choices: list[dict]):
    """A job: a plan for each of the choices, by what of the choices the row has."""
    work = Workload(problem)
    for choice in choices:
        row = choice.pop("row", {})
        made = gpuconv_plan(work, shim, cpp=True, device="cpu", **choice)
        yield key_of(problem) | row | {"label": made.detail.split(", about ")[0]}, made.sample


def fit(terms: dict, seconds: pd.Series) -> dict:
    """Coefficients by least squares, every measurement by its percentage, and the largest relative difference."""
    scaled = np.array([np.broadcast_to(term, len(seconds)) / seconds for term in terms.values()]).T
    coefficients = np.linalg.lstsq(scaled, np.ones(len(seconds)), rcond=None)[0]
    return dict(zip(terms, coefficients)) | {"worst": np.max(np.abs(scaled @ coefficients - 1))}


def by_type(rows: pd.DataFrame, conclude) -> pd.DataFrame:
    """What is concluded of the rows of each element type."""
    return pd.DataFrame([{"type": name} | conclude(mine) for name, mine in rows.groupby("type")])


# ---- sections ----------------------------------------------------------------------------------------------------------


def direct(shim: Shim, quick: bool):
    shapes = ((64, 256), (256, 64), (2048, 8), (16384, 1), (1 << 17, 1), (1 << 22, 1))
    taps = (1, 8, 64) if quick else (1, 2, 3, 4, 8, 16, 17, 32, 64, 128, 257, 512)
    problems = [same(kind, n, m, batch) for kind, (n, batch), m in product(("float32", "float64", "uint64"), shapes, taps) if m <= n]
    runs = measure([partial(planned, shim, p, [{"method": "direct", "threads": 1}]) for p in problems], quick).sort_values(KEY)
    samples = runs.batch * runs.signal
    yield "direct: one thread, mode same", runs[KEY].assign(
        **{"ns/sample": runs.seconds / samples * 1e9, "ns/sample/tap": runs.seconds / samples / runs.taps * 1e9})
    yield "direct_fit: seconds = batch * (row + samples * (sample + taps * multiply_add))", by_type(runs, lambda r: fit(
        {"row": r.batch, "sample": r.batch * r.signal, "multiply_add": r.batch * r.signal * r.taps}, r.seconds))


def in_blocks(shim: Shim, problem: Problem, size: int, threads: int):
    """A job: blocks of a size, one after another over rows that rotate past the cache."""
    work = Workload(problem)
    made = Owner(shim, "blocks", json.dumps(problem.described()).encode(), size, threads, work.filter.ctypes.data)
    outs = [nothing(work) for _ in work.signals]
    yield (key_of(problem) | {"size": size, "threads": threads, "blocks": shim.blocks_count(made)},
           from_cpp(shim, work, shim.blocks_time, lambda i: (made, work.signals[i].ctypes.data, outs[i].ctypes.data)))


def blocks(shim: Shim, quick: bool):
    """In the cache, many blocks in a row; beyond it one at a time, with all threads on its transform."""
    jobs, in_cache = [], {}
    for kind in ("float32", "float64"):
        smallest, largest = ct.c_int64(), ct.c_int64()
        shim.block_sizes(kind == "float64", ct.byref(smallest), ct.byref(largest))
        in_cache[kind] = largest.value
        sizes = [size for power in range(25) if smallest.value <= (size := 1 << power) and (not quick or size in (1024, 2048, 4096, 16384))]
        jobs += [partial(in_blocks, shim, same(kind, 1 << 22, size // part), size, 1) for size in sizes for part in (8, 2) if size <= 4 * largest.value]
        jobs += [partial(in_blocks, shim, same(kind, size // 2, size // 2), size, threads) for size in sizes for threads in {1, shim.threads}]
    r = measure(jobs, quick).sort_values(["type", "size", "taps", "threads"])
    r = r.assign(points=r["size"] / 2, levels=np.log2(r["size"] / 2), block=r.seconds / r.blocks, step=r["size"] - r.taps)
    many = (r.signal == 1 << 22) & (r.blocks > 1)
    cached, large = r[many], r[~many]
    yield "overlap_save: a block on one thread, long rows", cached[["type", "size", "taps"]].assign(
        **{"ns/block": cached.block * 1e9, "ns/point/level": cached.block / cached.points / np.log2(cached["size"]) * 1e9,
           "ns/output": cached.block / cached.step * 1e9})
    yield ("overlap_save_fit: seconds = block + points * (point + levels * point_level) + outputs * output, blocks in the cache",
           by_type(cached[cached["size"] <= cached.type.map(in_cache)], lambda r: fit(
               {"block": 1, "point": r.points, "point_level": r.points * r.levels, "output": r.step}, r.block) if len(r) >= 4 else {}))
    yield "fft: one block at a time; taps and signal are half the block", large[["type", "size", "threads"]].assign(
        **{"us/block": large.block * 1e6, "ns/sample/level": large.block / large["size"] / np.log2(large["size"]) * 1e9})


def called(shim: Shim, problem: Problem):
    """A job: the calls that a program makes, by each solver."""
    work = Workload(problem)
    taps, out = work.filter.ctypes.data, nothing(work)
    for offer in shim.offers_for(**problem.described(device="cpu")):
        made = plan(shim, work, device="cpu", method=offer["method"])
        for what in ("execute", "set_filter", "plan", "convolve"):
            yield (key_of(problem) | {"method": offer["method"], "call": what},
                   from_cpp(shim, work, shim.time, lambda i: (made, what.encode(), work.signals[i].ctypes.data, taps, out.ctypes.data)))


def woken(shim: Shim, threads: int):
    """A job: a parallel_for of short and longer tasks on workers that are awake or asleep."""
    for microseconds, asleep in product((0, 20, 100), (False, True)):
        def sample(_, repeats: int) -> float:
            seconds = ct.c_double()
            shim.check(shim.wake(threads, microseconds * 1e-6, asleep, repeats, ct.byref(seconds)))
            return seconds.value
        yield {"threads": threads, "task us": microseconds, "asleep": asleep}, sample


def copied(shim: Shim, threads: int):
    """A job: 256 MiB read and as many written."""
    made = Owner(shim, "copy", 256 << 20, 1)
    yield {"threads": threads}, on_host_clock(lambda _: shim.copy_run(made, threads), 1)


def overhead(shim: Shim, quick: bool):
    tiny = [Problem("calibrate", kind, n, m) for kind, (n, m) in product(("float32", "float64", "int32"), ((1, 1), (16, 4), (100, 50), (1000, 50)))]
    threads = [1 << power for power in range(shim.threads.bit_length())]
    calls = measure([partial(called, shim, p) for p in tiny], quick).sort_values([*KEY, "method", "call"])
    yield "calls: whole calls on tiny warm problems, mode full; convolve makes the plan too", calls.drop(columns="seconds").assign(ns=calls.seconds * 1e9)
    if shim.threads > 1:
        wake = measure([partial(woken, shim, n) for n in threads[1:]], quick)
        yield "wake: a parallel_for of one task for each thread, beyond the task's own time", wake.drop(columns="seconds").assign(us=wake.seconds * 1e6)
    copy = measure([partial(copied, shim, n) for n in threads], quick)
    yield "copy: bytes read plus bytes written", copy.drop(columns="seconds").assign(**{"GB/s": 2 * (256 << 20) / copy.seconds * 1e-9})


def across(shim: Shim, quick: bool):
    """Rows by themselves and as the columns of a matrix, and two channels that alternate."""
    choices = lambda: [{"method": method, "across": columns, "row": {"method": method, "columns": columns}}
                       for method, columns in product(METHODS, (False, True))]
    problems = [same("float32", n, m, batch) for m, (n, batch) in product((3, 17, 65, 257), ((1 << 10, 1 << 12), (1 << 20, 2))) if not quick or m == 17]
    runs = measure([lambda p=p: planned(shim, p, choices()) for p in problems], quick).sort_values([*KEY, "method", "columns"])
    times = runs.pivot_table(values="seconds", index=[*KEY, "method"], columns="columns").reset_index()
    yield "across: rows that are the columns of a matrix", times[[*KEY, "method"]].assign(
        **{"ms": times[False] * 1e3, "ms across": times[True] * 1e3, "ratio": times[True] / times[False]})


def offered(shim: Shim, problem: Problem):
    """A job: every solver that may be the best, the planner's choice first."""
    offers = [offer for offer in shim.offers_for(**problem.described(device="cpu")) if offer["method"] != "reference"]
    shortest = min(offer["seconds"] for offer in offers)
    yield from planned(shim, problem, [
        {"method": offer["method"], "row": {"who": offer["method"], "estimate": offer["seconds"], "chosen": offer is offers[0]}}
        for offer in offers if offer is offers[0] or offer["seconds"] <= max(HOPELESS * shortest, LONG)])


def regrets(runs: pd.DataFrame) -> pd.DataFrame:
    """For each problem, the planner's choice and the fastest method, the largest ratio of their times first."""
    out = []
    for key, here in runs.groupby(KEY):
        chosen, best = here[here.chosen].iloc[0], here.loc[here.seconds.idxmin()]
        # Methods with the same blocks run the same code.
        alike = chosen.label.split(", ")[1:] == best.label.split(", ")[1:]
        out.append(dict(zip(KEY, key)) | {
            "regret": 1.0 if alike else chosen.seconds / best.seconds, "over": chosen.seconds / chosen.estimate, "chosen": chosen.who, "best": best.who,
            "times": "; ".join(f"{r.who} {r.seconds:.3g} (estimate {r.estimate:.3g})" for _, r in here.iterrows())})
    return pd.DataFrame(out).sort_values("regret", ascending=False)


def regret(shim: Shim, quick: bool):
    problems = []
    for log_n, log_m in product(range(4, 25, 2), range(21)):
        # Not powers of two themselves: those are special to transforms.
        n, m = (1 << log_n) + (37 if log_n > 6 else 0), (1 << log_m) + (1 if log_m > 3 else 0)
        batches = {1, max(1, (1 << 20) // n)} if log_n <= 14 else {1}
        problems += [same(kind, n, m, batch) for kind, batch in product(("float32", "float64", "int8", "int16", "int32", "int64"), sorted(batches))
                     if log_m <= log_n and m <= n and (not quick or log_n in (4, 8, 12)) and ("float" in kind or n * m * batch <= LONGEST_INTEGER_SUM)]
    found = regrets(measure([partial(offered, shim, p) for p in problems], quick))
    of = lambda shares: lambda values: {name: values.quantile(share) for name, share in shares.items()}
    yield "regret_summary: time of the planner's choice over the fastest method's", by_type(found, lambda r: {
        "problems": len(r), **of({"median": 0.5, "95%": 0.95, "worst": 1})(r.regret), "over 1.25": (r.regret > 1.25).sum()})
    yield "estimates: time of the planner's choice over its estimate", by_type(found, lambda r: of(
        {"least": 0, "5%": 0.05, "median": 0.5, "95%": 0.95, "most": 1})(r.over))
    yield "regret_worst: the problems with the largest regret (seconds)", found.drop(columns="over").head(25)


SECTIONS = {"direct": direct, "blocks": blocks, "overhead": overhead, "across": across, "regret": regret}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--build", type=Path, required=True, help="CMake's build folder")
    parser.add_argument("--quick", action="store_true", help="fewer sizes, shorter measurements")
    parser.add_argument("--json", type=Path, help="write the tables here too")
    arguments = parser.parse_args()
    if unknown := set(arguments.sections) - SECTIONS.keys():
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    shim, tables = Shim(arguments.build), {}
    for section in arguments.sections or SECTIONS:
        for title, table in SECTIONS[section](shim, arguments.quick):
            print(f"\n## {title}\n{table.to_string(index=False, float_format='{:.4g}'.format)}", flush=True)
            tables[title] = json.loads(table.to_json(orient="records"))
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
