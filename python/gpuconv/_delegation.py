"""Which calls of a replaced function the core takes, which are left to the original and why, and the counts of both."""

from __future__ import annotations

import functools
import operator
import os
import threading
import time
import types
from collections.abc import Callable
from typing import Any

# NumPy's letters of the types that the core has and that the originals take for numbers.
NUMBERS = frozenset("?bBhHiIlLqQefdFD")
NAMED = frozenset({"full", "same", "valid"})


# Why calls of SciPy's are left whose error is SciPy's own.
REFUSED = "arguments that SciPy refuses"


class Left(Exception):
    """The core does not take the call, and why."""


class Rules:
    """What holds for all replaced functions. `sums`: the core's method where the original sums directly."""

    sums = "direct"


class Counts:
    """The calls of one function."""

    __slots__ = ("core", "left", "nanoseconds")

    def __init__(self) -> None:
        self.core = 0
        self.nanoseconds = 0
        self.left: dict[str, int] = {}

    def as_dict(self) -> dict[str, Any]:
        return {"core": self.core, "seconds": self.nanoseconds / 1e9, "left": dict(self.left)}


_lock = threading.Lock()
_counts: dict[str, Counts] = {}


def counts_of(name: str) -> Counts:
    """The counts of the function of this name, for `count_core` and `count_left`."""
    with _lock:
        return _counts.setdefault(name, Counts())


def count_core(counts: Counts, nanoseconds: int) -> None:
    with _lock:
        counts.core += 1
        counts.nanoseconds += nanoseconds


def count_left(counts: Counts, reason: str) -> None:
    with _lock:
        counts.left[reason] = counts.left.get(reason, 0) + 1


def calls(*, reset: bool = False) -> dict[str, dict[str, Any]]:
    """How many calls of replaced functions the core has taken in this process, and how many were left to the originals.

    Parameters
    ----------
    reset : bool
        Counts from 0 on after this.

    Returns
    -------
    dict
        For each function that was called, by its full name: `core`, the calls that the core took; `seconds`, how long
        they took together; `left`, a dict of the number of calls left to the original for each reason.
    """
    with _lock:
        found = {name: counts.as_dict() for name, counts in sorted(_counts.items()) if counts.core or counts.left}
        if reset:
            for counts in _counts.values():
                counts.core, counts.nanoseconds, counts.left = 0, 0, {}
        return found


def delegating(name: str, original: Callable, compute: Callable) -> Callable:
    """`compute` where it takes the call, and else `original`. Errors that the core has no business raising are the original's."""
    counts = counts_of(name)

    def call(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter_ns()
        try:
            result = compute(*args, **kwargs)
        except Left as reason:
            count_left(counts, str(reason))
        except (NotImplementedError, MemoryError) as error:
            count_left(counts, f"the core: {error}")
        else:
            count_core(counts, time.perf_counter_ns() - began)
            return result
        return original(*args, **kwargs)

    functools.update_wrapper(call, original)
    call.__qualname__ = call.__name__
    return call


def operand(x: Any) -> Any:
    """An array of numbers: arrays themselves, and what Python and NumPy have of numbers and sequences. Raises Left."""
    import numpy as np

    if type(x) is not np.ndarray:
        if not isinstance(x, (list, tuple, int, float, complex, np.generic)):
            raise Left(f"an argument of type {type(x).__name__}")
        try:
            x = np.asarray(x)
        except (TypeError, ValueError, OverflowError):  # of the original, which may warn of it first
            raise Left("an argument that is no array")
    if x.dtype.char not in NUMBERS:
        raise Left(f"the type {x.dtype}")
    return x


# Whether SciPy takes arrays of others. It looks once too, when it is imported.
_TAKES_OTHERS = os.environ.get("SCIPY_ARRAY_API") == "1"


def is_chunked(*operands: Any) -> bool:
    """Whether there is an array of Dask's among them, in a process whose SciPy takes arrays of others."""
    if not _TAKES_OTHERS:
        return False
    types_of = (type(x) for x in operands)
    return any(t.__name__ == "Array" and t.__module__.startswith("dask.array.") for t in types_of)


def front(scipys: types.ModuleType, compute: Callable) -> Callable:
    """The front of the function of a module of SciPy's that `compute` has the name of, behind an underscore."""
    name = compute.__name__.lstrip("_")
    function = delegating(f"{scipys.__name__}.{name}", getattr(scipys, name), compute)
    function.__module__ = compute.__module__
    return function


def integer(x: Any) -> int:
    """An integer where SciPy wants one. Raises Left."""
    try:
        return operator.index(x)
    except TypeError:
        raise Left(REFUSED)


def axis_of(axis: Any, axes: int) -> int:
    """One of so many axes, counted from the first. Raises Left."""
    axis = integer(axis)
    if not -axes <= axis < axes:
        raise Left(REFUSED)
    return axis % axes
