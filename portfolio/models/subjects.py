"""The D-U-N-S numbers of a registration: what people request, and what D&B has."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from hashlib import sha1
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, PartialIndex
from portfolio.models.companies import Company
from portfolio.models.registrations import Registration

SUBJECT_KEYS = uuid.UUID("0f3d6e0c-7b0f-5a3e-9a54-2f1b3f0f6b77")


class SubjectState(models.TextChoices):
    """What D&B has, as far as known."""

    UNKNOWN = "unknown", _("Not sent yet")
    PENDING_ADD = "pending_add", _("Addition sent, awaiting confirmation by D&B")
    MONITORED = "monitored", _("Monitored")
    PENDING_REMOVE = "pending_remove", _("Removal sent, awaiting confirmation by D&B")
    REMOVED = "removed", _("Not in the registration")
    REFUSED = "refused", _("Refused by D&B")


class Subject(models.Model):
    """One D-U-N-S number in one registration. `requested` is what people say, `state` what D&B has."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    requested = models.BooleanField(default=False)
    requested_by = models.TextField(
        blank=True, help_text=_("User, API key or import that made the request or withdrew it.")
    )
    requested_at = models.DateTimeField(null=True)
    requested_import = CompactUUIDField(null=True, db_index=True, help_text=_("Import that requested it."))
    remove_on = models.DateField(
        null=True, blank=True, db_index=True, help_text=_("Scheduled removal: no longer requested from this day.")
    )
    state = models.CharField(max_length=16, choices=SubjectState.choices, default=SubjectState.UNKNOWN)
    code = models.CharField(max_length=16, blank=True, help_text=_("Last code from D&B."))
    message = models.TextField(blank=True)
    replacement = models.CharField(max_length=9, blank=True, help_text=_("D-U-N-S number that D&B suggests instead."))
    sent_at = models.DateTimeField(null=True, help_text=_("Time at which the pending addition or removal was sent."))
    checked_at = models.DateTimeField(
        null=True, help_text=_("Time at which D&B last reported whether it monitors the company.")
    )
    reported_by = CompactUUIDField(
        null=True, editable=False, help_text=_("Owner of the file that lists the company, until D&B confirms it.")
    )
    customer_reference = models.TextField(
        _("customer reference"),
        blank=True,
        help_text=_("Your own number for the company, such as a customer or supplier number."),
    )
    tags = models.TextField(_("tags"), blank=True, help_text=_("Separate several tags with commas."))
    owner = models.TextField(
        _("owner"),
        blank=True,
        help_text=_("Person responsible for the company, for example a username or email address."),
    )
    monitored_since = models.DateField(null=True, help_text=_("First day of the current or last monitoring period."))
    monitored_until = models.DateField(null=True, help_text=_("Last day of monitoring; empty while monitored."))

    class Meta:
        verbose_name = _("monitored company")
        verbose_name_plural = _("monitored companies")
        indexes = [
            models.Index(fields=["registration", "requested", "state", "id"], name="subject_by_request"),
            models.Index(fields=["registration", "state", "id"], name="subject_by_state"),
            models.Index(fields=["registration", "id"], name="subject_by_registration"),
            models.Index(fields=["checked_at", "id"], name="subject_by_check"),
            # Filters of companies: by registration, owner and tag.
            models.Index(
                fields=["registration", "monitored_until", "company", "monitored_since"], name="subject_by_stay"
            ),
            # By company, those that D&B monitors now.
            PartialIndex(
                fields=["company", "monitored_until", "monitored_since"],
                name="subject_now",
                condition=models.Q(monitored_since__isnull=False, monitored_until=None),
            ),
            PartialIndex(fields=["owner", "company"], name="subject_by_owner", condition=~models.Q(owner="")),
            PartialIndex(fields=["tags", "company"], name="subject_by_tags", condition=~models.Q(tags="")),
        ]

    def __str__(self) -> str:
        return self.company_id

    @staticmethod
    def key(registration: uuid.UUID, duns: str) -> uuid.UUID:
        return uuid.uuid5(SUBJECT_KEYS, f"{registration}\n{duns}")

    @staticmethod
    def keys(registration: uuid.UUID, numbers: Iterable[str]) -> list[uuid.UUID]:
        """`key` of each, where there are many."""
        begun = sha1(SUBJECT_KEYS.bytes + f"{registration}\n".encode(), usedforsecurity=False)
        return [_key(begun.copy(), number) for number in numbers]


def _key(begun: Any, number: str) -> uuid.UUID:
    begun.update(number.encode())
    return uuid.UUID(bytes=begun.digest()[:16], version=5)
