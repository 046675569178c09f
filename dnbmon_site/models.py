"""Who may use the program: people, and other programs by key."""

import uuid
import zoneinfo
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

USE_IS_NOTED_EVERY = timedelta(minutes=1)


def check_timezone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is no time zone. Zones are named like Europe/Berlin.")


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", validators=[check_timezone], help_text="Dates are shown in it."
    )
    # As in Django, but through rows of ours: the rows Django makes by itself have auto-increment keys.
    groups = models.ManyToManyField(  # type: ignore[assignment]
        Group, through="UserGroup", blank=True, related_name="user_set", related_query_name="user", verbose_name="roles"
    )
    user_permissions = models.ManyToManyField(  # type: ignore[assignment]
        Permission, through="UserPermission", blank=True, related_name="user_set", related_query_name="user"
    )

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class UserGroup(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE)
    group = models.ForeignKey(Group, models.CASCADE)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="one_row_a_user_and_group")]


class UserPermission(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE)
    permission = models.ForeignKey(Permission, models.CASCADE)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "permission"], name="one_row_a_user_and_permission")]


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self) -> Self:
        not_over = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(not_over, revoked_at=None)


class ApiKey(models.Model):
    """A key of another program. We keep its hash: whoever reads the database cannot use it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, help_text="Which program uses it.")
    prefix = models.CharField(max_length=8, db_index=True, editable=False, help_text="How the key begins.")
    hashed = models.CharField(max_length=64, editable=False)
    scopes = models.TextField(blank=True, help_text="What it may do, separated by commas.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="api_keys"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} (dnbmon_{self.prefix}_…)"

    @classmethod
    def issue(
        cls, *, name: str, scopes: str = "", created_by: User | None = None, expires_at: datetime | None = None
    ) -> tuple["ApiKey", str]:
        """The row, and the key itself, which is shown once and never again."""
        prefix, secret = token_hex(4), token_hex(32)
        row = cls.objects.create(
            name=name, prefix=prefix, hashed=hashed(secret), scopes=scopes, created_by=created_by, expires_at=expires_at
        )
        return row, f"dnbmon_{prefix}_{secret}"

    @classmethod
    def authenticate(cls, plain: str) -> "ApiKey | None":
        program, _, rest = plain.partition("_")
        prefix, _, secret = rest.partition("_")
        if program != "dnbmon" or not secret:
            return None
        presented = hashed(secret)
        for row in cls.objects.valid().filter(prefix=prefix):
            if compare_digest(row.hashed, presented):
                return row.noted()
        return None

    def noted(self) -> Self:
        """Note the use, but not with a write for each call."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - USE_IS_NOTED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)
            self.last_used_at = now
        return self

    def revoke(self) -> None:
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])

    def allows(self, scope: str) -> bool:
        return scope in {name.strip() for name in self.scopes.split(",")}


def hashed(secret: str) -> str:
    """Plain SHA-256 will do: 256 random bits cannot be guessed, so there is nothing to slow down."""
    return sha256(secret.encode()).hexdigest()
