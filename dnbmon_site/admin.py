"""The admin's pages of this app."""

from dnbmon_site.worker import admin as worker

__all__ = ["worker"]
