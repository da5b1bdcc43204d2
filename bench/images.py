#!/usr/bin/env python3
"""Compares the convolution of images with SciPy, scikit-image and OpenCV, in turn, and writes a table and a result file.

    python bench/images.py --build build OUT.json    # with a Python that has them; GPUCONV_BUILD_BENCH=ON

float32, one image, mode same, zeros beyond its ends. Every contestant writes into memory of its own or, where it can, into
one array again and again. Beside each time stands the largest error relative to the largest output, against sums in float64
(scipy.ndimage) of a strip of the image.
"""

import argparse
import ctypes
import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import scipy
import scipy.ndimage
import scipy.signal
import skimage
import skimage.filters
from peers.timing import spread
from stages.machine import commit, cpu_model

SIZES = [3, 5, 7, 9, 11, 15, 31, 63, 127]
LONGEST = 3.0  # seconds: a contestant that takes longer is called once
CHECKED = 40  # lines of the strip


class Gpuconv:
    """A plan of the library that is measured."""

    def __init__(self, library, image, filter_, threads):
        self.library, self.image, self.out = library, image, np.empty_like(image)
        self.plan = ctypes.c_void_p()
        sizes = [ctypes.c_int64(n) for n in (*image.shape, *filter_.shape)]
        if library.gpuconv_bench_image_plan(*sizes, ctypes.c_void_p(filter_.ctypes.data), threads, ctypes.byref(self.plan)) != 0:
            raise RuntimeError(library.gpuconv_bench_error().decode())

    def __call__(self):
        arrays = (ctypes.c_void_p(a.ctypes.data) for a in (self.image, self.out))
        if self.library.gpuconv_bench_image_execute(self.plan, *arrays) != 0:
            raise RuntimeError(self.library.gpuconv_bench_error().decode())
        return self.out

    def describe(self):
        return self.library.gpuconv_bench_image_describe(self.plan).decode()

    def close(self):
        self.library.gpuconv_bench_image_destroy(self.plan)


def load(build: Path):
    library = ctypes.CDLL(str(build / "bench" / "libgpuconv_bench.so"))
    library.gpuconv_bench_error.restype = library.gpuconv_bench_image_describe.restype = ctypes.c_char_p
    library.gpuconv_bench_image_describe.argtypes = library.gpuconv_bench_image_destroy.argtypes = [ctypes.c_void_p]
    return library


def peers(image, filter_, factors) -> dict:
    """By name, a function that convolves; with `factors` those for a product of a column and a row."""
    out = np.empty_like(image)
    reversed_ = np.ascontiguousarray(filter_[::-1, ::-1])
    zero = {"mode": "constant", "cval": 0.0}
    same = {"borderType": cv2.BORDER_CONSTANT}
    all_ = {
        "opencv filter2D": lambda: cv2.filter2D(image, -1, reversed_, dst=out, **same),
        "scipy.signal.fftconvolve": lambda: scipy.signal.fftconvolve(image, filter_, "same"),
        "scipy.signal.oaconvolve": lambda: scipy.signal.oaconvolve(image, filter_, "same"),
    }
    if len(filter_) <= 15:
        all_["scipy.ndimage.convolve"] = lambda: scipy.ndimage.convolve(image, filter_, output=out, **zero)
        all_["skimage.filters.correlate_sparse"] = lambda: skimage.filters.correlate_sparse(np.pad(image, len(filter_) // 2), reversed_, mode="valid")
    if factors:
        column, row = factors
        all_["opencv sepFilter2D"] = lambda: cv2.sepFilter2D(image, -1, row[::-1].copy(), column[::-1].copy(), dst=out, **same)
        all_["scipy.ndimage.convolve1d twice"] = lambda: scipy.ndimage.convolve1d(
            scipy.ndimage.convolve1d(image, row, axis=1, **zero), column, axis=0, output=out, **zero)
    return all_


def expected(image, filter_):
    """Lines of the result in float64, and which they are."""
    first = len(image) // 3
    reach = len(filter_)
    strip = image[first - reach:first + CHECKED + reach].astype(np.float64)
    if filter_.size < 1000:
        return first, scipy.ndimage.convolve(strip, filter_.astype(np.float64), mode="constant")[reach:reach + CHECKED]
    return first, scipy.signal.oaconvolve(strip, filter_.astype(np.float64), "same")[reach:reach + CHECKED]


def compare(library, image, filter_, factors, threads, seconds) -> dict:
    plan = Gpuconv(library, image, filter_, threads)
    functions = {"gpuconv": plan, **peers(image, filter_, factors)}
    first, want = expected(image, filter_)
    errors, times, slow = {}, {name: [] for name in functions}, {}
    for name, function in functions.items():  # threads, tables, pages
        begin = perf_counter()
        got = function()
        slow[name] = perf_counter() - begin
        errors[name] = float(np.abs(got[first:first + CHECKED] - want).max() / np.abs(want).max())
    began = perf_counter()
    while perf_counter() - began < seconds or len(times["gpuconv"]) < 5:
        for name, function in functions.items():
            if slow[name] > LONGEST:
                continue
            begin = perf_counter()
            function()
            times[name].append(perf_counter() - begin)
    times = {name: spread(t or [slow[name]]) for name, t in times.items()}
    result = {"lines": len(filter_), "taps": filter_.shape[1], "separable": bool(factors), "plan": plan.describe(), "times": times, "errors": errors}
    plan.close()
    return result


def row(result: dict) -> str:
    medians = {name: t["median"] for name, t in result["times"].items()}
    own = medians.pop("gpuconv")
    ratio = {name: f"{t / own:.1f}" for name, t in medians.items()}
    best = min(medians, key=medians.get)
    size = f"{result['lines']} x {result['taps']}{', a product' if result['separable'] else ''}"
    return f"| {size} | {result['plan'].split(',')[0]} | {own * 1e3:.1f} ms | {ratio[best]} ({best}) | {'; '.join(f'{n}: {r}' for n, r in ratio.items())} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the result file")
    parser.add_argument("--build", type=Path, default=Path("build"), help="the build folder")
    parser.add_argument("--size", type=int, default=4096, help="lines and columns of the image")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of gpuconv and of OpenCV")
    parser.add_argument("--seconds", type=float, default=4.0, help="of turns for each filter")
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    rng = np.random.default_rng(20261125)
    image = rng.random((options.size, options.size), dtype=np.float32)
    library = load(options.build)
    print("| filter | gpuconv's solver | time | best peer's time over it | all |\n|---|---|---|---|---|", flush=True)
    results = []
    for n in SIZES:
        column, line = (rng.random(n, dtype=np.float32) for _ in range(2))
        for filter_, factors in ((rng.random((n, n), dtype=np.float32), None), (np.outer(column, line), (column, line))):
            results.append(compare(library, image, filter_, factors, options.threads, options.seconds))
            print(row(results[-1]), flush=True)
    environment = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **commit(Path(__file__).parent),
        "cpu": cpu_model(),
        "threads": options.threads,
        "load": os.getloadavg(),
        "image": list(image.shape),
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-image": skimage.__version__, "opencv": cv2.__version__},
    }
    options.out.write_text(json.dumps({"environment": environment, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
