"""The pages of a registration's list and of its syncs."""
