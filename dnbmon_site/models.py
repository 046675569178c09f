"""The rows of this app: people, their rights, API keys."""

from dnbmon_site.accounts.models import ApiKey, IdempotencyKey, User, UserGroup, UserPermission

__all__ = ["ApiKey", "IdempotencyKey", "User", "UserGroup", "UserPermission"]
