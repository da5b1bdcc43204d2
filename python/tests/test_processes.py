"""The interpreter's lock, threads, forks and pools of processes; references and leaks."""

import gc
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from oracle import random_array

import gpuconv

LONG = 60_000, 4000  # samples and taps that take the slowest method a good part of a second


def test_other_threads_run_meanwhile(rng):
    a, v = random_array(rng, LONG[0], "d"), random_array(rng, LONG[1], "d")
    plan = gpuconv.Plan(LONG[0], v, method="reference")
    for compute in (lambda: gpuconv.convolve(a, v, method="reference"), lambda: plan.execute(a)):
        ticks, done = [], threading.Event()

        def tick():
            while not done.is_set():
                ticks.append(time.monotonic())
                time.sleep(1e-3)

        ticker = threading.Thread(target=tick)
        ticker.start()
        began = time.monotonic()
        compute()
        ended = time.monotonic()
        done.set()
        ticker.join()
        assert ended - began > 0.05
        assert sum(began < t < ended for t in ticks) > 10


def test_many_threads(rng):
    arrays = [(random_array(rng, n, "f"), random_array(rng, 33, "f")) for n in (10, 500, 5000, 70_000)]
    expected = [gpuconv.convolve(a, v) for a, v in arrays]

    def work(i):
        a, v = arrays[i % 4]
        return np.array_equal(gpuconv.convolve(a, v), expected[i % 4])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))


def in_child(check) -> int:
    """The exit status of a fork that runs `check`; 14 where it hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads are what is tested
        child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1]


def test_after_a_fork_while_threads_compute(rng):
    a, v = random_array(rng, 300_000, "f"), random_array(rng, 500, "f")
    expected = gpuconv.convolve(a, v)
    plan = gpuconv.Plan(a.shape, v)
    done = threading.Event()

    def work():
        while not done.is_set():
            gpuconv.convolve(a, v)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            assert in_child(lambda: np.array_equal(gpuconv.convolve(a, v), expected) and np.array_equal(plan.execute(a), expected)) == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()


def convolve_in_pool(arguments):
    return gpuconv.convolve(*arguments)


def execute_in_pool(arguments):
    plan, a = arguments
    return plan.execute(a)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(method, rng):
    a, v = random_array(rng, 100_000, "f"), random_array(rng, 300, "f")
    expected, plan = gpuconv.convolve(a, v), gpuconv.Plan(a.shape, v)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
            results = [*pool.map(convolve_in_pool, [(a, v)] * 4), *pool.map(execute_in_pool, [(plan, a)] * 4)]
    for result in results:
        np.testing.assert_array_equal(result, expected)


class TestReferences:
    """Nothing is kept of a call but its result, and nothing is given back twice."""

    ROUNDS = 100

    @staticmethod
    def counts(objects):
        gc.collect()  # what others have left holds references too
        return [sys.getrefcount(o) for o in objects]

    def watched(self, objects, calls):
        for call in calls:
            call()  # what is made once is made here
        before = self.counts(objects)
        for _ in range(self.ROUNDS):
            for call in calls:
                call()
        changes = np.subtract(self.counts(objects), before)
        # None and types are everybody's, and the interpreter itself takes and gives a few.
        assert np.all(np.abs(changes) < self.ROUNDS / 2), changes

    def test_of_calls_and_of_errors(self):
        a, v, out = np.ones(9, "f"), np.ones(3, "f"), np.ones(11, "f")
        wrong, mode, dtype, lags = np.ones(10, "f"), "".join(["fu", "ll"]), np.dtype("d"), [1, 2]
        subclass = a.view(np.ma.MaskedArray)

        def refused(*args, **kwargs):
            with pytest.raises((ValueError, TypeError, NotImplementedError)):
                gpuconv.convolve(*args, **kwargs)

        calls = [
            lambda: gpuconv.convolve(a, v),
            lambda: gpuconv.convolve(a, v, mode, out=out),
            lambda: gpuconv.convolve(a, v, dtype=dtype),
            lambda: gpuconv.convolve(a.astype(">f4"), v),
            lambda: gpuconv.correlate(subclass, v, lags=lags),
            lambda: gpuconv.convolve(a.astype("g"), v),
            lambda: refused(a, v, out=wrong),
            lambda: refused(a, v, dtype=dtype, out=out),
            lambda: refused(a, v, boundary=mode),
            lambda: refused(a, "x"),
            lambda: refused(a, v, axis=3),
            lambda: refused(a),
            lambda: refused(a, v, **{mode: 3}),
            lambda: gpuconv.explain(a, v, mode),
        ]
        self.watched([a, v, out, wrong, mode, dtype, lags, subclass, None, np.dtype("f"), np.dtype("d"), np.ndarray], calls)

    def test_of_plans(self):
        a, v, out, lags = np.ones(9, "f"), np.ones(3, "f"), np.ones(11, "f"), [1, 2]
        plan = gpuconv.Plan(9, v)
        calls = [
            lambda: plan.execute(a, out=out),
            lambda: plan.execute(a),
            lambda: gpuconv.Plan(9, v, operation="correlate", lags=lags),
            lambda: plan.info(),
            lambda: pytest.raises(ValueError, plan.execute, out),
            lambda: pytest.raises(ValueError, gpuconv.Plan, 0, v),
        ]
        self.watched([a, v, out, lags, plan, None, np.dtype("f"), gpuconv.Plan], calls)

    def test_memory_stays_what_it_was(self, rng):
        a, v = random_array(rng, (3, 2000), "d"), random_array(rng, 50, "f")

        def calls(times):
            for _ in range(times):
                gpuconv.convolve(a, v)
                gpuconv.correlate(a, v, "same", axis=-1, lags=None, boundary="wrap")
                gpuconv.convolve(a > 0, v > 0, "valid")
                gpuconv.correlate(a, v, lags=[3, 1, 7])
                gpuconv.Plan(a.shape, v, signal_dtype="d").execute(a)
                with pytest.raises(ValueError):
                    gpuconv.convolve(a, v, out=a)
            gc.collect()

        calls(100)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        calls(1500)  # a result alone takes 48 KiB
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024
