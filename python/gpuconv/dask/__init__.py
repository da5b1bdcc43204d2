"""convolve and correlate on chunked Dask arrays, which need not fit in the memory of one machine."""

from __future__ import annotations

from typing import Any

try:
    import dask.array as da
except ImportError as error:
    raise ImportError("gpuconv.dask needs Dask: pip install 'gpuconv[dask]'") from error

from ._call import Call

__all__ = ["convolve", "correlate"]


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
