"""Who reported a change: its first source, others that reported the same, those whose own change it replaced."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from core.db import in_batches
from monitoring.models import Change, Delivery, Notification, Observation, Source, Verb
from monitoring.story_order import WAYS

# Where a place in the story names the way.
WAY = 29


class How(TextChoices):
    """How a report came here."""

    RESPONSE = "response", _("Response")
    REPLAY = "replay", _("Replay")
    FILE = "file", _("File")
    COMPARISON = "comparison", _("Comparison of two documents")


BY_WAY: Mapping[str, How] = {
    str(WAYS[Source.PULL]): How.RESPONSE,
    str(WAYS[Source.REPLAY]): How.REPLAY,
    str(WAYS[Source.FILE]): How.FILE,
}


@dataclass(frozen=True, slots=True)
class Reported:
    """That a registration reported a change."""

    registration: uuid.UUID
    how: How
    is_file: bool
    observed_at: datetime
    notification: uuid.UUID | None


def reports_of(changes: Collection[Change]) -> dict[uuid.UUID, list[Reported]]:
    """Of each change all reports, the earliest first: four queries for up to a batch of them."""
    found: dict[uuid.UUID, list[Reported]] = {change.pk: [] for change in changes}
    for batch in in_batches([change.pk for change in changes]):
        seen = Observation.objects.filter(change__in=batch, verb=Verb.OBSERVED)
        for row in seen.only("change_id", "registration_id", "place", "observed_at", "notification_id"):
            found[row.change_id].append(_observed(row))
    own = [(change.pk, change) for change in changes] + _replaced(found)
    ways = _ways([change for _, change in own])
    for key, change in own:
        found[key].append(_reported(change, ways.get(change.notification_id, How.RESPONSE)))
    return {key: sorted(reports, key=_order) for key, reports in found.items()}


def _order(report: Reported) -> tuple[datetime, str, str]:
    return report.observed_at, report.registration.hex, report.how


def _observed(row: Observation) -> Reported:
    how = BY_WAY.get(row.place[WAY : WAY + 1], How.RESPONSE)
    return Reported(row.registration_id, how, how == How.FILE, row.observed_at, row.notification_id)


def _replaced(found: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, Change]]:
    """Changes that said the same, each with the one that stands for it."""
    rows: list[tuple[uuid.UUID, Change]] = []
    for batch in in_batches(list(found)):
        replaced = Change.objects.filter(replaced_by__in=batch).defer("previous", "current")
        rows += [(row.replaced_by, row) for row in replaced if row.replaced_by]
    return rows


def _ways(changes: Sequence[Change]) -> dict[uuid.UUID, How]:
    """How the notification of each change came first."""
    keys = sorted({change.notification_id for change in changes})
    ways: dict[uuid.UUID, How] = {}
    for batch in in_batches(keys):
        rows = list(Notification.objects.filter(pk__in=batch).values_list("pk", "delivery_id", "place"))
        deliveries = Delivery.objects.filter(pk__in={delivery for _, delivery, _ in rows})
        sources = dict(deliveries.values_list("pk", "source"))
        for key, delivery, place in rows:
            # An item that could be read later was brought in another way than by the delivery that was made for it.
            source = sources.get(delivery, Source.RETRY)
            way = place[:1] if source == Source.RETRY else str(WAYS[Source(source)])
            ways[key] = BY_WAY.get(way, How.RESPONSE)
    return ways


def _reported(change: Change, way: How) -> Reported:
    how = How.COMPARISON if change.derived_from else way
    moment = change.delivered_at or change.recorded_at
    return Reported(change.registration_id, how, way == How.FILE, moment, change.notification_id)
