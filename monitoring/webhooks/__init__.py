"""Events for other systems: who subscribes to what, signed and sent."""
