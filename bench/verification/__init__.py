"""Verification of gpuconv on a GPU, in stages that can be cut and resumed; run by the script in the folder above."""
