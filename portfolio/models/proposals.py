"""What a person should accept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.companies import Company
from portfolio.models.registrations import Registration


class ProposalKind(models.TextChoices):
    TRANSFER = "transfer", _("Merged: replace with the remaining company")
    DELETE = "delete", _("Deleted at D&B: remove the company")
    EXIT = "exit", _("Left the monitored set: withdraw the request")
    REPLACEMENT = "replacement", _("Refused: use the number D&B suggests")


# What happens to a company, whichever registrations report or hold it.
OF_COMPANY = (ProposalKind.TRANSFER, ProposalKind.DELETE)


class ProposalState(models.TextChoices):
    OPEN = "open", _("Open")
    AWAITING_APPROVAL = "awaiting_approval", _("Awaiting second approval")
    ACCEPTED = "accepted", _("Accepted")
    DISMISSED = "dismissed", _("Dismissed")


class Proposal(models.Model):
    """What the program will not do unasked. Its key comes from its content, so that it is made once."""

    id = CompactUUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=16, choices=ProposalKind.choices)
    registration = models.ForeignKey(
        Registration,
        on_delete=models.PROTECT,
        null=True,
        help_text=_("Empty for a merger or deletion, which applies to every registration with the company."),
    )
    accepted_in = models.TextField(blank=True, help_text=_("IDs of the registrations in which it was accepted."))
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="proposals")
    replacement = models.CharField(max_length=9, blank=True)
    reason = models.TextField()
    cost = models.PositiveIntegerField(default=0, help_text=_("New billable companies if accepted."))
    state = models.CharField(max_length=20, choices=ProposalState.choices, default=ProposalState.OPEN)
    created_at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True, help_text=_("Time of the event, according to D&B."))
    confirmed_by = models.TextField(blank=True, help_text=_("User who accepted it before the second approval."))
    confirmer_id = CompactUUIDField(null=True, help_text=_("ID of that user."))
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True, help_text=_("Time at which the accepted change was applied."))
    note = models.TextField(blank=True, help_text=_("Reason for dismissal."))

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
