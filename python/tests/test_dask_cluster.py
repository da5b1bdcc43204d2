"""gpuconv.dask on a cluster of two workers: a file four times as large as their memory, and a worker for each GPU.

GPUCONV_LARGE=1: the file too, which takes most of a minute; ./dev python dask does.
"""

import os
import time

import numpy as np
import pytest
from oracle import tolerance

import gpuconv

da = pytest.importorskip("dask.array", reason="Dask is not installed")
distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
import dask

import gpuconv.dask

MIB = 1 << 20
WORKERS = 2
LIMIT = 256 * MIB  # of each worker
SAMPLES = 4 * WORKERS * LIMIT // 4  # of float32: the file is four times as large as the memory of all workers
CHUNK = 4 * MIB // 4
TAPS = 5000


def samples_of(first: int, count: int) -> np.ndarray:
    """What the file holds, by number, so that any part of it can be made again."""
    at = np.arange(first, first + count, dtype=np.int64)
    return (at * 2654435761 % 65521 - 32760).astype(np.float32) / 32760


def read(path: str, first: int, count: int) -> np.ndarray:
    """Opened by name where it is read: a memmap would be sent by value."""
    return np.fromfile(path, np.float32, count, offset=4 * first)


def chunks_in(path: str) -> da.Array:
    places = da.from_array(np.arange(0, SAMPLES, CHUNK), chunks=1)
    sizes = ((CHUNK,) * places.size,)
    return places.map_blocks(lambda at: read(path, int(at[0]), CHUNK), chunks=sizes, dtype="f", meta=np.empty(0, "f"))


def write(path: str, block: np.ndarray, first: int) -> np.ndarray:
    """Writes the outputs to their place in a file, and gives their number."""
    with open(path, "r+b") as file:
        file.seek(4 * first)
        file.write(block.tobytes())
    return np.array([block.size])


def write_block(block: np.ndarray, path: str, block_info=None) -> np.ndarray:
    return write(path, block, block_info[0]["array-location"][0][0])


def visible_gpus() -> str:
    return os.environ["CUDA_VISIBLE_DEVICES"]


def peak() -> int:
    """Of this process alone: getrusage() counts what the one that started it held, too."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


@pytest.fixture
def client(tmp_path):
    with dask.config.set({"temporary-directory": str(tmp_path), "distributed.worker.memory.terminate": 0.95}):
        with distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=None, processes=True
        ) as cluster, distributed.Client(cluster) as client:
            yield client


@pytest.mark.skipif(os.environ.get("GPUCONV_LARGE", "0") == "0", reason="GPUCONV_LARGE is not set")
def test_a_file_four_times_as_large_as_the_memory_of_all_workers(client, tmp_path, rng):
    source, target = str(tmp_path / "x.f32"), str(tmp_path / "y.f32")
    with open(source, "wb") as file:
        for first in range(0, SAMPLES, CHUNK):
            samples_of(first, CHUNK).tofile(file)
    with open(target, "wb") as file:
        file.truncate(4 * SAMPLES)
    assert os.path.getsize(source) == 4 * WORKERS * LIMIT
    taps = rng.standard_normal(TAPS).astype(np.float32)
    before, processes = max(client.run(peak).values()), client.run(os.getpid)
    began = time.monotonic()
    result = gpuconv.dask.convolve(chunks_in(source), taps, "same")
    written = result.map_blocks(write_block, target, chunks=((1,) * result.numblocks[0],), dtype=int, meta=np.empty(0, int))
    assert written.sum().compute() == SAMPLES
    seconds = time.monotonic() - began
    peaks = client.run(peak).values()
    print(f"\n{4 * SAMPLES // MIB} MiB by {WORKERS} workers of {LIMIT // MIB} MiB: {seconds:.1f} s, peaks of", end=" ")
    print(", ".join(f"{p // MIB} MiB" for p in peaks), f"({before // MIB} MiB before)")
    assert max(peaks) < LIMIT and client.run(os.getpid) == processes  # and none was killed
    for first in range(0, SAMPLES, CHUNK):  # one machine, chunk by chunk
        begin, end = max(0, first - TAPS), min(SAMPLES, first + CHUNK + TAPS)
        x = samples_of(begin, end - begin)
        expected = gpuconv.convolve(x, taps, "same")[first - begin :][:CHUNK]
        assert np.max(np.abs(read(target, first, CHUNK) - expected)) <= 2 * tolerance(x, taps, np.dtype("f"))


def test_workers_of_a_cluster_compute_with_one_thread_each(client):
    from gpuconv.dask._graph import share_of_threads

    assert client.submit(share_of_threads).result() == 1


def test_a_worker_for_each_gpu_as_far_as_environments_go(rng):
    """As dask-cuda starts them: one worker process for each GPU, which sees that one alone. There are no GPUs: what is
    seen is that work goes to all of the workers, and that each of them asks for the device that the call names.
    """
    x, v = rng.standard_normal(40_000).astype("f"), rng.standard_normal(33).astype("f")
    spec = {
        f"gpu-{i}": {"cls": distributed.Nanny, "options": {"nthreads": 1, "env": {"CUDA_VISIBLE_DEVICES": str(i)}, "dashboard": False}}
        for i in range(2)
    }
    with distributed.SpecCluster(workers=spec, scheduler={"cls": distributed.Scheduler, "options": {"dashboard": False}}) as cluster:
        with distributed.Client(cluster) as client:
            client.wait_for_workers(2)
            seen = client.run(visible_gpus)
            assert sorted(seen.values()) == ["0", "1"]
            result = gpuconv.dask.convolve(da.from_array(x, chunks=1000), v, "same").persist()
            distributed.wait(result)
            assert {worker for workers in client.who_has(result).values() for worker in workers} == set(seen)
            np.testing.assert_allclose(result.compute(), gpuconv.convolve(x, v, "same"), atol=1e-4)
            named = gpuconv.dask.convolve(da.from_array(x, chunks=1000), v, "same", device="cuda")
            if not any(d["device"] == "cuda" and d["available"] for d in gpuconv.info()["devices"]):
                with pytest.raises(NotImplementedError):
                    named.compute()
