"""Calls to D&B that may incur costs: how many a month of each kind, how many were made, and each of them."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.contracts import Contract

BUDGET_KEYS = uuid.UUID("8a0b6a52-31f7-5d0b-8f5a-5f2d7c1e9b60")


class CallKind(models.TextChoices):
    MATCH = "match", _("Match")
    TYPEAHEAD = "typeahead", _("Typeahead")
    DATA_BLOCKS = "data_blocks", _("Data Blocks")
    REFRESH_CHECK = "refresh_check", _("Refresh Check")
    FAMILY_TREE = "family_tree", _("Family Tree")
    REFERENCE_DATA = "reference_data", _("Reference Data")


# Where nobody has set a limit: enough to begin with, and too few to be an expensive surprise.
DEFAULT_CALLS_PER_MONTH: dict[CallKind, int] = {
    CallKind.MATCH: 500,
    CallKind.TYPEAHEAD: 2000,
    CallKind.DATA_BLOCKS: 500,
    CallKind.REFRESH_CHECK: 5000,
    CallKind.FAMILY_TREE: 200,
    CallKind.REFERENCE_DATA: 100,
}


class CallOutcome(models.TextChoices):
    CALLED = "called", _("No result yet")
    ANSWERED = "answered", _("Answered")
    REFUSED = "refused", _("Refused by D&B")
    FAILED = "failed", _("Failed")


class CallBudget(models.Model):
    """How many calls of a kind a contract may make in a calendar month."""

    id = CompactUUIDField(primary_key=True, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    kind = models.CharField(_("kind of call"), max_length=16, choices=CallKind.choices)
    calls_per_month = models.PositiveIntegerField(
        _("calls per month"), null=True, blank=True, help_text=_("Leave empty to use the default. 0 allows no calls.")
    )

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = _("call budget")
        verbose_name_plural = _("call budgets")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.contract_id})"

    @property
    def limit(self) -> int:
        if self.calls_per_month is None:
            return DEFAULT_CALLS_PER_MONTH[CallKind(self.kind)]
        return self.calls_per_month

    @staticmethod
    def key(contract: str, kind: str) -> uuid.UUID:
        return uuid.uuid5(BUDGET_KEYS, f"{contract}\n{kind}")


class CallMonth(models.Model):
    """How many calls of a kind were taken from a month's budget. Only ever changed by compare-and-swap."""

    id = CompactUUIDField(primary_key=True, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    kind = models.CharField(max_length=16, choices=CallKind.choices)
    month = models.DateField(help_text=_("First day of the month, in UTC."))
    used = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        verbose_name = _("calls of a month")
        verbose_name_plural = _("calls of months")

    def __str__(self) -> str:
        return f"{self.kind} {self.month:%Y-%m}"

    @staticmethod
    def key(contract: str, kind: str, month: date) -> uuid.UUID:
        return uuid.uuid5(BUDGET_KEYS, f"{contract}\n{kind}\n{month.isoformat()}")


class DnbCall(models.Model):
    """A call that may cost, written before it was made. One without a result was made by a process that ended."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(_("kind of call"), max_length=16, choices=CallKind.choices)
    about = models.CharField(_("subject"), max_length=200, blank=True, help_text=_("D-U-N-S number, name or table."))
    requested_by = models.CharField(_("requested by"), max_length=200, blank=True)
    called_at = models.DateTimeField(_("time"))
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(_("result"), max_length=16, choices=CallOutcome.choices, default=CallOutcome.CALLED)
    code = models.CharField(_("code"), max_length=64, blank=True, help_text=_("D&B's code, or the kind of failure."))

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("D&B call")
        verbose_name_plural = _("D&B calls")
        indexes = [
            models.Index(fields=["contract", "id"], name="dnb_call_by_contract"),
            models.Index(fields=["kind", "id"], name="dnb_call_by_kind"),
            models.Index(fields=["outcome", "id"], name="dnb_call_by_outcome"),
            models.Index(fields=["about", "id"], name="dnb_call_by_subject"),
            models.Index(fields=["requested_by", "id"], name="dnb_call_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}" if self.about else str(self.get_kind_display())
