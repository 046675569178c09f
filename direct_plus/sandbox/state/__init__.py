"""What the sandbox's D&B knows and remembers. Imports `http`."""
