"""What NumPy makes of every row of a problem, in a wider type, and how far from it a result may be."""

from __future__ import annotations

import numpy as np

# In NumPy's letters: all types of the library that NumPy has.
INTEGERS = "bhilqBHILQ"
FLOATS = "efd"
COMPLEX = "FD"
MODES = ("full", "same", "valid")
BOUNDARIES = ("zero", "constant", "nearest", "reflect", "mirror", "wrap")


def wider(array: np.ndarray) -> np.ndarray:
    """Floating types, and those of the operands, in one whose errors do not count here."""
    return array.astype("G" if array.dtype.kind == "c" else "g")


def extended(row: np.ndarray, before: int, behind: int, boundary: str, value: float = 0) -> np.ndarray:
    """The row with samples before its first and behind its last one."""
    n = len(row)
    at = np.arange(-before, n + behind)
    if boundary in ("zero", "constant"):
        return np.where((at >= 0) & (at < n), row[at.clip(0, n - 1)], np.asarray(value, row.dtype))
    if boundary == "nearest":
        return row[at.clip(0, n - 1)]
    if boundary == "wrap":
        return row[at % n]
    period = 2 * n if boundary == "reflect" else max(2 * n - 2, 1)
    at = at % period
    mirrored = period - 1 - at if boundary == "reflect" else period - at
    return row[np.where(at < n, at, mirrored)]


def full_at(a: np.ndarray, v: np.ndarray, operation: str, first: int, count: int, boundary: str = "zero", value: float = 0):
    """Outputs of the full convolution or correlation, from index `first` on, beyond its ends too."""
    n, m = len(a), len(v)
    before = max(0, m - 1 - first)
    behind = max(0, first + count - n)
    padded = extended(a, before, behind, boundary, value)
    taps = v if operation == "convolve" else np.conj(v[::-1])
    full = np.convolve(padded, taps)
    return full[before + first : before + first + count]


def same_slice(n: int, m: int, operation: str, same: str) -> tuple[int, int]:
    """The first output of mode same, and how many there are."""
    if same == "scipy":
        return (m - 1) // 2, n
    if same == "matlab":
        return m // 2, n
    return (n // 2 if operation == "correlate" and m > n else (min(n, m) - 1) // 2), max(n, m)


def by_rows(row_function, a: np.ndarray, v: np.ndarray, axis: int) -> np.ndarray:
    """row_function of all pairs of rows, as the gufunc (n),(m)->(k) has them."""
    a, v = (np.moveaxis(x, axis if x.ndim > 1 else 0, -1) for x in (a, v))
    around = np.broadcast_shapes(a.shape[:-1], v.shape[:-1])
    a = np.broadcast_to(a, (*around, a.shape[-1]))
    v = np.broadcast_to(v, (*around, v.shape[-1]))
    rows = [row_function(a[at], v[at]) for at in np.ndindex(*around)]
    length = len(row_function(*(np.zeros(x.shape[-1], x.dtype) for x in (a, v))))
    stacked = np.array(rows).reshape(*around, length)
    return np.moveaxis(stacked, -1, axis)


def tolerance(a: np.ndarray, v: np.ndarray, result: np.dtype) -> float:
    """How far from the exact value outputs may be: the bound of the transforms, and one rounding of the largest."""
    if result.kind not in "fc":
        return 0.0
    unit = float(np.finfo(result).eps) / 2
    norms = np.linalg.norm(wider(np.abs(a)).ravel()) * np.linalg.norm(wider(np.abs(v)).ravel())
    return float(16 * unit * np.log2(a.size + v.size + 2) * norms + 2 * np.finfo(result).tiny)


def assert_close(result: np.ndarray, expected: np.ndarray, a: np.ndarray, v: np.ndarray) -> None:
    """The shape of `expected` and its values: integers exactly."""
    assert result.shape == expected.shape
    if result.dtype.kind not in "fc":
        np.testing.assert_array_equal(result, expected)
        return
    if result.size:
        error = np.max(np.abs(wider(result) - wider(expected)))
        assert error <= tolerance(a, v, result.dtype), (error, tolerance(a, v, result.dtype))


def expected_row(a: np.ndarray, v: np.ndarray, operation: str, mode: str, dtype: np.dtype) -> np.ndarray:
    """NumPy's result of one row, computed in a wider type where it is rounded."""
    function = getattr(np, operation)
    if dtype.kind in "fc":
        return function(wider(a), wider(v), mode)
    return function(a.astype(dtype), v.astype(dtype), mode)


def random_array(rng: np.random.Generator, shape, letter: str) -> np.ndarray:
    """Integers over the whole range of the type, floating numbers of both signs, bools."""
    dtype = np.dtype(letter)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)
