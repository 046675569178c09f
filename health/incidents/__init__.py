"""What went wrong, from beginning to end."""
