"""The stages of bench/run.py."""
