"""Compares gpuconv with other libraries in one process, on the same arrays."""
