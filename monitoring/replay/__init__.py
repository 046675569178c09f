"""What was in doubt, fetched again from D&B."""
