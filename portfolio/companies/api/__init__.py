"""Companies in the API: one company, many numbers at a time, external references."""
