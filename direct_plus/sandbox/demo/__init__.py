"""The made-up companies of the demonstration."""
