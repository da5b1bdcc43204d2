"""CuPy's, PyTorch's and JAX's own arrays, where there is a GPU and gpuconv is built with CUDA; without, tests/python has the rules."""

import numpy as np
import pytest

import gpuconv

pytestmark = pytest.mark.skipif(not gpuconv.info()["devices"][1]["available"], reason=gpuconv.info()["devices"][1]["detail"])


def cupy():
    library = pytest.importorskip("cupy")
    return library.asarray, library.asnumpy, library.ndarray


def torch():
    library = pytest.importorskip("torch")
    if not library.cuda.is_available():
        pytest.skip("PyTorch has no CUDA")
    return lambda x: library.from_numpy(np.ascontiguousarray(x)).cuda(), lambda x: x.cpu().numpy(), library.Tensor


def jax():
    library = pytest.importorskip("jax")
    if library.default_backend() != "gpu":
        pytest.skip("JAX has no GPU")
    return library.numpy.asarray, np.asarray, library.Array


@pytest.fixture(params=[cupy, torch, jax], ids=lambda library: library.__name__)
def library(request):
    return request.param()


def assert_close(result, expected):
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


@pytest.mark.parametrize("dtype", ["f4", "c8", "i4", "f2", "?"])
def test_calls(rng, library, dtype):
    there, back, kind = library
    x, h = (10 * rng.standard_normal((50, 300))).astype(dtype), (10 * rng.standard_normal(17)).astype(dtype)
    for axis, mode in ((1, "full"), (0, "same"), (1, "valid")):
        result = gpuconv.convolve(there(x), there(h), mode, axis=axis)
        assert isinstance(result, kind)
        expected = gpuconv.convolve(x, h, mode, axis=axis)
        assert back(result).dtype == expected.dtype
        if dtype == "f2":
            np.testing.assert_allclose(back(result), expected, rtol=2e-3, atol=2e-3 * abs(expected).max())
        else:
            assert_close(back(result).astype("c16"), expected.astype("c16"))


def test_long_filters_images_and_plans(rng, library):
    there, back, _ = library
    x, h = rng.standard_normal((3, 100_000)).astype("f4"), rng.standard_normal(20_000).astype("f4")
    assert_close(back(gpuconv.correlate(there(x), there(h), "same")), gpuconv.correlate(x, h, "same"))
    image, filter = x[:, :900].reshape(54, 50), h[:15].reshape(3, 5)
    result = gpuconv.convolve2d(there(image), there(filter), "same", boundary="reflect")
    assert_close(back(result), gpuconv.convolve2d(image, filter, "same", boundary="reflect"))
    plan = gpuconv.Plan(x.shape, there(h[:257]))
    for _ in range(3):
        assert_close(back(plan.execute(there(x))), gpuconv.convolve(x, h[:257]))


@pytest.mark.parametrize("streams", [cupy, torch], ids=lambda library: library.__name__)
def test_streams_of_the_library(rng, streams):
    """What is enqueued before a call on the library's stream has been done, and what comes after it sees the result."""
    there, back, _ = streams()
    module = __import__(streams.__name__)
    x, h = rng.standard_normal((64, 20_000)).astype("f4"), rng.standard_normal(64).astype("f4")
    expected = gpuconv.convolve(2 * x, h) + 1
    on_device = there(x), there(h)
    assert_close(back(on_device[0]), x)  # the copies are there
    for _ in range(20):
        stream = module.cuda.Stream() if streams is torch else module.cuda.Stream(non_blocking=True)
        with module.cuda.stream(stream) if streams is torch else stream:
            result = gpuconv.convolve(on_device[0] * 2, on_device[1]) + 1
        stream.synchronize()
        assert_close(back(result), expected)
