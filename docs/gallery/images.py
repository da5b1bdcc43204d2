"""A photograph blurred, sharpened and searched for edges."""

import gpuconv
import matplotlib.pyplot as plt
import numpy as np

photograph = np.load("data/ascent_512.npy")[100:356, 200:456]

steps = np.arange(-8, 9)
bell = np.exp(-0.5 * (steps / 2.5) ** 2)
blur = np.outer(bell, bell) / bell.sum() ** 2
smooth = gpuconv.convolve2d(photograph, blur, "same", boundary="reflect")
sobel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
slopes = [
    gpuconv.convolve2d(photograph, taps, "same", boundary="nearest", dtype="i8")
    for taps in (sobel, sobel.T)
]
pictures = {
    "photograph": photograph, "blurred": smooth,
    "sharpened": 2.0 * photograph - smooth, "edges": np.hypot(*slopes),
}

figure, panels = plt.subplots(1, 4, figsize=(8, 2.2))
for axes, (name, picture) in zip(panels, pictures.items()):
    axes.imshow(picture, cmap="gray", vmin=0, vmax=400 if name == "edges" else 255)
    axes.set_title(name)
    axes.set_axis_off()
