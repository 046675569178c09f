"""Counts and latencies by day, for pages and reports."""
