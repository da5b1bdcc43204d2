"""Everyone who convolves images on the CPU: gpuconv, OpenCV with as many threads, scikit-image, and SciPy: float32, one image, mode
same, zeros beyond its edges. Contestants write into memory of their own or, where they can, into one array again and again."""

from functools import partial

import numpy as np

from .contestants import Absent, Budget, Contestant, library
from .cpu import gpuconv_plan, scipy_fft
from .shim import Shim
from .workload import Problem, Workload

PROBLEMS = [Problem("images", "float32", 4096, taps, mode="same", lines=4096, filter_lines=taps, separable=separable)
            for taps in (3, 5, 7, 9, 11, 15, 31, 63, 127) for separable in (False, True)]
BUDGETS = {"images": Budget(0.5, 5)}
LONGEST_SUMS = 15  # taps of a line; SciPy's and scikit-image's direct sums of more take too long
ZERO = {"mode": "constant", "cval": 0.0}


def factors(work: Workload):
    if not work.factors:
        raise Absent("the filter is no product of a column and a row")
    return work.factors


def refuse_large(work: Workload) -> None:
    if work.taps > LONGEST_SUMS:
        raise Absent(f"a filter of {work.taps} x {work.taps} takes too long")


def opencv(work: Workload, threads: int, separable: bool) -> Contestant:
    cv2, out = library("cv2"), np.empty_like(work.signals[0])
    cv2.setNumThreads(threads)
    how = {"dst": out, "borderType": cv2.BORDER_CONSTANT}
    if separable:
        column, row = (taps[::-1].copy() for taps in factors(work))
        return Contestant(lambda i: cv2.sepFilter2D(work.signals[i], -1, row, column, **how), threads=threads)
    taps = np.ascontiguousarray(work.filter[::-1, ::-1])
    return Contestant(lambda i: cv2.filter2D(work.signals[i], -1, taps, **how), threads=threads)


def ndimage(work: Workload, separable: bool) -> Contestant:
    module, out = library("scipy.ndimage"), np.empty_like(work.signals[0])
    if not separable:
        refuse_large(work)
        return Contestant(lambda i: module.convolve(work.signals[i], work.filter, output=out, **ZERO))
    column, row = factors(work)
    along = lambda array, taps, axis, **where: module.convolve1d(array, taps, axis=axis, **ZERO, **where)
    return Contestant(lambda i: along(along(work.signals[i], row, 1), column, 0, output=out))


def skimage(work: Workload) -> Contestant:
    correlate, taps = library("skimage.filters").correlate_sparse, np.ascontiguousarray(work.filter[::-1, ::-1])
    refuse_large(work)
    around = [(size // 2, size // 2) for size in taps.shape]
    return Contestant(lambda i: correlate(np.pad(work.signals[i], around), taps, mode="valid"))


def makers(shim: Shim, work: Workload) -> dict:
    """Who takes part: (name, who calls) -> what makes a contestant."""
    known = {"gpuconv plan": partial(gpuconv_plan, shim=shim, device="cpu"),
             "opencv filter2D": partial(opencv, threads=shim.threads, separable=False),
             "opencv sepFilter2D": partial(opencv, threads=shim.threads, separable=True),
             "scipy ndimage.convolve": partial(ndimage, separable=False), "scipy ndimage.convolve1d twice": partial(ndimage, separable=True),
             "scipy fftconvolve": partial(scipy_fft, name="fftconvolve"), "scipy oaconvolve": partial(scipy_fft, name="oaconvolve"),
             "skimage correlate_sparse": skimage}
    return {(name, "python"): partial(make, work) for name, make in known.items()}
