"""What people decided about companies, on what ground, and when they looked at them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models import Company, Tier

REVIEW_KEYS = uuid.UUID("7d1f0c34-9a53-5c0e-8f0b-2f8a4b7c6d19")


class DecisionKind(models.TextChoices):
    APPROVE = "approve", _("Approve")
    LIMIT = "limit", _("Limit")
    HOLD = "hold", _("Hold")
    STOP = "stop", _("Stop")


class DecisionState(models.TextChoices):
    PROPOSED = "proposed", _("Awaiting confirmation")
    FINAL = "final", _("Final")
    REFUSED = "refused", _("Refused")


class Decision(models.Model):
    """One decision on a company, with what was known then. Rows are added, never changed: only one that waits for a
    second person is confirmed or refused, once."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    number = models.PositiveIntegerField(
        help_text=_("Counts the decisions on a company. Of two made simultaneously, only one receives a number.")
    )
    kind = models.CharField(_("decision"), max_length=8, choices=DecisionKind.choices)
    amount_cents = models.BigIntegerField(null=True, help_text=_("Amount of a limit, in hundredths of its currency."))
    currency = models.CharField(max_length=3, blank=True)
    valid_until = models.DateField(_("valid until"), null=True)
    reason = models.TextField(_("reason"))
    tier_at = models.CharField(
        _("tier"), max_length=9, choices=Tier.choices, blank=True, help_text=_("Tier of the company at that time.")
    )
    known = models.TextField(default="{}", help_text=_("Figures, open alerts and exposure at that time, as JSON."))
    decided_by = models.TextField(_("decided by"))
    decider_id = CompactUUIDField(null=True, help_text=_("ID of that user."))
    decided_at = models.DateTimeField(_("decided"))
    needs_second = models.TextField(blank=True, help_text=_("Reason why a second person must confirm the decision."))
    state = models.CharField(_("state"), max_length=8, choices=DecisionState.choices, default=DecisionState.FINAL)
    confirmed_by = models.TextField(blank=True, help_text=_("User who confirmed or refused the decision."))
    confirmer_id = CompactUUIDField(null=True, help_text=_("ID of that user."))
    confirmed_at = models.DateTimeField(null=True)
    refusal = models.TextField(blank=True, help_text=_("Reason for the refusal."))

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("decide_company", "Can decide on companies and review them"),
            ("confirm_decision", "Can confirm decisions of other users"),
        ]
        constraints = [models.UniqueConstraint(fields=["company", "number"], name="decision_once_a_number")]
        indexes = [
            # MongoDB's unique index is a partial one, which answers no query.
            models.Index(fields=["company", "number"], name="decision_by_company"),
            models.Index(fields=["decided_at", "id"], name="decision_by_time"),
            models.Index(fields=["state", "decided_at", "id"], name="decision_by_state"),
        ]
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.company_id}"


class DueReview(Company):
    """A company as the list of reviews shows it."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("planned review")
        verbose_name_plural = _("planned reviews")


class Review(models.Model):
    """Someone looked at a company. A decision is a review too."""

    id = CompactUUIDField(primary_key=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    due_on = models.DateField(_("due"), null=True)
    reviewed_by = models.TextField(_("reviewed by"))
    reviewed_at = models.DateTimeField(_("reviewed"))
    decision = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, db_index=False)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["company", "reviewed_at"], name="review_by_company"),
            models.Index(fields=["reviewed_at", "id"], name="review_by_time"),
        ]
        verbose_name = _("completed review")
        verbose_name_plural = _("completed reviews")

    def __str__(self) -> str:
        return f"{self.company_id} {self.reviewed_at:%Y-%m-%d}"

    @staticmethod
    def key(duns: str, cause: uuid.UUID | None) -> uuid.UUID:
        """Of a decision it is the decision, else the review before: two users cannot make the same one."""
        return uuid.uuid5(REVIEW_KEYS, f"{duns}\n{cause or ''}")
