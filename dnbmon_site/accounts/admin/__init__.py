"""Pages of users, roles, API keys and logins."""

from dnbmon_site.accounts.admin import api_keys, lockout, units, users

__all__ = ["api_keys", "lockout", "units", "users"]
