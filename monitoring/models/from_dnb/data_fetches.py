"""Documents that people fetch from D&B: what was asked for, and what became of it company by company."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, PartialIndex
from core.ids import time_first_id
from core.models import Leased
from monitoring.models.deliveries import Delivery
from portfolio.models import Company, Contract, Registration

ITEM_KEYS = uuid.UUID("0c7d8e2a-5f1b-5d3e-8a94-6b2f7c1d9e05")
# What the partial index holds; a query that repeats it, word by word, is answered by the index.
UNDONE = Q(is_carried_out=False)
# Data fetches that may lack some of their companies: none was begun, and where its process died none will be.
BEING_WRITTEN = Q(moved_at=None)


class FetchState(models.TextChoices):
    RUNNING = "running", _("In progress")
    STOPPED = "stopped", _("Stopped")
    OPEN = "open", _("Waiting for decisions")
    DONE = "done", _("Completed")


class DataFetch(Leased):
    """One request of a user: fetch these companies, or close this data gap."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    registration = models.ForeignKey(
        Registration, null=True, on_delete=models.PROTECT, help_text=_("For a data gap: the registration with the gap.")
    )
    gap_from = models.DateTimeField(null=True)
    gap_until = models.DateTimeField(null=True)
    check_since = models.DateField(
        null=True, help_text=_("Fetch only companies that D&B has changed since this day, by refresh check.")
    )
    product_id = models.TextField(blank=True)
    version_id = models.TextField(blank=True)
    block_ids = models.TextField(help_text=_("Data blocks, separated by commas."))
    state = models.CharField(_("state"), max_length=8, choices=FetchState.choices, default=FetchState.RUNNING)
    confirmed_calls = models.PositiveIntegerField(
        help_text=_("Total number of calls for data blocks that users confirmed.")
    )
    requested_by = models.TextField(_("requested by"))
    requested_at = models.DateTimeField(_("requested"))
    reason = models.TextField(_("reason"), blank=True, help_text=_("Reason for stopping."))
    moved_at = models.DateTimeField(
        null=True, help_text=_("Time at which the data fetch began, or finished its last company.")
    )
    closed_at = models.DateTimeField(
        null=True, help_text=_("Time at which the data of the last company was accepted or discarded.")
    )
    closed_by = models.TextField(blank=True)
    found = models.TextField(blank=True, help_text=_("The result, in a sentence."))

    class Meta:
        default_permissions = ("view",)
        permissions = [("request_datafetch", "Can fetch data from D&B and decide on it")]
        indexes = [
            # What a worker continues.
            models.Index(fields=["state", "moved_at"], name="datafetch_by_state"),
        ]
        verbose_name = _("data fetch")
        verbose_name_plural = _("data fetches")

    def __str__(self) -> str:
        if self.registration is None:
            return gettext("Data fetch of %(moment)s") % {"moment": f"{self.requested_at:%Y-%m-%d %H:%M}"}
        return gettext("Data gap of %(reference)s") % {"reference": self.registration.reference}


class FetchedState(models.TextChoices):
    WAITING = "waiting", _("Not fetched yet")
    CALLED = "called", _("Called, waiting for response")
    CURRENT = "current", _("No changes at D&B")
    SAME = "same", _("No differences")
    READY = "ready", _("Waiting for a decision")
    ACCEPTED = "accepted", _("Accepted")
    DISCARDED = "discarded", _("Discarded")
    TRANSFERRED = "merged", _("Merged into another company")
    DELETED = "deleted", _("Deleted at D&B")
    UNKNOWN = "unknown", _("Unknown at D&B")
    FAILED = "failed", _("Failed")


class FetchedCompany(models.Model):
    """One company of a data fetch. Calls are announced here before they are made, so that none is made twice."""

    id = CompactUUIDField(primary_key=True, editable=False)
    fetch = models.ForeignKey(DataFetch, on_delete=models.CASCADE, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    state = models.CharField(_("state"), max_length=10, choices=FetchedState.choices, default=FetchedState.WAITING)
    checked_at = models.DateTimeField(null=True, help_text=_("Time of the changes that the refresh check reported."))
    called_at = models.DateTimeField(null=True)
    turn = models.BigIntegerField(default=0, help_text=_("Number of the call within the registration."))
    delivery_key = CompactUUIDField(null=True, help_text=_("The delivery that holds the response."))
    differences = models.PositiveIntegerField(null=True, help_text=_("Values that differed when it was fetched."))
    replacement = models.CharField(max_length=9, blank=True)
    message = models.TextField(blank=True)
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    is_carried_out = models.BooleanField(
        default=True, help_text=_("False until the decision on the company takes effect.")
    )

    class Meta:
        default_permissions = ()
        indexes = [
            # The page of a fetch, and what is next of it.
            models.Index(fields=["fetch", "state", "id"], name="fetched_by_state"),
            # Decisions that a process which died has left.
            PartialIndex(fields=["is_carried_out", "id"], name="fetched_undone", condition=UNDONE),
        ]
        verbose_name = _("fetched company")
        verbose_name_plural = _("fetched companies")

    def __str__(self) -> str:
        return self.company_id

    @property
    def delivery(self) -> Delivery | None:
        """The one that holds the response, with its registration."""
        if self.delivery_key is None:
            return None
        return Delivery.objects.select_related("registration").filter(pk=self.delivery_key).first()

    @staticmethod
    def key(fetch: uuid.UUID, duns: str) -> uuid.UUID:
        return uuid.uuid5(ITEM_KEYS, f"{fetch}\n{duns}")
