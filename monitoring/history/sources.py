"""Who reported a change: its first source, others that reported the same, those whose own change it replaced."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from core.db import in_batches
from core.visibility import Scope
from monitoring.models import Change, Notification, Observation, Source, Verb
from monitoring.story_order import WAYS, way_at


class How(TextChoices):
    """How a report came here, as words behind the registration that reported."""

    RESPONSE = "response", _("through a pull from D&B")
    REPLAY = "replay", _("through a replay from D&B")
    FILE = "file", _("from a delivered file")
    FETCH = "fetch", _("through a data fetch from D&B")
    COMPARISON = "comparison", _("from a comparison of two documents")


BY_WAY: Mapping[str, How] = {
    str(WAYS[Source.PULL]): How.RESPONSE,
    str(WAYS[Source.REPLAY]): How.REPLAY,
    str(WAYS[Source.FILE]): How.FILE,
    str(WAYS[Source.FETCH]): How.FETCH,
}


@dataclass(frozen=True, slots=True)
class Reported:
    """That a registration reported a change."""

    registration: uuid.UUID
    how: How
    is_file: bool
    observed_at: datetime
    recorded_at: datetime
    notification: uuid.UUID | None


def reports_of(
    changes: Collection[Change], replaced: Collection[Change] | None = None
) -> dict[uuid.UUID, list[Reported]]:
    """Of each change all reports, the earliest first: in two queries, and one more where several reported. Whoever has
    the changes that were `replaced` already saves one."""
    found: dict[uuid.UUID, list[Reported]] = {change.pk: [] for change in changes}
    said_the_same = _replaced(found) if replaced is None else replaced
    own = [(change.pk, change) for change in changes]
    own += [(row.replaced_by, row) for row in said_the_same if row.replaced_by in found]
    others = _observed({change.pk for _, change in own})
    firsts = _firsts([change for _, change in own if change.pk in others])
    for key, change in own:
        found[key] += [_reported(change, firsts.get(change.notification_id)), *others.get(change.pk, ())]
    return {key: sorted(reports, key=_order) for key, reports in found.items()}


def own_reports(scope: Scope, changes: Collection[Change]) -> dict[uuid.UUID, Reported]:
    """Of each change the first report that the scope shows."""
    found = reports_of(changes)
    own = {key: [one for one in reports if one.registration in scope.registrations] for key, reports in found.items()}
    return {key: reports[0] for key, reports in own.items() if reports}


def _order(report: Reported) -> tuple[datetime, str, str]:
    return report.observed_at, report.registration.hex, report.how


def _observed(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Reported]]:
    found: dict[uuid.UUID, list[Reported]] = {}
    for batch in in_batches(sorted(keys)):
        rows = Observation.objects.filter(change__in=batch, verb=Verb.OBSERVED)
        for row in rows.only("change_id", "registration_id", "place", "observed_at", "notification_id", "recorded_at"):
            how = BY_WAY.get(way_at(row.place), How.RESPONSE)
            moments = (row.observed_at, row.recorded_at)
            report = Reported(row.registration_id, how, how == How.FILE, *moments, row.notification_id)
            found.setdefault(row.change_id, []).append(report)
    return found


def _replaced(found: Collection[uuid.UUID]) -> list[Change]:
    """Changes that said the same."""
    rows: list[Change] = []
    for batch in in_batches(sorted(found)):
        rows += Change.objects.filter(replaced_by__in=batch).defer("previous", "current")
    return rows


def _firsts(changes: Collection[Change]) -> dict[uuid.UUID, Notification]:
    """A change that several reported stands at the least of their places: its notification says what its own is."""
    found: dict[uuid.UUID, Notification] = {}
    for batch in in_batches(sorted({change.notification_id for change in changes})):
        found |= Notification.objects.only("place", "delivered_at").in_bulk(batch)
    return found


def _reported(change: Change, first: Notification | None) -> Reported:
    way = BY_WAY.get(first.place[:1] if first else way_at(change.place), How.RESPONSE)
    how = How.COMPARISON if change.derived_from else way
    moment = (first.delivered_at if first else change.delivered_at) or change.recorded_at
    moments = (moment, change.recorded_at)
    return Reported(change.registration_id, how, way == How.FILE, *moments, change.notification_id)
