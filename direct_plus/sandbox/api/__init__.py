"""Direct+ itself: one module for each family of calls. Imports `state`."""
