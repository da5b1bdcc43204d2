"""What is timed on a GPU, and how wrong a result may be."""

TAPS = [3, 16, 32, 64, 128, 257, 512, 1024, 2048, 4096, 8192, 1 << 15, 1 << 17, 1 << 20]
LONG = 1 << 26  # samples in plenty: the sizes of the project's goals

# Relative L2 errors beyond these are wrong results, whatever the method. Integers are exact.
WRONG = {"float32": 1e-5, "float64": 1e-13}

DIRECT = 1 << 40  # products of a direct sum that is still timed on the GPU
DIRECT_ON_HOST = 1 << 36  # the same where the CPU takes part


def name(job: dict) -> str:
    return f"{job['memory']} {job['type']} {job['batch']}x{job['signal']} {job['taps']}"


def _job(memory: str, type: str, signal: int, taps: int, batch: int = 1) -> dict:
    host = memory == "host"
    return {"memory": memory, "type": type, "batch": batch, "signal": signal, "taps": taps,
            "seconds": 0.15, "least": 7, "most_products": DIRECT_ON_HOST if host else DIRECT}


def device(quick: bool) -> list[dict]:
    """Arrays in device memory: the kernels' own time."""
    jobs = [_job("device", "float32", LONG, m) for m in (TAPS[1::3] if quick else TAPS)]
    if quick:
        return jobs + [_job("device", "int32", 1 << 22, 64), _job("device", "float32", 1024, 64, 1 << 14)]
    jobs += [_job("device", "float32", n, m) for n in (1 << 20, 1 << 24) for m in TAPS[1::2]]
    jobs += [_job("device", "float32", 1 << 28, m) for m in (16, 64, 257, 1024, 8192, 1 << 20)]
    jobs += [_job("device", "float64", 1 << 24, m) for m in (3, 16, 64, 257, 1024, 8192, 1 << 17)]
    jobs += [_job("device", type, 1 << 24, m) for type in ("int32", "int8") for m in (3, 16, 64, 257, 1024)]
    # Many short rows, as many samples as a long one.
    jobs += [_job("device", "float32", row, m, LONG // row) for row in (256, 512, 1024, 2048, 4096, 8192)
             for m in (16, 64, 257) if m <= row]
    return jobs


def host(quick: bool) -> list[dict]:
    """Arrays in host memory, from end to end: the GPU with its transfers against the CPU."""
    if quick:
        return [_job("host", "float32", 1 << 22, 257)]
    jobs = [_job("host", "float32", n, m) for n in (1 << 14, 1 << 17, 1 << 20, 1 << 24, 1 << 26)
            for m in (16, 257, 4096, 1 << 17) if m <= n]
    return jobs + [_job("host", "float32", 4096, 64, 1 << 12), _job("host", "float64", 1 << 22, 257)]


def peers(quick: bool) -> list[dict]:
    """Arrays in device memory, against other libraries."""
    signals = (1 << 22,) if quick else (1 << 20, 1 << 24, LONG)
    taps = (16, 1024) if quick else (16, 64, 257, 1024, 4096, 1 << 15, 1 << 17)
    jobs = [_job("device", "float32", n, m) for n in signals for m in taps]
    return jobs if quick else jobs + [_job("device", "float64", 1 << 24, m) for m in (64, 1024)]


def wrong(type: str, contestants: list[dict]) -> list[str]:
    """Contestants of gpuconv whose results are not right. An error of None is a NaN, which JSON does not have."""
    bound = WRONG.get(type, 0.0)
    right = lambda error: error is not None and error <= bound
    return [f"{c['contestant']}: relative L2 error {c['relative_l2']}" for c in contestants
            if c.get("library") == "gpuconv" and "relative_l2" in c and not right(c["relative_l2"])]
