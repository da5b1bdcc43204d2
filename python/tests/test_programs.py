"""Programs of many lines and packages, run by `python` and by `python -m gpuconv`: they print the same."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

# Numbers print to digits that the rounding of two right results leaves alone.
START = """
import sys
import numpy as np
np.set_printoptions(precision=7, threshold=12, edgeitems=5, linewidth=200)
rng = np.random.default_rng(5)
signal, taps = 2 + rng.standard_normal(4000), 1 + rng.random(50)
image, square = 5 + rng.random((90, 100)), 1 + rng.random((5, 5))
"""


class Program(NamedTuple):
    code: str
    packages: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()  # the functions of which the core takes calls


PROGRAMS = {
    "polynomials": Program(
        """
        p = np.poly1d([1, -3, 2])
        print(p**5, np.polymul(signal[:300], taps), np.polydiv(np.convolve(signal, taps), taps)[0][:20])
        print(np.polynomial.Polynomial(taps) * np.polynomial.Polynomial(signal[:9]))
        """,
        (),
        ("numpy.convolve",),
    ),
    "filters": Program(
        """
        from scipy import ndimage, signal as filters
        from scipy.signal import decimate, fftconvolve, savgol_filter
        print(savgol_filter(signal, 31, 3), savgol_filter(signal, 7, 2, deriv=1, mode="wrap"))
        print(decimate(signal, 4), decimate(signal, 5, ftype="fir"), filters.resample_poly(signal, 2, 3))
        print(filters.lfilter(taps, 1, signal), filters.filtfilt(taps / taps.sum(), 1, signal), filters.wiener(image, 3))
        print(fftconvolve(signal, taps, "same"), fftconvolve(image, square), filters.convolve(image, square, "same"))
        print(filters.correlate(signal, signal[100:900]).argmax(), filters.choose_conv_method(image, square))
        print(ndimage.convolve(image, square, origin=(1, -1)), ndimage.gaussian_laplace(image, 2), ndimage.sobel(image))
        print(ndimage.gaussian_filter((40 * image).astype(np.uint8), 1.5), ndimage.uniform_filter(image, 5))
        """,
        ("scipy",),
        (
            *("scipy.signal.lfilter", "scipy.signal.fftconvolve", "scipy.signal.convolve", "scipy.signal.correlate"),
            *("scipy.ndimage.convolve", "scipy.ndimage.gaussian_filter"),
        ),
    ),
    "units": Program(
        """
        from astropy import units as u
        from astropy.convolution import Gaussian1DKernel, convolve
        way = np.convolve(signal * u.m / u.s, taps * u.s, "same")
        print(way.unit, way, np.correlate(signal * u.m, taps).to(u.km), convolve(signal, Gaussian1DKernel(3)))
        print(np.convolve(signal, Gaussian1DKernel(3).array))
        """,
        ("astropy",),
        ("numpy.convolve",),
    ),
    "scikit-image": Program(
        """
        from skimage import feature, filters, restoration
        print(filters.gaussian(image, 2), filters.sobel(image), filters.unsharp_mask(image / 10), filters.difference_of_gaussians(image, 1, 4))
        print(filters.gabor(image, 0.3)[0], filters.laplace(image), filters.farid(image))
        print(restoration.richardson_lucy(image / 10, square / square.sum(), 3), feature.match_template(image, image[9:20, 8:30]).argmax())
        print(feature.canny(image).sum(), *feature.structure_tensor(image, 1.5))
        """,
        ("skimage", "scipy"),
        ("scipy.ndimage.gaussian_filter", "scipy.ndimage.convolve", "scipy.signal.convolve"),
    ),
    "a child": Program(
        """
        import subprocess
        code = "import numpy as np; print(np.convolve(np.arange(3000.0), np.ones(40)).sum(), np.convolve.__module__)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        print(done.returncode, done.stdout, done.stderr, np.convolve(np.arange(3000.0), np.ones(40)).sum())
        """,
        (),
        ("numpy.convolve",),
    ),
    "warnings and errors": Program(
        """
        import warnings
        from scipy import ndimage, signal as filters
        hole = signal.copy()
        hole[0] = np.nan
        print(filters.convolve(hole, taps, method="fft")[:3])
        for mode in ("all", 7):
            for function in (np.convolve, filters.convolve, filters.fftconvolve, ndimage.convolve1d):
                try:
                    print(function(signal, taps, mode))
                except Exception as error:
                    print(type(error), error)
        warnings.warn("careful")
        ndimage.convolve(image, square * 1j, output=np.float32)
        print((200 * image).astype(np.uint8).max(), np.float32(1e38) * np.float32(10))
        np.convolve(image, signal)
        """,
        ("scipy",),
        ("scipy.signal.convolve",),
    ),
}


def ends(tmp_path, code):
    """How the program ends by itself, and with gpuconv: status, what it prints and its errors; and gpuconv's report."""
    lines = [line.removeprefix("        ") for line in code.splitlines()]
    (tmp_path / "app.py").write_text(START + "\n".join(lines))
    commands = ([sys.executable, *options, "app.py"] for options in ((), ("-m", "gpuconv", "--report")))
    started = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands]
    (plain, errors), (ours, said) = [process.communicate() for process in started]
    report = [line for line in said.splitlines(keepends=True) if line.startswith("gpuconv: ")]
    others = [line for line in said.splitlines(keepends=True) if not line.startswith("gpuconv: ")]
    return (started[0].returncode, plain, errors), (started[1].returncode, ours, "".join(others)), "".join(report)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_print_the_same(tmp_path, name):
    program = PROGRAMS[name]
    for package in program.packages:
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} is not installed")
    plain, ours, report = ends(tmp_path, program.code)
    assert ours == plain
    assert plain[1]
    for function in program.taken:
        assert re.search(rf"^gpuconv: {re.escape(function)}: [1-9]", report, re.MULTILINE), report


def test_not_a_number_stays_local_in_a_program(tmp_path):
    """The one difference that is intended: SciPy's transform makes all outputs NaN, and warns of it."""
    pytest.importorskip("scipy")
    code = """
        from scipy.signal import fftconvolve
        signal[2000] = np.nan
        print(np.isnan(fftconvolve(signal, taps)).sum())
        """
    plain, ours, report = ends(tmp_path, code)
    assert plain[:2] == (0, "4049\n") and ours == (0, "50\n", "")
    assert "scipy.signal.fftconvolve: 1 call taken" in report
