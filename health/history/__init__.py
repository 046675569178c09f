"""How it was, by minute and day."""
