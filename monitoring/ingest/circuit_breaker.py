"""Stops reading a registration that sends too much unreadable; pulling goes on."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext

from core.text import counted
from monitoring.models import Delivery, Source
from portfolio.models import Registration

WINDOW = 1000
SHARE = 0.01
IN_A_ROW = 20


def check_breaker(delivery: Delivery) -> bool:
    """Leave a mark when more than 1 % of the last 1,000 items, or 20 in a row, could not be read."""
    reason = _too_many(delivery) or _too_many_in_a_row(delivery)
    if reason:
        text = gettext(
            "%(reason)s Processing has stopped; pulling continues. Review the parsing errors, then resume processing."
        ) % {"reason": reason}
        Registration.objects.filter(pk=delivery.registration_id).update(ingest_stopped_reason=text)
    return bool(reason)


def resume_ingest(registration: Registration) -> None:
    """A person has looked: count from now on."""
    Registration.objects.filter(pk=registration.pk).update(ingest_stopped_reason="", ingest_window_from=timezone.now())


def _recent(delivery: Delivery) -> list[Delivery]:
    rows = Delivery.objects.filter(registration=delivery.registration_id, ingested_at__isnull=False)
    rows = rows.exclude(source__in=(Source.RETRY, Source.FETCH))
    if delivery.registration.ingest_window_from:
        rows = rows.filter(ingested_at__gte=delivery.registration.ingest_window_from)
    return list(rows.order_by("-id")[:WINDOW])


def _too_many(delivery: Delivery) -> str:
    seen = unreadable = 0
    for row in _recent(delivery):
        seen += row.notification_count or 0
        unreadable += row.unreadable_count
        if seen >= WINDOW:
            return (
                gettext("%(unreadable)s of the last %(seen)s items could not be parsed.")
                % {"unreadable": unreadable, "seen": counted(seen)}
                if unreadable > SHARE * seen
                else ""
            )
    return ""


def _too_many_in_a_row(delivery: Delivery) -> str:
    """Files count by their share only: a bad part of one is no sign of the whole."""
    if delivery.source == Source.FILE:
        return ""
    run = 0
    for row in _recent(delivery):
        run += row.unreadable_tail
        if row.unreadable_count < (row.notification_count or 0):
            break
    longest = max(run, delivery.unreadable_run)
    return gettext("%(count)s items in a row could not be parsed.") % {"count": longest} if longest >= IN_A_ROW else ""


def trailing_unreadable(count: int, bad: set[int]) -> int:
    """How many unreadable items an answer ends with."""
    run = 0
    while run < count and count - 1 - run in bad:
        run += 1
    return run
