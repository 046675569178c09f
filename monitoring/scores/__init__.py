"""A company's scores over time, and how they moved."""
