"""A delivery's bytes → notifications and changes, rows that are inserted once however often they are read."""
