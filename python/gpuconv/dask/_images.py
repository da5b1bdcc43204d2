"""A call on Dask arrays of images: both axes are cut as one is, and a window of them is convolved with all taps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from gpuconv import _core

from ._call import Operand, chunks_of, in_chunks, operand_of, reversed_taps, stand_in
from ._cuts import Cut, cut_of, fitted, merged, pieces
from ._graph import joined, share_of_threads, sliced, without_empty

Pair = tuple[int, int]  # of lines and of columns


def extended_indices(boundary: str, begin: int, end: int, size: int) -> np.ndarray:
    """Where the elements [begin, end) of an extended axis of so many are; -1 for a constant."""
    at = np.arange(begin, end)
    if boundary == "nearest":
        return at.clip(0, size - 1)
    if boundary == "wrap":
        return at % size
    if boundary == "reflect":
        at = at % (2 * size)
        return np.where(at < size, at, 2 * size - 1 - at)
    if boundary == "mirror":
        at = at % max(2 * size - 2, 1)
        return np.where(at < size, at, 2 * size - 2 - at)
    return np.where((at >= 0) & (at < size), at, -1)


def extended(window: np.ndarray, axis: int, begin: int, end: int, boundary: Any) -> np.ndarray:
    """Samples [begin, end) of a window that goes on beyond its ends."""
    kind = boundary if isinstance(boundary, str) else "constant"
    at = extended_indices(kind, begin, end, window.shape[axis])
    samples = np.take(window, at.clip(0), axis=axis)
    if kind == "constant" and (at < 0).any():
        samples[(slice(None),) * axis + (at < 0,)] = 0 if isinstance(boundary, str) else boundary[1]
    return samples


def image_outputs(
    window: np.ndarray, taps: np.ndarray, *, axes: Pair, lags: tuple[range, range], beyond: bool, boundary: Any, options: dict[str, Any]
) -> np.ndarray:
    """One chunk of the result, in a worker: the lags of both axes, counted from the window's first sample."""
    x, h = np.asarray(window), np.asarray(taps)
    options = {"threads": share_of_threads(), "axes": axes, **options}
    at = [(axis % x.ndim, of.start, of.stop - 1 + h.shape[axis % h.ndim]) for axis, of in zip(axes, lags)]
    if not beyond or boundary != "zero":
        for axis, begin, end in at:
            if begin < 0 or end > x.shape[axis]:
                x = extended(x, axis, begin, end, boundary)
            else:
                x = sliced(x, axis, (begin, end))
        return _core.convolve2d(x, h, "valid", **options)
    # Zeros in place of samples that are not there would not do: with an infinite tap they make NaN.
    first = []
    for axis, begin, end in at:
        size = x.shape[axis]
        x = sliced(x, axis, (max(begin, 0), min(end, size)))
        first.append(begin - max(begin, 0))
    full = _core.convolve2d(x, h, "full", **options)
    for axis, begin, of in zip(axes, first, lags):
        begin += h.shape[axis % h.ndim] - 1
        full = sliced(full, axis % full.ndim, (begin, begin + len(of)))
    return full


@dataclass(frozen=True)
class Images:
    """The array that is cut and the one that is not, in which both convolved axes are one chunk."""

    signal: da.Array
    taps: da.Array
    axes: Pair  # as the caller names them, of both and of the result

    def indices(self, result_ndim: int) -> list[list[int]]:
        """Names of the axes of the result, the signal and the taps, as blockwise has them: the convolved ones differ."""
        names, used = [], result_ndim - 2
        for ndim in (result_ndim, self.signal.ndim, self.taps.ndim):
            named = [-1] * ndim
            for axis in self.axes:
                named[axis % ndim] = used
                used += 1
            around = [at for at in reversed(range(ndim)) if named[at] < 0]
            for name, at in zip(reversed(range(result_ndim - 2)), around):
                named[at] = name
            names.append(named)
        return names

    def chunk(self, lines: Cut, columns: Cut, boundary: Any, options: dict[str, Any], meta: np.ndarray) -> da.Array:
        """The outputs of two cuts, of an array whose lines are those of the first one already."""
        out, signal, taps = self.indices(meta.ndim)
        column = self.axes[1] % self.signal.ndim
        spans = [sliced(self.signal, column, span) for span in columns.spans]
        beyond = lines.beyond or columns.beyond
        lags = lines.lags, columns.lags
        return da.blockwise(
            partial(image_outputs, axes=self.axes, lags=lags, beyond=beyond, boundary=boundary, options=options),
            out,
            joined(spans, column),
            signal,
            self.taps,
            taps,
            new_axes={out[axis % meta.ndim]: len(of) for axis, of in zip(self.axes, lags)},
            concatenate=True,
            dtype=meta.dtype,
            meta=meta,
        )


class ImageCall:
    """One call. Raises what gpuconv's functions raise for these arguments."""

    def __init__(self, operation: str, a: Any, v: Any, mode: Any, options: dict[str, Any], same: str):
        self.a, self.v = given = operand_of(operation, a), operand_of(operation, v)
        options = {name: value for name, value in options.items() if value is not None}
        asked = {name: value for name, value in options.items() if name != "axes"}
        _core.explain(
            *(stand_in(x, x.shape) for x in given), mode, operation=operation, axis=options["axes"], same=same, **asked
        )
        anywhere = {**options, "method": "auto", "device": "cpu", "threads": 1}
        tiny = [stand_in(x, (1,) * x.ndim) for x in given]
        meta = getattr(_core, operation)(*tiny, mode, same=same, **anywhere)
        self.meta = meta[(slice(0),) * meta.ndim]
        self.chunks = [x.chunks if isinstance(x, da.Array) else () for x in given]
        self.a, self.v = (without_empty(x) if isinstance(x, da.Array) and x.size else x for x in given)
        self.axes: Pair = tuple(int(axis) for axis in options.pop("axes"))
        self.boundary = options.pop("boundary")
        self.options = options
        self.operation = operation
        sizes = zip(self._sizes(self.a), self._sizes(self.v))
        first_lags = [_core._lags_of_mode(operation, n, m, mode, same) for n, m in sizes]
        self.counts = tuple(count for _, count in first_lags)
        self.firsts = tuple(lag + m - 1 for (lag, _), m in zip(first_lags, self._sizes(self.v)))  # in the full convolution

    def _sizes(self, array: Operand) -> Pair:
        line, column = (array.shape[axis % array.ndim] for axis in self.axes)
        return line, column

    def _around(self, array: Operand) -> list[int]:
        """The axes but the convolved ones, from the last one on, as they broadcast."""
        convolved = {axis % array.ndim for axis in self.axes}
        return [at for at in reversed(range(array.ndim)) if at not in convolved]

    def _shape(self) -> tuple[int, ...]:
        shape = [1] * self.meta.ndim
        for axis, count in zip(self.axes, self.counts):
            shape[axis % self.meta.ndim] = count
        for array in (self.a, self.v):
            for at, mine in zip(self._around(self.meta), self._around(array)):
                shape[at] = array.shape[mine] if shape[at] == 1 else shape[at]
        return tuple(shape)

    def result(self) -> da.Array:
        """The result, lazily."""
        shape = self._shape()
        if 0 in shape:
            return da.zeros(shape, dtype=self.meta.dtype)
        taps = self.v
        if self.operation == "correlate2d":
            line, column = (axis % taps.ndim for axis in self.axes)
            taps = taps[(slice(None),) * line + (slice(None, None, -1),)]
            taps = reversed_taps(taps, column)  # conjugated as well
        # A convolution commutes: what is larger is cut.
        exchanged = self.boundary == "zero" and all(m >= n for n, m in zip(self._sizes(self.a), self._sizes(taps)))
        signal, taps = (taps, self.a) if exchanged else (self.a, taps)
        return self._in_own_chunks(self._computed(signal, taps))

    def _computed(self, signal: Operand, taps: Operand) -> da.Array:
        at = [axis % signal.ndim for axis in self.axes]
        sizes = list(zip(self._sizes(signal), self._sizes(taps)))
        chunks = [merged(chunks_of(signal, axis), max(m - 1, 1)) for axis, (_, m) in zip(at, sizes)]
        for axis, those in zip(at, chunks):
            signal = in_chunks(signal, axis, those)
        for axis, (_, m) in zip(self.axes, sizes):
            taps = in_chunks(taps, axis % taps.ndim, (m,))
        for mine, other in zip(self._around(taps), self._around(signal)):
            if taps.shape[mine] > 1 and signal.shape[other] > 1:
                taps = in_chunks(taps, mine, signal.chunks[other])
        kind = self.boundary if isinstance(self.boundary, str) else "constant"

        def cuts(i: int) -> list[Cut]:
            n, m = sizes[i]
            first = self.firsts[i] - (m - 1)
            parts = pieces(range(first, first + self.counts[i]), fitted(chunks[i], self.counts[i]))
            return [cut_of(part, n, m, kind) for part in parts]

        columns, rows = cuts(1), []
        for lines in cuts(0):
            images = Images(joined([sliced(signal, at[0], span) for span in lines.spans], at[0]), taps, self.axes)
            row = [images.chunk(lines, those, self.boundary, self.options, self.meta) for those in columns]
            rows.append(joined(row, self.axes[1] % self.meta.ndim))
        return joined(rows, self.axes[0] % self.meta.ndim)

    def _in_own_chunks(self, result: da.Array) -> da.Array:
        """In the chunks of an operand along the axes that have as many elements as it; the signal has the last word."""
        own = {}
        for array, chunks in zip((self.v, self.a), reversed(self.chunks)):
            if not chunks:
                continue
            pairs = [(axis % array.ndim, axis % result.ndim) for axis in self.axes]
            pairs += zip(self._around(array), self._around(result))
            own.update({at: chunks[mine] for mine, at in pairs if array.shape[mine] == result.shape[at]})
        differ = {at: sizes for at, sizes in own.items() if result.chunks[at] != sizes}
        return result.rechunk(differ, method="tasks") if differ else result
