"""Pure functions over the companies of a day: counts, movement, concentration, expected loss."""
