"""Which companies of a company's group are monitored here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from core.db import in_batches
from portfolio.billing.contract_year import LISTED
from portfolio.models import Company, Subject

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Group:
    """The other monitored companies of the group, up to `SHOWN`; `has_more` beyond."""

    companies: Sequence[Company]
    has_more: bool = False


def group_of(company: Company) -> Group:
    """Those that D&B reports under the same company at the top, which may be this one."""
    top = company.global_ultimate or company.duns
    rows = Company.objects.filter(Q(global_ultimate=top) | Q(pk=top)).exclude(pk=company.duns).order_by("duns")
    known = {row.duns: row for row in rows[: SHOWN * 10]}
    monitored = sorted(monitored_among(known))
    return Group([known[duns] for duns in monitored[:SHOWN]], len(monitored) > SHOWN or len(known) == SHOWN * 10)


def monitored_among(numbers: Iterable[str]) -> set[str]:
    """Those that D&B monitors in a registration, or that are requested."""
    found: set[str] = set()
    for batch in in_batches(sorted(numbers)):
        rows = Subject.objects.filter(Q(state__in=LISTED) | Q(requested=True), company__in=list(batch))
        found.update(rows.values_list("company_id", flat=True))
    return found
