"""Where D&B's list and what is requested differ though nothing is under way."""
