"""A call on Dask arrays of images: both axes are cut as one is, and a window of them is convolved with all taps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from gpuconv import _core

from ._call import Operand, around, beside, chunks_of, in_chunks, operand_of, rechunked, reversed_taps, stand_in
from ._cuts import Cut, cut_of, fitted, merged, pieces
from ._graph import indices, joined, share_of_threads, sliced, without_empty

Pair = tuple[int, int]  # of lines and of columns


def image_outputs(
    window: np.ndarray, taps: np.ndarray, *, axes: Pair, lags: tuple[range, range], beyond: bool, boundary: Any, options: dict[str, Any]
) -> np.ndarray:
    """One chunk of the result, in a worker: the lags of both axes, counted from the window's first sample."""
    x, h = np.asarray(window), np.asarray(taps)
    options = {"threads": share_of_threads(), "axes": axes, **options}
    at = [(axis % x.ndim, of.start, of.stop - 1 + h.shape[axis % h.ndim]) for axis, of in zip(axes, lags)]
    if not beyond or boundary != "zero":
        for axis, begin, end in at:
            if begin < 0 or end > x.shape[axis]:  # a correlation with a tap of 1 is the extended signal
                how = {"axis": axis, "lags": range(begin, end), "boundary": boundary, "threads": options["threads"]}
                x = _core.correlate(x, np.ones(1, x.real.dtype), method="direct", **how)
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

    def chunk(self, lines: Cut, columns: Cut, boundary: Any, options: dict[str, Any], meta: np.ndarray) -> da.Array:
        """The outputs of two cuts, of an array whose lines are those of the first one already."""
        shapes = ((ndim, [axis % ndim for axis in self.axes]) for ndim in (meta.ndim, self.signal.ndim, self.taps.ndim))
        out, signal, taps = indices(meta.ndim, *shapes)
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

    def _axes_of(self, array: Operand) -> Pair:
        line, column = (axis % array.ndim for axis in self.axes)
        return line, column

    def _sizes(self, array: Operand) -> Pair:
        line, column = self._axes_of(array)
        return array.shape[line], array.shape[column]

    def _around(self, array: Operand) -> list[int]:
        return around(array, *self._axes_of(array))

    def _shape(self) -> tuple[int, ...]:
        shape = [1] * self.meta.ndim
        for axis, count in zip(self._axes_of(self.meta), self.counts):
            shape[axis] = count
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
            line, column = self._axes_of(taps)
            taps = taps[(slice(None),) * line + (slice(None, None, -1),)]
            taps = reversed_taps(taps, column)  # conjugated as well
        # A convolution commutes: what is larger is cut.
        exchanged = self.boundary == "zero" and all(m >= n for n, m in zip(self._sizes(self.a), self._sizes(taps)))
        signal, taps = (taps, self.a) if exchanged else (self.a, taps)
        return self._in_own_chunks(self._computed(signal, taps))

    def _computed(self, signal: Operand, taps: Operand) -> da.Array:
        at, taps_at = self._axes_of(signal), self._axes_of(taps)
        sizes = list(zip(self._sizes(signal), self._sizes(taps)))
        chunks = [merged(chunks_of(signal, axis), max(m - 1, 1)) for axis, (_, m) in zip(at, sizes)]
        for axis, those in zip(at, chunks):
            signal = in_chunks(signal, axis, those)
        for axis, (_, m) in zip(taps_at, sizes):
            taps = in_chunks(taps, axis, (m,))
        taps = beside(taps, taps_at, signal, at)
        kind = self.boundary if isinstance(self.boundary, str) else "constant"

        def cuts(i: int) -> list[Cut]:
            n, m = sizes[i]
            first = self.firsts[i] - (m - 1)
            parts = pieces(range(first, first + self.counts[i]), fitted(chunks[i], self.counts[i]))
            return [cut_of(part, n, m, kind) for part in parts]

        line, column = self._axes_of(self.meta)
        columns, rows = cuts(1), []
        for lines in cuts(0):
            images = Images(joined([sliced(signal, at[0], span) for span in lines.spans], at[0]), taps, self.axes)
            row = [images.chunk(lines, those, self.boundary, self.options, self.meta) for those in columns]
            rows.append(joined(row, column))
        return joined(rows, line)

    def _in_own_chunks(self, result: da.Array) -> da.Array:
        """In the chunks of an operand along the axes that have as many elements as it; the signal has the last word."""
        own = {}
        for array, chunks in zip((self.v, self.a), reversed(self.chunks)):
            if not chunks:
                continue
            pairs = zip((*self._axes_of(array), *self._around(array)), (*self._axes_of(result), *self._around(result)))
            own.update({at: chunks[mine] for mine, at in pairs if array.shape[mine] == result.shape[at]})
        return rechunked(result, own)
