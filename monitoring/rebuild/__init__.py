"""History read again from the stored answers."""
