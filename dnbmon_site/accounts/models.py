"""Users, and other programs by API key."""

import uuid
import zoneinfo
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import person_text
from core.api.scopes import SCOPES, split_scopes, unknown_scopes
from core.fields import CompactUUIDField
from core.models import BusinessUnit
from portfolio.visibility import SeesUnits

USE_IS_NOTED_EVERY = timedelta(minutes=1)


def check_timezone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            gettext("“%(name)s” is not a time zone. Enter one such as Europe/Berlin.") % {"name": name}
        )


class SecondFactorState(models.TextChoices):
    OFF = "", _("Off")
    DUE = "due", _("Required, not set up")
    ON = "on", _("On")


class User(SeesUnits, AbstractUser):
    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    timezone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_timezone],
        help_text=_("Dates and times are shown in this time zone."),
    )
    language = models.CharField(
        _("language"),
        max_length=16,
        blank=True,
        choices=settings.LANGUAGES,
        help_text=_("Sets the format of dates and numbers. Leave empty to use the system default."),
    )
    oidc_subject = models.CharField(
        max_length=500,
        unique=True,
        null=True,
        blank=True,
        editable=False,
        help_text=_("ID of the user at the identity provider."),
    )
    # Of the rows that say so, for every request: whether a code is asked for, or still has to be set up.
    second_factor = models.CharField(
        _("two-step verification"), max_length=3, blank=True, choices=SecondFactorState.choices, editable=False
    )
    invited_at = models.DateTimeField(null=True, editable=False, help_text=_("Time of the last invitation."))
    # How far this person has seen the front page: a visit's own mark, and where news begins for it.
    seen_at = models.DateTimeField(null=True, editable=False)
    seen_sequence = models.BigIntegerField(default=0, editable=False)
    news_since = models.DateTimeField(null=True, editable=False)
    news_sequence = models.BigIntegerField(default=0, editable=False)
    # The open alerts assigned to this person, counted when one changes: every page shows their number.
    own_alerts = models.TextField(blank=True, editable=False)
    # Texts that mention this person and came since they last read their messages.
    unread_mentions = models.PositiveIntegerField(default=0, editable=False)
    mentions_seen_at = models.DateTimeField(null=True, editable=False)
    # As in Django, but through rows of ours: the rows Django makes by itself have auto-increment keys.
    groups = models.ManyToManyField(  # type: ignore[assignment]
        Group,
        through="UserGroup",
        blank=True,
        related_name="user_set",
        related_query_name="user",
        verbose_name=_("roles"),
    )
    user_permissions = models.ManyToManyField(  # type: ignore[assignment]
        Permission, through="UserPermission", blank=True, related_name="user_set", related_query_name="user"
    )

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class UnitMember(models.Model):
    """A person sees what a business unit sees. Whoever is in none, and does not see all, sees nothing."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey(BusinessUnit, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE, related_name="unit_rows")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "unit"], name="one_row_a_user_and_unit")]

    def __str__(self) -> str:
        return person_text(self.user)


class UserGroup(models.Model):
    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE)
    group = models.ForeignKey(Group, models.CASCADE)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="one_row_a_user_and_group")]


class UserPermission(models.Model):
    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE)
    permission = models.ForeignKey(Permission, models.CASCADE)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "permission"], name="one_row_a_user_and_permission")]


class SecondFactor(models.Model):
    """A user's authenticator app, from its first code on."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, models.CASCADE, related_name="authenticator")
    secret = models.TextField(editable=False, help_text=_("Encrypted."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # The time step of the last code that was accepted: no code is accepted twice.
    used_step = models.BigIntegerField(default=0, editable=False)

    class Meta:
        default_permissions = ()


class RecoveryCode(models.Model):
    """Signs a user in once, without the app. We keep its hash."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    hashed = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "hashed"], name="one_row_a_user_and_recovery_code")]


class RolePolicy(models.Model):
    """What a role demands of its users."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.OneToOneField(Group, models.CASCADE, related_name="policy")
    needs_second_factor = models.BooleanField(_("require two-step verification"), default=False)

    class Meta:
        default_permissions = ()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self) -> Self:
        not_over = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(not_over, revoked_at=None)


class ApiKey(SeesUnits):
    """A key of another program. We keep its hash: whoever reads the database cannot use it."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text=_("The system that uses the key, such as ERP."))
    prefix = models.CharField(
        _("prefix"), max_length=8, db_index=True, editable=False, help_text=_("Part of the key after “dnbmon_”.")
    )
    hashed = models.CharField(max_length=64, editable=False)
    scopes = models.TextField(_("scopes"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="api_keys",
        verbose_name=_("issued by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(
        _("expires"), null=True, blank=True, help_text=_("Leave empty for a key that does not expire.")
    )
    budget = models.PositiveIntegerField(
        _("budget"),
        default=0,
        help_text=_(
            "New billable companies that the key may add per contract year without approval. "
            "0: every addition needs a user's approval."
        ),
    )
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"), default=600, help_text=_("Calls beyond this number are refused. Enter 0 for no limit.")
    )
    old_prefix = models.CharField(max_length=8, blank=True, db_index=True, editable=False)
    old_hashed = models.CharField(max_length=64, blank=True, editable=False)
    old_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("The key from before the rotation is valid until this time."),
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({masked(self.prefix)})"

    @classmethod
    def issue(cls, *, name: str, scopes: str = "", **columns: Any) -> tuple["ApiKey", str]:
        """The row, and the key itself, which is shown once and never again."""
        if unknown := unknown_scopes(split_scopes(scopes)):
            raise ValueError(f"No such scope: {', '.join(unknown)}. There are: {', '.join(SCOPES)}.")
        prefix, secret = token_hex(4), token_hex(32)
        row = cls.objects.create(name=name, prefix=prefix, hashed=hashed(secret), scopes=scopes, **columns)
        return row, plain_key(prefix, secret)

    @classmethod
    def authenticate(cls, plain: str) -> "ApiKey | None":
        program, _, rest = plain.partition("_")
        prefix, _, secret = rest.partition("_")
        if program != "dnbmon" or not secret or not prefix:
            return None
        presented = hashed(secret)
        for row in cls.objects.valid().filter(models.Q(prefix=prefix) | models.Q(old_prefix=prefix)):
            if row.opens_with(presented):
                return row.noted()
        return None

    def opens_with(self, presented: str) -> bool:
        """By its key, or for a while after a rotation by the one before."""
        if compare_digest(self.hashed, presented):
            return True
        return self.has_old_key and compare_digest(self.old_hashed, presented)

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def has_old_key(self) -> bool:
        """Whether the key from before a rotation still opens."""
        return self.is_valid and self.old_until is not None and self.old_until > timezone.now()

    def end_old_key(self) -> None:
        self.old_until = timezone.now()
        self.save(update_fields=["old_until"])

    def rotate(self, *, by: User | None = None, overlap: timedelta = timedelta(days=7)) -> str:
        """A new key for the same program, shown once to who rotates it; the one before goes on for a while."""
        prefix, secret = token_hex(4), token_hex(32)
        self.old_prefix, self.old_hashed, self.old_until = self.prefix, self.hashed, timezone.now() + overlap
        self.prefix, self.hashed, self.created_by = prefix, hashed(secret), by or self.created_by
        self.save(update_fields=["prefix", "hashed", "created_by", "old_prefix", "old_hashed", "old_until"])
        return plain_key(prefix, secret)

    def noted(self) -> Self:
        """Note the use, but not with a write for each call."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - USE_IS_NOTED_EVERY:
            # A database that is busy with a long write, or full, is read all the same.
            with suppress(DatabaseError), transaction.atomic():
                type(self).objects.filter(pk=self.pk).update(last_used_at=now)
            self.last_used_at = now
        return self

    def revoke(self) -> None:
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])

    @property
    def unknown_scopes(self) -> list[str]:
        """Written before scopes were a fixed list: kept, and opening nothing."""
        return unknown_scopes(split_scopes(self.scopes))

    @property
    def is_orphaned(self) -> bool:
        """Whether who issued it has left. It goes on: it is a program's, which works for the others as well."""
        return self.created_by is None or not self.created_by.is_active

    def allows(self, scope: str) -> bool:
        return scope in SCOPES and scope in split_scopes(self.scopes)


class UnitKey(models.Model):
    """An API key sees what a business unit sees."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey(BusinessUnit, models.CASCADE)
    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="unit_rows")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key", "unit"], name="one_row_a_key_and_unit")]

    def __str__(self) -> str:
        return str(self.key)


class IdempotencyKey(models.Model):
    """A write that a program may send again: what was asked, and what was answered."""

    id = models.CharField(primary_key=True, max_length=64)
    fingerprint = models.CharField(max_length=64, help_text=_("Hash of method, address and body."))
    status = models.PositiveSmallIntegerField(null=True, help_text=_("Empty while the request is in progress."))
    content_type = models.TextField(blank=True)
    answer = models.BinaryField(default=b"")
    working_until = models.DateTimeField()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id


def masked(prefix: str) -> str:
    """The part of a key that people may see."""
    return f"dnbmon_{prefix}_…"


def plain_key(prefix: str, secret: str) -> str:
    return f"dnbmon_{prefix}_{secret}"


def hashed(secret: str) -> str:
    """Plain SHA-256 will do: 256 random bits cannot be guessed, so there is nothing to slow down."""
    return sha256(secret.encode()).hexdigest()
