"""How far two noisy recordings of the same are apart, from 401 lags of 400,000."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(5)
n, delay, reach = 200_000, 83, 200
source = gpuconv.convolve(rng.standard_normal(n + delay), np.ones(9) / 3, "same")
near = source[delay:] + 3 * rng.standard_normal(n)
far = source[:n] + 3 * rng.standard_normal(n)
lags = np.arange(-reach, reach + 1)
likeness = gpuconv.correlate(far, near, max_lag=reach) / n
best = lags[np.argmax(likeness)]

figure, (above, below) = plt.subplots(2)
above.plot(near[:600], linewidth=0.7, label="near")
above.plot(far[:600] - 20, linewidth=0.7, label="far, 20 lower")
above.set(xlabel="sample", ylim=(-32, 24))
above.legend(loc="upper right", ncols=2)
below.plot(lags, likeness, linewidth=1)
below.plot(best, likeness.max(), "v", label=f"far is {best} samples late")
below.set(xlabel="lag (samples)", ylabel="mean product")
below.legend(loc="upper left")
