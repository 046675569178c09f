"""What D&B said about a D-U-N-S number → the state of its row, and the days of its stay."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from core.bulk import among
from core.db import clean_text, insert_new
from direct_plus.results import Outcome
from portfolio.models import Membership, Subject, SubjectState

IS_IN = frozenset({Outcome.DONE, Outcome.PRESENT, Outcome.ALREADY})
IS_OUT = frozenset({Outcome.DONE, Outcome.ABSENT})
REFUSING = frozenset({Outcome.INVALID, Outcome.DELETED, Outcome.TRANSFERRED, Outcome.UNKNOWN})
PENDING = (SubjectState.PENDING_ADD, SubjectState.PENDING_REMOVE)
# An addition or removal whose call has not been answered bears no code.
UNANSWERED = ""
ACCEPTED = "21108"
STAYING = Q(monitored_since__isnull=False, monitored_until__isnull=True)


def today() -> date:
    return timezone.now().date()


def said(code: str | None, message: str, *, at: datetime | None = None) -> dict[str, Any]:
    """The columns that any final word of D&B sets."""
    return {
        "code": clean_text(code or "", 16),
        "message": clean_text(message, 500),
        "checked_at": at or timezone.now(),
        "sent_at": None,
        "reported_by": None,
    }


def monitored(
    keys: Sequence[uuid.UUID],
    was: Iterable[str],
    *,
    since: date,
    code: str | None = "",
    message: str = "",
    at: datetime | None = None,
    reported_by: uuid.UUID | None = None,
) -> int:
    """They are in: a stay goes on, or begins on this day. Returns how many were in one of the states before.

    `reported_by` is the person whose file says so, where D&B itself does not.
    """
    fields = {
        "state": SubjectState.MONITORED,
        "replacement": "",
        **said(code, message, at=at),
        "reported_by": reported_by,
    }
    _keep_ended(_rows(keys, was))
    begun = Case(When(STAYING, then=F("monitored_since")), default=Value(since))
    return _rows(keys, was).update(**fields, monitored_since=begun, monitored_until=None)


def _keep_ended(rows: QuerySet[Subject]) -> None:
    """The days of a stay that is over, before those of the next one take their place."""
    ended = rows.filter(monitored_since__isnull=False, monitored_until__isnull=False)
    columns = ("pk", "registration_id", "company_id", "monitored_since", "monitored_until")
    stays = [
        Membership(
            pk=Membership.key(key, since), registration_id=registration, company_id=duns, since=since, until=until
        )
        for key, registration, duns, since, until in ended.values_list(*columns)
    ]
    new = {stay.pk for stay in insert_new(Membership, stays)}
    for stay in stays:
        if stay.pk not in new:
            # Removed and added again on one day: two stays began on it.
            Membership.objects.filter(pk=stay.pk, until__lt=stay.until).update(until=stay.until)


def removed(
    keys: Sequence[uuid.UUID],
    was: Iterable[str],
    *,
    until: date,
    code: str | None = "",
    message: str = "",
    at: datetime | None = None,
    is_by_file: bool = False,
) -> int:
    """They are out: a stay ends on this day."""
    rows, fields = _rows(keys, was), said(code, message, at=at)
    if is_by_file:
        del fields["reported_by"]
    else:
        forget_reported(rows)
    rows.filter(STAYING).update(monitored_until=until)
    return rows.update(state=SubjectState.REMOVED, **fields)


def forget_reported(rows: QuerySet[Subject]) -> None:
    """D&B says that these are out: of a stay that only somebody's file told of nothing is known, and nothing billed."""
    rows.filter(reported_by__isnull=False).update(monitored_since=None, monitored_until=None, reported_by=None)


def taken_out(keys: Sequence[uuid.UUID], *, code: str | None = "", message: str = "") -> int:
    """The removals we sent have been done. What was requested again meanwhile has to be added again."""
    forget_reported(_rows(keys, [SubjectState.PENDING_REMOVE]))
    _rows(keys, [SubjectState.PENDING_REMOVE]).filter(STAYING).update(monitored_until=today())
    again = _rows(keys, [SubjectState.PENDING_REMOVE]).filter(requested=True)
    count = again.update(state=SubjectState.UNKNOWN, **said(code, message))
    return count + removed(keys, [SubjectState.PENDING_REMOVE], until=today(), code=code, message=message)


def refused(keys: Sequence[uuid.UUID], *, code: str | None, message: str, replacement: str | None = None) -> int:
    """D&B does not take these additions."""
    fields = {"state": SubjectState.REFUSED, "replacement": replacement or "", **said(code, message)}
    rows = _rows(keys, [SubjectState.PENDING_ADD])
    forget_reported(rows)
    return rows.update(**fields)


def _rows(keys: Sequence[uuid.UUID], was: Iterable[str]) -> QuerySet[Subject]:
    return Subject.objects.filter(among("id", keys), state__in=list(was))
