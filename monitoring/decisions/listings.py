"""Decisions, reviews and what is due as files and in chosen columns."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.lists.listings import Column, Listing, declare
from core.text import country_name
from monitoring.decisions.current import with_decisions
from monitoring.decisions.decide import in_words
from monitoring.models import Decision, DueReview, Review
from portfolio.companies.columns import REVIEW_COLUMNS, units
from portfolio.exports import COMPANY_COLUMNS, with_companies


def _decision(row: Any) -> str:
    return in_words(row.decision) if row.decision else ""


def _of_reviews(rows: list[Any]) -> None:
    with_companies(rows)
    found = Decision.objects.defer("known").in_bulk(list({row.decision_id for row in rows} - {None}))
    for row in rows:
        row.decision = found.get(row.decision_id)


declare(
    Listing(
        Decision,
        (
            *COMPANY_COLUMNS,
            Column("decided_at", _("Decided or proposed"), attrgetter("decided_at"), 26),
            Column("kind", _("Decision"), lambda row: row.get_kind_display(), 12),
            Column("amount", _("Limit"), lambda row: units(row.amount_cents), 16),
            Column("currency", _("Currency"), attrgetter("currency"), 10),
            Column("valid_until", _("Valid until"), attrgetter("valid_until"), 14),
            Column("state", _("State"), lambda row: row.get_state_display(), 22),
            Column("tier", _("Tier"), lambda row: row.get_tier_at_display(), 12),
            Column("reason", _("Reason"), attrgetter("reason"), 48),
            Column("decided_by", _("Decided or proposed by"), attrgetter("decided_by")),
            Column("needs_second", _("Reason for confirmation"), attrgetter("needs_second"), 36),
            Column("confirmed_by", _("Confirmed or refused by"), attrgetter("confirmed_by")),
            Column("confirmed_at", _("Confirmed or refused"), attrgetter("confirmed_at"), 26),
            Column("refusal", _("Reason for refusal"), attrgetter("refusal"), 36),
            Column("id", _("Decision ID"), lambda row: str(row.pk), 38),
        ),
        complete=with_companies,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        DueReview,
        (
            Column("duns", "D-U-N-S", lambda row: row.duns, 12),
            Column("name", _("Name"), lambda row: row.name, 36),
            Column("country_name", _("Country"), lambda row: country_name(row.country)),
            *REVIEW_COLUMNS,
            Column("decision", _("Decision"), _decision, 24),
            Column("valid_until", _("Valid until"), lambda row: row.decision and row.decision.valid_until, 14),
        ),
        complete=with_decisions,
        duns=lambda row: str(row.duns),
    )
)
declare(
    Listing(
        Review,
        (
            *COMPANY_COLUMNS,
            Column("reviewed_at", _("Reviewed"), attrgetter("reviewed_at"), 26),
            Column("due_on", _("Due"), attrgetter("due_on"), 14),
            Column("reviewed_by", _("Reviewed by"), attrgetter("reviewed_by")),
            Column("decision", _("Decision"), _decision, 24),
            Column("note", _("Note"), attrgetter("note"), 48),
        ),
        complete=_of_reviews,
        duns=lambda row: str(row.company_id),
    )
)
