"""Which companies of a company's group are monitored here, and what critical happened to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.db import in_batches
from core.text import counted
from core.visibility import EVERYTHING, Scope, visible_to
from monitoring.company_page.timeline import Line, lines_of
from monitoring.models import Change, Severity
from monitoring.story_order import story_key
from portfolio.billing.contract_year import LISTED
from portfolio.models import Company, Subject

SHOWN = 50
RECENT = timedelta(days=90)
MOST_CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Group:
    """The other monitored companies of the group, up to `SHOWN`; `has_more` beyond."""

    top: str
    companies: Sequence[Company]
    has_more: bool = False
    # The latest critical change of each of those that had one recently.
    critical: Sequence[Line] = ()

    @property
    def text(self) -> str:
        """With the company itself."""
        count = counted(len(self.companies) + 1)
        return shared_text(f"{count}+" if self.has_more else count)


def shared_text(count: str) -> str:
    """Never of one: a group of one is none."""
    return gettext("%(count)s of your companies belong to this company's group.") % {"count": count}


def group_of(company: Company, scope: Scope = EVERYTHING) -> Group:
    """Those that D&B reports under the same company at the top, which may be this one."""
    top = top_of(company)
    rows = visible_to(scope, members_of(top)).exclude(pk=company.duns).order_by("duns")
    known = {row.duns: row for row in rows[: SHOWN * 10]}
    monitored = sorted(monitored_among(known, scope))
    has_more = len(monitored) > SHOWN or len(known) == SHOWN * 10
    critical = critical_changes(known, monitored, scope)
    return Group(top, [known[duns] for duns in monitored[:SHOWN]], has_more, critical)


def top_of(company: Company) -> str:
    return company.global_ultimate or company.duns


def members_of(*tops: str) -> QuerySet[Company]:
    return Company.objects.filter(Q(global_ultimate__in=tops) | Q(pk__in=tops))


def others_in_groups(numbers: Iterable[str]) -> dict[str, set[str]]:
    """The other monitored companies of each one's group; without those that have none."""
    found: dict[str, set[str]] = {}
    for batch in in_batches(sorted(numbers)):
        tops = {row.duns: top_of(row) for row in Company.objects.filter(pk__in=batch).only("global_ultimate")}
        groups = _monitored_by_top(set(tops.values()))
        others = {duns: groups.get(top, set()) - {duns} for duns, top in tops.items()}
        found |= {duns: monitored for duns, monitored in others.items() if monitored}
    return found


def _monitored_by_top(tops: Collection[str]) -> dict[str, set[str]]:
    members = {row.duns: top_of(row) for row in members_of(*tops).only("global_ultimate")}
    found: dict[str, set[str]] = defaultdict(set)
    for duns in monitored_among(members):
        found[members[duns]].add(duns)
    return found


def monitored_among(numbers: Iterable[str], scope: Scope = EVERYTHING) -> set[str]:
    """Those that D&B monitors in a registration, or that are requested."""
    found: set[str] = set()
    for batch in in_batches(sorted(numbers)):
        rows = Subject.objects.filter(Q(state__in=LISTED) | Q(requested=True), company__in=list(batch))
        found.update(visible_to(scope, rows).values_list("company_id", flat=True))
    return found


def critical_changes(companies: Mapping[str, Company], numbers: Iterable[str], scope: Scope = EVERYTHING) -> list[Line]:
    """Of the latest to have one, the latest first; no query where there is none."""
    since = timezone.now() - RECENT
    dated = [(row.last_critical_at, duns) for duns in numbers if (row := companies[duns]).last_critical_at]
    recent = [duns for moment, duns in sorted(dated, reverse=True) if moment and moment >= since][:MOST_CRITICAL]
    latest: dict[str, Change] = {}
    if recent:
        rows = Change.objects.filter(
            company__in=recent, severity=Severity.CRITICAL, superseded=False, changed_at__gte=since
        )
        latest = {change.company_id: change for change in sorted(visible_to(scope, rows), key=story_key)}
    for duns, change in latest.items():
        change.company = companies[duns]
    return lines_of([latest[duns] for duns in recent if duns in latest])
