"""Libraries of arrays in the memory of the emulated GPU, new for each test, and a look at what a test leaves there."""

import gc
import types

import numpy as np
import pytest
import standin


@pytest.fixture(autouse=True)
def nothing_is_left():
    """All that arrays and calls have taken is given back; kept plans have memory by cudaMalloc."""
    since = standin.Since()
    yield
    gc.collect()
    standin.call("cudaDeviceSynchronize")
    assert standin.exports == {}
    assert standin.failures or since.calls("cudaMallocAsync") == since.calls("cudaFreeAsync")
    standin.failures.clear()


@pytest.fixture(autouse=True)
def libraries():
    """The modules by name. Each has `stream`, on which it works."""

    def torch_stream(device):
        return types.SimpleNamespace(cuda_stream=0 if made["torch"].stream == 1 else made["torch"].stream)

    made = {
        "interfaces": standin.library("interfaces", standin.ByInterface),
        "tensors": standin.library("tensors", standin.ByDlpack),
        "old_tensors": standin.library("old_tensors", standin.ByOldDlpack),
        "torch": standin.library("torch", standin.OfTorch, cuda=types.SimpleNamespace(current_stream=torch_stream)),
        "jaxlib": standin.library("jaxlib", standin.OfJax, from_dlpack=standin.Imported),
    }
    standin.Imported.__module__ = "jaxlib"
    standin.ByDlpack.asked.clear()
    return made


@pytest.fixture
def rng():
    return np.random.default_rng(20261126)
