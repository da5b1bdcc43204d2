"""Short calls, where the call itself is what costs, beside NumPy's in turn: the least of many short samples of each."""

from timeit import Timer

import numpy as np
import pytest

import gpuconv


def least_times(functions, a, v, turns=300, repeats=200):
    timers = [Timer("function(a, v)", globals={"function": function, "a": a, "v": v}) for function in functions]
    times = [[timer.timeit(repeats) for timer in timers] for _ in range(turns)]
    return np.min(times, axis=0) / repeats


@pytest.mark.parametrize("letter", ["f", "d"])
@pytest.mark.parametrize("samples, taps, convolve, correlate", [(64, 8, 0.9, 1.0), (1, 1, 1.2, 1.2)])
def test_short_calls_take_no_longer_than_numpys(samples, taps, convolve, correlate, letter):
    a, v = np.ones(samples, letter), np.ones(taps, letter)
    numpys, ours, correlation = least_times((np.convolve, gpuconv.convolve, gpuconv.correlate), a, v)
    assert ours / numpys <= convolve
    assert correlation / numpys <= correlate


def test_calls_of_a_few_shapes_in_turn_keep_their_plans():
    """A program's call sites, each with a shape of its own: no more than 0.9 of NumPy's time, as if there were one."""
    shapes = [(64, 8), (60, 5), (48, 8), (33, 3), (20, 20)]
    operands = [(np.ones(samples, "f"), np.ones(taps, "f")) for samples, taps in shapes]

    def each(function):
        def calls(a, v):
            for signal, taps in operands:
                function(signal, taps)

        return calls

    numpys, ours = least_times((each(np.convolve), each(gpuconv.convolve)), None, None, turns=100, repeats=50)
    assert ours / numpys <= 0.9
