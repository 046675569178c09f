"""What happened at D&B: each change once, with all who reported it and when each report arrived."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext

from core.db import in_batches
from core.visibility import is_restricted
from monitoring.company_page.timeline import Line as ChangeLine
from monitoring.company_page.timeline import group_repeated, lines_of
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Detail, Line, Source, Topic, source_of
from monitoring.dossier.reactions import Reacted, Reactions
from monitoring.dossier.reader import Part
from monitoring.history.sources import Reported, reports_of
from monitoring.history.state import CompanyState, Event, apply_events, events_with
from monitoring.models import Change, Delivery, Kind, Notification, Severity
from monitoring.story_order import LATEST_FIRST


@dataclass(slots=True)
class History:
    """What the reader sees of it, the latest first; `replaced` say what other changes say. `events` are all."""

    changes: list[Change]
    replaced: list[Change]
    events: list[Event]

    @property
    def is_cut(self) -> bool:
        """Whether a snapshot stands for what happened before."""
        return any(event.carried is not None for event in self.events)

    @property
    def baseline(self) -> uuid.UUID | None:
        """The first whole document."""
        return next((row.pk for row in reversed(self.changes) if row.kind == Kind.BASELINE), None)

    def state_before(self, moment: datetime) -> CompanyState:
        return apply_events(event for event in self.events if event.moment < moment)


def read_history(asked: Asked) -> History:
    """The figures are the company's, from all that was reported of it; the lines are of what the reader sees."""
    of_company = Q(superseded=False) | Q(replaced_by__isnull=False), Q(company=asked.duns)
    every = list(Change.objects.filter(*of_company).order_by(*LATEST_FIRST))
    events = events_with([row for row in every if not row.superseded], asked.duns)
    found = _seen(every, asked)
    return History([row for row in found if not row.superseded], [row for row in found if row.superseded], events)


def _seen(changes: list[Change], asked: Asked) -> list[Change]:
    if not is_restricted(asked.reader.actor):
        return changes
    keys = set(asked.rows(Change).filter(company=asked.duns).values_list("pk", flat=True))
    return [row for row in changes if row.pk in keys]


def change_lines(asked: Asked, history: History, reactions: Reactions) -> list[Line]:
    """Also of changes that happened before, and arrived in these days."""
    if not asked.sees(Part.CHANGES):
        return []
    within, reports = _within(asked, history)
    lines = group_repeated(lines_of(within), history.baseline)
    deliveries = _deliveries([one for found in reports.values() for one in found])
    found = [(line, _line(line, reports[line.change.pk], deliveries, asked.references)) for line in lines]
    return [row if row.is_minor else _with_reactions(row, reactions.to_change(line.change)) for line, row in found]


def _with_reactions(line: Line, found: Reacted) -> Line:
    return replace(line, details=(*line.details, *found.details))


def _within(asked: Asked, history: History) -> tuple[list[Change], dict[uuid.UUID, list[Reported]]]:
    """With the reports that the reader sees. A change arrived when the first of these did: when another business unit
    received it is not for this one."""
    if not is_restricted(asked.reader.actor):
        within = [row for row in history.changes if asked.span.contains(row.changed_at, row.recorded_at)]
        return within, _reports(within, asked, history)
    reports = _reports(history.changes, asked, history)
    arrived = {key: min((one.recorded_at for one in found), default=None) for key, found in reports.items()}
    within = [row for row in history.changes if asked.span.contains(row.changed_at, arrived[row.pk])]
    return within, {row.pk: reports[row.pk] for row in within}


def _reports(changes: Sequence[Change], asked: Asked, history: History) -> dict[uuid.UUID, list[Reported]]:
    found = reports_of(changes, history.replaced)
    return {key: _visible(reports, asked) for key, reports in found.items()}


def _visible(reports: Sequence[Reported], asked: Asked) -> list[Reported]:
    return [one for one in reports if one.registration in asked.references]


def _deliveries(reports: Sequence[Reported]) -> dict[uuid.UUID, Delivery]:
    """By notification: what brought it."""
    keys = sorted({one.notification for one in reports if one.notification})
    found: dict[uuid.UUID, Delivery] = {}
    for batch in in_batches(keys):
        rows = Notification.objects.filter(pk__in=batch).select_related("delivery")
        wanted = rows.only("delivery__sha256", "delivery__received_at", "delivery__published_at")
        found |= {row.pk: row.delivery for row in wanted}
    return found


def _line(
    line: ChangeLine,
    reports: Sequence[Reported],
    deliveries: Mapping[uuid.UUID, Delivery],
    names: Mapping[uuid.UUID, str],
) -> Line:
    change = line.change
    text = str(line)
    return Line(
        at=change.changed_at,
        topic=Topic.CHANGE,
        key=f"{change.place}{change.pk.hex}",
        text=text[:1].upper() + text[1:],
        details=tuple(detail for one in reports for detail in _details(one, deliveries, names)),
        sources=(source_of(Change, change.pk), *_sources(reports, deliveries)),
        severity=Severity(change.severity),
        is_minor=line.is_small,
    )


def _details(
    report: Reported, deliveries: Mapping[uuid.UUID, Delivery], names: Mapping[uuid.UUID, str]
) -> Iterator[Detail]:
    yield (
        gettext("Reported in %(registration)s %(how)s")
        % {"registration": names.get(report.registration, ""), "how": report.how.label},
        report.observed_at,
    )
    delivery = deliveries.get(report.notification) if report.notification else None
    if delivery and delivery.received_at:
        yield gettext("Received"), delivery.received_at
    if delivery and delivery.published_at:
        yield gettext("Available in D&B Monitoring"), delivery.published_at


def _sources(reports: Sequence[Reported], deliveries: Mapping[uuid.UUID, Delivery]) -> list[Source]:
    """Each once, however many reports came with it."""
    found: dict[str, Source] = {}
    for key in (one.notification for one in reports if one.notification):
        found.setdefault(str(key), source_of(Notification, key))
        if delivery := deliveries.get(key):
            row = source_of(Delivery, delivery.pk, sha256=delivery.sha256)
            found.setdefault(row.key, row)
    return list(found.values())
