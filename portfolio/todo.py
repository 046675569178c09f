"""What is to be sent: the difference between what people said they want and what D&B has (design §5).

Nothing is sent that nobody has said: an addition needs a wanted row, a removal one that somebody stopped wanting after
it was there. What D&B dropped or has beside that is drift, which a person decides on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from portfolio.connecting import setting
from portfolio.models import Registration, Subject, SubjectState
from portfolio.settling import PENDING, UNANSWERED

# D&B drops what nobody pulls for 4 days, and still delivers what waits after a removal (contract §3, §4).
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
    return rows.filter(wanted_at__gt=said_after) if said_after else rows


def _additions(registration: Registration) -> QuerySet[Subject]:
    wanted_again = Q(state=SubjectState.REMOVED, wanted_at__gt=F("checked_at"))
    return of(registration).filter(Q(state=SubjectState.UNKNOWN) | wanted_again, wanted=True)


def _removals(registration: Registration) -> QuerySet[Subject]:
    rows = of(registration).filter(wanted=False, state=SubjectState.MONITORED, wanted_at__isnull=False)
    return rows.exclude(code__in=SAID_NO)


def unanswered(registration: Registration, verb: Verb, said_after: datetime | None = None) -> QuerySet[Subject]:
    """Sent by a call that nobody saw the end of, and still wanted so: sent again."""
    rows = of(registration).filter(wanted=verb == Verb.ADD, state=verb.pending, code=UNANSWERED)
    return rows.filter(wanted_at__gt=said_after) if said_after else rows


def pending(registration: Registration) -> QuerySet[Subject]:
    return of(registration).filter(state__in=PENDING)


def doubtful(registration: Registration) -> QuerySet[Subject]:
    """Pending for so long that D&B is asked one by one what became of them."""
    return pending(registration).filter(sent_at__lt=timezone.now() - doubt_after(registration))


def doubt_after(registration: Registration) -> timedelta:
    return timedelta(minutes=float(setting(registration.contract, "DOUBT_AFTER_MINUTES", "30")))
