"""Published changes → messages to those who follow them: a consumer with its own offset, in batches of publications.

It reads a publication after the alerts have, so that it is known which users a message about an alert goes to. Each
step may be repeated: what a user is notified of has a key made of user and change, and the offset moves last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.alerts.evaluate import CONSUMER as ALERTS
from monitoring.alerts.facts.repeats import known_already
from monitoring.alerts.facts.reports import Brought, brought_by, runs_of
from monitoring.elements.formatting import from_json
from monitoring.follows.already_sent import without_sent
from monitoring.follows.entries import move_entries, notify_of
from monitoring.follows.follow import Merger, move_to_retained
from monitoring.follows.matches import Found, Index, find_matches, is_recent
from monitoring.follows.preferences import can_be_reached, preferences_of
from monitoring.models import Kind, Publication
from monitoring.publications.consumers import PublicationConsumer, batch_after

CONSUMER = PublicationConsumer("follows")
# Read together: so many publications, and so many entries unless one publication alone has more.
PUBLICATIONS, ENTRIES = 50, 5000
CLOCKS_DIFFER = timedelta(hours=1)
A_MINUTE = timedelta(seconds=55)


def notify_followers(until: datetime) -> int:
    """Read the publications after the offset, as far as the alerts have; returns how many were read."""
    position, done = CONSUMER.position(), 0
    while batch := _next_batch(position):
        notify_from(batch)
        if not CONSUMER.move(position, batch[-1].sequence):
            break
        position, done = batch[-1].sequence, done + len(batch)
        if timezone.now() >= until:
            break
    return done


def notify_all() -> int:
    """What the job does; returns how many publications were read."""
    return notify_followers(timezone.now() + A_MINUTE)


def _next_batch(position: int) -> list[Publication]:
    read = ALERTS.position()
    return [row for row in batch_after(position, PUBLICATIONS, ENTRIES) if row.sequence <= read]


def notify_from(publications: Sequence[Publication]) -> int:
    """Returns how many messages are new."""
    index = Index.read()
    read = [row for row in publications if index.may_bring_something(row)]
    return sum(_notify_from(run, index) for run in runs_of(brought_by(read, index.may_matter))) if read else 0


def _notify_from(run: Collection[Brought], index: Index) -> int:
    move_entries(change for its in run for change in its.replaced)
    reports = [(report.change, its.publication.sequence) for its in run for report in its.reports]
    found = find_matches(run, index, known_already(reports))
    count = _notify(found, index, _first_recorded(run, found)) if found else 0
    move_to_retained(_mergers(run))
    return count


def _first_recorded(run: Iterable[Brought], found: Iterable[Found]) -> datetime:
    """No message about these changes is older, also where a further registration reports one."""
    known = {one.change for one in found}
    return min(report.change.recorded_at for its in run for report in its.reports if report.change.pk in known)


def _notify(found: Collection[Found], index: Index, since: datetime) -> int:
    people = [index.people[key] for key in {one.person for one in found}]
    preferences = {key: row for key, row in preferences_of(people).items() if can_be_reached(row)}
    reached = [one for one in found if one.person in preferences]
    people = [row.person for row in preferences.values()]
    return notify_of(without_sent(reached, people, since - CLOCKS_DIFFER), preferences) if reached else 0


def _mergers(run: Iterable[Brought]) -> list[Merger]:
    """After what was followed until then has been sent."""
    reports = [report for its in run if is_recent(its.publication) for report in its.reports]
    changes = [report.change for report in reports if report.change.kind == Kind.TRANSFERRED]
    retained = [(change, from_json(change.current)) for change in changes]
    return [
        Merger(change.pk, change.company_id, other)
        for change, other in retained
        if isinstance(other, str) and other != change.company_id
    ]
