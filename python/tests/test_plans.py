"""Plans: one preparation, many executions."""

import copy
import pickle
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import assert_close, random_array
from test_axes import broadcast_shapes, laid_out

import gpuconv


@given(
    st.integers(0, 2**32),
    broadcast_shapes(),
    st.sampled_from("bldfe?"),
    st.sampled_from(("full", "same", "valid")),
    st.sampled_from(("convolve", "correlate")),
)
def test_a_plan_gives_what_a_call_gives(seed, shapes, letter, mode, operation):
    rng = np.random.default_rng(seed)
    shape, axis = shapes[0], shapes[2]
    v = random_array(rng, shapes[1], letter)
    plan = gpuconv.Plan(shape, v, mode, operation=operation, axis=axis)
    for _ in range(2):
        a = laid_out(rng, random_array(rng, shape, letter))
        expected = getattr(gpuconv, operation)(a, v, mode, axis=axis)
        result = plan.execute(a)
        assert result.dtype == expected.dtype
        assert_close(result, expected, a, v)
        out = laid_out(rng, np.zeros_like(result))
        assert plan.execute(a, out=out) is out
        np.testing.assert_array_equal(out, result)


def test_the_number_of_samples_is_a_shape_and_v_names_the_type():
    plan = gpuconv.Plan(100, np.ones(3, "f"), "same")
    info = plan.info()
    assert (info["shape"], info["result_shape"]) == ((100,), (100,))
    assert info["signal_dtype"] == info["dtype"] == np.float32
    assert info["device"] == "cpu"
    assert info["method"] == "direct"
    assert "1 x 100 float32 * 3 float32 -> same 100 float32, cpu direct" in repr(plan)
    assert plan.explain().startswith("1 x 100 float32 * 3 float32 -> same 100 float32\n  cpu  direct")


def test_a_correlation_is_valid_where_no_mode_is_named(rng):
    a, v = random_array(rng, 30, "d"), random_array(rng, 7, "d")
    np.testing.assert_allclose(gpuconv.Plan(30, v, operation="correlate").execute(a), np.correlate(a, v), atol=1e-12)
    np.testing.assert_allclose(gpuconv.Plan(30, v).execute(a), np.convolve(a, v), atol=1e-12)


def test_options_are_those_of_calls(rng):
    a, v = random_array(rng, (3, 50), "h"), random_array(rng, 7, "h")
    for options in (
        {"mode": "same", "boundary": ("constant", 3), "same": "scipy"},
        {"operation": "correlate", "lags": [4, 3, 2, 9, -60]},
        {"operation": "correlate", "max_lag": 2, "dtype": "l"},
        {"dtype": "d", "method": "reference", "device": "cpu"},
    ):
        call = getattr(gpuconv, options.get("operation", "convolve"))
        expected = call(a, v, **{k: x for k, x in options.items() if k != "operation"})
        np.testing.assert_array_equal(gpuconv.Plan(a.shape, v, **options).execute(a), expected)


def test_filters_that_no_batch_takes_have_plans_of_their_own(rng):
    a, v = random_array(rng, (2, 3, 40), "d"), random_array(rng, (4, 1, 3, 5), "d")
    plan = gpuconv.Plan(a.shape, v)
    result = plan.execute(a)
    assert result.shape == (4, 2, 3, 44)
    assert plan.info()["plans"] > 1
    np.testing.assert_array_equal(result, gpuconv.convolve(a, v))


def test_the_filter_is_a_copy(rng):
    a, v = random_array(rng, 30, "d"), random_array(rng, 7, "d")
    plan, expected = gpuconv.Plan(30, v), gpuconv.convolve(a, v)
    v[:] = 0
    np.testing.assert_array_equal(plan.execute(a), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(plan)).execute(a), expected)


@pytest.mark.parametrize("again", [lambda plan: pickle.loads(pickle.dumps(plan)), copy.copy, copy.deepcopy])
def test_pickled_as_problem_and_taps(again, rng):
    a, v = random_array(rng, (5, 30), "f"), random_array(rng, (5, 7), "d")
    for options in ({"mode": "same", "boundary": "wrap"}, {"operation": "correlate", "lags": range(5)}, {"dtype": np.float64}):
        plan = gpuconv.Plan(a.shape, v, signal_dtype="f", **options)
        copied = again(plan)
        np.testing.assert_array_equal(copied.execute(a), plan.execute(a))
        assert copied.info() == plan.info()


def test_a_pickle_is_as_small_as_the_taps():
    assert len(pickle.dumps(gpuconv.Plan((1000, 100_000), np.ones(100)))) < 2000


def test_execute_allocates_nothing(rng):
    for shape, letter in ((1000, "f"), ((20, 300), "d"), (50, "l")):
        v, a = random_array(rng, 9, letter), random_array(rng, shape, letter)
        plan = gpuconv.Plan(shape, v)
        out = plan.execute(a)
        tracemalloc.start()
        try:
            for _ in range(3):
                plan.execute(a, out=out)
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            for _ in range(100):
                plan.execute(a, out=out)
            now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert now - before < 500
        assert peak - before < 500


@pytest.mark.parametrize(
    "x, error, text",
    [
        (np.ones(99), ValueError, r"has the shape \(99,\), the plan's \(100,\)"), (np.ones((1, 100)), ValueError, "shape"),
        (np.ones(100, "f"), ValueError, "of float32, the plan's of float64"), (np.ones(100, bool), ValueError, "of bool"), ("abc", ValueError, "of str"),
    ],
)  # fmt: skip
def test_signals_that_are_not_the_plans(x, error, text):
    with pytest.raises(error, match=text):
        gpuconv.Plan(100, [1.0, 2.0]).execute(x)


def test_outputs_that_are_not_the_plans():
    plan = gpuconv.Plan(100, [1.0, 2.0])
    with pytest.raises(ValueError, match="shape"):
        plan.execute(np.ones(100), out=np.ones(100))
    with pytest.raises(ValueError, match="float32"):
        plan.execute(np.ones(100), out=np.ones(101, "f"))
    assert plan.execute([1.0] * 100).sum() == 300


@pytest.mark.parametrize(
    "shape, v, options, error",
    [
        (0, [1.0], {}, ValueError), ((3, 0), [1.0], {}, ValueError), (-1, [1.0], {}, ValueError), ((), [1.0], {}, ValueError), (2.5, [1.0], {}, TypeError),
        (5, [], {}, ValueError), ((2, 5), np.ones((3, 2)), {}, ValueError), (5, [1.0], {"mode": "bogus"}, ValueError),
        (5, [1.0], {"operation": "add"}, ValueError),
        (5, ["x"], {}, NotImplementedError), (5, [1.0], {"signal_dtype": "O"}, NotImplementedError), (5, [1], {"method": "fft"}, NotImplementedError),
        (5, [1], {"out": 3}, TypeError),
    ],
)  # fmt: skip
def test_problems_that_are_none(shape, v, options, error):
    with pytest.raises(error):
        gpuconv.Plan(shape, v, **options)


def test_nothing_to_compute():
    plan = gpuconv.Plan((0, 5), [1.0, 2.0])
    assert plan.execute(np.ones((0, 5))).shape == (0, 6)
    assert plan.info()["plans"] == 0
    assert "nothing to compute" in repr(plan)
    assert plan.explain() == gpuconv.explain(np.ones((0, 5)), [1.0]) == "nothing to compute"
    assert gpuconv.Plan(5, [1.0], operation="correlate", lags=[]).execute(np.ones(5)).shape == (0,)


def test_one_plan_serves_one_thread_at_a_time(rng):
    v = random_array(rng, 3000, "d")
    plan, a = gpuconv.Plan(60_000, v, method="reference"), random_array(rng, 60_000, "d")
    started, outcomes = threading.Barrier(2), []

    def run():
        started.wait()
        try:
            outcomes.append(plan.execute(a).shape)
        except ValueError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["(62999,)", "the plan is in use by another thread: one plan serves one thread at a time"]


def test_plans_of_their_own_run_side_by_side(rng):
    a, v = random_array(rng, 20_000, "d"), random_array(rng, 200, "d")
    expected, results = gpuconv.convolve(a, v), []

    def run():
        plan = gpuconv.Plan(20_000, v)
        for _ in range(20):
            results.append(np.array_equal(plan.execute(a), expected))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 120
    assert all(results)


class TestExplain:
    def test_says_what_a_call_would_do(self):
        text = gpuconv.explain(np.ones((3, 1000), "f"), np.ones(5, "f"), "same")
        assert text.startswith("3 x 1000 float32 * 5 float32 -> same 1000 float32\n  cpu  direct")
        assert "(*)" in gpuconv.explain(np.ones(9), np.ones(5), operation="correlate")
        assert gpuconv.explain(np.ones((3, 1, 9)), np.ones((4, 5))).startswith("3 x 9 float64 * 4 x 5 float64 -> full 13 float64")

    def test_is_refused_as_the_call_is(self):
        with pytest.raises(NotImplementedError, match="no element type object"):
            gpuconv.explain([None], [1])
        with pytest.raises(ValueError, match="cannot be empty"):
            gpuconv.explain([1], [])


class TestThreads:
    def test_are_as_many_as_named(self, rng):
        a, v = random_array(rng, 1 << 18, "d"), random_array(rng, 500, "d")
        results = [gpuconv.convolve(a, v, threads=threads, method="overlap-save") for threads in (1, 2, None, 2**40)]
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])
        assert gpuconv.Plan(a.shape, v, threads=1).info()["threads"] == 1
        assert "1 thread" in gpuconv.explain(a, v, threads=1)
        assert pickle.loads(pickle.dumps(gpuconv.Plan(a.shape, v, threads=1))).info()["threads"] == 1

    @pytest.mark.parametrize("threads, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError)])
    def test_that_are_none(self, threads, error):
        for call in (gpuconv.convolve, gpuconv.correlate, gpuconv.explain):
            with pytest.raises(error):
                call([1, 2, 3], [1, 2], threads=threads)
