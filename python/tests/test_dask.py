"""gpuconv.dask: every way to cut arrays gives what gpuconv gives of them in memory.

GPUCONV_CHUNKINGS: how many random ones are tried, 300 where it says nothing; ./dev python dask tries 10,000.
"""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import test_pages
from oracle import BOUNDARIES, MODES, assert_close, random_array

import gpuconv

da = pytest.importorskip("dask.array", reason="Dask is not installed")
from dask.callbacks import Callback

import gpuconv.dask
from gpuconv.dask import _graph

OPERATIONS = ("convolve", "correlate")
IMAGE_OPERATIONS = ("convolve2d", "correlate2d")
LETTERS = "?bBhHlLQefdFD"
CHUNKINGS = int(os.environ.get("GPUCONV_CHUNKINGS", "300"))
BATCH = 25


def random_chunks(rng, count):
    """Sizes that add up to `count`: whole, even, ones, or any, with empty ones among them."""
    kind = rng.integers(0, 5)
    if kind == 0 or count == 0:
        return (count,)
    if kind == 1:
        return (1,) * count
    if kind == 2:
        size = int(rng.integers(1, count + 1))
        return (size,) * (count // size) + ((count % size,) if count % size else ())
    ends = np.sort(rng.integers(0, count + 1, rng.integers(0, 7)))  # equal ones leave an empty chunk between them
    return tuple(int(size) for size in np.diff([0, *ends, count]))


def random_length(rng):
    return int(rng.integers(1, [3, 8, 40, 120][rng.integers(0, 4)]))


def random_shapes(rng):
    """Two shapes that go together, and the convolved axis."""
    around = rng.integers(1, 4, rng.integers(0, 3)).tolist()
    if around and rng.random() < 0.05:
        around[0] = 0
    lengths = random_length(rng), random_length(rng)
    axis = int(rng.integers(-1 - len(around), 0)) if rng.random() < 0.5 else -1
    shapes = []
    for length in lengths:
        mine = [1 if rng.random() < 0.3 else count for count in around]
        if axis == -1:
            mine = mine[rng.integers(0, len(mine) + 1) :]  # operands may have fewer axes
        at = len(mine) + 1 + axis
        shapes.append((*mine[:at], length, *mine[at:]))
    return shapes, axis


def random_lags(rng, n, m):
    far = 2 * (n + m)
    if rng.random() < 0.5:
        return range(*rng.integers(-far, far, 2).tolist(), int(rng.choice([-7, -2, -1, 1, 2, 5])))
    return rng.integers(-far, far, rng.integers(0, 30)).tolist()


def random_arguments(rng, operation, n, m):
    arguments = {}
    kind = rng.random()
    if operation == "correlate" and kind < 0.15:
        arguments["max_lag"] = int(rng.integers(0, n + m))
    elif operation == "correlate" and kind < 0.4:
        arguments["lags"] = random_lags(rng, n, m)
    elif kind < 0.9:
        arguments["mode"] = str(rng.choice(MODES))
    if arguments.get("mode") == "same":
        arguments["same"] = str(rng.choice(("numpy", "scipy", "matlab")))
    if "mode" not in arguments and kind < 0.4 or arguments.get("mode") == "same":
        boundary = str(rng.choice(BOUNDARIES))
        arguments["boundary"] = ("constant", int(rng.integers(0, 2))) if boundary == "constant" else boundary
    return arguments


def operand(rng, shape, letter, kind):
    """An array, and what is passed for it: itself or a Dask array in any chunks."""
    array = random_array(rng, shape, letter)
    return array, da.from_array(array, chunks=tuple(random_chunks(rng, count) for count in shape)) if kind else array


def magnitudes(array, m, boundary):
    """What outputs add up, for the tolerance: the signal, and as much of it as is seen again beyond its ends."""
    if boundary == "zero":
        return array
    return np.concatenate([np.abs(array).ravel()] * 8 * (1 + m) + [np.ones(m * max(1, array.size), array.real.dtype)])


def own_chunks(a, v, axis, at, result):
    """The chunks that an axis of the result is expected to have, or None: those of the first Dask array of as many."""
    for x in (a, v):
        own = at if at == axis and x.ndim > 1 else 0 if at == axis else at
        if isinstance(x, da.Array) and x.ndim >= -own and x.shape[own] == result.shape[at] and (x.ndim > 1 or at == axis):
            return x.chunks[own]
    return None


def check_random(seed):
    rng = np.random.default_rng(seed)
    shapes, axis = random_shapes(rng)
    operation = str(rng.choice(OPERATIONS))
    kinds = [(1, 0), (1, 1), (0, 1)][rng.choice(3, p=[0.5, 0.35, 0.15])]
    letters = [LETTERS[rng.integers(0, len(LETTERS))]] * 2
    if rng.random() < 0.2:
        letters[1] = LETTERS[rng.integers(0, len(LETTERS))]
    (a, dask_a), (v, dask_v) = (operand(rng, *given) for given in zip(shapes, letters, kinds))
    n, m = (x.shape[axis if x.ndim > 1 else 0] for x in (a, v))
    arguments = {"axis": axis, **random_arguments(rng, operation, n, m)}
    expected = getattr(gpuconv, operation)(a, v, **arguments)
    result = getattr(gpuconv.dask, operation)(dask_a, dask_v, **arguments)
    assert isinstance(result, da.Array)
    assert result.shape == expected.shape
    assert result.dtype == result._meta.dtype == expected.dtype
    if "lags" not in arguments and "max_lag" not in arguments and expected.size:
        for at in range(-expected.ndim, 0):
            chunks = own_chunks(dask_a, dask_v, axis, at, result)
            assert chunks is None or result.chunks[at] == chunks
    computed = result.compute(scheduler=("sync", "threads")[rng.integers(0, 2)])
    assert type(computed) is np.ndarray and computed.dtype == expected.dtype
    assert_close(computed, expected, magnitudes(a, m, arguments.get("boundary", "zero")), v)


def check_batch(check, first):
    for seed in range(first, min(first + BATCH, CHUNKINGS)):
        try:
            check(seed)
        except BaseException as error:
            raise AssertionError(f"{check.__name__}({seed})") from error


@pytest.mark.parametrize("first", range(0, CHUNKINGS, BATCH))
def test_random_chunkings(first):
    check_batch(check_random, first)


# ---- images ----------------------------------------------------------------------------------------------------------


def random_image_shapes(rng, mode):
    """Two shapes that go together, and the convolved axes."""
    a, v = ([int(rng.integers(1, [3, 8, 25][rng.integers(0, 3)])) for _ in range(2)] for _ in range(2))
    if mode == "valid" and rng.random() < 0.9:
        a, v = ([f(pair) for pair in zip(a, v)] for f in (max, min))
        a, v = (a, v) if rng.random() < 0.6 else (v, a)
    axes = tuple(rng.permutation([-3, -2, -1])[:2].tolist()) if rng.random() < 0.4 else (-2, -1)
    beside = int(rng.integers(1, 4))  # images, along the axis that is not convolved
    shapes = []
    for counts in (a, v):
        shape = [1 if rng.random() < 0.3 else beside] * 3
        for axis, count in zip(axes, counts):
            shape[axis] = count
        shapes.append(tuple(shape if -3 in axes or rng.random() < 0.5 else shape[1:]))
    return shapes, axes


def check_random_images(seed):
    rng = np.random.default_rng(seed)
    operation, mode = str(rng.choice(IMAGE_OPERATIONS)), str(rng.choice(MODES))
    shapes, axes = random_image_shapes(rng, mode)
    letter = LETTERS[rng.integers(0, len(LETTERS))]
    kinds = [(1, 0), (1, 1), (0, 1)][rng.integers(0, 3)]
    (a, dask_a), (v, dask_v) = (operand(rng, *given) for given in zip(shapes, (letter, letter), kinds))
    arguments = {"axes": axes, "mode": mode}
    if mode == "same":
        boundary = str(rng.choice(BOUNDARIES))
        arguments["boundary"] = ("constant", int(rng.integers(0, 2))) if boundary == "constant" else boundary
        arguments["same"] = str(rng.choice(("numpy", "scipy", "matlab")))
    try:
        expected = getattr(gpuconv, operation)(a, v, **arguments)
    except ValueError as error:
        with pytest.raises(ValueError) as raised:
            getattr(gpuconv.dask, operation)(dask_a, dask_v, **arguments)
        assert str(raised.value) == str(error)
        return
    result = getattr(gpuconv.dask, operation)(dask_a, dask_v, **arguments)
    assert isinstance(result, da.Array)
    assert result.shape == expected.shape
    assert result.dtype == result._meta.dtype == expected.dtype
    for axis in axes:
        if isinstance(dask_a, da.Array) and expected.shape[axis] == a.shape[axis]:
            assert result.chunks[axis] == dask_a.chunks[axis]
    computed = result.compute(scheduler=("sync", "threads")[rng.integers(0, 2)])
    assert type(computed) is np.ndarray and computed.dtype == expected.dtype
    seen_again = arguments.get("boundary", "zero") != "zero"
    assert_close(computed, expected, magnitudes(a, max(v.shape), "nearest" if seen_again else "zero"), v)


@pytest.mark.parametrize("first", range(0, CHUNKINGS, BATCH))
def test_random_chunkings_of_images(first):
    check_batch(check_random_images, first)


@pytest.mark.parametrize("boundary", ["zero", "reflect"])
def test_infinity_and_nan_stay_where_images_have_them(boundary, rng):
    x, v = rng.standard_normal((20, 30)), rng.standard_normal((3, 4))
    x[7, 11], v[0, 0] = np.inf, np.inf
    expected = gpuconv.convolve2d(x, v, "same", boundary=boundary)
    result = gpuconv.dask.convolve2d(da.from_array(x, chunks=(6, 7)), v, "same", boundary=boundary).compute()
    np.testing.assert_array_equal(np.isfinite(result), np.isfinite(expected))
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))


def test_tasks_are_given_their_window_of_images_and_the_taps(rng):
    x, v = rng.standard_normal((400, 300)), rng.standard_normal((9, 5))
    array = da.from_array(x, chunks=(100, 60)).map_blocks(np.negative)
    with Watch("image_outputs") as watch:
        gpuconv.dask.correlate2d(array, v, "same", boundary="nearest").compute(scheduler="sync")
    assert len(watch.given) == 20
    for given in watch.given:
        assert sum(given.values()) <= (100 + 8) * (60 + 4) + v.size
    assert len(set.intersection(*(set(given) for given in watch.given))) == 1


@pytest.mark.parametrize("chunks, taps", [((1, 1), (30, 40)), ((7, 3), (9, 2)), (((0, 1, 2, 0, 7) * 6, 11), (5, 5))])
@pytest.mark.parametrize("mode", MODES)
def test_there_are_less_than_twelve_tasks_for_a_chunk_of_images(chunks, taps, mode):
    array = da.ones((60, 80), chunks=chunks)
    result = gpuconv.dask.convolve2d(array, np.ones(taps), mode)
    assert len(dict(result.__dask_graph__())) < 12 * np.prod(array.numblocks) + 12


# ---- what tasks are given, and errors --------------------------------------------------------------------------------


class Watch(Callback):
    """What tasks of this prefix are given: for each its dependencies, keys with sizes."""

    def __init__(self, prefix):
        super().__init__(pretask=self.look)
        self.prefix, self.given = prefix, []

    def look(self, key, dsk, state):
        if isinstance(key, tuple) and key[0].startswith(self.prefix):
            self.given.append({str(d): state["cache"][d].size for d in state["dependencies"][key]})


@pytest.mark.parametrize("boundary", ["zero", "wrap", "mirror"])
def test_tasks_are_given_their_window_and_the_taps(boundary, rng):
    n, chunk, m = 6000, 500, 90
    x, v = random_array(rng, n, "d"), random_array(rng, m, "d")
    array = da.from_array(x, chunks=chunk).map_blocks(np.negative)
    with Watch("outputs") as watch:
        result = gpuconv.dask.convolve(array, v, "same", boundary=boundary).compute(scheduler="sync")
    assert_close(result, gpuconv.convolve(-x, v, "same", boundary=boundary), magnitudes(x, m, boundary), v)
    assert len(watch.given) == n // chunk
    for given in watch.given:
        assert sum(given.values()) <= chunk + m - 1 + m
    taps = set.intersection(*(set(given) for given in watch.given))
    assert len(taps) == 1  # once, as one key


@pytest.mark.parametrize("chunks, taps", [(1, 300), (7, 300), (100, 20), ((0, 1, 2, 0, 7) * 90, 5)])
@pytest.mark.parametrize("mode", MODES)
def test_there_are_less_than_eight_tasks_for_a_chunk(chunks, taps, mode):
    array = da.ones(900, chunks=chunks if isinstance(chunks, int) else (chunks,))
    result = gpuconv.dask.convolve(array, np.ones(taps), mode)
    assert len(dict(result.__dask_graph__())) < 8 * array.numblocks[0] + 8


def test_nothing_is_computed_before_it_is_asked_for():
    def fail(block):
        raise AssertionError("computed")

    array = da.ones((4, 9), chunks=(2, 3)).map_blocks(fail, dtype="d", meta=np.empty((0, 0)))
    for a, v in ((array, array), (array, [1.0, 2.0]), ([1.0, 2.0], array)):
        for operation in OPERATIONS:
            result = getattr(gpuconv.dask, operation)(a, v, axis=0, mode="same")
            assert result.dtype == "d" and type(result._meta) is np.ndarray
            with pytest.raises(AssertionError, match="computed"):
                result.compute(scheduler="sync")


def test_arrays_of_numpy_give_a_dask_array(rng):
    a, v = random_array(rng, 90, "f"), random_array(rng, 7, "f")
    result = gpuconv.dask.correlate(a, v)
    assert isinstance(result, da.Array)
    np.testing.assert_allclose(result.compute(), gpuconv.correlate(a, v), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("place", [0, 1])
def test_chunks_of_unknown_size(place):
    operands = [np.ones(3), np.ones(3)]
    operands[place] = da.ones(30, chunks=10).map_blocks(np.negative, chunks=((np.nan,) * 3,))
    for operation in OPERATIONS:
        with pytest.raises(ValueError, match="unknown size"):
            getattr(gpuconv.dask, operation)(*operands)


@pytest.mark.parametrize(
    "shapes, letters, arguments",
    [
        ((0, 3), "dd", {}), ((3, 0), "dd", {}), (((2, 9), (3, 4)), "dd", {}), (((2, 9), 4), "dd", {"axis": 2}),
        ((9, 4), "dd", {"mode": "most"}), ((9, 4), "dd", {"boundary": "wrap"}), ((9, 4), "dd", {"mode": "same", "same": "julia"}),
        ((9, 4), "bb", {"mode": "same", "boundary": ("constant", 300)}), ((9, 4), "dd", {"mode": "same", "boundary": "edge"}),
        ((9, 4), "dd", {"method": "magic"}), ((9, 4), "dd", {"device": "tpu"}), ((9, 4), "dd", {"threads": 0}),
        ((9, 4), "dd", {"dtype": "U3"}), ((9, 4), "dd", {"dtype": bool}),
    ],
)  # fmt: skip
def test_errors_are_those_of_gpuconv_and_come_at_once(shapes, letters, arguments):
    a, v = (np.zeros(shape, letter) for shape, letter in zip(shapes, letters))
    for operation in OPERATIONS:
        with pytest.raises(Exception) as expected:
            getattr(gpuconv, operation)(a, v, **arguments)
        with pytest.raises(expected.type):
            getattr(gpuconv.dask, operation)(da.from_array(a, chunks=2), v, **arguments)


@pytest.mark.parametrize(
    "arguments", [{"lags": [1], "max_lag": 1}, {"lags": [1], "mode": "full"}, {"max_lag": -1}, {"lags": [0.5]}, {"lags": [2**61]}]
)
def test_lags_that_are_none(arguments):
    with pytest.raises(Exception) as expected:
        gpuconv.correlate(np.ones(9), np.ones(3), **arguments)
    with pytest.raises(expected.type):
        gpuconv.dask.correlate(da.ones(9, chunks=2), np.ones(3), **arguments)


def test_types_that_are_left_to_numpy():
    with pytest.raises(NotImplementedError, match="longdouble|float128"):
        gpuconv.dask.convolve(da.ones(9, chunks=2, dtype="g"), np.ones(3))


def test_lags_at_any_distance_cost_what_they_are(rng):
    a, v = random_array(rng, 50_000, "l"), random_array(rng, 300, "l")
    array = da.from_array(a, chunks=5000)
    for lags in (range(-(10**9), 10**9, 10**8), [7, 10**9, -3], range(40_000, -9, -13)):
        for boundary in BOUNDARIES:
            result = gpuconv.dask.correlate(array, v, lags=lags, boundary=boundary).compute()
            some = list(range(0, len(lags), 1 + len(lags) // 20))
            one_by_one = [gpuconv.correlate(a, v, lags=[lags[at]], boundary=boundary)[0] for at in some]
            np.testing.assert_array_equal(result[some], one_by_one)


class TestThreads:
    """A task computes with the thread that it runs in, and no other; a program that is alone with all of them."""

    @pytest.fixture
    def seen(self, monkeypatch):
        threads = []
        monkeypatch.setattr(_graph, "_core", SimpleNamespace(correlate=lambda *a, **k: threads.append(k["threads"]) or gpuconv.correlate(*a, **k)))
        return threads

    @pytest.mark.parametrize("scheduler, expected", [("threads", 1), ("sync", None)])
    def test_of_schedulers(self, seen, scheduler, expected):
        gpuconv.dask.convolve(da.ones(100, chunks=10), np.ones(3)).compute(scheduler=scheduler)
        assert len(seen) > 9 and set(seen) == {expected}

    def test_as_named(self, seen):
        gpuconv.dask.convolve(da.ones(100, chunks=10), np.ones(3), threads=3).compute(scheduler="threads")
        assert set(seen) == {3}


def test_the_examples_of_its_page():
    examples = [example for example in test_pages.EXAMPLES if example[0].name == "dask.md"]
    assert examples
    for example in examples:
        test_pages.test_an_example_prints_what_it_says(*example)


# ---- SciPy's functions, of Dask's arrays -----------------------------------------------------------------------------

OF_SCIPY = """
import sys
import numpy as np
import scipy.signal
import dask.array as da
import gpuconv

x, h = np.random.default_rng(1).standard_normal((2, 60, 70)).astype("D") @ np.diag(1 + 1j * np.arange(70))
h = h[:9, :4]
gpuconv.patch()
for name in ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d"):
    function = getattr(scipy.signal, name)
    for mode in ("full", "same", "valid"):
        for a, v in ((x, h), (x[0], h[0]), (h, x)):
            if a.ndim == 1 and name.endswith("2d") or a is h and mode == "valid" and name == "correlate2d":
                continue
            expected = function(a, v, mode)
            result = function(da.from_array(a, chunks=13), da.from_array(v, chunks=3), mode)
            assert isinstance(result, da.Array), name
            assert np.abs(result.compute() - expected).max() < 1e-12 * np.abs(expected).max(), (name, mode)
for boundary in ("symm", "wrap"):
    expected = scipy.signal.correlate2d(x, h, "same", boundary)
    result = scipy.signal.correlate2d(da.from_array(x, chunks=13), h, "same", boundary)
    assert np.abs(result.compute() - expected).max() < 1e-12 * np.abs(expected).max()
print(sum(of["core"] for of in gpuconv.calls().values()), [reason for of in gpuconv.calls().values() for reason in of["left"]])
"""


def test_scipys_functions_take_chunks_where_scipy_takes_arrays_of_others():
    pytest.importorskip("scipy.signal")
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", OF_SCIPY], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    taken = int(done.stdout.split()[0])
    assert taken > 40, done.stdout


def test_scipys_functions_leave_chunks_to_scipy_elsewhere():
    pytest.importorskip("scipy.signal")
    code = """
import numpy as np, scipy.signal, dask.array as da, gpuconv
with gpuconv.patch(small=True):
    try:
        scipy.signal.fftconvolve(da.ones(900, chunks=100), np.ones(9))
    except (TypeError, ValueError):
        pass  # SciPy's own, of arrays that plan by expressions
print(gpuconv.calls()["scipy.signal.fftconvolve"])
"""
    environment = {name: value for name, value in os.environ.items() if name != "SCIPY_ARRAY_API"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "'core': 0" in done.stdout and "an argument of type Array" in done.stdout, done.stderr
