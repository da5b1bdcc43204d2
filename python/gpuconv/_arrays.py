"""Arrays of other libraries that lie in the memory of the CPU, by DLPack: read and written where they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _core
from ._core import _is_of_another_library as _is_others

_CPU = 1  # DLPack's number of the device


def _library(x: Any) -> str:
    return type(x).__module__.partition(".")[0]


def _check_device(x: Any) -> None:
    """Refuses what is not in the memory of the CPU, before the array's own library moves or exports it."""
    device = type(x).__name__ if not hasattr(type(x), "__dlpack_device__") else int(x.__dlpack_device__()[0])
    if device != _CPU:
        raise NotImplementedError(
            f"an array of {_library(x)} in the memory of another device than the CPU and those of CUDA: copy it to one of them"
        )


def _check_libraries(arrays: list[Any]) -> list[str]:
    """The names of the libraries whose arrays these are, one at most."""
    libraries = sorted({_library(x) for x in arrays})
    if len(libraries) > 1:
        raise TypeError(f"the operands are arrays of {libraries[0]} and of {libraries[1]}")
    return libraries


def _on_host(x: Any) -> Any:
    """NumPy's array of the same memory. What cannot be exported, such as tensors with gradients, has its library's error."""
    if not _is_others(x):
        return x
    _check_device(x)
    return np.from_dlpack(x)


def _to_write(out: Any) -> np.ndarray:
    """NumPy's array of the same memory, for results. NumPy before 2.1 takes all that comes by DLPack for read-only."""
    if not _is_others(out):
        return out
    view = _on_host(out)
    if not view.flags.writeable:
        view = np.asarray(out)
        if not (view.flags.writeable and np.may_share_memory(view, _on_host(out))):
            raise ValueError(f"out, an array of {_library(out)}, is read-only")
    return view


def _from_dlpack(x: Any) -> Callable[[np.ndarray], Any]:
    """The function of x's library that makes its arrays of those of others, in the same memory."""
    namespace = x.__array_namespace__() if hasattr(x, "__array_namespace__") else sys.modules[_library(x)]
    found = getattr(namespace, "from_dlpack", None)
    if found is None:
        raise TypeError(f"{_library(x)} has no from_dlpack, which results would be returned by: give out=, or NumPy's arrays")
    return found


def _dtype(dtype: Any, library: str) -> Any:
    """A type as NumPy knows it: that of another library by its name."""
    return str(dtype).rpartition(".")[2] if type(dtype).__module__.partition(".")[0] == library else dtype


def call(name: str, values: dict[str, Any]) -> Any:
    """The function of this name of the core, for operands of which some are arrays of another library; so is the result.

    Raises
    ------
    TypeError
        For operands of two libraries beside NumPy, and for results that their library cannot take.
    NotImplementedError
        For arrays that are not in the memory of the CPU; those in that of CUDA devices come by another way.
    """
    operands = [values[key] for key in ("a", "v") if _is_others(values[key])]
    libraries = _check_libraries(operands)
    host = dict(values, a=_on_host(values["a"]), v=_on_host(values["v"]))
    if libraries and "dtype" in host:
        host["dtype"] = _dtype(host["dtype"], libraries[0])
    if "out" in host:
        host["out"] = _to_write(host["out"])
    back = None if "out" in host else _from_dlpack(operands[0])  # before anything is computed in vain
    result = getattr(_core, name)(host.pop("a"), host.pop("v"), **host)
    return values["out"] if back is None else back(result)
