"""numpy.convolve and numpy.correlate, for the time that they are replaced: strict twins of one axis and NumPy's arguments.

The code of NumPy's Python function is exchanged, not a name: what has imported the function before, looks it up in a table, or
reaches it through __array_function__ gets the twin as well.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import types
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from . import _core
from ._delegation import NAMED, Left, Rules, delegating, operand

SMALL = "a small call"
LIBRARIES = ("numpy.", "scipy.")
_MODES = {0: "valid", 1: "same", 2: "full"}


def is_library(module: str | None) -> bool:
    """Whether the module is NumPy's or SciPy's own, and none of their tests."""
    return module is not None and module.startswith(LIBRARIES) and ".tests." not in module


def _row(x: Any) -> Any:
    x = operand(x)
    if x.ndim != 1 or not x.size:
        raise Left("arguments that NumPy refuses, and scalars")
    return x


def _computing(function: Callable) -> Callable:
    def compute(a: Any, v: Any, mode: Any) -> Any:
        if type(mode) is int:
            mode = _MODES.get(mode)
        if type(mode) is not str or mode not in NAMED:
            raise Left("modes that NumPy refuses or warns of")
        return function(_row(a), _row(v), mode, method=Rules.sums)

    return compute


# What is put before NumPy's own statements, into which calls too small to gain run straight, and single dot products; and what
# the core does not take, so that errors, warnings and tracebacks are NumPy's.
_PROLOGUE = """
try:
    _gpuconv_n, _gpuconv_m = len(a), len(v)
except TypeError:
    _gpuconv_n = _gpuconv_m = 0
if _gpuconv_n * _gpuconv_m >= {products} and (
    mode != "valid"
    or (_gpuconv_n > _gpuconv_m and (_gpuconv_n - _gpuconv_m + 1) * _gpuconv_m >= {products})
    or (_gpuconv_m > _gpuconv_n and (_gpuconv_m - _gpuconv_n + 1) * _gpuconv_n >= {products})
):
    _gpuconv_twin = "the twin"
    _gpuconv_result = _gpuconv_twin(a, v, mode)
    if _gpuconv_result is not None:
        return _gpuconv_result
"""
_PLACE = "the twin"  # a constant of that code, in whose place the function itself is put: it needs no name anywhere
_WRAPPER = "<__array_function__ internals>"  # the file of a function that NumPy 1.24 and older have around theirs


def _left(a: Any, v: Any, mode: Any) -> None:
    """NumPy's own statements follow."""


def _twin(name: str) -> Callable:
    """The core's result of calls of NumPy's function of this name; None where they are left to NumPy."""
    core = delegating(f"numpy.{name}", _left, _computing(getattr(_core, name)))

    def twin(a: Any, v: Any, mode: Any) -> Any:
        frame = sys._getframe(2)
        if frame.f_code.co_filename == _WRAPPER:
            frame = frame.f_back
        return None if is_library(frame.f_globals.get("__name__")) else core(a, v, mode)

    return twin


def _with_prologue(function: types.FunctionType, twin: Callable, products: int) -> types.CodeType:
    """The function's code behind the prologue, made from its source, whose lines it keeps. Raises OSError where there is none."""
    source = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = source.body[0]
    first = 1 if ast.get_docstring(definition) is not None else 0
    prologue = ast.parse(_PROLOGUE.format(products=products)).body
    for statement in prologue:
        for node in ast.walk(statement):
            ast.copy_location(node, definition.body[first])
    definition.body[first:first] = prologue
    ast.increment_lineno(source, function.__code__.co_firstlineno - 1)
    module = compile(source, function.__code__.co_filename, "exec", dont_inherit=True)
    code = next(code for code in module.co_consts if isinstance(code, types.CodeType))
    return code.replace(co_consts=tuple(twin if constant == _PLACE else constant for constant in code.co_consts))


def replace(numpy: types.ModuleType, undo: ExitStack, products: int) -> None:
    """Exchanges the code of both functions, and has `undo` exchange it back. What has fewer `products` stays NumPy's."""
    for name in ("convolve", "correlate"):
        function = getattr(numpy, name)
        implementation = getattr(function, "_implementation", function)
        undo.callback(setattr, implementation, "__code__", implementation.__code__)
        implementation.__code__ = _with_prologue(implementation, _twin(name), products)
