"""Dask arrays of the outputs of cuts: slices, blockwise and concatenate, so that Dask alone decides what runs where."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import dask.array as da
import numpy as np

from gpuconv import _core

from ._cuts import Cut, Lags, Span


def indices(result_ndim: int, *of: tuple[int, Sequence[int]]) -> list[list[int]]:
    """Names of the axes of arrays, as blockwise has them: of each so many axes, the convolved ones of which differ from all
    others. The rest broadcast.
    """
    used = result_ndim - len(of[0][1])
    around = range(used)
    names = []
    for ndim, convolved in of:
        named = [-1] * ndim
        for axis in convolved:
            named[axis] = used
            used += 1
        others = [axis for axis in range(ndim) if named[axis] < 0]
        for axis, name in zip(reversed(others), reversed(around)):
            named[axis] = name
        names.append(named)
    return names


@dataclass(frozen=True)
class Operands:
    """What is cut and what is not, and which of their axes belong together."""

    signal: da.Array
    taps: da.Array  # as correlate takes them, one chunk along the convolved axis
    signal_axis: int
    taps_axis: int
    result_axis: int
    result_ndim: int

    def indices(self) -> list[list[int]]:
        """Names of the axes of the result, the signal and the taps."""
        signal, taps = (self.signal.ndim, (self.signal_axis,)), (self.taps.ndim, (self.taps_axis,))
        return indices(self.result_ndim, (self.result_ndim, (self.result_axis,)), signal, taps)


def share_of_threads() -> int | None:
    """How many threads a task may compute with. Pools and workers run a task in each of their threads, so that it has the
    one that it runs in; what computes in the main thread of a program has them all.
    """
    alone = threading.current_thread() is threading.main_thread() and multiprocessing.parent_process() is None
    return None if alone else 1


def outputs(window: np.ndarray, taps: np.ndarray, *, lags: Lags, conjugate: bool, options: dict[str, Any]) -> np.ndarray:
    """One chunk of the result, in a worker."""
    options = {"threads": share_of_threads(), **options}
    result = _core.correlate(np.asarray(window), np.asarray(taps), lags=lags, **options)
    return np.conj(result) if conjugate else result


def sliced(array: da.Array, axis: int, span: Span) -> da.Array:
    return array if span == (0, array.shape[axis]) else array[(slice(None),) * axis + (slice(*span),)]


def joined(arrays: Sequence[da.Array], axis: int) -> da.Array:
    return arrays[0] if len(arrays) == 1 else da.concatenate(arrays, axis=axis)


def itself(block: np.ndarray) -> np.ndarray:
    return block


def whole(array: da.Array, axis: int) -> da.Array:
    """The array in one chunk along the axis."""
    names = list(range(array.ndim))
    out = [*names[:axis], array.ndim, *names[axis + 1 :]]
    size = {array.ndim: array.shape[axis]}
    return da.blockwise(itself, out, array, names, new_axes=size, concatenate=True, dtype=array.dtype, meta=array._meta)


def without_empty(array: da.Array) -> da.Array:
    """An array that is not empty, without its empty chunks: Dask gives wrong results where it rechunks or reverses them."""
    for axis, sizes in enumerate(array.chunks):
        if 0 not in sizes:
            continue
        ends = list(accumulate(size for size in sizes if size))
        spans = list(zip([0, *ends], ends))  # a slice drops empty chunks, unless it is all of the axis
        array = joined([sliced(array, axis, span) for span in spans], axis) if len(spans) > 1 else whole(array, axis)
    return array


def chunk_of(cut: Cut, operands: Operands, conjugate: bool, options: dict[str, Any], meta: np.ndarray) -> da.Array:
    """The outputs of a cut, lazily: one chunk along the convolved axis. Slices are tasks of their own, so that of the
    neighbours of a chunk no more is sent to another worker than what is seen.
    """
    spans = [sliced(operands.signal, operands.signal_axis, span) for span in cut.spans]
    out, signal, taps = operands.indices()
    if not cut.beyond:
        options = {**options, "boundary": "zero"}
    return da.blockwise(
        partial(outputs, lags=cut.lags, conjugate=conjugate, options=options),  # a list among keywords would be a task
        out,
        joined(spans, operands.signal_axis),
        signal,
        operands.taps,
        taps,
        new_axes={out[operands.result_axis]: len(cut.lags)},
        concatenate=True,
        dtype=meta.dtype,
        meta=meta,
    )
