"""Pages of notifications and of what could not be read."""
