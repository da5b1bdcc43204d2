"""SciPy's functions of convolution, as gpuconv computes them: gpuconv.scipy.signal and gpuconv.scipy.ndimage."""
