"""Dates, times and numbers as each language writes them, where Django's own way reads badly in a list."""
