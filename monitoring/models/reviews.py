"""The contract review as it was counted."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactDateTimeField, CompactUUIDField


class ContractReview(models.Model):
    """What pages and the API show of the contract review. It may go at any time; it is counted again."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # By the database's clock, before the first row was read.
    made_at = CompactDateTimeField()
    # How far the counting is, while the review is not whole.
    step = models.SmallIntegerField(default=0)
    is_whole = models.BooleanField(default=False)
    numbers = models.TextField(blank=True)
    # D-U-N-S numbers in four bytes each, reason after reason.
    companies = models.BinaryField(default=b"")

    class Meta:
        default_permissions = ()
        verbose_name = _("contract review")
        verbose_name_plural = _("contract reviews")

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d %H:%M}"
