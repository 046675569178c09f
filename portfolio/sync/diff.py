"""What is to be sent: the difference between what people requested and what D&B has.

Nothing is sent that nobody has said: an addition needs a requested row, a removal one that somebody withdrew after it
was there. What D&B dropped or has beside that is drift, which a person decides on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from portfolio.dnb_client import setting
from portfolio.models import Registration, Subject, SubjectState
from portfolio.sync.apply_response import PENDING, UNANSWERED

# D&B drops what nobody pulls for 4 days, and still delivers what waits after a removal.
WAITS_AT_MOST = timedelta(days=4)
# Codes with which D&B refuses a removal: asking again by itself would go on for ever.
SAID_NO = ("10003", "40002", "40003", "10200", "40001", "refused")


class Verb(StrEnum):
    ADD = "add"
    REMOVE = "remove"

    @property
    def pending(self) -> str:
        return SubjectState.PENDING_ADD if self == Verb.ADD else SubjectState.PENDING_REMOVE


def of(registration: Registration) -> QuerySet[Subject]:
    return Subject.objects.filter(registration=registration)


def unsent(registration: Registration, verb: Verb, said_after: datetime | None = None) -> QuerySet[Subject]:
    """What was said and not sent yet; with a time only what was said after it."""
    rows = _additions(registration) if verb == Verb.ADD else _removals(registration)
    return rows.filter(requested_at__gt=said_after) if said_after else rows


def _additions(registration: Registration) -> QuerySet[Subject]:
    return of(registration).filter(Q(state=SubjectState.UNKNOWN, requested=True) | requested_again())


def _removals(registration: Registration) -> QuerySet[Subject]:
    return of(registration).filter(is_removal())


def requested_again() -> Q:
    """Out at D&B, and somebody has said since that it is requested."""
    return Q(requested=True, state=SubjectState.REMOVED, requested_at__gt=F("checked_at"))


def is_removal() -> Q:
    """In at D&B, and somebody has said that it is not requested; D&B has not refused to take it out."""
    return Q(requested=False, state=SubjectState.MONITORED, requested_at__isnull=False) & ~Q(code__in=SAID_NO)


def unanswered(registration: Registration, verb: Verb, said_after: datetime | None = None) -> QuerySet[Subject]:
    """Sent by a call that nobody saw the end of, and still requested so: sent again."""
    rows = of(registration).filter(requested=verb == Verb.ADD, state=verb.pending, code=UNANSWERED)
    return rows.filter(requested_at__gt=said_after) if said_after else rows


def pending(registration: Registration) -> QuerySet[Subject]:
    return of(registration).filter(state__in=PENDING)


def in_doubt(registration: Registration) -> QuerySet[Subject]:
    return of(registration).filter(is_in_doubt(registration))


def is_in_doubt(registration: Registration) -> Q:
    """Pending for so long that D&B is asked one by one what became of them."""
    return Q(state__in=PENDING, sent_at__lt=timezone.now() - in_doubt_after(registration))


def in_doubt_after(registration: Registration) -> timedelta:
    return timedelta(minutes=float(setting(registration.contract, "DOUBT_AFTER_MINUTES", "30")))
