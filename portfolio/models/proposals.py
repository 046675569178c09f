"""What a person should accept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.companies import Company
from portfolio.models.registrations import Registration


class ProposalKind(models.TextChoices):
    TRANSFER = "transfer", _("Merged: remove it, add the one that remains")
    DELETE = "delete", _("Deleted at D&B: remove it")
    EXIT = "exit", _("Left the monitored set: stop wanting it")
    REPLACEMENT = "replacement", _("Refused: D&B names another number")


class ProposalState(models.TextChoices):
    OPEN = "open", _("Open")
    AWAITING_APPROVAL = "awaiting_approval", _("Waits for a second person")
    ACCEPTED = "accepted", _("Accepted")
    DISMISSED = "dismissed", _("Dismissed")


class Proposal(models.Model):
    """What the program will not do unasked. Its key comes from its content, so that it is made once."""

    id = CompactUUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=16, choices=ProposalKind.choices)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="proposals")
    replacement = models.CharField(max_length=9, blank=True)
    reason = models.TextField()
    cost = models.PositiveIntegerField(default=0, help_text=_("New billable companies when accepted."))
    state = models.CharField(max_length=20, choices=ProposalState.choices, default=ProposalState.OPEN)
    created_at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True, help_text=_("When D&B says that it happened."))
    confirmed_by = models.TextField(blank=True, help_text=_("Who accepted what a second person has to approve."))
    confirmer_id = CompactUUIDField(null=True, help_text=_("The same person by its id."))
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True, help_text=_("When what was accepted had become wanted."))
    note = models.TextField(blank=True, help_text=_("Why it was dismissed."))

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        permissions = [("decide_proposal", "Can accept or dismiss a proposal")]
        indexes = [
            models.Index(fields=["created_at", "id"], name="proposal_by_time"),
            models.Index(fields=["state", "created_at", "id"], name="proposal_by_state"),
            models.Index(fields=["replacement", "state"], name="proposal_by_replacement"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.company_id}"
