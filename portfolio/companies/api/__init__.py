"""Companies for other programs: the list, many numbers at once, external references."""
