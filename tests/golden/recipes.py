"""What SciPy, NumPy, astropy and scikit-image make of seeded inputs in the places of gpuconv's recipes. generate.py writes
them to recipes.json and compares them with it; those of astropy and scikit-image ("by") are left as they are where either
is missing."""
import numpy as np
import scipy.ndimage
import scipy.signal

try:
    import astropy
    import astropy.convolution
    import skimage.feature
    import skimage.filters
except ImportError:
    astropy = None

BOUNDARIES = ["constant", "nearest", "reflect", "mirror", "wrap"]


def numbers(values):
    """JSON has no NaN: null."""
    return [None if np.isnan(v) else float(v) for v in np.asarray(values, dtype=float)]


def case(recipe, x, y, **how):
    return {"recipe": recipe, "x": numbers(x), "y": numbers(y), **how}


def gaussians(rng):
    for n, sigma, order, truncate in [(1, 0.7, 0, 4), (5, 2.5, 0, 4), (40, 1.0, 0, 4), (40, 0.1, 0, 4), (40, 3.3, 0, 2.5),
                                      (40, 2.0, 1, 4), (40, 2.0, 2, 4), (40, 3.0, 3, 5), (64, 5.0, 6, 4)]:
        for mode in BOUNDARIES:
            x = rng.standard_normal(n).round(3)
            y = scipy.ndimage.gaussian_filter1d(x, sigma, order=order, mode=mode, cval=1.5, truncate=truncate)
            yield case("gaussian", x, y, sigma=sigma, order=order, truncate=truncate, boundary=mode, constant=1.5)


def moving_averages(rng):
    for n, window in [(1, 1), (5, 5), (6, 5), (30, 1), (30, 3), (30, 29), (150, 101)]:
        x, half = rng.standard_normal(n).round(3), window // 2
        y = [x[max(0, k - half):k + half + 1].mean() for k in range(n)]
        yield case("moving_average", x, y, window=window)
        for mode in BOUNDARIES:
            y = scipy.ndimage.uniform_filter1d(x, window, mode=mode, cval=1.5)
            yield case("moving_average", x, y, window=window, boundary=mode, constant=1.5)


def gradients(rng):
    for n, spacing, edge_order in [(2, 0.5, 1), (3, 0.3, 1), (3, 0.3, 2), (50, 1, 1), (50, 0.1, 2), (50, -7, 2)]:
        x = rng.standard_normal(n).round(3)
        yield case("gradient", x, np.gradient(x, spacing, edge_order=edge_order), spacing=spacing, edge_order=edge_order)


def savitzky_golays(rng):
    for n, window, degree, derivative, spacing in [(1, 1, 0, 0, 1), (5, 5, 2, 0, 1), (40, 7, 2, 0, 1), (40, 7, 3, 1, 0.1),
                                                   (40, 11, 5, 2, 0.5), (40, 11, 4, 4, 2), (40, 11, 2, 3, 1),
                                                   (40, 9, 8, 0, 1), (90, 51, 3, 0, 1), (90, 51, 3, 1, 1)]:
        x = rng.standard_normal(n).round(3)
        how = {"window": window, "degree": degree, "derivative": derivative, "spacing": spacing}
        for mode in BOUNDARIES[:2] + BOUNDARIES[3:] + ["interp"]:
            y = scipy.signal.savgol_filter(x, window, degree, derivative, spacing, mode=mode, cval=1.5)
            edges = {} if mode == "interp" else {"boundary": mode, "constant": 1.5}
            yield case("savitzky_golay", x, y, **how, **edges)
        for position in {0, window // 2, window - 1}:
            taps = scipy.signal.savgol_coeffs(window, degree, derivative, spacing, pos=position)
            yield case("savgol_taps", [], taps, position=position, **how)


def firs(rng):
    for n, taps in [(1, scipy.signal.firwin(5, 0.3)), (50, scipy.signal.firwin(21, 0.3)), (50, scipy.signal.firwin(81, 0.3)),
                    (50, scipy.signal.firwin(20, 0.3)), (50, rng.standard_normal(6).round(3)),
                    (50, scipy.signal.remez(31, [0.05, 0.45], [1], type="hilbert", fs=1))]:
        x = rng.standard_normal(n).round(3)
        yield case("fir", x, scipy.signal.lfilter(taps, 1, x), taps=numbers(taps), delay=0)
        if len(taps) % 2:
            delay = len(taps) // 2
            y = scipy.signal.lfilter(taps, 1, np.append(x, np.zeros(delay)))[delay:]
            yield case("fir", x, y, taps=numbers(taps))
            yield case("fir", x, y[::3], taps=numbers(taps), step=3)


def matches(rng):
    for n, m in [(2, 2), (9, 4), (60, 5), (60, 17), (60, 60), (120, 33)]:
        x, pattern = rng.standard_normal(n).round(3), rng.standard_normal(m).round(3)
        y = [np.corrcoef(x[k:k + m], pattern)[0, 1] for k in range(n - m + 1)]
        yield case("match", x, y, pattern=numbers(pattern))


def gaps(rng):
    """astropy.convolution.convolve; its boundary "fill" is a constant, "extend" the nearest sample."""
    if astropy is None:
        return
    names = {"fill": "constant", "wrap": "wrap", "extend": "nearest"}
    for n, taps in [(5, np.ones(3)), (40, np.array([1, 2, 3, 2, 0.5])), (40, scipy.signal.windows.gaussian(11, 2))]:
        x = rng.standard_normal(n).round(3)
        x[rng.uniform(size=n) < 0.3] = np.nan
        x[n // 2:n // 2 + 7] = np.nan  # longer than the shorter filters
        mask = rng.uniform(size=n) < 0.2
        for boundary, name in names.items():
            for missing in ["interpolate", "fill"]:
                for normalise, keep, masked in [(True, False, False), (False, False, False), (True, True, True)]:
                    y = astropy.convolution.convolve(
                        x, taps, boundary=boundary, fill_value=1.5, nan_treatment=missing, normalize_kernel=normalise,
                        preserve_nan=keep, mask=mask if masked else None)
                    more = {"mask": [int(v) for v in mask]} if masked else {}
                    yield case("gaps", x, y, taps=numbers(taps), boundary=name, constant=1.5, missing=missing, fill=1.5,
                               normalise=normalise, keep=keep, by=f"astropy {astropy.__version__}", **more)


def image_case(recipe, x, y, **how):
    return case(recipe, x.ravel(), y.ravel(), lines=x.shape[0], **how)


def images(rng):
    for shape in [(1, 1), (1, 9), (7, 1), (2, 3), (12, 17)]:
        x = rng.standard_normal(shape).round(3)
        for mode in BOUNDARIES:
            edges = {"boundary": mode, "constant": 1.5}
            how = {"mode": mode, "cval": 1.5}
            # Not ndimage.sobel where the boundary is a constant: its second pass takes that for what the first has made.
            down = np.outer([-1, 0, 1], [1, 2, 1])
            slopes = [scipy.ndimage.correlate(x, down, **how), scipy.ndimage.correlate(x, down.T, **how)]
            for axis in (0, 1):
                same = np.allclose(slopes[axis], scipy.ndimage.sobel(x, axis=axis, **how))
                assert same or mode == "constant"
            for axis in (0, 1):
                yield image_case("sobel", x, slopes[axis], axis=axis, **edges)
            yield image_case("sobel", x, np.hypot(*slopes), **edges)
            yield image_case("laplacian", x, scipy.ndimage.laplace(x, **how), **edges)
            y = scipy.ndimage.gaussian_filter(x, 1.3, truncate=3, **how)
            yield image_case("gaussian_blur", x, y, sigma=1.3, truncate=3, **edges)


def templates(rng):
    for shape, template in [((5, 6), (1, 2)), ((5, 6), (5, 6)), ((12, 17), (3, 4)), ((90, 20), (7, 3))]:
        x, t = rng.standard_normal(shape).round(3), rng.standard_normal(template).round(3)
        windows = np.lib.stride_tricks.sliding_window_view(x, template).reshape(-1, t.size)
        y = np.array([np.corrcoef(w, t.ravel())[0, 1] for w in windows])
        yield image_case("match_template", x, y, pattern=numbers(t.ravel()), pattern_lines=template[0])


def scikit_images(rng):
    if astropy is None:
        return
    by = f"scikit-image {skimage.__version__}"
    x = rng.standard_normal((15, 16)).round(3)
    x[3:9, 4:10] = 0.5  # flat
    y = skimage.filters.unsharp_mask(x, radius=1.5, amount=0.7, preserve_range=True)
    yield image_case("unsharp_mask", x, y, sigma=1.5, amount=0.7, by=by)
    t = rng.standard_normal((3, 4)).round(3)
    y = skimage.feature.match_template(x, t)
    yield image_case("match_template", x, y, pattern=numbers(t.ravel()), pattern_lines=3, by=by)


def all_cases():
    rng = np.random.RandomState(20240315)
    return [c for group in (gaussians, moving_averages, gradients, savitzky_golays, firs, matches, gaps,
                                 images, templates, scikit_images)
            for c in group(rng)]
