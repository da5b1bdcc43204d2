"""A call on Dask arrays: what it means, checked, and the array that it gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np

from gpuconv import _core

from ._cuts import Lags, cut_lags, cut_of, fitted, merged, pieces
from ._graph import Operands, chunk_of, joined, without_empty

Operand = da.Array | np.ndarray

# Lags that are wanted by number are cut into windows at least as long as this: a task costs more than so many samples.
SHORTEST_WINDOW = 1 << 14


def operand_of(operation: str, given: Any) -> Operand:
    """The operand as an array of known shape, of one axis at least where the operation takes scalars."""
    array = given if isinstance(given, da.Array) else np.asarray(given)
    if any(math.isnan(count) for count in array.shape):
        raise ValueError("an operand has chunks of unknown size, which compute_chunk_sizes() finds out")
    return array.reshape(1) if array.ndim == 0 and operation == "convolve" else array


def stand_in(array: Operand, shape: tuple[int, ...]) -> np.ndarray:
    """An array of the operand's type that takes no memory."""
    return np.broadcast_to(np.zeros((), array.dtype), shape)


def axis_of(array: Operand, axis: int) -> int:
    """The convolved axis: a 1-D array has only its own."""
    return axis % array.ndim if array.ndim > 1 else 0


def in_chunks(array: Operand, axis: int, chunks: tuple[int, ...]) -> da.Array:
    """The array in these chunks along one axis."""
    if not isinstance(array, da.Array):
        whole: list[Any] = list(array.shape)
        whole[axis] = chunks
        return da.from_array(array, chunks=tuple(whole))
    return array if array.chunks[axis] == chunks else array.rechunk({axis: chunks}, method="tasks")


def chunks_of(array: Operand, axis: int) -> tuple[int, ...]:
    """The array's chunks along one axis; those of NumPy's arrays are as Dask would have them."""
    if isinstance(array, da.Array):
        return array.chunks[axis]
    return da.core.normalize_chunks("auto", (array.shape[axis],), dtype=array.dtype)[0]


def around(array: Operand, *axes: int) -> list[int]:
    """The axes but the convolved ones, from the last one on, as they broadcast."""
    return [at for at in reversed(range(array.ndim)) if at not in axes]


def beside(taps: da.Array, taps_axes: Sequence[int], signal: da.Array, signal_axes: Sequence[int]) -> da.Array:
    """The taps in the signal's chunks along all axes but the convolved ones that both have."""
    for mine, other in zip(around(taps, *taps_axes), around(signal, *signal_axes)):
        if taps.shape[mine] > 1 and signal.shape[other] > 1:
            taps = in_chunks(taps, mine, signal.chunks[other])
    return taps


def rechunked(array: da.Array, chunks: dict[int, tuple[int, ...]]) -> da.Array:
    """The array in these chunks along these axes."""
    differ = {at: sizes for at, sizes in chunks.items() if array.chunks[at] != sizes}
    return array.rechunk(differ, method="tasks") if differ else array


def reversed_taps(array: Operand, axis: int) -> Operand:
    """The taps of a correlation that is a convolution with these."""
    backwards = array[(slice(None),) * axis + (slice(None, None, -1),)]
    return backwards.conj() if array.dtype.kind == "c" else backwards


class Call:
    """One call. Raises what gpuconv's functions raise for these arguments."""

    def __init__(
        self, operation: str, a: Any, v: Any, mode: Any, options: dict[str, Any], same: str, lags: Any = None, max_lag: Any = None
    ):
        self.operation = operation
        self.a, self.v = given = operand_of(operation, a), operand_of(operation, v)
        self.options = {name: value for name, value in options.items() if value is not None}
        by_lag = {"lags": lags, "max_lag": max_lag} if operation == "correlate" else {}
        self._check(mode, same, by_lag)
        self.a_chunks, self.v_chunks = (x.chunks if isinstance(x, da.Array) else () for x in given)
        self.a, self.v = (without_empty(x) if isinstance(x, da.Array) and x.size else x for x in given)
        self.a_axis, self.v_axis = (axis_of(x, options["axis"]) for x in (self.a, self.v))
        self.n, self.m = self.a.shape[self.a_axis], self.v.shape[self.v_axis]
        self.by_lag = lags is not None or max_lag is not None
        self.lags = self._lags_wanted(mode, same, lags, max_lag)
        self.boundary = options["boundary"] if isinstance(options["boundary"], str) else "constant"

    def _check(self, mode: Any, same: str, by_lag: dict[str, Any]) -> None:
        """Raises for what is wrong, and learns the type of the result and its axes, from operands without memory."""
        shapes = {"mode": mode, "same": same, **by_lag}
        shapes = {name: value for name, value in shapes.items() if value is not None}
        asked = {"operation": self.operation, **self.options, **shapes}
        _core.explain(stand_in(self.a, self.a.shape), stand_in(self.v, self.v.shape), **asked)
        tiny = [stand_in(x, (1,) * x.ndim) for x in (self.a, self.v)]
        anywhere = {**self.options, "method": "auto", "device": "cpu", "threads": 1}
        outputs = {"lags": range(1)} if "lags" in shapes or "max_lag" in shapes else shapes
        self.meta = getattr(_core, self.operation)(*tiny, **anywhere, **outputs)[(slice(0),) * max(self.a.ndim, self.v.ndim)]

    def _lags_wanted(self, mode: Any, same: str, lags: Any, max_lag: Any) -> Lags:
        """The lags that are the outputs; a convolution's are those of the correlation with its taps reversed."""
        if max_lag is not None:
            return range(-int(max_lag), int(max_lag) + 1)
        if lags is not None:
            return lags if isinstance(lags, range) else np.asarray(lags).tolist()
        default = "full" if self.operation == "convolve" else "valid"
        first, count = _core._lags_of_mode(self.operation, self.n, self.m, default if mode is None else mode, same)
        return range(first, first + count)

    def result(self) -> da.Array:
        """The result, lazily."""
        axis = self.options["axis"] % self.meta.ndim
        operands = (self.a, self.a_axis), (self.v, self.v_axis)
        others = np.broadcast_shapes(*(x.shape[:at] + x.shape[at + 1 :] for x, at in operands))
        shape = (*others[:axis], len(self.lags), *others[axis:])
        if 0 in shape:
            return da.zeros(shape, dtype=self.meta.dtype)
        return self._in_own_chunks(self._exchanged(axis) if self._exchanges() else self._straight(axis), axis)

    def _exchanges(self) -> bool:
        """Whether the filter is what is cut, because it is the longer one."""
        return self.boundary == "zero" and self.m > self.n

    def _straight(self, axis: int) -> da.Array:
        taps = reversed_taps(self.v, self.v_axis) if self.operation == "convolve" else self.v
        return self._computed((self.a, self.a_axis), (taps, self.v_axis), axis, self.lags, conjugate=False)

    def _exchanged(self, axis: int) -> da.Array:
        """A convolution commutes; a correlation is the other way round the conjugate one of the negative lags."""
        signal = (self.v, self.v_axis)
        if self.operation == "convolve":
            step = self.m - self.n
            lags: Lags = range(self.lags.start + step, self.lags.stop + step)
            return self._computed(signal, (reversed_taps(self.a, self.a_axis), self.a_axis), axis, lags, conjugate=False)
        lags = range(-self.lags.start, -self.lags.stop, -self.lags.step) if isinstance(self.lags, range) else [-lag for lag in self.lags]
        return self._computed(signal, (self.a, self.a_axis), axis, lags, conjugate=self.meta.dtype.kind == "c")

    def _computed(self, signal: tuple[Operand, int], taps: tuple[Operand, int], axis: int, lags: Lags, conjugate: bool) -> da.Array:
        """The lags of a correlation, the signal cut and the taps whole: each of them with its convolved axis."""
        (x, x_axis), (h, h_axis) = signal, taps
        n, m = x.shape[x_axis], h.shape[h_axis]
        chunks = merged(chunks_of(x, x_axis), max(m - 1, 1))
        x = in_chunks(x, x_axis, chunks)
        h = beside(in_chunks(h, h_axis, (m,)), (h_axis,), x, (x_axis,))
        operands = Operands(x, h, x_axis, h_axis, axis, self.meta.ndim)
        if self.by_lag:
            parts = cut_lags(lags, max(*chunks, m, SHORTEST_WINDOW))
        else:
            follow = chunks_of(self.v, self.v_axis) if m > n and len(lags) == m else chunks
            parts = pieces(lags, fitted(follow, len(lags)))
        cuts = (cut_of(part, n, m, self.boundary) for part in parts)
        return joined([chunk_of(cut, operands, conjugate, self.options, self.meta) for cut in cuts], axis)

    def _own_chunks(self, shape: tuple[int, ...], axis: int) -> dict[int, tuple[int, ...]]:
        """For the axes of the result that have as many elements as an operand's: the chunks of that one."""
        own = {}
        of_v, of_a = (self.v, self.v_axis, self.v_chunks), (self.a, self.a_axis, self.a_chunks)
        for operand, at, chunks in (of_v, of_a):  # the latter has the last word
            if not chunks:
                continue
            if not self.by_lag and operand.shape[at] == shape[axis]:
                own[axis] = chunks[at]
            for mine, other in zip(around(operand, at), around(self.meta, axis)):
                if operand.shape[mine] == shape[other]:
                    own[other] = chunks[mine]
        return own

    def _in_own_chunks(self, result: da.Array, axis: int) -> da.Array:
        return rechunked(result, self._own_chunks(result.shape, axis))
