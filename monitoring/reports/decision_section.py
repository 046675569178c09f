"""A report's decisions of the period, and the companies above their limit: only for readers who may see them, as the
recipients of an email need no permission. Without amounts of exposure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.cached_counts import recent_count, up_to
from core.visibility import Scope, visible_to
from monitoring.decisions.decide import in_words
from monitoring.models import Decision
from monitoring.reports.periods import Period
from portfolio.companies.columns import SEE_EXPOSURE
from portfolio.companies.conditions import OVER_LIMIT
from portfolio.models import Company

SEE_DECISIONS = "monitoring.view_decision"
# Users make few; of more, the list of decisions has the rest.
MOST_LISTED = 1_000
SHOWN, NAMED = 25, 10
BY = _("Proposed or decided by")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, or the proposal of one, in words."""

    decision: uuid.UUID
    duns: str
    company: str
    what: str
    state: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DecisionSection:
    """Decisions and proposals of the period, the latest first, and how many of them there are."""

    decided: list[Decided]
    count: int
    # D-U-N-S numbers and names when the report is created; None for readers who may not view exposure.
    over_limit: list[tuple[str, str]] | None = None


def decisions_in(
    period: Period, registrations: Sequence[uuid.UUID], *, is_all: bool, scope: Scope, reader: Any
) -> DecisionSection | None:
    """Nothing for a reader who may not view decisions."""
    if reader is None or not reader.has_perm(SEE_DECISIONS):
        return None
    seen = scope if is_all or not scope.sees_all else Scope(False, registrations=frozenset(registrations))
    start, end = period.moments
    rows = visible_to(seen, Decision.objects.filter(decided_at__gte=start, decided_at__lt=end))
    found = rows.select_related("company").defer("known").order_by("-decided_at", "-id")[:MOST_LISTED]
    decided = [_decided(row) for row in found]
    count = len(decided) if len(decided) < MOST_LISTED else rows.count()
    return DecisionSection(decided, count, _over_limit(seen) if reader.has_perm(SEE_EXPOSURE) else None)


def _decided(row: Decision) -> Decided:
    state = str(row.get_state_display())
    return Decided(row.pk, row.company_id, row.company.name, in_words(row), state, row.decided_by, row.decided_at)


def _over_limit(scope: Scope) -> list[tuple[str, str]]:
    """As counted last, the largest excess first: the companies of the list and of the Overview."""
    numbers = recent_count(OVER_LIMIT).get("companies", [])
    rows = visible_to(scope, Company.objects.filter(pk__in=numbers)) if numbers else Company.objects.none()
    names = dict(rows.values_list("pk", "name"))
    return [(duns, names[duns]) for duns in numbers if duns in names]


def over_limit_text(companies: Sequence[tuple[str, str]]) -> str:
    """ "2 companies exceed the limit of their decision: Acme Ltd (804735132), …"."""
    if not companies:
        return gettext("No company exceeds the limit of its decision.")
    count = len(companies)
    named = ", ".join(f"{name} ({duns})" if name else duns for duns, name in companies[:NAMED])
    if count > NAMED:
        named = gettext("%(companies)s, and %(count)s more") % {"companies": named, "count": up_to(count - NAMED)}
    text = ngettext(
        "%(count)s company exceeds the limit of its decision: %(companies)s.",
        "%(count)s companies exceed the limits of their decisions: %(companies)s.",
        count,
    )
    return text % {"count": up_to(count), "companies": named}
