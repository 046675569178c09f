"""The order in which the world may see things, and who reads it how far."""
