"""Pages of channels and of messages."""
