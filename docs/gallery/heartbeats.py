"""Every beat of five minutes that is like the first one, by correlation with it."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

rate = 360
recording = np.load("data/ecg_360hz_adc.npy").astype("f4")
width = 60  # samples: a sixth of a second
second = np.ones(rate + 1, "f4") / (rate + 1)
recording -= gpuconv.convolve(recording, second, "same", boundary="reflect")
first = np.argmax(recording[:rate])
pattern = recording[first - width // 2 : first + width // 2]
pattern = pattern - pattern.mean()

# The coefficient's numerator needs no mean of the windows, for the pattern has none.
ones = np.ones(width, "f4") / width
mean, square = (gpuconv.convolve(x, ones, "valid") for x in (recording, recording**2))
spread = np.sqrt(np.maximum(square - mean**2, 1) * width) * np.linalg.norm(pattern)
score = gpuconv.correlate(recording, pattern, "valid") / spread

around = [score[max(0, i - width) : i + width] for i in range(score.size)]
beats = [i for i in np.flatnonzero(score > 0.9) if score[i] == around[i].max()]
piece = slice(221 * rate, 229 * rate)
shown = np.array([i for i in beats if piece.start <= i < piece.stop]) + width // 2
time = np.arange(recording.size) / rate
figure, (signal, likeness) = plt.subplots(2, sharex=True, height_ratios=[2, 1])
signal.plot(time[piece], recording[piece], linewidth=0.9)
signal.plot(time[shown], recording[shown], "v", label="like the first beat")
signal.set_ylabel("signal (steps)")
signal.set_title(f"{len(beats)} beats of five minutes are like the first one; eight seconds")
signal.legend(loc="upper right")
likeness.plot(time[piece], score[piece], linewidth=0.9)
likeness.axhline(0.9, linestyle="--", linewidth=0.8, color="grey")
likeness.set(xlabel="time (s)", ylabel="coefficient", ylim=(-1.05, 1.05))
