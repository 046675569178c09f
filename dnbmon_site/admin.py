"""The admin's pages of this app, each beside what it shows."""

from dnbmon_site.accounts.admin import api_keys, lockout, people
from dnbmon_site.worker import admin as worker

__all__ = ["api_keys", "lockout", "people", "worker"]
