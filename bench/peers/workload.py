"""Random data of a convolution, in copies enough to find none in the cache, and what its results should be."""

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


class Workload:
    """Signals and a filter, the same values for every contestant; outputs of floats are of order one."""

    def __init__(self, signal: int, taps: int, dtype: str, seed: int = 1):
        self.signal, self.taps, self.dtype = signal, taps, np.dtype(dtype)
        self.outputs = signal + taps - 1
        random = np.random.default_rng(seed)
        integers = self.dtype.kind == "i"
        # Drawn in float32 so that float64 contestants get the same values.
        draw = lambda size: random.integers(-100, 101, size) if integers else random.random(size, dtype=np.float32) * 2 - 1
        self.filter = (draw(taps) if integers else draw(taps) / np.float32(np.sqrt(taps))).astype(self.dtype)
        size = (signal + self.outputs) * self.dtype.itemsize
        self.cold = size >= COLD_BYTES
        self.sets = max(2, 2 * cache_bytes() // size + 1) if self.cold else 1
        self.signals = [draw(signal).astype(self.dtype) for _ in range(self.sets)]
        self._exact_filter = self.filter.astype(np.longdouble)
        self._choose_positions(random)
        self.expected = np.array([self._output(k) for k in self.positions])

    def _choose_positions(self, random) -> None:
        shorter = min(self.signal, self.taps)
        count = int(np.clip(REFERENCE_PRODUCTS // shorter, 32, 2000))
        if count >= self.outputs:
            self.positions = np.arange(self.outputs)
            return
        edges = [0, shorter - 1, max(self.signal, self.taps) - 1, self.outputs - 1]
        self.positions = np.unique(np.concatenate([edges, random.integers(0, self.outputs, count)]))

    def _output(self, k: int):
        """Output k of the full convolution of the first signal, in long double."""
        low, high = max(0, k - self.signal + 1), min(self.taps, k + 1)
        window = self.signals[0][k - high + 1:k - low + 1][::-1].astype(np.longdouble)
        return window @ self._exact_filter[low:high]

    def errors(self, output: np.ndarray) -> dict:
        """Errors of the outputs at `positions`: the largest difference, and the norm of the difference over the result's."""
        difference = output[self.positions].astype(np.longdouble) - self.expected
        norm = np.sqrt(np.sum(self.expected ** 2))
        return {"max_error": float(np.max(np.abs(difference))),
                "relative_l2": float(np.sqrt(np.sum(difference ** 2)) / norm),
                "checked_outputs": len(self.positions)}
