"""Entries of the audit log that a process has not written because it died behind the row they tell of."""

from __future__ import annotations

from core.db import in_batches, insert_new
from core.models import AuditEntry
from monitoring.decisions.decide import entries_of
from monitoring.decisions.reviews import entry_of_review
from monitoring.models import Decision, Review


def write_missing_entries() -> int:
    """Every night; returns how many were missing."""
    return _of_decisions() + _of_reviews()


def _of_decisions() -> int:
    written = 0
    for batch in in_batches(list(Decision.objects.order_by("pk").values_list("pk", flat=True))):
        rows = Decision.objects.filter(pk__in=batch).defer("known")
        written += len(insert_new(AuditEntry, [entry for row in rows for entry in entries_of(row)]))
    return written


def _of_reviews() -> int:
    """A decision's entry tells of its review too."""
    written = 0
    alone = Review.objects.filter(decision=None).order_by("pk")
    for batch in in_batches(list(alone.values_list("pk", flat=True))):
        rows = Review.objects.filter(pk__in=batch).select_related("company")
        written += len(insert_new(AuditEntry, [entry_of_review(row, row.reviewed_by) for row in rows]))
    return written
