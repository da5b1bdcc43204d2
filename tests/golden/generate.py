"""Golden values of the test suite: what NumPy (and SciPy, and MATLAB by its definition) make of seeded inputs.

Writes golden.json, one case a line; with --check compares that file with what this NumPy makes instead (exit 0: the
same up to rounding, 1: not, 77: no NumPy or SciPy here). Integers are exact and compared so.
"""
import argparse
import json
import pathlib
import sys

try:
    import numpy as np
    import scipy.signal
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
TYPES = INTEGERS + ["float32", "float64"]
MODES = ["full", "same", "valid"]
SHAPES = [(1, 1), (1, 5), (5, 1), (2, 2), (2, 3), (3, 7), (7, 3), (8, 8), (13, 31), (31, 13), (97, 16), (16, 97),
          (64, 64), (257, 5), (6, 131)]


def small(rng, count, dtype):
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
    return [float(np.format_float_positional(v)) for v in values]


def case(group, x, h, y, mode, same="numpy"):
    return {"group": group, "mode": mode, "same": same, "x_type": x.dtype.name, "x": plain(x), "h_type": h.dtype.name,
            "h": plain(h), "y_type": y.dtype.name, "y": plain(y)}


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


def all_cases():
    rng = np.random.RandomState(20240229)  # its stream is frozen, unlike a Generator's
    np.seterr(all="ignore")
    return [c for group in (shapes(rng), pairs(rng), integers(rng), articles()) for c in group]


def differs(made, kept):
    if made.keys() != kept.keys():
        return "fields"
    for field in made:
        if field == "y" and made["y_type"].startswith("float") and len(made["y"]) == len(kept["y"]):
            scale = max(map(abs, made["y"]))
            tolerance = scale * (1e-5 if made["y_type"] == "float32" else 1e-13)
            if any(abs(a - b) > tolerance for a, b in zip(made["y"], kept["y"])):
                return field
        elif made[field] != kept[field]:
            return field
    return None


def check(path, made):
    kept = json.loads(path.read_text())["cases"]
    if len(kept) != len(made):
        print(f"{path} has {len(kept)} cases, {len(made)} expected")
        return 1
    for number, (a, b) in enumerate(zip(made, kept)):
        if field := differs(a, b):
            print(f"case {number} ({a['group']}) differs in {field}:\n  made {a}\n  kept {b}")
            return 1
    print(f"{len(made)} cases agree with NumPy {np.__version__}, SciPy {scipy.__version__}")
    return 0


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the file with this NumPy instead of writing it")
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=here / "golden.json")
    options = parser.parse_args()
    cases = all_cases()
    if options.check:
        return check(options.file, cases)
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    options.file.write_text('{"cases":[\n' + lines + "\n]}\n")
    print(f"{len(cases)} cases written to {options.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
