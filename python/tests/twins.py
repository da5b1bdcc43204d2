"""Whether a function does what the one does that it stands for: the same result, within SciPy's own error, or the same error."""

from __future__ import annotations

import copy
import warnings

import numpy as np


def outcome(function, args, kwargs):
    """What the call gives: its result or its error, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        except Exception as error:
            result = error
    return result, [(w.category, str(w.message)) for w in caught]


def unit(operands, result) -> float:
    """The coarsest rounding unit of operands and result; SciPy transforms each operand in its own type."""
    types = [np.asarray(x).dtype for x in (*operands, result)]
    return max((float(np.finfo("f" if t.char == "e" else t).eps) for t in types if t.kind in "fc"), default=2.0**-52)


def finite(x: np.ndarray) -> np.ndarray:
    """The numbers of an array without infinity and NaN, in a type in which none overflows."""
    return x[np.isfinite(x)].astype("G" if x.dtype.kind == "c" else "g")


def assert_same_array(ours, theirs, operands=()):
    assert type(ours) is type(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    if theirs.dtype.kind in "biu":
        np.testing.assert_array_equal(ours, theirs)
    elif theirs.size:
        coarse = float(np.finfo("e").eps) if theirs.dtype.char == "e" else unit(operands, theirs)
        scale = np.abs(finite(theirs)).max(initial=0) + np.prod([np.linalg.norm(finite(x)) or 1.0 for x in operands])
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=float(64 * coarse * scale))


def assert_twins(ours, theirs, *args, **kwargs):
    """Calls both with copies of the arguments, and returns our result."""
    result, warned = outcome(ours, args, kwargs)
    expected, warned_of = outcome(theirs, args, kwargs)
    assert warned == warned_of
    if isinstance(expected, Exception) or isinstance(result, Exception):
        assert (type(result), str(result)) == (type(expected), str(expected))
        return None
    operands = [x for x in args if isinstance(x, np.ndarray)]
    pairs = zip(result, expected) if isinstance(expected, tuple) else [(result, expected)]
    for mine, their in pairs:
        assert_same_array(mine, their, operands)
    return result


def random_operand(rng: np.random.Generator, shape, letter: str) -> np.ndarray:
    """Small integers, so that transforms round to them, and normal floating numbers."""
    dtype = np.dtype(letter)
    if dtype.kind in "biu":
        return rng.integers(-5 if dtype.kind == "i" else 0, 2 if dtype.kind == "b" else 6, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)
