"""72 hours of D&B's clock on the real program, with faults: `python -m benchmarks.days`."""
