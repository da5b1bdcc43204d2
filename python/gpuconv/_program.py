"""Runs a program as `python` itself would: a file, a folder or an archive, a module, or code."""

from __future__ import annotations

import importlib.machinery
import io
import linecache
import os
import runpy
import sys
import types
import zipfile
from collections.abc import Callable
from typing import Any

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def run(arguments: list[str]) -> None:
    """Runs FILE ..., -m MODULE ... or -c CODE ... in a new module __main__. What the program raises leaves the interpreter
    as it would have left it: printed by sys.excepthook, without the frames of this package, and with the same exit status."""
    run_it = _prepared(arguments)
    try:
        run_it()
    except SystemExit:
        raise
    except BaseException as error:
        error.__traceback__ = _without_our_frames(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        sys.excepthook = lambda *_: None  # it is printed; what is left to the interpreter is the exit status
        raise


def _prepared(arguments: list[str]) -> Callable[[], Any]:
    """Sets sys.argv, sys.path and __main__, and returns what is to be called."""
    kind, rest = arguments[0], arguments[1:]
    main = types.ModuleType("__main__")
    main.__dict__.update(__annotations__={}, __builtins__=sys.modules["builtins"])
    if kind == "-m":
        sys.argv[:] = ["-m", *rest[1:]]
        sys.modules["__main__"] = main
        return lambda: runpy._run_module_as_main(rest[0])
    if kind == "-c":
        sys.argv[:] = ["-c", *rest[1:]]
        _set_first_path("")
        main.__loader__ = importlib.machinery.BuiltinImporter
        sys.modules["__main__"] = main
        return lambda: _execute(rest[0], "<string>", main)
    sys.argv[:] = arguments
    sys.modules["__main__"] = main
    path = os.path.join(os.getcwd(), kind)
    if os.path.isdir(kind) or zipfile.is_zipfile(kind):
        _set_first_path(path)
        return lambda: runpy._run_module_as_main("__main__", alter_argv=False)
    _set_first_path(os.path.dirname(os.path.realpath(kind)))
    main.__file__ = path
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    if sys.version_info < (3, 14):
        main.__cached__ = None
    return lambda: _execute(_read(path), path, main)


def _set_first_path(path: str) -> None:
    """In place of the current folder, which is there for `-m gpuconv`, unless the interpreter was told to add nothing."""
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = path


def _read(path: str) -> bytes | types.CodeType:
    """Source, or what a .pyc file has."""
    try:
        with io.open_code(path) as file:
            content = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        sys.exit(2)
    if path.endswith(".pyc"):
        return importlib.machinery.SourcelessFileLoader("__main__", path).get_code("__main__")
    return content


def _execute(code: Any, name: str, main: types.ModuleType) -> None:
    if name == "<string>" and sys.version_info >= (3, 13):  # whose tracebacks show the lines of -c
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    if not isinstance(code, types.CodeType):
        code = compile(code, name, "exec", dont_inherit=True)
    exec(code, main.__dict__)


def _without_our_frames(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """The frames from the program's first one on, with those of runpy that `python -m` has too."""
    last = None
    at = traceback
    while at is not None and not _is_programs(at):
        if os.path.dirname(at.tb_frame.f_code.co_filename) == _FOLDER:
            last = at
        at = at.tb_next
    return traceback if last is None else last.tb_next


def _is_programs(traceback: types.TracebackType) -> bool:
    """Whether the frame is neither this package's nor runpy's."""
    name = traceback.tb_frame.f_code.co_filename
    return os.path.dirname(name) != _FOLDER and "runpy" not in name
