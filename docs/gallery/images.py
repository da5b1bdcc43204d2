"""A test card blurred, sharpened and searched for edges."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

line, column = np.mgrid[-1:1:256j, -1:1:256j]
radius = np.hypot(line, column)
card = 0.5 + 0.5 * np.cos(60 * radius**2) * (radius < 0.9)  # a zone plate
card[150:230, 20:80] = np.kron(np.indices((4, 3)).sum(0) % 2, np.ones((20, 20)))

steps = np.arange(-8, 9)
bell = np.exp(-0.5 * (steps / 3) ** 2)
blur = np.outer(bell, bell) / bell.sum() ** 2
smooth = gpuconv.convolve2d(card, blur, "same", boundary="reflect")
sobel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
slopes = [
    gpuconv.convolve2d(card, taps, "same", boundary="nearest") for taps in (sobel, sobel.T)
]
pictures = {
    "test card": card, "blurred": smooth,
    "sharpened": 2 * card - smooth, "edges": np.hypot(*slopes),
}

figure, panels = plt.subplots(1, 4, figsize=(8, 2.2))
for axes, (name, picture) in zip(panels, pictures.items()):
    axes.imshow(picture, cmap="gray", vmin=0, vmax=None if name == "edges" else 1)
    axes.set_title(name)
    axes.set_axis_off()
