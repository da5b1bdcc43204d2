"""numpy.convolve and numpy.correlate on any axis, on the CPU and on NVIDIA GPUs."""

from ._core import Plan, __version__, convolve, convolve2d, correlate, correlate2d, explain, info
from ._delegation import calls
from ._patch import patch, unpatch

__all__ = ["Plan", "__version__", "calls", "convolve", "convolve2d", "correlate", "correlate2d", "explain", "info", "patch", "unpatch"]

Plan.__module__ = "gpuconv"
