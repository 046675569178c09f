"""Figures of companies over time: scores, limits, size, industry, group and flags, as of any day.

May import history and ingest; retention, statistics and pages may import it.
"""
