"""scipy.ndimage's linear filters: SciPy's results, errors and warnings. What the core does not compute, SciPy does.

The core sums in float64 whatever the types of input and output are, as SciPy does. docs/drop_in.md lists what is left to
SciPy. gpuconv.calls() counts both.
"""

from __future__ import annotations

import inspect
import numbers
import operator
from typing import Any

import numpy as np
import scipy.ndimage as _scipy

from .. import _core
from .._delegation import REFUSED, Left, Rules, axis_of, front, integer, operand

__all__ = ["convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d"]

_BOUNDARIES = {
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "mirror": "mirror",
    "nearest": "nearest",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}
# SciPy's filters take no others.
_PIXELS = frozenset("?bBhHiIlLqQfdFD")
_scipys_correlate1d = _scipy.correlate1d


def _pixels(x: Any) -> np.ndarray:
    x = operand(x)
    if x.dtype.char not in _PIXELS or not x.size or not x.ndim:
        raise Left(f"{REFUSED}, empty arrays and scalars")
    return x


def _output(output: Any, like: np.ndarray, is_complex: bool = False) -> np.ndarray:
    """The array that SciPy would fill for this output=: one of a type, or a given one."""
    if output is None:
        return np.empty(like.shape, np.promote_types(like.dtype, np.complex64) if is_complex else like.dtype.newbyteorder("="))
    if type(output) is np.ndarray:
        if output.shape != like.shape or not output.flags.writeable:
            raise Left(REFUSED)
        made = output
    elif isinstance(output, (type, np.dtype, str)):
        try:
            made = np.empty(like.shape, output)
        except TypeError:
            raise Left(REFUSED)
    else:
        raise Left(f"an output of type {type(output).__name__}")
    if made.dtype.char not in _PIXELS or not made.dtype.isnative or (is_complex and made.dtype.kind != "c"):
        raise Left("outputs of a type that SciPy refuses, warns of or converts to")
    if not is_complex and made.dtype.kind == "c":
        raise Left("complex outputs of real input")
    return made


def _boundary(mode: Any, cval: Any) -> tuple[str, float] | str:
    if type(mode) is not str or mode not in _BOUNDARIES:
        raise Left(REFUSED)
    if not isinstance(cval, numbers.Real):  # SciPy looks at it for every mode
        raise Left(f"a constant of type {type(cval).__name__}")
    return ("constant", float(cval)) if _BOUNDARIES[mode] == "constant" else _BOUNDARIES[mode]


def _first_of(origin: Any, taps: int) -> int:
    """Where the first tap lies for output 0."""
    origin = integer(origin)
    if not -(taps // 2) <= origin <= (taps - 1) // 2:
        raise Left(REFUSED)
    return -(taps // 2) - origin


def _fill(output: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Writes float64 as SciPy does: integers are cut, not rounded."""
    with np.errstate(all="ignore"):  # of which ndimage knows nothing
        np.copyto(output, sums, casting="unsafe")
    return output


def _check_range(dtype: np.dtype, sums: np.ndarray) -> None:
    """C does not define what becomes of values that an integer type has not: that is whatever SciPy makes of them."""
    if dtype.kind == "b":
        raise Left("bool outputs")
    limits = np.iinfo(dtype)
    least, most = float(limits.min), float(limits.max) + 1
    if not (sums.min() > least - 1 and sums.max() < most):  # false for values that are no numbers, too
        raise Left("sums beyond the output's type")


def _undecided_lines(sums: np.ndarray, x: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray | None:
    """Lines, along an axis, with sums so close to an integer but 0 that the order of adding decides where they are cut."""
    if x.dtype.kind in "biu" and (weights == np.rint(weights)).all():
        return None  # such sums are exact in any order
    largest = float(max(abs(float(x.max())), abs(float(x.min()))))
    bound = 2 * len(weights) * np.finfo("d").eps * largest * float(np.abs(weights).sum())
    nearest = np.rint(sums)
    lines = ((np.abs(sums - nearest) <= bound) & (nearest != 0)).any(axis=axis)
    return lines if lines.any() else None


def _cut(filled: np.ndarray, sums: np.ndarray, x: np.ndarray, weights: np.ndarray, axis: int, how: tuple) -> np.ndarray:
    """Writes sums into integers. `how`: SciPy's mode, cval and origin, for lines that only SciPy's order of adding decides."""
    _check_range(filled.dtype, sums)
    lines = _undecided_lines(sums, x, weights, axis)
    if lines is None:
        return _fill(filled, sums)
    if 2 * np.count_nonzero(lines) > lines.size:
        raise Left("sums so close to integers that the order of adding decides")
    decided = _scipys_correlate1d(np.moveaxis(x, axis, -1)[lines], weights, -1, filled.dtype, *how)
    _fill(filled, sums)
    np.moveaxis(filled, axis, -1)[lines] = decided
    return filled


def _line(x: np.ndarray, weights: np.ndarray, axis: int, boundary: Any, first: int) -> np.ndarray:
    """The float64 sums of real x along an axis."""
    x, weights = x.astype("d", copy=False), weights.astype("d", copy=False)
    how = dict(axis=axis, boundary=boundary, method=Rules.sums)
    if first == -(len(weights) // 2):
        return _core.correlate(x, weights, "same", same="scipy", **how)
    return _core.correlate(x, weights, lags=range(first, first + x.shape[axis]), **how)


def _along(x: np.ndarray, weights: np.ndarray, axis: int, output: Any, mode: Any, cval: Any, origin: Any) -> np.ndarray:
    """correlate1d of arrays. The sums of complex ones are those of their parts, as in SciPy."""
    if weights.ndim != 1 or not weights.size:
        raise Left(REFUSED)
    axis = axis_of(axis, x.ndim)
    first = _first_of(origin, len(weights))
    is_complex = "c" in (x.dtype.kind, weights.dtype.kind)
    filled = _output(output, x, is_complex)
    if not is_complex:
        sums = _line(x, weights, axis, _boundary(mode, cval), first)
        return _cut(filled, sums, x, weights, axis, (mode, cval, origin)) if filled.dtype.kind in "biu" else _fill(filled, sums)
    if x.dtype.kind != "c" and isinstance(cval, (complex, np.complexfloating)):
        raise Left(REFUSED)
    real, imaginary = _boundary(mode, np.real(cval)), _boundary(mode, np.imag(cval))
    sums = np.empty(x.shape, "D")
    if weights.dtype.kind != "c":
        sums.real = _line(x.real, weights, axis, real, first)
        sums.imag = _line(x.imag, weights, axis, imaginary, first)
    elif x.dtype.kind != "c":
        sums.real = _line(x, weights.real, axis, real, first)
        sums.imag = -_line(x, weights.imag, axis, real, first)
    else:
        sums.real = _line(x.real, weights.real, axis, real, first) + _line(x.imag, weights.imag, axis, imaginary, first)
        sums.imag = _line(x.imag, weights.real, axis, imaginary, first) - _line(x.real, weights.imag, axis, real, first)
    return _fill(filled, sums)


def _correlate1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    return _along(_pixels(input), operand(weights), axis, output, mode, cval, origin)


def _turned(weights: np.ndarray, origin: Any) -> tuple[np.ndarray, int]:
    """The weights and the origin that give correlate what these give convolve."""
    origin = -integer(origin)
    turned = weights[::-1]
    return np.conj(turned) if turned.dtype.kind == "c" else turned, origin - (not len(weights) & 1)


def _convolve1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    weights = operand(weights)
    if weights.ndim != 1:
        raise Left(REFUSED)
    turned, origin = _turned(weights, origin)
    return _along(_pixels(input), turned, axis, output, mode, cval, origin)


# ---- Gaussians -------------------------------------------------------------------------------------------------------


def _gaussian(sigma: Any, order: Any, truncate: Any, radius: Any) -> np.ndarray:
    """The taps of a Gaussian's derivative, as SciPy's correlate1d gets them: (-1)^order He_order(x / s) exp(-x^2 / 2 s^2) / s^order,
    with the Hermite polynomials by their recursion in powers of x, and the Gaussian divided by its sum."""
    try:
        sigma, order = float(sigma), operator.index(order)
        radius = int(truncate * sigma + 0.5) if radius is None else operator.index(radius)
    except (TypeError, ValueError, OverflowError):
        raise Left(REFUSED)
    if not sigma > 0 or order < 0 or radius < 0:
        raise Left(f"{REFUSED}, and Gaussians of no width")
    x = np.arange(-radius, radius + 1)
    variance = sigma * sigma
    taps = np.exp(-0.5 / variance * x**2)
    taps /= taps.sum()
    if order:
        powers = np.arange(order + 1)
        # The derivative of q(x) g(x) is (q'(x) - x q(x) / s^2) g(x).
        step = np.diag(powers[1:], 1) + np.diag(np.full(order, -1 / variance), -1)
        coefficients = np.zeros(order + 1)
        coefficients[0] = 1
        for _ in range(order):
            coefficients = step.dot(coefficients)
        taps = (x[:, None] ** powers).dot(coefficients) * taps
    return taps[::-1]


def _gaussian_filter1d(input, sigma, axis=-1, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None):
    return _along(_pixels(input), _gaussian(sigma, order, truncate, radius), axis, output, mode, cval, 0)


def _for_each(value: Any, count: int) -> list:
    """A value for each axis."""
    if isinstance(value, str) or not np.iterable(value):
        return [value] * count
    values = list(value)
    if len(values) != count:
        raise Left(REFUSED)
    return values


_has_axes = "axes" in inspect.signature(_scipy.gaussian_filter).parameters


def _axes_of(axes: Any, count: int) -> list[int]:
    if axes is None:
        return list(range(count))
    if not _has_axes:
        raise Left(REFUSED)
    axes = [axis_of(axis, count) for axis in (axes if np.iterable(axes) else (axes,))]
    if len(set(axes)) != len(axes):
        raise Left(REFUSED)
    return axes


def _gaussian_filter(
    input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None, axes=None
):
    x = _pixels(input)
    axes = _axes_of(axes, x.ndim)
    each = [_for_each(value, len(axes)) for value in (sigma, order, mode, radius)]
    passes = [(axis, *values) for axis, *values in zip(axes, *each) if values[0] > 1e-15]
    filters = [(axis, _gaussian(s, o, truncate, r), m) for axis, s, o, m, r in passes]
    filled = _output(output, x, x.dtype.kind == "c")
    if filled.dtype.kind != "c" and x.dtype.kind == "c":
        raise Left(REFUSED)
    # A copy, for what follows may still be left to SciPy, which starts from the input again.
    between = np.empty(filled.shape, filled.dtype)
    for axis, taps, m in filters:
        x = _along(x, taps, axis, between, m, cval, 0)
    np.copyto(filled, x, casting="unsafe")
    return filled


# ---- images ----------------------------------------------------------------------------------------------------------


def _only_line(weights: np.ndarray, origin: Any) -> tuple[int, np.ndarray, Any]:
    """The axis, the weights and the origin of a filter with one line; the origins of all other axes are 0."""
    long = [axis for axis, count in enumerate(weights.shape) if count > 1]
    if len(long) > 1:
        raise Left("filters of two and more dimensions")
    axis = long[0] if long else weights.ndim - 1
    origins = _for_each(origin, weights.ndim)
    if any(o != 0 for a, o in enumerate(origins) if a != axis):
        raise Left(REFUSED)
    return axis, weights.ravel(), origins[axis]


def _filter(input, weights, output, mode, cval, origin, axes, turn: bool) -> np.ndarray:
    x, weights = _pixels(input), operand(weights)
    if axes is not None or weights.ndim != x.ndim or not weights.size:
        raise Left(f"{REFUSED}, and axes=")
    axis, weights, origin = _only_line(weights, origin)
    if turn:
        weights, origin = _turned(weights, origin)
    return _along(x, weights, axis, output, mode, cval, origin)


def _correlate(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    return _filter(input, weights, output, mode, cval, origin, axes, turn=False)


def _convolve(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    return _filter(input, weights, output, mode, cval, origin, axes, turn=True)


correlate1d = front(_scipy, _correlate1d)
convolve1d = front(_scipy, _convolve1d)
correlate = front(_scipy, _correlate)
convolve = front(_scipy, _convolve)
gaussian_filter1d = front(_scipy, _gaussian_filter1d)
gaussian_filter = front(_scipy, _gaussian_filter)
