"""Family trees that people fetch from D&B: the way up from a company and the whole family, kept as snapshots and shown
with what of it is monitored. May import corporate groups and data fetches."""
