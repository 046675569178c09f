"""Companies of which the number is not known: what D&B found for each, and what people decided."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.call_budgets import CallKind
from portfolio.models.contracts import Contract
from portfolio.models.imports import SubjectImport

SEARCH_KEYS = uuid.UUID("5e0b7c52-9d1f-5c8a-8f0e-6b7e5d8a1c34")


class SearchState(models.TextChoices):
    WAITING = "waiting", _("Waiting for the search")
    CALLED = "called", _("Search in progress")
    FOUND = "found", _("Awaiting decision")
    NOTHING = "nothing", _("No candidates")
    STOPPED = "stopped", _("Search stopped")
    FAILED = "failed", _("Search failed")
    CHOSEN = "chosen", _("Company chosen")
    REJECTED = "rejected", _("None of the candidates")


class CompanySearch(models.Model):
    """One company that D&B is asked for by its name: for a row of an import, or for a person.

    Its key comes from the row, so that a row is searched, and paid, once.
    """

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, db_index=False)
    subject_import = models.ForeignKey(SubjectImport, on_delete=models.CASCADE, null=True, db_index=False)
    sheet = models.TextField(blank=True, help_text=_("For a workbook: the sheet of the row."))
    line = models.PositiveIntegerField(default=0, help_text=_("Line of the row in its file."))
    kind = models.CharField(_("kind of call"), max_length=16, choices=CallKind.choices, default=CallKind.MATCH)
    name = models.TextField(_("name"))
    country = models.CharField(_("country"), max_length=2)
    street = models.TextField(blank=True)
    city = models.TextField(blank=True)
    postal_code = models.TextField(blank=True)
    registration_number = models.TextField(blank=True)
    telephone = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=SearchState.choices, default=SearchState.WAITING)
    candidates = models.TextField(default="[]", help_text=_("D&B's candidates, as JSON."))
    error = models.TextField(blank=True, help_text=_("Reason why the search stopped or failed."))
    requested_by = models.TextField(_("requested by"))
    requested_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True)
    chosen = models.CharField(max_length=9, blank=True, help_text=_("D-U-N-S number that a user chose."))
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    added_to = CompactUUIDField(null=True, help_text=_("Import that contains the chosen company."))

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("company search")
        verbose_name_plural = _("company searches")
        permissions = [("search_company", _("Can search for companies at D&B"))]
        indexes = [
            models.Index(fields=["subject_import", "state", "line"], name="search_by_import"),
            models.Index(fields=["state", "requested_at", "id"], name="search_by_state"),
            models.Index(fields=["requested_at", "id"], name="search_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.country})"

    @staticmethod
    def key(import_: uuid.UUID, sheet: str, line: int) -> uuid.UUID:
        return uuid.uuid5(SEARCH_KEYS, f"{import_.hex}\n{sheet}\n{line}")
