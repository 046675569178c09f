"""Try a rule on the past before it is switched on: what it would have raised, with examples, within bounded work.

Changes are found by their index: those of the rule's companies, else of the elements and kinds that it can take. What
lies beyond the bound is said, not guessed. A change counts once, however many registrations report it; a rule limited
to registrations takes what one of these has reported. Of a rule about groups, what the alert of another rule stands for
is not counted.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.db import in_batches
from monitoring.alerts.facts.groups import stands_for
from monitoring.alerts.facts.matches import Rules, compiled
from monitoring.alerts.facts.repeats import MEMBERSHIP, without_repeats
from monitoring.alerts.facts.reports import OLD_NEWS, can_raise
from monitoring.alerts.rules import Rule, Scope, compile_rule
from monitoring.company_page.timeline import Line, lines_of
from monitoring.content_ids import milliseconds
from monitoring.deliveries.received_since import incomplete_text, received_since
from monitoring.elements.paths import is_related
from monitoring.models import NO_ELEMENT, AlertRule, Change, Element, Grouping, Kind, Observation, Verb
from monitoring.story_order import LATEST_FIRST, story_key
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import exposure_settings

WINDOWS = (30, 90, 365)
EXAMPLES = 10
SCAN = 10_000
MOST_SOURCES = 100
COLUMNS = (
    "id", "company_id", "kind", "element", "previous", "current", "changed_at", "place", "recorded_at", "severity",
    "registration_id", "notification_id", "derived_from",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """What it would have raised in the last days; `is_all` unless there was more than was looked at."""

    days: int
    alerts: int
    companies: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class Example:
    """An alert, by its latest change: `more` changes are in it too."""

    line: Line
    reason: str
    more: int = 0
    # For readers who may see it.
    exposure: str = ""


@dataclass(slots=True)
class Trial:
    windows: list[Window] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    looked_at: int = 0
    # Changes that it takes, and another rule's alert stands for.
    covered: int = 0
    # Where the days reach back to before any data.
    incomplete: str = ""

    @property
    def is_cut(self) -> bool:
        return bool(self.windows) and self.windows[-1].alerts > len(self.examples)

    @property
    def is_all(self) -> bool:
        return all(window.is_all for window in self.windows)


@dataclass(slots=True)
class Found:
    """Changes that were looked at, and the time from which on they are all there are."""

    changes: list[Change]
    all_since: datetime


def try_rule(row: AlertRule, now: datetime | None = None) -> Trial:
    """Raises Mistake for a rule that cannot be applied."""
    rule, now = compile_rule(row), now or timezone.now()
    first = now - timedelta(days=WINDOWS[-1])
    found = _changes_for(rule, first)
    matched = _taken(rule, found.changes)
    taken = _not_covered(rule, matched)
    incomplete = incomplete_text(received_since(), first.date())
    trial = Trial(looked_at=len(found.changes), covered=len(matched) - len(taken), incomplete=incomplete)
    for days in WINDOWS:
        since = now - timedelta(days=days)
        trial.windows.append(_window(rule, days, [change for change, _ in taken if change.changed_at >= since], found))
    trial.examples = _examples(rule, taken)
    return trial


def with_exposure(trial: Trial) -> Trial:
    """For readers who may see it: how much is at stake today with the company of each example."""
    currency = exposure_settings().reporting_currency if trial.examples else ""
    return replace(trial, examples=[replace(one, exposure=_at_stake(one, currency)) for one in trial.examples])


def _at_stake(example: Example, currency: str) -> str:
    cents = example.line.change.company.exposure
    return gettext("Unknown") if cents is None else money_text(cents, currency)


def _examples(rule: Rule, taken: Sequence[tuple[Change, str]]) -> list[Example]:
    """The latest alerts, as many as the numbers above count."""
    alerts: dict[object, list[tuple[Change, str]]] = {}
    for change, reason in reversed(taken):
        alerts.setdefault(_group(rule, change), []).append((change, reason))
    shown = list(alerts.values())[:EXAMPLES]
    lines = lines_of([found[0][0] for found in shown])
    return [Example(line, found[0][1], len(found) - 1) for line, found in zip(lines, shown, strict=True)]


def _window(rule: Rule, days: int, taken: Sequence[Change], found: Found) -> Window:
    keys = {_group(rule, change) for change in taken}
    is_all = found.all_since <= timezone.now() - timedelta(days=days)
    return Window(days, len(keys), len({change.company_id for change in taken}), is_all)


def _group(rule: Rule, change: Change) -> object:
    if rule.row.grouping == Grouping.EACH:
        return change.pk
    day, is_old_news = change.recorded_at.astimezone(UTC).date(), change.recorded_at - change.changed_at > OLD_NEWS
    return change.company_id, day, is_old_news


def _changes_for(rule: Rule, since: datetime) -> Found:
    """The newest first, from each source its share."""
    sources = list(_sources(rule, since))
    share = SCAN // max(len(sources), 1)
    found: dict[uuid.UUID, Change] = {}
    all_since = since
    for source in sources:
        rows = list(source.only(*COLUMNS)[: share + 1])
        if len(rows) > share:
            all_since = max(all_since, rows[share].changed_at)
        found.update((row.pk, row) for row in rows[:share])
    return Found(list(found.values()), all_since)


def _sources(rule: Rule, since: datetime) -> Iterator[QuerySet[Change]]:
    """Each answered by one index, newest first."""
    rows = Change.objects.filter(superseded=False)
    if rule.companies is not None and len(rule.companies) <= MOST_SOURCES:
        for duns in sorted(rule.companies):
            yield rows.filter(company=duns, changed_at__gte=since).order_by(*LATEST_FIRST)
        return
    # Keys begin with the time.
    recent = rows.filter(pk__gte=uuid.UUID(int=milliseconds(since) << 80)).order_by("-id")
    kinds = set(Kind.values) if rule.kinds is None else set(rule.kinds)
    # Whether a company left again is told by what came in between.
    kinds |= MEMBERSHIP if kinds & MEMBERSHIP else set()
    elements = _elements(rule) if Kind.ELEMENT in kinds else []
    if elements is None:
        yield recent
        return
    for element in elements:
        yield recent.filter(element=element)
    for kind in sorted(kinds - {Kind.ELEMENT, Kind.BASELINE}):
        yield recent.filter(NO_ELEMENT, kind=kind)


def _elements(rule: Rule) -> list[str] | None:
    """The known elements that a rule can take; None for (nearly) all."""
    if not rule.paths:
        return None
    known = Element.objects.order_by("path").values_list("path", flat=True)
    found = [path for path in known if any(is_related(names, path) for names in rule.paths)]
    return found if len(found) <= MOST_SOURCES else None


def _taken(rule: Rule, changes: Sequence[Change]) -> list[tuple[Change, str]]:
    """What the rule takes, oldest first."""
    ordered = without_repeats(sorted(changes, key=story_key))
    matched = [(change, reason) for change in ordered if can_raise(change) and (reason := rule.reason(change))]
    for change, _ in matched:
        change.first_reporter = change.registration_id  # type: ignore[attr-defined]
    _date_by_reports(rule, [change for change, _ in matched])
    companies = {change.company_id for change, _ in matched}
    scope = Scope.of(companies, in_groups=companies if rule.row.group_only else ())
    matched = [one for one in matched if scope.has(rule, one[0].company_id, one[0].registration_id)]
    for change, _ in matched:
        change.company = scope.companies[change.company_id]
    return matched


def _not_covered(rule: Rule, matched: Sequence[tuple[Change, str]]) -> list[tuple[Change, str]]:
    """Without what the alert of another enabled rule stands for."""
    rows = AlertRule.objects.filter(active=True).order_by("id") if rule.row.group_only and matched else ()
    others = Rules(compiled(row for row in rows if stands_for(row, rule.row)))
    scope = Scope.of({change.company_id for change, _ in matched} if others.all else ())
    return [one for one in matched if not any(_takes(other, one[0], scope) for other in others.about(one[0]))]


def _takes(rule: Rule, change: Change, scope: Scope) -> bool:
    """With the same report: what another registration has reported before is news only to rules that are limited."""
    first: uuid.UUID = change.first_reporter  # type: ignore[attr-defined]
    is_reported_before = change.registration_id != first and (rule.registrations is None or first in rule.registrations)
    is_in = scope.has(rule, change.company_id, change.registration_id)
    return is_in and not is_reported_before and bool(rule.reason(change))


def _date_by_reports(rule: Rule, changes: Sequence[Change]) -> None:
    """To a rule limited to registrations, a change is that of the first of these that reported it."""
    others = {row.pk: row for row in changes if rule.registrations and row.registration_id not in rule.registrations}
    for keys in in_batches(list(others)):
        ours = {"registration__in": rule.registrations}
        observed = Observation.objects.filter(change__in=keys, verb=Verb.OBSERVED, is_first=True, **ours)
        replaced = Change.objects.filter(replaced_by__in=keys, **ours)
        reports = [
            *observed.values_list("change_id", "registration_id", "recorded_at"),
            *replaced.values_list("replaced_by", "registration_id", "recorded_at"),
        ]
        for key, registration, recorded_at in sorted(reports, key=lambda report: report[2], reverse=True):
            if key:
                others[key].registration_id, others[key].recorded_at = registration, recorded_at
