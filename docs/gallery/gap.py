"""One lost sample, by gpuconv's transform and by a plain one."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

n, taps = 2000, 201
x = np.cumsum(np.random.default_rng(3).standard_normal(n)) / 10
x[1200] = np.nan
mean = np.ones(taps) / taps
here = gpuconv.convolve(x, mean, "same", method="fft")
size = n + taps - 1
plain = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(mean, size))

figure, axes = plt.subplots()
axes.plot(x, linewidth=0.7, label="signal, one sample is NaN")
lost, lost_plain = np.isnan(here).sum(), np.isnan(plain).sum()
axes.plot(here, linewidth=2, label=f"gpuconv, method='fft': {lost} outputs are NaN")
axes.plot(plain, label=f"product of numpy.fft's spectra: {lost_plain} are, all of them")
axes.axvspan(1200 - taps // 2, 1200 + taps // 2, alpha=0.2, color="grey", linewidth=0)
axes.set_xlabel("sample")
axes.legend(loc="upper left")
