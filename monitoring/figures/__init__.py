"""Figures of companies over time: scores, limits, size, industry, group and flags, as of any day.

May import history; statistics and pages may import it.
"""
