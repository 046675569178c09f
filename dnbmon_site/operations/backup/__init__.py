"""Copies of the database, made while it is used, and put back into an empty place (docs/operate/backup.md)."""
