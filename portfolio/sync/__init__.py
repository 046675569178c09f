"""Making D&B's list equal to what is wanted: difference, calls, answers, progress. Imports companies."""
