"""NumPy's own tests of convolve and correlate, from the installed NumPy, with gpuconv's functions in place of its own."""

import importlib

import numpy as np
import pytest

import gpuconv


def numpys_tests():
    for name in ("numpy._core.tests.test_numeric", "numpy.core.tests.test_numeric"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    return None


def cases() -> list:
    groups = [(name, getattr(numpys_tests(), name, None)) for name in ("TestCorrelate", "TestConvolve")]
    return [pytest.param(group, test, id=f"{name}.{test}") for name, group in groups for test in dir(group) if test.startswith("test")]


def test_there_are_such_tests():
    if numpys_tests() is None:
        pytest.skip("this NumPy comes without its tests")
    assert len(cases()) >= 8


@pytest.mark.parametrize("group, method", cases())
def test_numpys(group, method, monkeypatch):
    calls = []
    for name in ("convolve", "correlate"):
        ours = getattr(gpuconv, name)
        monkeypatch.setattr(np, name, lambda *args, ours=ours, **kwargs: (calls.append(1), ours(*args, **kwargs))[1])
    test = group()
    if hasattr(test, "setup_method"):
        test.setup_method()
    getattr(test, method)()
    assert calls
