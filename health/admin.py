"""The admin's pages of this app, each beside what it shows."""

from health.incidents import admin as incidents

__all__ = ["incidents"]
