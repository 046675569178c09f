"""Making D&B's list equal to what is requested: difference, calls, answers, progress. Imports companies."""
