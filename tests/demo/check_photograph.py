"""Runs `photograph` and repeats its whole computation in NumPy and SciPy, pixel by pixel; then draws its picture.
check_photograph.py PROGRAM PHOTOGRAPH.npy PLOT_SCRIPT FOLDER. Exit 77: NumPy, SciPy or matplotlib are missing."""

import json
import pathlib
import struct
import subprocess
import sys

try:
    import matplotlib  # noqa: F401  the script needs it
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view
    from scipy.ndimage import gaussian_filter, sobel
except ImportError as missing:
    print(f"SKIPPED: {missing}")
    sys.exit(77)

# Largest differences allowed, of float64: sums of pixels up to 255, of 8 products and of 25 twice; a correlation is a
# quotient of sums of 1,760 products.
TOLERANCE = {"edges": 1e-12, "blurred": 1e-12, "similarity": 1e-12}
LEAD = 0.1  # by which the place found is better than any that does not overlap it


def correlations(image, pattern):
    """Pearson's coefficient of the pattern with each window, a line of windows at a time."""
    centred = (pattern - pattern.mean()).ravel()
    rows = []
    for line in range(image.shape[0] - pattern.shape[0] + 1):
        windows = sliding_window_view(image[line : line + pattern.shape[0]], pattern.shape)[0].reshape(-1, centred.size)
        windows = windows - windows.mean(axis=1, keepdims=True)
        rows.append(windows @ centred / np.sqrt((windows**2).sum(axis=1) * (centred @ centred)))
    return np.array(rows)


def part(image, place):
    return image[place["line"] : place["line"] + place["lines"], place["column"] : place["column"] + place["columns"]]


def compute(photograph, report):
    pixels = photograph.astype(float)
    blurred = gaussian_filter(pixels, report["sigma"])
    return {"edges": np.hypot(sobel(pixels, 0), sobel(pixels, 1)), "blurred": blurred,
            "similarity": correlations(blurred, part(pixels, report["detail"]))}  # fmt: skip


def complaints(found, expected, report):
    for name, array in expected.items():
        if found[name].shape != array.shape or found[name].dtype != array.dtype:
            yield f"{name}: {found[name].dtype} {found[name].shape}, {array.dtype} {array.shape} is expected"
        elif not np.abs(found[name] - array).max() <= TOLERANCE[name]:
            yield f"{name}: differs by {np.abs(found[name] - array).max():.3g}, at most {TOLERANCE[name]:.3g} is expected"
    best = np.unravel_index(expected["similarity"].argmax(), expected["similarity"].shape)
    if (report["found"]["line"], report["found"]["column"]) != best:
        yield f"the detail is found at {report['found']}, SciPy finds it at {best}"


def sanity_complaints(similarity, report):
    """What holds of a search that works, whoever computes."""
    detail, found = report["detail"], report["found"]
    if found != detail:
        yield f"the detail is of {detail} and is found at {found}"
    others = similarity.copy()
    lines, columns = detail["lines"], detail["columns"]
    others[max(0, found["line"] - lines + 1) : found["line"] + lines, max(0, found["column"] - columns + 1) : found["column"] + columns] = -1
    if not report["correlation"] - others.max() >= LEAD:
        yield f"correlation {report['correlation']} at the place found, {others.max()} elsewhere"


def check_the_checks(found, expected, report):
    """A comparison that cannot fail is worth nothing: small damage must be noticed."""
    damaged = {name: array.copy() for name, array in found.items()}
    for array in damaged.values():
        array[3, 5] += 1e-10
    assert len(list(complaints(damaged, expected, report))) == len(expected), "a changed pixel passes for equal"
    moved = {**report, "found": {**report["found"], "line": report["found"]["line"] + 1}}
    assert list(complaints(found, expected, moved)) and list(sanity_complaints(found["similarity"], moved)), "another place passes"


def check_picture(script, photograph, folder):
    picture = folder / "photograph.png"
    picture.unlink(missing_ok=True)
    subprocess.run([sys.executable, script, photograph, str(folder)], check=True)
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{picture} is not a PNG"
    width, height = struct.unpack(">II", head[16:24])
    assert width == 800 and 700 <= height <= 900, f"{picture} has {width} x {height} pixels"
    wrong = subprocess.run([sys.executable, script, photograph, str(folder / "missing")], capture_output=True, text=True)
    assert wrong.returncode == 1 and wrong.stderr.count("\n") == 1, wrong.stderr


def check_errors(program, photograph, folder):
    """Wrong arguments and files end with one line that says what is wrong, and write nothing."""
    np.save(folder / "float.npy", np.ones((512, 512)))
    np.save(folder / "small.npy", np.ones((100, 512), np.uint8))
    for arguments, code, says in (([], 2, "usage"), ([photograph], 2, "usage"), (["missing.npy", "out"], 1, "missing.npy"),
                                  (["float.npy", "out"], 1, "float64"), (["small.npy", "out"], 1, "(100, 512)"),
                                  ([photograph, "small.npy"], 1, "small.npy")):  # fmt: skip
        done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == code and says in done.stderr and done.stderr.count("\n") == 1, (arguments, done)
        assert not (folder / "out").exists(), arguments


def main():
    program, photograph, script = (str(pathlib.Path(path).absolute()) for path in sys.argv[1:4])
    folder = pathlib.Path(sys.argv[4])
    subprocess.run([program, photograph, str(folder)], check=True)
    report = json.loads((folder / "photograph.json").read_text())
    expected = compute(np.load(photograph), report)
    found = {name: np.load(folder / f"{name}.npy") for name in expected}
    differences = {name: np.abs(found[name] - array).max() for name, array in expected.items() if found[name].shape == array.shape}
    print("largest differences:", ", ".join(f"{name} {difference:.1e}" for name, difference in differences.items()))
    problems = [*complaints(found, expected, report), *sanity_complaints(found["similarity"], report)]
    if problems:
        sys.exit("\n".join(problems))
    check_the_checks(found, expected, report)
    check_picture(script, photograph, folder)
    check_errors(program, photograph, folder)


if __name__ == "__main__":
    main()
