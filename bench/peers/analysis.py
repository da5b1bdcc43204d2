"""What follows from a result file: who wins, where transforms overtake direct sums, and how noisy it all was.

Contestants are ranked only against others of the same element type; one whose error is far from gpuconv's is marked.
"""

from collections import defaultdict
from math import exp, log
from statistics import median

from .timing import relative_spread

EQUAL_ACCURACY = 8  # relative L2 errors within this factor count as equal
DEFAULTS = ["numpy.convolve", "scipy convolve", "scipy fftconvolve", "scipy oaconvolve"]
DIRECT_AND_TRANSFORMS = {"gpuconv": ("gpuconv direct", ["gpuconv overlap-save", "gpuconv fft"]),
                         "numpy and scipy": ("numpy.convolve", ["scipy fftconvolve", "scipy oaconvolve"])}


def problems(result: dict, suite: str) -> dict:
    """(signal, taps, dtype) -> {(contestant, call): measurement}, in the order measured."""
    out = defaultdict(dict)
    for m in result["measurements"]:
        if m["suite"] == suite:
            out[m["signal"], m["taps"], m["dtype"]][m["contestant"], m["call"]] = m
    return out


def seconds(measurement: dict) -> float:
    return measurement["seconds"]["median"]


def best(candidates):
    """The fastest of the measurements, or None."""
    return min(candidates, key=seconds, default=None)


def peers(by_contestant: dict, workers: bool = False) -> list[dict]:
    """NumPy's and SciPy's measurements: with their defaults, or SciPy's with workers."""
    return [m for (name, _), m in by_contestant.items() if m["library"] in ("numpy", "scipy") and (name in DEFAULTS) != workers]


def equal_accuracy(a: dict, b: dict) -> bool:
    low, high = sorted([a["relative_l2"], b["relative_l2"]])
    return high <= EQUAL_ACCURACY * max(low, 1e-17)


def slower_than_a_peer(result: dict) -> list[str]:
    """Where a plan or a one-shot call of gpuconv took longer than the fastest peer with defaults."""
    out = []
    for suite in ("small", "large", "crossover"):
        for (signal, taps, dtype), by_contestant in problems(result, suite).items():
            peer = best(peers(by_contestant))
            for (name, call), ours in by_contestant.items():
                if peer and name in ("gpuconv plan", "gpuconv one-shot") and seconds(ours) > seconds(peer):
                    out.append(f"{signal:,} x {taps:,} {dtype}, {name} from {call} ({seconds(ours) / seconds(peer):.1f}x {peer['contestant']})")
    return out


def crossover_taps(by_taps: list) -> float | None:
    """Filter length from which transforms stay faster, from (taps, direct seconds, transform seconds) in order of taps.

    Interpolated on logarithmic axes; None where they never overtake. A direct time of None (too long to be measured)
    counts as slower.
    """
    previous = None
    for i, (taps, direct, transform) in enumerate(by_taps):
        behind = [d is not None and d <= t for _, d, t in by_taps[i:]]
        if not any(behind):
            return float(taps) if previous is None or direct is None else _interpolate(previous, (taps, direct, transform))
        previous = (taps, direct, transform)
    return None


def _interpolate(before: tuple, after: tuple) -> float:
    (taps0, direct0, transform0), (taps1, direct1, transform1) = before, after
    ratio0, ratio1 = direct0 / transform0, direct1 / transform1
    if not ratio0 < 1 < ratio1:
        return float(taps1)
    share = -log(ratio0) / (log(ratio1) - log(ratio0))
    return exp(log(taps0) + share * (log(taps1) - log(taps0)))


def crossovers(result: dict) -> list[dict]:
    """For each signal length, the taps from which gpuconv's and the peers' transforms overtake their direct sums."""
    grid = defaultdict(list)
    for (signal, taps, _), by_contestant in problems(result, "crossover").items():
        for who, (direct, transforms) in DIRECT_AND_TRANSFORMS.items():
            fastest = best(by_contestant[t, "python"] for t in transforms if (t, "python") in by_contestant)
            if fastest is None:
                continue
            slow = by_contestant.get((direct, "python"))
            grid[signal, who].append((taps, slow and seconds(slow), seconds(fastest)))
    return [{"signal": signal, "who": who, "taps": crossover_taps(sorted(times, key=lambda t: t[0]))}
            for (signal, who), times in grid.items()]


def noise(result: dict) -> dict:
    """Distance of the quartiles over the median, over all measurements."""
    spreads = sorted(relative_spread(m["seconds"]) for m in result["measurements"])
    return {"median_relative_spread": median(spreads), "worst_relative_spread": spreads[-1]}
