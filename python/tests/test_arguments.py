"""How calls are checked: words, errors and where they come from."""

import ast
import inspect
import pathlib
import warnings

import numpy as np
import pytest

import gpuconv

OPERATIONS = ("convolve", "correlate")


def outcome(function, *args, **kwargs):
    """The result, or the error's type and text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # older versions of NumPy take "v" for "valid"
        try:
            return function(*args, **kwargs).tolist()
        except Exception as error:
            return type(error), str(error)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "mode",
    [
        "full",
        "same",
        "valid",
        "v",
        "s",
        "FULL",
        "bogus",
        "",
        0,
        1,
        2,
        3,
        -1,
        10**30,
        np.int64(1),
        True,
        1.0,
        None,
        b"full",
        "full\0x",
        np.str_("same"),
    ],
)
def test_modes_are_numpys(operation, mode):
    arguments = ([1, 2, 3, 4], [1, 10]), (np.ones(3), np.ones(2))
    for a, v in arguments:
        ours, numpys = (outcome(getattr(module, operation), a, v, mode) for module in (gpuconv, np))
        assert ours == numpys


@pytest.mark.parametrize(
    "a, v",
    [([], [1]), ([1], []), ([], []), (np.ones(0), np.ones(3)), ("x", [1]), ([[1], [2, 3]], [1]), (None, [1]), ({}, [1]), ([1], object())],
)  # fmt: skip
def test_operands_that_are_none_are_refused_as_numpy_does(a, v):
    for operation in OPERATIONS:
        ours, numpys = (outcome(getattr(module, operation), a, v, "full") for module in (gpuconv, np))
        assert isinstance(ours, tuple)
        assert ours == numpys


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "args, kwargs",
    [((), {}), (([1],), {}), ((), {"v": [1]}), (([1], [2], "full", 4), {}), (([1], [2]), {"a": [1]}), (([1], [2]), {"bogus": 3}),
     (([1], [2], "full"), {"mode": "full"})],
)  # fmt: skip
def test_calls_are_refused_in_pythons_words(operation, args, kwargs):
    def stand_in(a, v, mode="full", *, axis=-1):
        raise AssertionError

    stand_in.__name__ = stand_in.__qualname__ = operation
    ours, pythons = (outcome(f, *args, **kwargs) for f in (getattr(gpuconv, operation), stand_in))
    assert ours[0] is TypeError
    assert ours[1].split(". Did you mean")[0] == pythons[1].split(". Did you mean")[0]


@pytest.mark.parametrize("name", ["axis", "method", "device", "boundary", "same"])
def test_names_and_numbers_that_are_none(name):
    for value, errors in (("bogus", (ValueError, TypeError)), (1.5, TypeError), (b"auto", TypeError), (None, TypeError)):
        with pytest.raises(errors):
            gpuconv.convolve([1, 2], [1], **{name: value})


def test_names_may_be_made_at_run_time():
    full, method, keyword = "".join(["fu", "ll"]), "".join(["dir", "ect"]), "".join(["met", "hod"])
    np.testing.assert_array_equal(gpuconv.convolve([1, 2], [1, 1], full, **{keyword: method}), [1, 3, 2])
    with pytest.raises(ValueError, match="method must be one of 'auto', 'reference', 'direct', 'overlap-save', 'fft' .got 'dir'."):
        gpuconv.convolve([1], [1], method="dir")


def test_what_is_forced_and_cannot_be_served():
    with pytest.raises(NotImplementedError, match="integers are exact"):
        gpuconv.convolve([1, 2], [1], method="fft")
    if not gpuconv.info()["devices"][1]["available"]:
        with pytest.raises(NotImplementedError, match="device cuda"):
            gpuconv.convolve([1.0, 2], [1.0], device="cuda")


def test_more_memory_than_there_is():
    huge = np.broadcast_to(np.float32(1), 10**12)
    with pytest.raises(MemoryError):
        gpuconv.convolve(huge, [1.0])
    with pytest.raises(MemoryError):
        gpuconv.Plan((10**6, 10**7), np.ones(2)).execute(np.broadcast_to(1.0, (10**6, 10**7)))
    assert gpuconv.convolve([1.0], [1.0]) == 1


def test_none_stands_for_no_out_dtype_and_lags():
    np.testing.assert_array_equal(gpuconv.convolve([1], [2], out=None, dtype=None), [2])
    np.testing.assert_array_equal(gpuconv.correlate([1], [2], lags=None, max_lag=None, out=None), [2])


def test_operands_are_arrays_by_numpys_protocols():
    class Array:
        def __array__(self, dtype=None, copy=None):
            return np.arange(3.0)

    np.testing.assert_array_equal(gpuconv.convolve(Array(), [1, 1]), [0, 1, 3, 2])
    np.testing.assert_array_equal(gpuconv.convolve(memoryview(b"\1\2"), [1]), [1, 2])

    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no array")

    with pytest.raises(RuntimeError, match="no array"):
        gpuconv.convolve(Broken(), [1])


class TestStub:
    """__init__.pyi against what is there."""

    tree = ast.parse(pathlib.Path(gpuconv.__file__).with_name("__init__.pyi").read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    methods = {
        node.name: node for c in tree.body if isinstance(c, ast.ClassDef) and c.name == "Plan" for node in c.body if isinstance(node, ast.FunctionDef)
    }

    @staticmethod
    def parameters(arguments: ast.arguments):
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + [ast.literal_eval(d) for d in arguments.defaults]
        named = [(a.arg, ast.literal_eval(d)) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults)]
        return [(a.arg, d) for a, d in zip(positional, defaults) if a.arg != "self"], named

    @classmethod
    def of_text(cls, text: str):
        """The parameters in the first line of a nanobind function's text."""
        function = ast.parse("def " + text.splitlines()[0] + ": ...").body[0]
        return cls.parameters(function.args)

    @pytest.mark.parametrize("name", (*OPERATIONS, "convolve2d", "correlate2d"))
    def test_the_functions(self, name):
        of_stub = self.parameters(self.functions[name].args)
        signature = inspect.signature(getattr(gpuconv, name)).parameters.values()
        default = lambda p: None if p.default is p.empty else p.default
        positional = [(p.name, default(p)) for p in signature if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = [(p.name, default(p)) for p in signature if p.kind is p.KEYWORD_ONLY]
        assert (positional, named) == of_stub

    def test_what_takes_no_signature(self):
        for name in ("explain", "info"):
            assert self.of_text(getattr(gpuconv, name).__doc__) == self.parameters(self.functions[name].args)
        for name in ("__init__", "execute", "explain", "info"):
            assert self.of_text(getattr(gpuconv.Plan, name).__doc__) == self.parameters(self.methods[name].args)

    def test_the_names(self):
        public = {n for n in dir(gpuconv.Plan) if not n.startswith("_")}
        assert public == {n for n in self.methods if not n.startswith("_")}
        annotated = {n.target.id for n in self.tree.body if isinstance(n, ast.AnnAssign)}
        classes = {n.name for n in self.tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")}
        assert set(gpuconv.__all__) == (set(self.functions) | classes | annotated) - {"__all__"}
        assert all(hasattr(gpuconv, name) for name in gpuconv.__all__)

    def test_what_info_returns(self):
        typed = {c.name: {n.target.id for n in c.body if isinstance(n, ast.AnnAssign)} for c in self.tree.body if isinstance(c, ast.ClassDef)}
        assert set(gpuconv.info()) == typed["_Info"]
        assert set(gpuconv.info()["devices"][0]) == typed["_DeviceInfo"]
        assert set(gpuconv.Plan(9, [1.0, 2]).info()) == typed["_PlanInfo"]
