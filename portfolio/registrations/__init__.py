"""Registrations as D&B has them: discovered, adopted, suppressed. Imports subjects and sync."""
