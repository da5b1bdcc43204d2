"""Runs `heartbeats` and repeats its whole computation in NumPy and SciPy, in float64 and by other formulas: the beats
must be the same samples. check_against_scipy.py HEARTBEATS RECORDING.npy FOLDER [cuda]; cuda: a GPU is expected. Exit 77:
NumPy or SciPy are missing."""

import json
import pathlib
import re
import subprocess
import sys

try:
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view
    from scipy.ndimage import convolve1d
    from scipy.signal import find_peaks
except ImportError as missing:
    print(f"SKIPPED: {missing}")
    sys.exit(77)

# Largest differences allowed. Rounding of float64 sums of a few samples of some millivolts is about 1e-15; a derivative
# multiplies it by the rate; block transforms of 126-sample windows lose two or three digits more.
TOLERANCE = {"millivolts": 0.0, "smoothed": 1e-13, "derivative": 1e-10, "similarity": 1e-10}


def smooth(signal, taps):
    """Mean over the samples of a centred window that exist, from sums over a mask of ones."""
    sums = convolve1d(signal, np.ones(taps), mode="constant")
    return sums / convolve1d(np.ones_like(signal), np.ones(taps), mode="constant")


def similarity(signal, pattern, energy_floor):
    """Pearson correlation of the pattern with each window, window by window."""
    shape = signal[pattern["begin"]:pattern["end"]]
    shape = shape - shape.mean()
    windows = sliding_window_view(signal, shape.size)
    energies = windows.var(axis=1) * shape.size
    floor = energy_floor * (shape @ shape)
    scores = (windows @ shape) / np.sqrt((shape @ shape) * np.maximum(energies, floor))
    out = np.zeros_like(signal)
    offset = pattern["beat"] - pattern["begin"]
    out[offset:offset + scores.size] = scores
    return out


def compute(adc, settings):
    """What heartbeats.json and the .npy files should hold."""
    millivolts = (adc.astype(np.float64) - settings["adc_zero"]) / settings["adc_per_millivolt"]
    smoothed = smooth(millivolts, settings["smoothing"])
    arrays = {"millivolts": millivolts, "smoothed": smoothed, "derivative": np.gradient(smoothed, 1 / settings["rate"])}
    rows = np.array([similarity(smoothed, p, settings["energy_floor"]) for p in settings["patterns"]])
    arrays |= {f"similarity_{p['name']}": row for p, row in zip(settings["patterns"], rows)}
    best = rows.max(axis=0)
    beats, _ = find_peaks(best, height=settings["threshold"], distance=settings["refractory"])
    return arrays, beats, rows.argmax(axis=0)[beats]


def array_complaints(found, expected):
    for name, array in expected.items():
        tolerance = TOLERANCE[name.split("_")[0]]
        if found[name].shape != array.shape or found[name].dtype != array.dtype:
            yield f"{name}: {found[name].dtype} {found[name].shape}, {array.dtype} {array.shape} is expected"
        elif not np.abs(found[name] - array).max() <= tolerance:
            yield f"{name}: differs by {np.abs(found[name] - array).max():.3g}, at most {tolerance:.3g} is expected"


def beat_complaints(report, beats, shapes):
    found = [b["sample"] for b in report["beats"]]
    if found != beats.tolist():
        differing = sorted(set(found) ^ set(beats.tolist()))
        yield f"{len(found)} beats, SciPy has {beats.size}; found by one alone: {differing[:10]}"
    elif [b["pattern"] for b in report["beats"]] != shapes.tolist():
        yield "the beats are the same, but not the patterns that they resemble most"


def sanity_complaints(report, beats, seconds):
    """What holds of a heart, whoever computes."""
    intervals = np.diff(beats) / report["rate"]
    if intervals.min() < 0.2:
        yield f"two beats are {intervals.min():.3f} s apart, the refractory period is 0.2 s"
    rate = 60 / intervals[intervals <= report["longest_interval"]].mean()
    if abs(rate - report["mean_heart_rate"]) > 1e-9 * rate:
        yield f"mean heart rate {report['mean_heart_rate']}, {rate} is expected"
    if not 40 <= rate <= 180:
        yield f"a mean heart rate of {rate} a minute is not physiological"
    if beats.size < 0.9 * seconds / np.median(intervals):
        yield f"{beats.size} beats in {seconds} s, one every {np.median(intervals)} s: too many are missing"


def window_complaints(printed, samples):
    """The batch of overlapping windows, wherever it ran: how many there are, and that they agree with the recording as
    one row."""
    expected = (str((samples - 720) // 12 + 1), "720")
    windows = re.findall(r"(\d+) windows of (\d+) samples", printed)
    if not windows or set(windows) != {expected}:
        yield f"windows {windows}; {expected[0]} of {expected[1]} samples are expected"
    differences = re.findall(r"largest difference from the recording filtered as one row: (\S+) mV", printed)
    if len(differences) != len(windows) or not all(float(d) <= 1e-5 for d in differences):  # float32, sums up to 10 mV
        yield f"differences of {differences} mV; at most 1e-5 is expected"


def gpu_complaints(printed, gpu_expected):
    """With and without transfers the GPU, where there is one, finds the beats of the CPU; else the reason is said."""
    agreeing = printed.count("they are those found on the CPU")
    reasons = len(re.findall(r"^Not on cuda: .+$", printed, re.MULTILINE))
    if (agreeing, reasons) not in ([(2, 0)] if gpu_expected else [(2, 0), (0, 1)]):
        yield f"{agreeing} runs on a GPU agree with the CPU, {reasons} reasons are given why there is none"


def check_the_checks(found, arrays, report, beats, shapes):
    """A comparison that cannot fail is worth nothing: small damage must be noticed."""
    damaged = {name: array + 1e-9 for name, array in found.items()}
    assert len(list(array_complaints(damaged, arrays))) == len(arrays), "changed arrays pass for equal"
    late = beats + (np.arange(beats.size) == 7)
    assert list(beat_complaints(report, late, shapes)), "a beat that is one sample late passes for equal"
    assert list(beat_complaints(report, beats, (shapes + 1) % 3)), "other patterns pass for equal"
    assert list(gpu_complaints("", False)) and list(gpu_complaints("Not on cuda: why", True)), "a missing GPU passes"


def main():
    program, recording, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    printed = subprocess.run([program, recording, str(folder)], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(printed)
    report = json.loads((folder / "heartbeats.json").read_text())
    adc = np.load(recording)
    arrays, beats, shapes = compute(adc, report)
    found = {name: np.load(folder / f"{name}.npy") for name in arrays}

    complaints = [*array_complaints(found, arrays), *beat_complaints(report, beats, shapes),
                  *sanity_complaints(report, beats, adc.size / report["rate"]), *window_complaints(printed, adc.size),
                  *gpu_complaints(printed, sys.argv[4:] == ["cuda"])]
    if complaints:
        sys.exit("\n".join(complaints))
    check_the_checks(found, arrays, report, beats, shapes)
    print(f"the same {beats.size} beats; largest differences:",
          ", ".join(f"{name} {np.abs(found[name] - array).max():.1e}" for name, array in arrays.items()))


if __name__ == "__main__":
    main()
