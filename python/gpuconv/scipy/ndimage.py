"""scipy.ndimage's linear filters: SciPy's results, errors and warnings. What the core does not compute, SciPy does.

The core sums in float64 whatever the types of input and output are, as SciPy does. docs/drop_in.md lists what is left to
SciPy. gpuconv.calls() counts both.
"""

from __future__ import annotations

import inspect
import numbers
import operator
from dataclasses import dataclass
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
_scipys_correlate1d, _scipys_correlate = _scipy.correlate1d, _scipy.correlate
# The functions that have axes= in this SciPy.
_WITH_AXES = frozenset(name for name in __all__ if "axes" in inspect.signature(getattr(_scipy, name)).parameters)


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


def _is_finite(x: np.ndarray, boundary: tuple[str, float] | str) -> bool:
    """Whether x and what is beyond its ends are numbers throughout."""
    return bool(np.isfinite(x).all()) and (type(boundary) is str or bool(np.isfinite(boundary[1])))


def _origin(origin: Any, taps: int) -> int:
    """How many places a filter of so many taps is moved towards the first sample."""
    origin = integer(origin)
    if not -(taps // 2) <= origin <= (taps - 1) // 2:
        raise Left(REFUSED)
    return origin


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


@dataclass(frozen=True)
class _Filter:
    """Weights along one axis or two, in the order of the axes, as correlate1d and correlate have them."""

    weights: np.ndarray
    axes: tuple[int, ...]
    origins: tuple[int, ...]
    # Whether it is correlate's, which passes over small weights and adds in another order than correlate1d.
    is_correlates: bool

    def sums(self, x: np.ndarray, weights: np.ndarray, boundary: Any) -> np.ndarray:
        """The float64 sums of real x with these weights, real too."""
        x, weights = x.astype("d", copy=False), weights.astype("d", copy=False)
        how = dict(boundary=boundary, method=Rules.sums)
        if self.is_correlates:
            weights = np.where(np.abs(weights) > np.finfo("d").eps, weights, 0)
        if len(self.axes) == 2:
            # The core centres filters of images; weights of 0 on one side move the centre.
            weights = np.pad(weights, [(max(-2 * o, 0), max(2 * o, 0)) for o in self.origins])
        if self.is_correlates and not weights.all() and not _is_finite(x, boundary):
            raise Left("infinity and NaN under weights of 0, over which SciPy passes")
        if len(self.axes) == 2:
            around = [axis for axis in range(x.ndim) if axis not in self.axes]
            return _core.correlate2d(x, np.expand_dims(weights, around), "same", axes=self.axes, same="scipy", **how)
        (axis,), (origin,) = self.axes, self.origins
        if not origin:
            return _core.correlate(x, weights, "same", axis=axis, same="scipy", **how)
        first = -(len(weights) // 2) - origin
        return _core.correlate(x, weights, axis=axis, lags=range(first, first + x.shape[axis]), **how)

    def scipys(self, rows: np.ndarray, dtype: np.dtype, mode: str, cval: Any) -> np.ndarray:
        """SciPy's results along the last axis or two."""
        if self.is_correlates:
            return _scipys_correlate(rows, self.weights[None], dtype, mode, cval, [0, *self.origins])
        return _scipys_correlate1d(rows, self.weights, -1, dtype, mode, cval, *self.origins)


def _undecided(sums: np.ndarray, x: np.ndarray, constant: float, applied: _Filter) -> np.ndarray | None:
    """Lines or images with sums so close to an integer but 0 that the order of adding decides where they are cut."""
    largest = max(abs(float(x.max())), abs(float(x.min())), abs(constant))
    most = largest * float(np.abs(applied.weights).sum())
    if x.dtype.kind in "biu" and constant.is_integer() and (applied.weights == np.rint(applied.weights)).all() and most < 2.0**53:
        return None  # such sums are exact in any order
    bound = 2 * applied.weights.size * np.finfo("d").eps * most
    nearest = np.rint(sums)
    undecided = ((np.abs(sums - nearest) <= bound) & (nearest != 0)).any(axis=applied.axes)
    return undecided if undecided.any() else None


def _cut(filled: np.ndarray, sums: np.ndarray, x: np.ndarray, applied: _Filter, mode: str, cval: float) -> np.ndarray:
    """Writes sums into integers; SciPy computes the lines or images that only its order of adding decides."""
    _check_range(filled.dtype, sums)
    undecided = _undecided(sums, x, float(cval) if _BOUNDARIES[mode] == "constant" else 0.0, applied)
    if undecided is None:
        return _fill(filled, sums)
    if 2 * np.count_nonzero(undecided) > undecided.size:
        raise Left("sums so close to integers that the order of adding decides")
    last = range(-len(applied.axes), 0)
    decided = applied.scipys(np.moveaxis(x, applied.axes, last)[undecided], filled.dtype, mode, cval)
    _fill(filled, sums)
    np.moveaxis(filled, applied.axes, last)[undecided] = decided
    return filled


def _filtered(x: np.ndarray, applied: _Filter, output: Any, mode: Any, cval: Any) -> np.ndarray:
    """The sums of complex arrays are those of their parts, as in SciPy."""
    weights = applied.weights
    is_complex = "c" in (x.dtype.kind, weights.dtype.kind)
    filled = _output(output, x, is_complex)
    if not is_complex:
        sums = applied.sums(x, weights, _boundary(mode, cval))
        return _cut(filled, sums, x, applied, mode, cval) if filled.dtype.kind in "biu" else _fill(filled, sums)
    if x.dtype.kind != "c" and isinstance(cval, (complex, np.complexfloating)):
        raise Left(REFUSED)
    real, imaginary = _boundary(mode, np.real(cval)), _boundary(mode, np.imag(cval))
    sums = np.empty(x.shape, "D")
    if weights.dtype.kind != "c":
        sums.real = applied.sums(x.real, weights, real)
        sums.imag = applied.sums(x.imag, weights, imaginary)
    elif x.dtype.kind != "c":
        sums.real = applied.sums(x, weights.real, real)
        sums.imag = -applied.sums(x, weights.imag, real)
    else:
        sums.real = applied.sums(x.real, weights.real, real) + applied.sums(x.imag, weights.imag, imaginary)
        sums.imag = applied.sums(x.imag, weights.real, imaginary) - applied.sums(x.real, weights.imag, real)
    return _fill(filled, sums)


def _along(x: np.ndarray, weights: np.ndarray, axis: int, output: Any, mode: Any, cval: Any, origin: Any) -> np.ndarray:
    """correlate1d of arrays."""
    if weights.ndim != 1 or not weights.size:
        raise Left(REFUSED)
    applied = _Filter(weights, (axis_of(axis, x.ndim),), (_origin(origin, len(weights)),), is_correlates=False)
    return _filtered(x, applied, output, mode, cval)


def _correlate1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    return _along(_pixels(input), operand(weights), axis, output, mode, cval, origin)


def _turned(weights: np.ndarray, origins: list) -> tuple[np.ndarray, list[int]]:
    """The weights and the origins that give correlate what these give convolve."""
    turned = weights[(slice(None, None, -1),) * weights.ndim]
    origins = [-integer(origin) - (not count & 1) for origin, count in zip(origins, weights.shape)]
    return np.conj(turned) if turned.dtype.kind == "c" else turned, origins


def _convolve1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    weights = operand(weights)
    if weights.ndim != 1:
        raise Left(REFUSED)
    turned, (origin,) = _turned(weights, [origin])
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


def _axes_of(axes: Any, count: int, name: str) -> list[int]:
    """The axes that SciPy's function of this name filters."""
    if axes is None:
        return list(range(count))
    if name not in _WITH_AXES:
        raise Left(REFUSED)
    axes = [axis_of(axis, count) for axis in (axes if np.iterable(axes) else (axes,))]
    if len(set(axes)) != len(axes):
        raise Left(REFUSED)
    return axes


def _gaussian_filter(
    input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None, axes=None
):
    x = _pixels(input)
    axes = _axes_of(axes, x.ndim, "gaussian_filter")
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


def _filter(input, weights, output, mode, cval, origin, axes, turn: bool) -> np.ndarray:
    x, weights = _pixels(input), operand(weights)
    axes = _axes_of(axes, x.ndim, "correlate")
    if axes != sorted(axes):
        raise Left("axes that do not ascend")
    if weights.ndim != len(axes) or not weights.ndim or not weights.size:
        raise Left(REFUSED)
    origins = _for_each(origin, len(axes))
    if turn:
        weights, origins = _turned(weights, origins)
    origins = [_origin(*both) for both in zip(origins, weights.shape)]
    # An axis with one weight has none to move, and its origin is 0.
    long = [i for i, count in enumerate(weights.shape) if count > 1] or [weights.ndim - 1]
    if len(long) > 2:
        raise Left("filters of three and more dimensions")
    weights = weights.reshape([weights.shape[i] for i in long])
    applied = _Filter(weights, tuple(axes[i] for i in long), tuple(origins[i] for i in long), is_correlates=True)
    return _filtered(x, applied, output, mode, cval)


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
