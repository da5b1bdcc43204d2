"""Golden values of the test suite: what NumPy (and SciPy, and MATLAB by its definition) make of seeded inputs.

Writes golden.json, images.json and recipes.json (recipes.py), one case a line, with the versions that made them; with
--check compares the files with what this NumPy makes instead (exit 0: the same up to rounding, 1: not, 77: no NumPy or
SciPy here). Integers are exact and compared so. Images are lists of all elements, line after line, beside their shapes.
"""
import argparse
import json
import pathlib
import sys

try:
    import numpy as np
    import scipy.ndimage
    import scipy.signal
    import recipes
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
COMPLEX = ["complex64", "complex128"]
TYPES = INTEGERS + ["float16", "float32", "float64"] + COMPLEX
UNIT = {"float16": 2**-11, "float32": 2**-24, "float64": 2**-53, "complex64": 2**-24, "complex128": 2**-53}
MODES = ["full", "same", "valid"]
SHAPES = [(1, 1), (1, 5), (5, 1), (2, 2), (2, 3), (3, 7), (7, 3), (8, 8), (13, 31), (31, 13), (97, 16), (16, 97),
          (64, 64), (257, 5), (6, 131)]


def small(rng, count, dtype):
    if dtype in COMPLEX:
        return (small(rng, count, "float64") + 1j * small(rng, count, "float64")).astype(dtype)
    low = 0 if dtype.startswith("u") else -9
    values = rng.randint(low, 10, count)
    return (values / 8 if dtype.startswith("f") else values).astype(dtype)


def whole_range(rng, count, dtype):
    info = np.iinfo(dtype)
    values = np.frombuffer(rng.bytes(count * info.bits // 8), dtype=dtype).copy()
    values[: min(count, 2)] = [info.min, info.max][: min(count, 2)]
    return values


def plain(values):
    """Numbers as JSON keeps them: exact for integers, the shortest text that reads back the same for floats."""
    if values.dtype.kind in "iu":
        return [int(v) for v in values]
    if values.dtype.kind == "c":
        return [list(pair) for pair in zip(plain(values.real), plain(values.imag))]
    return [float(np.format_float_positional(v)) for v in values]


def case(group, x, h, y, mode, same="numpy", operation="convolve", boundary="zero", constant=0):
    return {"group": group, "operation": operation, "mode": mode, "same": same, "boundary": boundary,
            "constant": constant, "x_type": x.dtype.name, "x": plain(x), "h_type": h.dtype.name, "h": plain(h),
            "y_type": y.dtype.name, "y": plain(y)}


def matlab_same(x, h):
    """conv(x, h, 'same'): the central part of the full result, from element ceil((length(h) + 1) / 2), counted from 1."""
    first = (len(h) + 2) // 2 - 1
    return np.convolve(x, h)[first:first + len(x)]


def exact(x, h, mode):
    """The convolution modulo 2^64 in the library's default result type: int64 if either is signed, else uint64."""
    unsigned = x.dtype.kind == "u" and h.dtype.kind == "u"
    values = np.convolve(x.astype(object), h.astype(object), mode)
    wrapped = [int(v) % 2**64 for v in values]
    return np.array(wrapped, dtype=np.uint64).astype("uint64" if unsigned else "int64")


def shapes(rng):
    for n, m in SHAPES:
        for dtype in ["int64", "float32", "float64"]:
            x, h = small(rng, n, dtype), small(rng, m, dtype)
            if dtype != "int64":
                x, h = (rng.standard_normal(k).round(3).astype(dtype) for k in (n, m))
            for mode in MODES:
                yield case("shapes", x, h, np.convolve(x, h, mode), mode)
            yield case("scipy same", x, h, scipy.signal.convolve(x, h, "same", method="direct"), "same", "scipy")
            yield case("matlab same", x, h, matlab_same(x, h), "same", "matlab")


def pairs(rng):
    for a in TYPES:
        for b in TYPES:
            x, h = small(rng, 9, a), small(rng, 4, b)
            yield case("pairs", x, h, np.convolve(x, h), "full")


def integers(rng):
    for a in INTEGERS:
        x, h = whole_range(rng, 40, a), whole_range(rng, 17, a)
        for mode in MODES:
            yield case("wraps as numpy", x, h, np.convolve(x, h, mode), mode)
        for b in INTEGERS:
            x, h = whole_range(rng, 12, a), whole_range(rng, 5, b)
            yield case("widened", x, h, exact(x, h, "full"), "full")


def articles():
    """The examples that tutorials print, with the results that NumPy gives."""
    one_to_five = np.array([1, 2, 3, 4, 5])
    box = np.array([1, 1, 1])
    for mode in MODES:
        yield case("articles", one_to_five, box, np.convolve(one_to_five, box, mode), mode)
    weights = np.array([0.5, 1, 0.5])
    yield case("articles", one_to_five, weights, np.convolve(one_to_five, weights, "valid"), "valid")
    x, h = np.array([1, 2, 3, 4]), np.array([1, 10])
    yield case("articles", x, h, np.convolve(x, h, "valid"), "valid")
    # A pattern is found by correlating: by convolving with the pattern reversed.
    bits, pattern = np.array([0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0]), np.array([1, 1, 0])
    found = np.correlate(bits, pattern, "valid")
    assert np.array_equal(np.flatnonzero(found >= 2), [4, 9])
    yield case("articles", bits, pattern[::-1].copy(), found, "valid")
    # Central differences: the filter is reversed by convolving, so it starts with +1.
    dx = 0.25
    x = np.arange(8) * dx
    h = np.array([1, 0, -1]) / (2 * dx)
    slope = np.convolve(x**2, h, "valid")
    assert np.allclose(slope, 2 * x[1:-1])
    yield case("articles", x**2, h, slope, "valid")


def correlations(rng):
    for n, m in SHAPES:
        for a, b in [("int64", "int64"), ("float64", "float64"), ("complex64", "complex64"),
                     ("complex128", "float64"), ("float64", "complex128")]:
            x, h = small(rng, n, a), small(rng, m, b)
            for mode in MODES:
                yield case("numpy correlate", x, h, np.correlate(x, h, mode), mode, operation="correlate")
                yield case("scipy correlate", x, h, scipy.signal.correlate(x, h, mode, method="direct"), mode, "scipy",
                           "correlate")


def boundaries(rng):
    """ndimage takes its output at the middle of the filter: MATLAB's same, and for correlations SciPy's."""
    for n, m in [(1, 1), (1, 4), (1, 9), (2, 5), (2, 8), (3, 10), (5, 3), (5, 4), (7, 40), (31, 13), (64, 6), (6, 131)]:
        for boundary in ["zero", "constant", "nearest", "reflect", "mirror", "wrap"]:
            x, h, constant = small(rng, n, "float64"), small(rng, m, "float64"), 2.5
            if boundary == "zero":
                mode, constant = "constant", 0
            else:
                mode = boundary
            for operation, run, same in [("convolve", scipy.ndimage.convolve1d, "matlab"),
                                         ("correlate", scipy.ndimage.correlate1d, "scipy")]:
                y = run(x, h, mode=mode, cval=constant)
                yield case("boundaries", x, h, y, "same", same, operation, boundary, constant)


IMAGES = [(1, 1, 1, 1), (1, 7, 1, 3), (7, 1, 2, 1), (5, 6, 3, 3), (6, 5, 2, 4), (4, 9, 5, 2), (3, 3, 6, 5), (8, 7, 1, 4),
          (2, 2, 3, 3)]


def image_case(group, x, h, y, mode, same, operation, boundary="zero", constant=0):
    flat = case(group, x.ravel(), h.ravel(), y.ravel(), mode, same, operation, boundary, constant)
    return flat | {"x_shape": x.shape, "h_shape": h.shape, "y_shape": y.shape}


def images(rng):
    for lines, columns, filter_lines, taps in IMAGES:
        for dtype in ["int64", "float64", "complex128"]:
            x = small(rng, lines * columns, dtype).reshape(lines, columns)
            h = small(rng, filter_lines * taps, dtype).reshape(filter_lines, taps)
            contained = (lines >= filter_lines) == (columns >= taps) or lines == filter_lines or columns == taps
            for mode in MODES:
                if mode == "valid" and not contained:
                    continue
                y = scipy.signal.convolve2d(x, h, mode)
                yield image_case("convolve2d", x, h, y, mode, "scipy", "convolve")
                # With exchanged operands its outputs stand the other way round than correlate's: correlate is right.
                y = scipy.signal.correlate(x, h, mode, method="direct")
                yield image_case("correlate", x, h, y, mode, "scipy", "correlate")
                if mode != "valid":
                    y = scipy.signal.correlate2d(x, h, mode)
                    yield image_case("correlate2d", x, h, y, mode, "matlab", "correlate")
        x, h = rng.standard_normal((lines, columns)).round(3), rng.standard_normal((filter_lines, taps)).round(3)
        for boundary in ["constant", "nearest", "reflect", "mirror", "wrap"]:
            y = scipy.ndimage.convolve(x, h, mode=boundary, cval=2.5)
            yield image_case("ndimage", x, h, y, "same", "matlab", "convolve", boundary, 2.5)
            y = scipy.ndimage.correlate(x, h, mode=boundary, cval=2.5)
            yield image_case("ndimage", x, h, y, "same", "scipy", "correlate", boundary, 2.5)


def all_images():
    return list(images(np.random.RandomState(20261125)))


def all_cases():
    rng = np.random.RandomState(20240229)  # its stream is frozen, unlike a Generator's
    np.seterr(all="ignore")
    return [c for group in (shapes(rng), pairs(rng), integers(rng), articles(),
                                 correlations(rng), boundaries(rng)) for c in group]


def room(made):
    """How far results may be apart, relative to the largest; 0 where they are exact. Recipes are of double precision,
    and SciPy solves least squares of high degree for some of them."""
    return 100 * UNIT.get(made["y_type"], 0) if "y_type" in made else 1e7 * UNIT["float64"]


def differs(made, kept):
    if made.keys() != kept.keys():
        return "fields"
    for field in made:
        if field in ("y", "taps") and room(made) and len(made[field]) == len(kept[field]):
            a, b = np.array(made[field], dtype=float), np.array(kept[field], dtype=float)
            size = np.nanmax(np.abs(a), initial=0)
            if not np.array_equal(np.isnan(a), np.isnan(b)) or np.nanmax(np.abs(a - b), initial=0) > room(made) * size:
                return field
        elif (list(made[field]) if field.endswith("_shape") else made[field]) != kept[field] and field != "by":
            return field
    return None


def check(path, made):
    kept = json.loads(path.read_text())["cases"]
    if recipes.astropy is None:
        kept = [c for c in kept if "by" not in c]
    if len(kept) != len(made):
        print(f"{path} has {len(kept)} cases, {len(made)} expected")
        return 1
    for number, (a, b) in enumerate(zip(made, kept)):
        if field := differs(a, b):
            print(f"{path}: case {number} differs in {field}:\n  made {a}\n  kept {b}")
            return 1
    print(f"{path}: {len(made)} cases agree with NumPy {np.__version__}, SciPy {scipy.__version__}")
    return 0


def write(path, cases):
    made_by = {"numpy": np.__version__, "scipy": scipy.__version__}
    if recipes.astropy is None and path.exists():
        cases = cases + [c for c in json.loads(path.read_text())["cases"] if "by" in c]
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path.write_text(f'{{"made_by":{json.dumps(made_by)},"cases":[\n{lines}\n]}}\n')
    print(f"{len(cases)} cases written to {path}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the files with this NumPy instead of writing them")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).parent,
                        help="where the files are")
    options = parser.parse_args()
    files = {"golden.json": all_cases(), "images.json": all_images(), "recipes.json": recipes.all_cases()}
    return max((check if options.check else write)(options.folder / name, cases) for name, cases in files.items())


if __name__ == "__main__":
    sys.exit(main())
