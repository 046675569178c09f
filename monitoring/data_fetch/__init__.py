"""Data of companies that people fetch from D&B: calls confirmed, answers stored, shown as differences, and decided."""
