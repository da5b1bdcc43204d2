"""A ramp smoothed with each boundary."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

n, reach = 60, 30
x = np.linspace(1, 2, n) + 0.15 * np.sin(np.arange(n) / 2)
bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / 10) ** 2)
bell /= bell.sum()
as_if = {  # what numpy.pad calls it
    "zero": {"mode": "constant"},
    "nearest": {"mode": "edge"},
    "reflect": {"mode": "symmetric"},
    "mirror": {"mode": "reflect"},
    "wrap": {"mode": "wrap"},
    ("constant", 2.5): {"mode": "constant", "constant_values": 2.5},
}

figure, panels = plt.subplots(2, 3, sharex=True, sharey=True)
for axes, (boundary, padding) in zip(panels.flat, as_if.items()):
    beyond = np.pad(x, reach, **padding)
    axes.plot(np.arange(-reach, n + reach), beyond, linewidth=0.9, linestyle=":", label="as if")
    axes.plot(x, linewidth=0.9, label="signal")
    axes.plot(gpuconv.convolve(x, bell, "same", boundary=boundary), linewidth=2, label="smoothed")
    axes.set_title(f"boundary={boundary!r}")
panels[0, 0].legend(loc="lower center")
