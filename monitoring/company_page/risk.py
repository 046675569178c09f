"""What a company page shows before anything else: signs of risk, and the alerts that are open."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.text import counted, day_text, moment_text
from core.visibility import Scope, visible_to
from monitoring.company_page.group import MOST_CRITICAL
from monitoring.company_page.summary import Head
from monitoring.company_page.timeline import without_company
from monitoring.models import Alert, AlertKind, AlertState, Severity
from monitoring.scores.bands import CLASS
from monitoring.scores.chart_data import Rating, Score, Scores

ALERTS_SHOWN = 5
MOST_ALERTS = 100
Show = Callable[[Scope, Sequence[Alert]], None]


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign of risk: in words, and whether it is a fact or a forecast."""

    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Risk:
    """The signs together; `in_group`: other companies of the group with a critical change, as the page names them."""

    signals: list[Signal]
    in_group: int = 0

    @property
    def tone(self) -> str:
        tones = {signal.tone for signal in self.signals} | ({"warn"} if self.in_group else set())
        return next((tone for tone in ("bad", "warn") if tone in tones), "good")

    @property
    def title(self) -> str:
        count = len(self.signals)
        if not count and self.in_group:
            text = ngettext(
                "No risk signals of its own; critical change at %(count)s other company of the group",
                "No risk signals of its own; critical changes at %(count)s other companies of the group",
                self.in_group,
            )
            more = gettext("%(count)s or more") % {"count": counted(self.in_group)}
            return text % {"count": more if self.in_group >= MOST_CRITICAL else counted(self.in_group)}
        if not count:
            return gettext("No risk signals in the data from D&B")
        text = ngettext("%(count)s risk signal", "%(count)s risk signals", count)
        return text % {"count": counted(count)}


def risk_of(head: Head, scores: Scores, in_group: int = 0) -> Risk:
    return Risk([*_facts(head), *_forecasts(scores)], in_group)


def with_signal(risk: Risk, first: Signal | None) -> Risk:
    return replace(risk, signals=[first, *risk.signals]) if first else risk


def _facts(head: Head) -> Iterator[Signal]:
    if head.tone == "bad":
        yield Signal(head.status_words, "bad")
    yield from (Signal(word, "bad") for word in head.warnings)
    if head.review_since:
        words = gettext("Under review at D&B since %(day)s: D&B sends no changes until the review is over")
        yield Signal(words % {"day": day_text(head.review_since.moment.date())}, "warn")


def _forecasts(scores: Scores) -> Iterator[Signal]:
    """Scores in the highest band of risk. Of one score the class decides where there is one: D&B draws its lines by
    country, so that a percentile in the lowest third may be of a moderate class."""
    named: set[str] = set()
    rows: list[Score | Rating] = [*sorted(scores.numbers, key=lambda row: row.name != CLASS), *scores.ratings]
    for row in rows:
        above = row.path.rpartition(".")[0]
        if row.band is None or above in named:
            continue
        named.add(above)
        if row.band.tone == "bad":
            text = gettext("%(score)s %(value)s (high risk)")
            yield Signal(text % {"score": row.label, "value": row.last}, "warn")


# Open alerts


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not closed, without the company's name, which the page shows already."""

    key: uuid.UUID
    title: str
    severity: str
    tone: str
    state: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class OpenAlerts:
    """The most severe, and how many there are."""

    shown: list[OpenAlert]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.shown)

    @property
    def count_text(self) -> str:
        return f"{counted(MOST_ALERTS)}+" if self.count > MOST_ALERTS else counted(self.count)


def open_alerts(duns: str, scope: Scope, show: Show) -> OpenAlerts:
    """One query by the index of companies. `show` gives them the titles that the scope sees."""
    return open_alerts_of([duns], scope, show, duns)


def open_alerts_of(companies: Collection[str], scope: Scope, show: Show, without: str = "") -> OpenAlerts:
    """Of any of the companies; their titles without the one that the page is about."""
    rows = visible_to(scope, Alert.objects.filter(company__in=companies, kind=AlertKind.CHANGE))
    rows = rows.exclude(state=AlertState.CLOSED)
    found = list(rows.order_by("-severity", "-raised_at", "-id")[: MOST_ALERTS + 1])
    shown = found[:ALERTS_SHOWN]
    show(scope, shown)
    return OpenAlerts([_open_alert(row, without) for row in shown], len(found))


def _open_alert(row: Alert, duns: str) -> OpenAlert:
    severity = Severity(row.severity)
    title = without_company(row.title, duns) if duns else row.title
    return OpenAlert(row.pk, title, str(severity.label), severity.name.lower(), _state_text(row), row)


def _state_text(row: Alert) -> str:
    if row.snoozed_until is None or row.snoozed_until <= timezone.now():
        return str(row.get_state_display())
    return gettext("Snoozed until %(moment)s") % {"moment": moment_text(row.snoozed_until)}
