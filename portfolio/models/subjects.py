"""The D-U-N-S numbers of a registration: what people request, and what D&B has."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.companies import Company
from portfolio.models.registrations import Registration

SUBJECT_KEYS = uuid.UUID("0f3d6e0c-7b0f-5a3e-9a54-2f1b3f0f6b77")


class SubjectState(models.TextChoices):
    """What D&B has, as far as known."""

    UNKNOWN = "unknown", _("Not asked yet")
    PENDING_ADD = "pending_add", _("Addition sent, not confirmed yet")
    MONITORED = "monitored", _("Monitored")
    PENDING_REMOVE = "pending_remove", _("Removal sent, not confirmed yet")
    REMOVED = "removed", _("Not in the registration")
    REFUSED = "refused", _("Refused by D&B")


class Subject(models.Model):
    """One D-U-N-S number in one registration. `requested` is what people say, `state` what D&B has."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    requested = models.BooleanField(default=False)
    requested_by = models.TextField(blank=True, help_text=_("Who said so: a person, an API key, an import."))
    requested_at = models.DateTimeField(null=True)
    requested_import = CompactUUIDField(null=True, db_index=True, help_text=_("The import that made it wanted."))
    remove_on = models.DateField(
        null=True, blank=True, db_index=True, help_text=_("Planned: no longer wanted from then.")
    )
    state = models.CharField(max_length=16, choices=SubjectState.choices, default=SubjectState.UNKNOWN)
    code = models.CharField(max_length=16, blank=True, help_text=_("D&B's last code."))
    message = models.TextField(blank=True)
    replacement = models.CharField(max_length=9, blank=True, help_text=_("The D-U-N-S number D&B names instead."))
    sent_at = models.DateTimeField(null=True, help_text=_("When the addition or removal under way was sent."))
    checked_at = models.DateTimeField(null=True, help_text=_("When D&B last said whether it is in."))
    reported_by = CompactUUIDField(
        null=True, editable=False, help_text=_("Whose file says that it is in; empty once D&B itself has said so.")
    )
    customer_reference = models.TextField(_("customer reference"), blank=True)
    tags = models.TextField(_("tags"), blank=True, help_text=_("Words separated by commas."))
    owner = models.TextField(_("owner"), blank=True, help_text=_("Who looks after the company."))
    monitored_since = models.DateField(null=True, help_text=_("First day of the present or last stay."))
    monitored_until = models.DateField(null=True, help_text=_("Last day of the last stay; empty while it is in."))

    class Meta:
        verbose_name = _("subject")
        verbose_name_plural = _("subjects")
        indexes = [
            models.Index(fields=["registration", "requested", "state", "id"], name="subject_by_request"),
            models.Index(fields=["registration", "state", "id"], name="subject_by_state"),
            models.Index(fields=["registration", "id"], name="subject_by_registration"),
            models.Index(fields=["checked_at", "id"], name="subject_by_check"),
        ]

    def __str__(self) -> str:
        return self.company_id

    @staticmethod
    def key(registration: uuid.UUID, duns: str) -> uuid.UUID:
        return uuid.uuid5(SUBJECT_KEYS, f"{registration}\n{duns}")
