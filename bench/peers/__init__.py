"""Compares gpuconv with NumPy and SciPy in one process; used by the scripts of the folder above."""
