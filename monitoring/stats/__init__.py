"""Counts and delays by day, for pages and reports."""
