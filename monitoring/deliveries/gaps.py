"""Marks that say what D&B has dropped, and what to do about it. Never silent (docs/develop/direct_plus.md#pulling)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext

from portfolio.models import Registration

DROPPED_AFTER = timedelta(days=4)
REPLAYED_FOR = timedelta(days=14)


def mark_if_left_too_long(registration: Registration) -> None:
    """The queue was last seen empty more than 4 days before D&B's time now: what came first is dropped."""
    last, heard = registration.last_pulled_at, registration.dnb_time
    if last is None or heard is None or heard - last <= DROPPED_AFTER:
        return
    reason = gettext(
        "Not pulled for %(days)s. D&B has deleted the notifications it queued from %(since)s to %(until)s. "
        "Ask D&B to seed the registration again, or run a refresh check of its companies."
    ) % {"days": _days(heard - last), "since": _utc(last), "until": _utc(heard - DROPPED_AFTER)}
    _mark(registration, last, heard - DROPPED_AFTER, reason)


def mark_if_beyond_replay(registration: Registration, replay_from: datetime) -> datetime:
    """Where a replay can begin at all; what lies before it can no longer be asked for."""
    assert registration.dnb_time is not None
    earliest = registration.dnb_time - REPLAYED_FOR
    if replay_from >= earliest:
        return replay_from
    reason = gettext(
        "A call of %(since)s was in doubt for more than 14 days. Notifications before %(until)s can no longer be "
        "replayed. Ask D&B to seed the registration again, or run a refresh check of its companies."
    ) % {"since": _utc(replay_from), "until": _utc(earliest)}
    _mark(registration, replay_from, earliest, reason)
    return earliest


def _mark(registration: Registration, start: datetime, end: datetime, reason: str) -> None:
    registration.gap_from = min(registration.gap_from or start, start)
    registration.gap_until = max(registration.gap_until or end, end)
    registration.gap_reason = reason
    Registration.objects.filter(pk=registration.pk).update(
        gap_from=registration.gap_from, gap_until=registration.gap_until, gap_reason=reason
    )


def clear_gap(registration: Registration) -> None:
    """A person has dealt with it."""
    Registration.objects.filter(pk=registration.pk).update(gap_from=None, gap_until=None, gap_reason="")


def close_gap(registration: Registration, start: datetime, end: datetime | None) -> bool:
    """Its companies were compared with D&B; False where the gap is another one now."""
    rows = Registration.objects.filter(pk=registration.pk, gap_from=start, gap_until=end)
    return bool(rows.update(gap_from=None, gap_until=None, gap_reason=""))


def _days(span: timedelta) -> str:
    return gettext("%(count)s days") % {"count": number_format(span / timedelta(days=1), 1)}


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
