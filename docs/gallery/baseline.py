"""An electrocardiogram without the slow wander of its baseline."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

rate = 360
recording = (np.load("data/ecg_360hz_adc.npy") - 1024) / 200  # millivolts
second = np.ones(rate + 1) / (rate + 1)
baseline = recording
for _ in range(2):
    baseline = gpuconv.convolve(baseline, second, "same", boundary="reflect")

piece = slice(60 * rate, 75 * rate)
seconds = np.arange(recording.size)[piece] / rate
figure, (above, below) = plt.subplots(2, sharex=True, sharey=True)
above.plot(seconds, recording[piece], linewidth=0.8, label="recording")
above.plot(seconds, baseline[piece], label="two moving means of a second")
below.plot(seconds, (recording - baseline)[piece], linewidth=0.8, label="what is left")
below.set_xlabel("time (s)")
for axes in (above, below):
    axes.set(ylabel="signal (mV)", ylim=(-1.6, 3.6))
    axes.legend(loc="upper right")
