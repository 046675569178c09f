"""Rows about people at work: what they follow and are told, what they review and decide."""
