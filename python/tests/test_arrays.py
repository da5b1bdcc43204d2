"""Arrays of other libraries: read and written where they are, and results of the same kind."""

import sys
import types

import numpy as np
import pytest

import gpuconv
from gpuconv import _arrays

# A library of this test's own: its arrays have DLPack's protocol and nothing else.
library = types.ModuleType("tensors")


class Tensor:
    """An array that only DLPack sees into. `device`: where it says to be."""

    def __init__(self, array: np.ndarray, device: int = 1):
        self.array, self.device, self.exports = array, device, 0

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, **kwargs):
        assert kwargs.get("stream") is None  # of the CPU there are none
        self.exports += 1
        return self.array.__dlpack__(**kwargs)


class Readable(Tensor):
    """One that NumPy's buffer protocol sees into as well, as PyTorch's."""

    def __array__(self, *args, **kwargs):
        return self.array


class OfCuda:
    __cuda_array_interface__ = {"shape": (3,), "typestr": "<f4", "data": (1 << 40, False), "version": 3}


Tensor.__module__ = Readable.__module__ = OfCuda.__module__ = "tensors"
library.from_dlpack = lambda x: Tensor(np.from_dlpack(x))


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensors", library)


def test_results_are_of_the_same_library(rng):
    x, h = rng.standard_normal((3, 50)), rng.standard_normal(7)
    for a, v in ((Tensor(x), Tensor(h)), (Tensor(x), h), (x, Tensor(h)), (Tensor(x), list(h))):
        result = gpuconv.convolve(a, v, "same", axis=1)
        assert type(result) is Tensor
        np.testing.assert_array_equal(result.array, gpuconv.convolve(x, h, "same", axis=1))
    result = gpuconv.correlate2d(Tensor(x), Tensor(h[None]), "same", axes=(0, 1), boundary="reflect")
    np.testing.assert_array_equal(result.array, gpuconv.correlate2d(x, h[None], "same", boundary="reflect"))
    lags = gpuconv.correlate(Tensor(h), Tensor(h), max_lag=2)
    np.testing.assert_array_equal(lags.array, gpuconv.correlate(h, h, max_lag=2))


@pytest.mark.parametrize("dtype", ("i1", "u2", "i8", "f2", "f4", "f8", "c8", "c16"))
def test_types_and_strides(rng, dtype):
    x = (10 * rng.standard_normal((12, 9))).astype(dtype)
    same_line = np.lib.stride_tricks.as_strided(x, strides=(0, x.strides[1]))
    for view in (x, x[::-1], x[:, ::-2], x.T, x[3:3], same_line):
        if not view.size:
            with pytest.raises(ValueError, match="empty"):
                gpuconv.convolve(Tensor(view.T), x[0, :3])
            continue
        result = gpuconv.convolve(Tensor(view), x[0, :3])
        np.testing.assert_array_equal(result.array, gpuconv.convolve(view, x[0, :3]))
        assert result.array.dtype == np.dtype(dtype)


def test_memory_is_read_where_it_is(rng):
    x = rng.standard_normal((20, 30))[::2, ::-3]
    given = Tensor(x)
    gpuconv.convolve(given, [1.0, 2.0])
    assert given.exports == 1
    for array in (_arrays._on_host(given), _arrays._to_write(Readable(x))):
        assert (array.ctypes.data, array.strides) == (x.ctypes.data, x.strides)


def test_out(rng):
    x, h = rng.standard_normal(40), rng.standard_normal(5)
    expected = gpuconv.convolve(x, h)
    for make in (lambda y: y, Readable):
        memory = np.zeros(88)[::2]
        out = make(memory)
        assert gpuconv.convolve(Tensor(x), h, out=out) is out
        np.testing.assert_array_equal(memory, expected)
    memory = np.zeros(44)
    out = Readable(memory)
    assert gpuconv.convolve(x, h, out=out) is out
    np.testing.assert_array_equal(memory, expected)
    itself = np.concatenate([x, np.zeros(4)])
    whole = gpuconv.convolve(itself, h, "same")
    gpuconv.convolve(Readable(itself), h, "same", out=Readable(itself))
    np.testing.assert_array_equal(itself, whole)
    with pytest.raises(ValueError, match="out has the shape"):
        gpuconv.convolve(Tensor(x), h, out=Readable(np.zeros(3)))
    read_only = np.zeros(44)
    read_only.flags.writeable = False
    with pytest.raises((ValueError, BufferError)):
        gpuconv.convolve(x, h, out=Readable(read_only))


def test_other_devices_are_refused(rng):
    x = rng.standard_normal(9)
    for device in (3, 10):
        given = Tensor(x, device)
        for a, v in ((given, x), (x, given)):
            with pytest.raises(NotImplementedError, match="memory of another device"):
                gpuconv.convolve(a, v)
        with pytest.raises(NotImplementedError, match="memory of another device"):
            gpuconv.convolve(x, x, out=Tensor(np.zeros(17), device))
        assert given.exports == 0


@pytest.mark.skipif(gpuconv.info()["devices"][1]["available"], reason="a GPU, and no such arrays on it")
def test_arrays_on_a_gpu_need_a_build_with_cuda(rng):
    x = rng.standard_normal(9)
    for given in (Tensor(x, 2), OfCuda()):
        with pytest.raises(NotImplementedError, match="pip install -C cmake.define.GPUCONV_CUDA=ON"):
            gpuconv.convolve(given, x)
    with pytest.raises(TypeError, match="the signal is in the memory of the host and the filter in that of a CUDA device"):
        gpuconv.convolve(x, Tensor(x, 2))


def test_two_libraries_are_refused(rng):
    class Other(Tensor):
        pass

    Other.__module__ = "others.arrays"
    with pytest.raises(TypeError, match="arrays of others and of tensors"):
        gpuconv.convolve(Tensor(np.ones(3)), Other(np.ones(3)))


def test_errors_are_those_of_numpys_arrays_and_of_the_library(monkeypatch):
    class Gradient(Tensor):
        def __dlpack__(self, **kwargs):
            raise BufferError("cannot export a tensor that needs a gradient")

    Gradient.__module__ = "tensors"
    with pytest.raises(BufferError, match="needs a gradient"):
        gpuconv.convolve(Gradient(np.ones(3)), np.ones(2))
    with pytest.raises(ValueError, match="mode"):
        gpuconv.convolve(Tensor(np.ones(3)), np.ones(2), "most")
    monkeypatch.delattr(library, "from_dlpack")
    with pytest.raises(TypeError, match="no from_dlpack"):
        gpuconv.convolve(Tensor(np.ones(3)), np.ones(2))
    assert gpuconv.convolve(Tensor(np.ones(3)), np.ones(2), out=np.empty(4)).sum() == 6


def test_array_api_strict():
    xp = pytest.importorskip("array_api_strict")
    x = xp.asarray([1.0, 2.0, 3.0], dtype=xp.float32)
    result = gpuconv.convolve(x, xp.asarray([1.0, 1.0], dtype=xp.float32), "valid", dtype=xp.float64)
    assert type(result) is type(x) and result.dtype == xp.float64
    assert xp.all(result == xp.asarray([3.0, 5.0], dtype=xp.float64))


def test_torch():
    torch = pytest.importorskip("torch")
    x = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    result = gpuconv.convolve(x.T, torch.ones(2), "valid", axis=0, dtype=torch.float64)
    assert type(result) is torch.Tensor and result.dtype == torch.float64
    assert torch.equal(result, (x.T[1:] + x.T[:-1]).double())
    out = torch.empty(3, 5)
    assert gpuconv.convolve(x, torch.ones(2), out=out) is out
    np.testing.assert_array_equal(out.numpy(), gpuconv.convolve(x.numpy(), np.ones(2, "f4")))


def test_jax():
    jnp = pytest.importorskip("jax.numpy")
    x = jnp.arange(5.0)
    result = gpuconv.correlate(x, jnp.ones(2), "full")
    assert type(result) is type(x)
    np.testing.assert_array_equal(np.asarray(result), np.correlate(np.arange(5.0), np.ones(2), "full"))
    with pytest.raises((ValueError, BufferError)):
        gpuconv.convolve(np.ones(2), np.ones(2), out=jnp.ones(3))  # which nobody may write
