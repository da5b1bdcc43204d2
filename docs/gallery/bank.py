"""Seventy complex filters on one signal in one call: how its pitch changes with time."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

rate, n = 8000, 16_000
time = np.arange(n) / rate
pitch = 500 + 400 * np.sin(2 * np.pi * time) + 300 * time
voice = np.sin(2 * np.pi * np.cumsum(pitch) / rate)
voice += 0.5 * np.sin(2 * np.pi * np.cumsum(2 * pitch) / rate)
voice += np.random.default_rng(1).standard_normal(n)

pitches = np.geomspace(100, 3500, 70)[:, None]
reach = np.arange(-400, 401) / rate
bank = np.exp(2j * np.pi * pitches * reach - (reach * pitches / 6) ** 2 * 8) * pitches
bands = gpuconv.convolve(voice[None], bank, "same")  # (1, 16000) with (70, 801): (70, 16000)

figure, axes = plt.subplots()
axes.pcolormesh(time[::20], pitches[:, 0], np.abs(bands[:, ::20]), cmap="magma")
axes.set(yscale="log", xlabel="time (s)", ylabel="frequency (Hz)")
