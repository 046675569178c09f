"""Where D&B's list and what is wanted differ though nothing is under way."""
