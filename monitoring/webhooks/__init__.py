"""Events for other systems: who wants what, signed and sent."""
