"""Rows about people at work: what they follow and are told, what they decide."""

"""What people do with what D&B reported: reviews and decisions."""
