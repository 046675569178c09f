"""Business units: what one unit has is looked for wherever the other one can look."""
