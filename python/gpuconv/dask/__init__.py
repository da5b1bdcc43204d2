"""Convolution and correlation of chunked Dask arrays, which need not fit in the memory of one machine."""

from __future__ import annotations

from typing import Any

try:
    import dask.array as da
except ImportError as error:
    raise ImportError("gpuconv.dask needs Dask: pip install 'gpuconv[dask]'") from error

from ._call import Call
from ._images import ImageCall

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d"]


def convolve(
    a: Any,
    v: Any,
    mode: Any = "full",
    *,
    axis: int = -1,
    method: str = "auto",
    device: str = "auto",
    dtype: Any = None,
    boundary: Any = "zero",
    same: str = "numpy",
    threads: int | None = None,
) -> da.Array:
    """The discrete, linear convolution of two arrays along an axis, lazily: gpuconv.convolve on Dask arrays.

    Parameters
    ----------
    a, v : (..., n) and (..., m) dask.array.Array or array_like
        As for gpuconv.convolve, in chunks of any known sizes, on any axis. Along the convolved axis the shorter operand
        (`v`, with a boundary other than 'zero') becomes one chunk, which has to fit in a worker's memory.
    mode, axis, method, device, dtype, boundary, same
        As for gpuconv.convolve. `method` and `device` are what workers are asked for.
    threads : int, optional
        CPU threads that a task computes with at most. Where there is none, tasks in pools and workers compute with one,
        the one that they run in.

    Returns
    -------
    dask.array.Array
        (..., k), along the convolved axis in the chunks of the operand that has as many samples, if one has.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As gpuconv.convolve, before anything is computed, but for a method or a device that a worker has not.
        ValueError for chunks of unknown size, NotImplementedError for types that gpuconv leaves to NumPy.
    """
    options = {"axis": axis, "method": method, "device": device, "dtype": dtype, "boundary": boundary, "threads": threads}
    return Call("convolve", a, v, mode, options, same).result()


def correlate(
    a: Any,
    v: Any,
    mode: Any = None,
    *,
    axis: int = -1,
    method: str = "auto",
    device: str = "auto",
    dtype: Any = None,
    boundary: Any = "zero",
    same: str = "numpy",
    threads: int | None = None,
    lags: Any = None,
    max_lag: int | None = None,
) -> da.Array:
    """The cross-correlation of two arrays along an axis, lazily: gpuconv.correlate on Dask arrays.

    Parameters, results and errors are those of convolve; `mode` is 'valid' where there is none, `lags` and `max_lag` are
    as for gpuconv.correlate.
    """
    options = {"axis": axis, "method": method, "device": device, "dtype": dtype, "boundary": boundary, "threads": threads}
    return Call("correlate", a, v, mode, options, same, lags, max_lag).result()


def convolve2d(
    a: Any,
    v: Any,
    mode: str = "full",
    *,
    axes: tuple[int, int] = (-2, -1),
    method: str = "auto",
    device: str = "auto",
    dtype: Any = None,
    boundary: Any = "zero",
    same: str = "scipy",
    threads: int | None = None,
) -> da.Array:
    """The convolution of images along two axes, lazily: gpuconv.convolve2d on Dask arrays.

    Parameters
    ----------
    a, v : (..., l, n) and (..., i, m) dask.array.Array or array_like
        As for gpuconv.convolve2d, in chunks of any known sizes, on any axis. Along the convolved axes one operand becomes one
        chunk, which has to fit in a worker's memory: `a` where the boundary is 'zero' and it has not more samples than `v`
        along either axis, else `v`.
    mode, axes, method, device, dtype, boundary, same, threads
        As for gpuconv.convolve2d, and for convolve.

    Returns
    -------
    dask.array.Array
        (..., o, k), along each axis in the chunks of the operand that has as many elements, if one has.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As gpuconv.convolve2d, before anything is computed; else as convolve.
    """
    options = {"axes": axes, "method": method, "device": device, "dtype": dtype, "boundary": boundary, "threads": threads}
    return ImageCall("convolve2d", a, v, mode, options, same).result()


def correlate2d(
    a: Any,
    v: Any,
    mode: str = "full",
    *,
    axes: tuple[int, int] = (-2, -1),
    method: str = "auto",
    device: str = "auto",
    dtype: Any = None,
    boundary: Any = "zero",
    same: str = "matlab",
    threads: int | None = None,
) -> da.Array:
    """The cross-correlation of images along two axes, lazily: gpuconv.correlate2d on Dask arrays.

    Parameters, results and errors are those of convolve2d.
    """
    options = {"axes": axes, "method": method, "device": device, "dtype": dtype, "boundary": boundary, "threads": threads}
    return ImageCall("correlate2d", a, v, mode, options, same).result()
