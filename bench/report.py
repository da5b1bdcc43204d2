"""Conclusions from a result file, and its tables: who wins, where transforms overtake direct sums, how noisy it all was.

Contestants are ranked only within an element type, and only against those whose error is about gpuconv's.
"""

from collections import defaultdict
from math import exp, log
from statistics import median

from peers.timing import relative_spread
from stages.profiler import SHOWN
from stages.stage import counts

EQUAL_ACCURACY = 8  # relative L2 errors within this factor count as equal
COMPARED = ("small", "large", "crossover", "peers")  # suites with other libraries
DIRECT_AND_TRANSFORMS = {"gpuconv": ("gpuconv direct", ["gpuconv overlap-save", "gpuconv fft"]),
                         "numpy and scipy": ("numpy.convolve", ["scipy fftconvolve", "scipy oaconvolve"])}


# ---- measurements ------------------------------------------------------------------------------------------------------


def timed(result: dict, **fields) -> list[dict]:
    return [m for m in result["measurements"] if "seconds" in m and all(m.get(k) == v for k, v in fields.items())]


def problems(result: dict, *suites: str) -> dict:
    """(signal, taps, dtype) -> {(contestant, call): measurement with a time}, in the order measured."""
    out = defaultdict(dict)
    for m in timed(result):
        if m["suite"] in suites:
            out[m["signal"], m["taps"], m["dtype"]][m["contestant"], m["call"]] = m
    return out


def seconds(measurement: dict) -> float:
    return measurement["seconds"]["median"]


def best(candidates):
    """The fastest of the measurements, or None."""
    return min(candidates, key=seconds, default=None)


def equal_accuracy(a: dict, b: dict) -> bool:
    low, high = sorted([a["relative_l2"], b["relative_l2"]])
    return high <= EQUAL_ACCURACY * max(low, 1e-17)


def rival(entry: dict, ours: dict, all_cores: bool = False) -> dict | None:
    """The fastest of the other libraries' convolutions with their defaults, or of those on all cores, at gpuconv's accuracy."""
    return best(m for m in entry.values() if m["library"] not in ("gpuconv", "copy") and "correlate" not in m["contestant"]
                and (m.get("threads", 1) > 1) == all_cores and equal_accuracy(ours, m))


# ---- conclusions -------------------------------------------------------------------------------------------------------


def slower_than_a_rival(result: dict) -> list[str]:
    """Where a plan or a one-shot call of gpuconv took longer than the fastest of the others."""
    return [f"{signal:,} x {taps:,} {dtype}, {name} from {call} ({seconds(ours) / seconds(peer):.1f}x {peer['contestant']})"
            for suite in COMPARED for (signal, taps, dtype), entry in problems(result, suite).items()
            for (name, call), ours in entry.items() if name in ("gpuconv plan", "gpuconv one-shot", "gpuconv.convolve")
            if (peer := rival(entry, ours)) and seconds(ours) > seconds(peer)]


def crossover_taps(by_taps: list) -> float | None:
    """Filter length from which transforms stay faster, from (taps, direct seconds, transform seconds) in order of taps.

    Interpolated on logarithmic axes; None where they never overtake. A direct time of None (too long to be measured)
    counts as slower.
    """
    ahead = [direct is not None and direct <= transform for _, direct, transform in by_taps]
    first = len(ahead) - ahead[::-1].index(True) if True in ahead else 0  # after the last that direct sums win
    if first == len(by_taps):
        return None
    taps, direct, transform = by_taps[first]
    if first == 0 or direct is None:
        return float(taps)
    taps0, direct0, transform0 = by_taps[first - 1]
    before, after = log(direct0 / transform0), log(direct / transform)
    return exp(log(taps0) + (log(taps) - log(taps0)) * before / (before - after))


def crossovers(result: dict) -> dict:
    """(signal, who) -> the taps from which gpuconv's or the others' transforms overtake their direct sums."""
    grid = defaultdict(list)
    for (signal, taps, _), entry in problems(result, "crossover").items():
        for who, (direct, transforms) in DIRECT_AND_TRANSFORMS.items():
            if fastest := best(entry[t, "python"] for t in transforms if (t, "python") in entry):
                slow = entry.get((direct, "python"))
                grid[signal, who].append((taps, slow and seconds(slow), seconds(fastest)))
    return {key: crossover_taps(sorted(times, key=lambda t: t[0])) for key, times in grid.items()}


# ---- tables ------------------------------------------------------------------------------------------------------------


def scaled(value: float, units) -> str:
    scale, unit = next(((scale, unit) for scale, unit in units if value >= scale), units[-1])
    return f"{value / scale:.3g} {unit}"


def time_text(value: float) -> str:
    return scaled(value, [(1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")])


def lines(result: dict):
    """For people."""
    machine, libraries = result["machine"], result.get("libraries", {})
    yield f"gpuconv {result['build']['version']} ({result['commit'][:10]}{', modified' if result['modified'] else ''}) {result['date']}"
    yield ", ".join([*filter(None, [machine.get("gpu")]), machine["cpu"], f"{machine['threads']} threads",
                     *(f"{name} {version}" for name, version in libraries.items())])
    yield from _compared(result)
    yield from _of_copy(result)
    yield from _profiles(result)
    yield from _leads(result)
    yield from _crossovers(result)
    if spreads := [relative_spread(m["seconds"]) for m in timed(result)]:
        yield f"noise: quartiles {median(spreads):.1%} of the median apart (worst {max(spreads):.0%})"
    yield from _stages(result)


def _stages(result: dict):
    for name, entry in result.get("stages", {}).items():
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in counts(entry).items())
        left = f", {entry['left']} left" if entry.get("left") else ""
        yield f"  {name:<12} {entry['status']:<12} {entry['seconds']:>7.1f} s  {outcomes}{left}{'  ' + entry['why'] if 'why' in entry else ''}"
        faults = [f"    {unit}: {' '.join(record.get('text', '').split())[-150:]}" for unit, record in entry["units"].items() if record["outcome"] == "failed"]
        yield from faults[:10]
    if "verdict" in result:
        yield f"verdict: {result['verdict']}"


def _compared(result: dict):
    """Everyone's time and error."""
    for suite in ("small", "large", "peers"):
        for (signal, taps, dtype), entry in problems(result, suite).items():
            yield f"\n{signal:,} samples x {taps:,} taps, {dtype}, {'GPU' if suite == 'peers' else 'CPU'}"
            yield f"  {'':<32} {'call':>6} {'threads':>7} {'median':>9} {'least':>9} {'spread':>6} {'samples/s':>10} {'max error':>9} {'rel. L2':>8}"
            for (name, call), m in sorted(entry.items(), key=lambda item: seconds(item[1])):
                errors = f"{m['max_error']:9.1e} {m['relative_l2']:8.1e}" if "relative_l2" in m else f"{'-':>9} {'-':>8}"
                rate = scaled(signal / seconds(m), [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")])
                yield (f"  {name:<32} {call:>6} {m.get('threads', 1):>7} {time_text(seconds(m)):>9} "
                       f"{time_text(m['seconds']['least']):>9} {relative_spread(m['seconds']):>6.1%} {rate:>10} {errors}")


def _of_copy(result: dict):
    """Problems in device memory: the fastest solver and the planner's choice, as shares of the copy, with the clock."""
    rows = defaultdict(list)
    for m in timed(result, suite="bench"):
        if m["memory"] == "device" and "of_copy" in m and m["library"] == "gpuconv":
            rows[m["dtype"], m["batch"], m["signal"], m["taps"]].append(m)
    if rows:
        yield f"\n{'':2}{'type':<8} {'batch':>7} {'signal':>11} {'taps':>9}  of copy  fastest             chosen          relative L2  SM clock"
    for (dtype, batch, signal, taps), here in rows.items():
        fastest, chosen = max(here, key=lambda m: m["of_copy"]), next((m for m in here if m.get("chosen")), None)
        choice = f"{chosen['of_copy']:.2f} {chosen['contestant'].split()[-1]}" if chosen else "-"
        clock = fastest["clocks"].get("clocks.sm")
        yield (f"  {dtype:<8} {batch:>7,} {signal:>11,} {taps:>9,}  {fastest['of_copy']:>7.2f}  {fastest['contestant']:<18}  {choice:<18}"
               f" {fastest['relative_l2']:>8.1e}  {f'{clock[1]:.0f} MHz' if clock else '-'}{'  replayed' if fastest.get('replayed') else ''}")


def _profiles(result: dict):
    units = result.get("stages", {}).get("profiler", {}).get("units", {})
    launches = [(unit, launch) for unit, record in units.items() for launch in record.get("launches", ())]
    if launches:
        yield f"\n  {'kernel':<40} " + " ".join(f"{name:>14}" for name in SHOWN)
    for unit, launch in launches:
        cells = [launch["metrics"].get(metric) for metric in SHOWN.values()]
        if isinstance(cells[0], float):
            cells[0] /= 1000  # nanoseconds
        taps = unit.split("taps:")[1].split("/")[0]
        yield f"  {(taps + ' ' + launch['kernel'])[:40]:<40} " + " ".join(f"{c:>14.4g}" if isinstance(c, float) else f"{'-':>14}" for c in cells)


def _leads(result: dict):
    lead = lambda ours, theirs: f"{seconds(theirs) / seconds(ours):.1f}x" if ours and theirs else "-"
    for device, suites in (("CPU", ("small", "large")), ("GPU", ("peers",))):
        grid = problems(result, *suites)
        if grid:
            yield (f"\ngpuconv on the {device}, called from Python, against the fastest of the others whose error is no more than "
                   f"{EQUAL_ACCURACY} times its own")
            yield f"  {'signal':>12} {'taps':>10} {'dtype':>8} {'plan':>8} {'one-shot':>8} {'package':>8} {'all cores':>9} {'of copy':>8}  against"
        for (signal, taps, dtype), entry in grid.items():
            named = lambda name: entry.get((name, "python"))
            plan, copy = named("gpuconv plan"), named("streaming copy") or named("copy")
            if plan and (peer := rival(entry, plan)):
                share = f"{seconds(copy) / seconds(plan):.0%}" if copy else "-"
                leads = [lead(ours, peer) for ours in (plan, named("gpuconv one-shot"), named("gpuconv.convolve"))]
                yield (f"  {signal:>12,} {taps:>10,} {dtype:>8} {' '.join(f'{text:>8}' for text in leads)} "
                       f"{lead(plan, rival(entry, plan, all_cores=True)):>9} {share:>8}  {peer['contestant']}")
    if problems(result, *COMPARED):
        yield "gpuconv is slower than another library at: " + (", ".join(slower_than_a_rival(result)) or "no problem measured")


def _crossovers(result: dict):
    found = crossovers(result)
    if found:
        yield "\ntaps from which a transform overtakes the direct sum (float32, CPU)"
    for signal in dict.fromkeys(signal for signal, _ in found):
        ours, theirs = (f"{taps:.0f}" if (taps := found.get((signal, who))) else "never" for who in DIRECT_AND_TRANSFORMS)
        yield f"  signal {signal:>10,}:  gpuconv {ours:>6}   NumPy and SciPy {theirs:>6}"
