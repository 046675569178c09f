"""Removing a company or a registration everywhere, so that nothing here tells of it (docs/operate/backup.md)."""
