"""What the core asks of the libraries whose arrays are in the memory of a CUDA device."""

from __future__ import annotations

import sys
from typing import Any

from ._arrays import _check_libraries, _dtype, _from_dlpack, _library
from ._core import _device_memory

_LEGACY = 1  # the legacy default stream, as DLPack numbers streams
_NEVER_WRITTEN = {"jax", "jaxlib"}  # libraries whose arrays nobody may write


def _namespace(x: Any) -> Any:
    return x.__array_namespace__() if hasattr(x, "__array_namespace__") else sys.modules[_library(x)]


def _named(namespace: Any, name: str) -> Any:
    found = getattr(namespace, name, None) or getattr(namespace, name + "_", None)  # CuPy's bool_
    if found is None:
        raise TypeError(f"{namespace.__name__} has no {name}, which the result takes: give out=, or another dtype=")
    return found


def check_libraries(arrays: list[Any]) -> None:
    """Refuses arrays of more than one library."""
    _check_libraries(arrays)


def current_stream(x: Any) -> int | None:
    """The number, DLPack's, of the stream that x's library works on; None where its array interface may tell, or nobody does."""
    if _library(x) != "torch":
        return None
    return sys.modules["torch"].cuda.current_stream(x.device).cuda_stream or _LEGACY


def are_written(x: Any) -> bool:
    """Whether arrays of x's library can be written."""
    return _library(x) not in _NEVER_WRITTEN


def empty(like: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """An array of the library of `like` on its device, or memory of gpuconv's own for `imported`. The device is current."""
    if not are_written(like):
        return _device_memory(shape, dtype)
    namespace = _namespace(like)
    make, kind = _named(namespace, "empty"), _named(namespace, dtype)
    try:
        return make(shape, dtype=kind, device=like.device)
    except TypeError:  # CuPy's takes the current device
        return make(shape, dtype=kind)


def imported(like: Any, result: Any, dtype: str) -> Any:
    """The result as an array of the library of `like`."""
    array = _from_dlpack(like)(result)
    return array if str(array.dtype) == dtype else array.astype(dtype)


def numpys_dtype(dtype: Any, like: Any) -> Any:
    """A type as NumPy knows it: that of the library of `like` by its name."""
    return _dtype(dtype, _library(like))
