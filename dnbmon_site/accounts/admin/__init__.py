"""Pages of people, roles, API keys and sign-ins."""

from dnbmon_site.accounts.admin import api_keys, lockout, people

__all__ = ["api_keys", "lockout", "people"]
