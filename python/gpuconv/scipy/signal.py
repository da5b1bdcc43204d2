"""scipy.signal's convolutions: SciPy's results, errors and warnings. What the core does not compute, SciPy does.

Where SciPy sums directly, so does the core; where SciPy transforms, the core chooses. docs/drop_in.md lists what is left to
SciPy. gpuconv.calls() counts both.
"""

from __future__ import annotations

import numbers
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.signal as _scipy

from .. import _core
from .._delegation import NAMED, REFUSED, Left, Rules, axis_of, front, integer, is_chunked, operand

__all__ = [
    "choose_conv_method",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "correlation_lags",
    "fftconvolve",
    "lfilter",
    "oaconvolve",
]

choose_conv_method = _scipy.choose_conv_method
correlation_lags = _scipy.correlation_lags

# The types whose direct sums in two and more dimensions SciPy has.
_SUMMED = frozenset("bBhHiIlLqQfdFD")
_EDGES = {"fill": "zero", "symm": "reflect", "symmetric": "reflect", "wrap": "wrap", "circular": "wrap"}


def _pair(in1: Any, in2: Any, mode: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both operands, of one number of axes and not empty."""
    in1, in2 = operand(in1), operand(in2)
    if type(mode) is not str or mode not in NAMED or in1.ndim != in2.ndim:
        raise Left(REFUSED)
    if not in1.ndim or not in1.size or not in2.size:
        raise Left("scalars and empty arrays")
    return in1, in2


def _swapped(in1: np.ndarray, in2: np.ndarray, axes: Sequence[int] | None = None) -> bool:
    """Whether `in2` is the larger one along all axes, or all of these, for mode 'valid'."""
    counts = [(in1.shape[axis], in2.shape[axis]) for axis in (range(in1.ndim) if axes is None else axes)]
    if all(n >= m for n, m in counts):
        return False
    if all(n <= m for n, m in counts):
        return True
    raise Left(REFUSED)


def _long_axes(kernel: np.ndarray) -> tuple[int, ...]:
    """The one or two axes along which the kernel has more than one element."""
    long = tuple(axis for axis, count in enumerate(kernel.shape) if count > 1)
    if len(long) > 2:
        raise Left("kernels of three and more dimensions")
    return long or (-1,)


def _check_finite(kernel: np.ndarray) -> None:
    if not np.isfinite(kernel).all():
        raise Left("infinity and NaN in a kernel, which SciPy multiplies with the zeros around")


def _reversed_conjugate(x: np.ndarray) -> np.ndarray:
    x = x[(slice(None, None, -1),) * x.ndim]
    return x.conj() if x.dtype.kind == "c" else x


# ---- of Dask's arrays ------------------------------------------------------------------------------------------------


def _method_of(in1: Any, in2: Any, mode: str, method: Any) -> str:
    """What the core is asked for where SciPy is asked for `method`."""
    if method == "auto":
        method = choose_conv_method(*(np.broadcast_to(np.zeros((), x.dtype), x.shape) for x in (in1, in2)), mode=mode)
    if method not in ("direct", "fft"):
        raise Left(REFUSED)
    return Rules.sums if method == "direct" else "auto"


def _chunked(in1: Any, in2: Any, mode: Any, method: Any, same: str = "scipy", boundary: str = "zero") -> Any:
    """Convolves arrays of Dask's along their one axis or both, lazily; SciPy sees chunks, not what is beyond their ends."""
    from .. import dask

    if type(mode) is not str or mode not in NAMED or not all(hasattr(x, "dtype") and hasattr(x, "ndim") for x in (in1, in2)):
        raise Left(REFUSED)
    if in1.ndim != in2.ndim or in1.ndim not in (1, 2):
        raise Left("Dask arrays of three and more axes")
    if in1.dtype != in2.dtype or in1.dtype.char not in "fdFD":
        raise Left("Dask arrays of mixed types, and of integers")
    if mode == "valid":
        _swapped(in1, in2)  # refuses what SciPy refuses
    options = {"same": same, "boundary": boundary, "method": _method_of(in1, in2, mode, method)}
    return (dask.convolve if in1.ndim == 1 else dask.convolve2d)(in1, in2, mode, **options)


# ---- by transforms ---------------------------------------------------------------------------------------------------


def _transformed_axes(in1: np.ndarray, in2: np.ndarray, mode: str, axes: Any) -> tuple[int, ...]:
    """The one or two axes that are convolved where SciPy transforms `axes`; the others broadcast."""
    if axes is None:
        axes = range(in1.ndim)
    elif not np.iterable(axes):
        axes = (axes,)
    axes = [axis_of(axis, in1.ndim) for axis in axes]
    if not axes:
        raise Left(REFUSED)
    convolved = sorted(axis for axis in axes if in1.shape[axis] != 1 and in2.shape[axis] != 1)
    if len(set(axes)) != len(axes) or not 1 <= len(convolved) <= 2:
        raise Left("convolutions along no axis, or more than two")
    if mode == "valid":
        _swapped(in1, in2, convolved)  # refuses what SciPy refuses
    for axis, (n, m) in enumerate(zip(in1.shape, in2.shape)):
        if axis not in convolved and n != m and 1 not in (n, m):
            raise Left(REFUSED)
        if axis not in convolved and n < m and mode == "same":
            raise Left("mode 'same' of broadcast axes, which SciPy cuts")
    return tuple(convolved)


def _transform_type(dtype: np.dtype) -> np.dtype:
    """The type in which SciPy transforms arrays of another one."""
    return np.dtype("f" if dtype.char == "e" else "d" if dtype.kind in "biu" else dtype.newbyteorder("="))


def _by_transform(in1: np.ndarray, in2: np.ndarray, mode: str, axes: Any = None) -> np.ndarray:
    axes = _transformed_axes(in1, in2, mode, axes)
    dtype = np.result_type(_transform_type(in1.dtype), _transform_type(in2.dtype))
    real = np.dtype(dtype.char.lower())
    in1, in2 = (x.astype(dtype if x.dtype.kind == "c" else real, copy=False) for x in (in1, in2))
    if len(axes) == 2:
        return _core.convolve2d(in1, in2, mode, axes=axes)
    return _core.convolve(in1, in2, mode, axis=axes[0], same="scipy")


def _fftconvolve(in1, in2, mode="full", axes=None):
    if is_chunked(in1, in2):
        if axes is not None:
            raise Left("Dask arrays, and axes=")
        return _chunked(in1, in2, mode, "fft")
    in1, in2 = _pair(in1, in2, mode)
    return _by_transform(in1, in2, mode, axes)


def _oaconvolve(in1, in2, mode="full", axes=None):
    return _fftconvolve(in1, in2, mode, axes)


# ---- by sums, or as SciPy chooses ------------------------------------------------------------------------------------


def _warn_of_non_finite(first: Any) -> None:
    if not np.isfinite(first):
        level = 1
        while sys._getframe(level).f_globals.get("__name__", "").startswith("gpuconv."):
            level += 1
        message = (
            "Use of fft convolution on input with NAN or inf results in NAN or inf output. Consider using method='direct' instead."
        )
        warnings.warn(message, RuntimeWarning, stacklevel=level + 1)


def _sum(in1: np.ndarray, in2: np.ndarray, mode: str, operation: Callable) -> np.ndarray:
    """The direct sums of a signal and a kernel with one line or image, as numpy.convolve, numpy.correlate or SciPy has them."""
    if in1.ndim == 1 and (mode != "same" or in1.size >= in2.size):
        return operation(in1, in2, mode, method=Rules.sums)
    if in1.dtype != in2.dtype or in1.dtype.char not in _SUMMED:
        raise Left("direct sums of mixed types, bool and float16, but those of numpy.convolve")
    if mode != "valid":
        _check_finite(in1 if mode == "full" and in1.size < in2.size else in2)
    axes = _long_axes(in2)
    if len(axes) == 1:
        return operation(in1, in2, mode, axis=axes[0], same="scipy", method=Rules.sums)
    if operation is _core.correlate:
        in2 = _reversed_conjugate(in2)
    return _core.convolve2d(in1, in2, mode, axes=axes, method=Rules.sums)


def _chosen(in1: np.ndarray, in2: np.ndarray, mode: str, method: Any) -> np.ndarray:
    """convolve by the method that SciPy chooses for 'auto'."""
    if mode == "valid" and _swapped(in1, in2):
        in1, in2 = in2, in1
    if method == "auto":
        method = choose_conv_method(in1, in2, mode=mode)
    if method == "direct":
        return _sum(in1, in2, mode, _core.convolve)
    if method != "fft":
        raise Left(REFUSED)
    dtype = np.result_type(in1, in2)
    if dtype.kind == "b":
        raise Left("bool by transforms, whose errors SciPy takes for True")
    result = _by_transform(in1, in2, mode)
    if dtype.kind in "iu":
        result = np.around(result)
    _warn_of_non_finite(result.flat[0])
    return result.astype(dtype)


def _convolve(in1, in2, mode="full", method="auto"):
    if is_chunked(in1, in2):
        return _chunked(in1, in2, mode, method)
    in1, in2 = _pair(in1, in2, mode)
    return _chosen(in1, in2, mode, method)


def _correlate(in1, in2, mode="full", method="auto"):
    if is_chunked(in1, in2):
        return _chunked(in1, _reversed_conjugate(in2), mode, method)
    in1, in2 = _pair(in1, in2, mode)
    if method != "direct":
        return _chosen(in1, _reversed_conjugate(in2), mode, method)
    if mode == "valid":
        _swapped(in1, in2)  # refuses what SciPy refuses
    return _sum(in1, in2, mode, _core.correlate)


# ---- images ----------------------------------------------------------------------------------------------------------


def _image_sums(compute: Callable, in1: Any, in2: Any, mode: Any, boundary: Any, fillvalue: Any) -> np.ndarray:
    in1, in2 = _pair(in1, in2, mode)
    conjugates = compute is _core.correlate2d and "c" in (in1.dtype.kind, in2.dtype.kind)
    if in1.ndim != 2 or type(boundary) is not str or boundary not in _EDGES:
        raise Left(REFUSED)
    if in1.dtype.char not in _SUMMED or in2.dtype.char not in _SUMMED or np.result_type(in1, in2).char not in _SUMMED:
        raise Left("types whose sums SciPy makes of others")
    if not isinstance(fillvalue, numbers.Real) or fillvalue != 0:
        raise Left("a fill value")
    if mode == "valid":
        if _swapped(in1, in2) and conjugates:
            raise Left("complex images that are exchanged, of which SciPy conjugates the other one")
    elif mode == "full" and boundary != "fill":
        raise Left("boundaries in mode 'full'")
    edges = _EDGES[boundary] if mode == "same" else "zero"
    if mode != "valid" and edges == "zero":
        _check_finite(in2)
    return compute(in1, in2, mode, boundary=edges, method=Rules.sums)


def _chunked_images(in1: Any, in2: Any, mode: Any, boundary: Any, fillvalue: Any, same: str) -> Any:
    if boundary not in _EDGES or not isinstance(fillvalue, numbers.Real) or fillvalue != 0:
        raise Left("a fill value, and boundaries that SciPy has not")
    if getattr(in1, "ndim", 0) != 2 or (boundary != "fill" and mode != "same"):
        raise Left("boundaries in modes 'full' and 'valid'")
    return _chunked(in1, in2, mode, "direct", same, _EDGES[boundary])


def _convolve2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    if is_chunked(in1, in2):
        return _chunked_images(in1, in2, mode, boundary, fillvalue, "scipy")
    return _image_sums(_core.convolve2d, in1, in2, mode, boundary, fillvalue)


def _correlate2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    if is_chunked(in1, in2):
        if mode == "valid" and in1.dtype.kind == "c" and _swapped(in1, in2):
            raise Left("complex images that are exchanged, of which SciPy conjugates the other one")
        return _chunked_images(in1, _reversed_conjugate(in2), mode, boundary, fillvalue, "matlab")
    return _image_sums(_core.correlate2d, in1, in2, mode, boundary, fillvalue)


# ---- filters ---------------------------------------------------------------------------------------------------------


def _state(zi: Any, x: np.ndarray, axis: int, taps: int) -> np.ndarray:
    """The state of each row, of taps - 1 values."""
    zi = operand(zi)
    shape = list(x.shape)
    shape[axis] = taps - 1
    if zi.ndim != x.ndim or zi.shape[axis] != taps - 1 or any(n not in (1, m) for n, m in zip(zi.shape, shape)):
        raise Left(REFUSED)
    return np.broadcast_to(zi, shape)


def _lfilter(b, a, x, axis=-1, zi=None):
    a = np.atleast_1d(operand(a))
    if a.shape != (1,):
        raise Left("recursive filters")
    b, x = operand(b), operand(x)
    axis = integer(axis)
    if b.ndim != 1 or not b.size or not x.size or not -x.ndim <= axis < x.ndim:
        raise Left(f"{REFUSED}, and empty arrays")
    operands = [b, a, x]
    if zi is not None:
        operands.append(zi := _state(zi, x, axis, len(b)))
    dtype = np.result_type(*operands)
    if dtype.char not in "fdFD":
        raise Left(REFUSED)
    b = b.astype(dtype) / a.astype(dtype)[0]
    full = _core.convolve(x.astype(dtype, copy=False), b, axis=axis, method=Rules.sums)
    along = [slice(None)] * x.ndim
    if zi is not None:
        along[axis] = slice(len(b) - 1)
        full[tuple(along)] += zi
    along[axis] = slice(x.shape[axis])
    result = full[tuple(along)]
    if zi is None:
        return result
    along[axis] = slice(x.shape[axis], None)
    return result, full[tuple(along)]


convolve = front(_scipy, _convolve)
correlate = front(_scipy, _correlate)
fftconvolve = front(_scipy, _fftconvolve)
oaconvolve = front(_scipy, _oaconvolve)
convolve2d = front(_scipy, _convolve2d)
correlate2d = front(_scipy, _correlate2d)
lfilter = front(_scipy, _lfilter)
