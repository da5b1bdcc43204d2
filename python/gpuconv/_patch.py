"""Programs that run on gpuconv without a changed line: patch() and unpatch()."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
import types
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from . import _numpy
from ._delegation import Rules, count_left, counts_of, is_chunked

# Products of a call's sums below which the original is as fast.
_PRODUCTS = 8192
# Of each replaced function of SciPy's, the positions of the arguments whose sizes make the products.
_SCIPY = {
    "scipy.signal": {
        **dict.fromkeys(("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d"), (0, 1)),
        "lfilter": (0, 2),
    },
    "scipy.ndimage": dict.fromkeys(
        ("convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d"), (0, 1)
    ),
}

_lock = threading.RLock()
_undo: ExitStack | None = None


class Patch:
    """What patch() gives: a context that undoes it."""

    def __init__(self, has_patched: bool):
        self._has_patched = has_patched

    def __enter__(self) -> Patch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_patched:
            unpatch()


def patch(*, fft: bool = False, small: bool = False) -> Patch:
    """Has numpy.convolve, numpy.correlate and SciPy's functions of convolution computed by gpuconv, in the whole process.

    Parameters
    ----------
    fft : bool
        Lets gpuconv choose transforms where the original sums directly: faster for long filters, with errors that are
        small beside the largest result, and not beside each.
    small : bool
        Takes calls too that are too small to gain from it.

    Returns
    -------
    Patch
        A context manager that undoes it at its end. If the process was patched before, nothing is changed, then or now.

    Notes
    -----
    Calls from modules of NumPy and SciPy, and those that gpuconv does not compute, reach the originals. SciPy's functions
    are replaced in scipy.signal and scipy.ndimage once those are imported: names that a program has imported from them
    before are not. Processes started by spawn or forkserver are not patched; those started by fork are.
    """
    global _undo
    with _lock:
        if _undo is not None:
            return Patch(False)
        undo = ExitStack()  # which modules that are imported later add to
        try:
            _replace_all(undo, fft, 1 if small else _PRODUCTS)
        except BaseException:
            undo.close()
            raise
        _undo = undo
        return Patch(True)


def unpatch() -> None:
    """Undoes patch(). Without effect if the process is not patched."""
    global _undo
    with _lock:
        undo, _undo = _undo, None
        if undo is not None:
            undo.close()


def _replace_all(undo: ExitStack, fft: bool, products: int) -> None:
    """Replaces what is imported, and sees to it that the rest is once it is imported."""
    undo.callback(setattr, Rules, "sums", Rules.sums)
    Rules.sums = "auto" if fft else "direct"
    after = {"numpy": lambda module: _numpy.replace(module, undo, products)}
    after.update(dict.fromkeys(_SCIPY, functools.partial(_replace_scipys, undo, products)))
    finder = _AfterImport(after)
    sys.meta_path.insert(0, finder)
    undo.callback(finder.remove)
    for name, replace in after.items():
        if _is_imported(name):
            replace(sys.modules[name])


def _is_imported(name: str) -> bool:
    """Whether the module is imported whole; one that is being imported was found without our finder, and stays as it is."""
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


class _AfterImport:
    """A finder of modules that has something called once a module has been imported whole."""

    def __init__(self, after: dict[str, Callable[[types.ModuleType], None]]):
        self.after = after

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.after:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self, name)
                return spec
        return None

    def remove(self) -> None:
        self.after = {}
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Loader:
    """A loader that does as another one does, and then calls what is to be called after the import."""

    def __init__(self, loader: Any, finder: _AfterImport, name: str):
        self.loader, self.finder, self.name = loader, finder, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        with _lock:
            self.finder.after.get(self.name, lambda module: None)(module)


def _replace_scipys(undo: ExitStack, products: int, module: types.ModuleType) -> None:
    """Replaces the names of a module of SciPy's, and what SciPy notes down about its functions."""
    fronts = importlib.import_module(f"gpuconv.{module.__name__}")
    table = getattr(sys.modules.get("scipy._lib._array_api"), "xp_capabilities_table", {})
    for name, positions in _SCIPY[module.__name__].items():
        original = getattr(module, name)
        replacement = _replacement(module.__name__, original, getattr(fronts, name), positions, products)
        setattr(module, name, replacement)
        undo.callback(setattr, module, name, original)
        if original in table:
            table[replacement] = table[original]
            undo.callback(table.pop, replacement)


def _size(x: Any) -> int:
    size = getattr(x, "size", None)
    return size if type(size) is int else len(x) if isinstance(x, (list, tuple)) else 1


def _replacement(module: str, original: Callable, front: Callable, positions: tuple[int, int], products: int) -> Callable:
    counts = counts_of(f"{module}.{original.__name__}")
    first, second = positions

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        if _numpy.is_library(sys._getframe(1).f_globals.get("__name__")):
            return original(*args, **kwargs)
        if len(args) > second and _size(args[first]) * _size(args[second]) < products and not is_chunked(*args[:2]):
            count_left(counts, _numpy.SMALL)
            return original(*args, **kwargs)
        return front(*args, **kwargs)

    replacement.__module__ = module  # where pickles find it, here and in a process that is not patched
    return replacement
