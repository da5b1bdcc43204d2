"""How times are measured: warm-up, contestants in turn (A B A B), medians with quartiles and the least."""

from dataclasses import dataclass
import gc
from time import perf_counter

import numpy as np

SHORTEST_SAMPLE = 5e-3  # seconds; shorter calls are repeated within a sample: what waking up costs weighs little
WARM_UP = 5e-3


@dataclass(frozen=True)
class Budget:
    """When to stop: a contestant is sampled until it has used `seconds`, but `least` times in any case."""

    seconds: float
    least: int

    def least_for(self, once: float) -> int:
        return self.least if once < 0.2 else min(self.least, 5) if once < 0.5 else min(self.least, 3)


def spread(seconds) -> dict:
    lower, median, upper = np.quantile(seconds, [0.25, 0.5, 0.75])
    return {"median": float(median), "lower": float(lower), "upper": float(upper),
            "least": float(np.min(seconds)), "samples": len(seconds)}


def relative_spread(times: dict) -> float:
    """Distance of the quartiles over the median."""
    return (times["upper"] - times["lower"]) / times["median"]


def _warm_up(sample) -> float:
    begin, once = perf_counter(), sample(0, 1)
    while perf_counter() - begin < WARM_UP:
        once = min(once, sample(0, 1))
    return once


def measure(samplers, budget: Budget) -> list[dict]:
    """Spread of the seconds a call takes, for each `sampler(first_set, repeats)`, which returns seconds of a call.

    Neighbours in a turn start with neighbouring sets: none of them finds in the cache what another one has just read.
    """
    once = [_warm_up(sample) for sample in samplers]
    repeats = [max(1, round(SHORTEST_SAMPLE / max(t, 1e-8))) for t in once]
    least = [budget.least_for(t) for t in once]
    times = [[] for _ in samplers]
    used = [0.0] * len(samplers)
    gc.collect()
    gc.disable()
    try:
        turn, active = 0, list(range(len(samplers)))
        while active:
            for i in active:
                begin = perf_counter()
                times[i].append(samplers[i](turn * repeats[i] + i, repeats[i]))
                used[i] += perf_counter() - begin
            active = [i for i in active if used[i] < budget.seconds or len(times[i]) < least[i]]
            turn += 1
    finally:
        gc.enable()
    return [spread(t) for t in times]
