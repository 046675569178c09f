"""Where D&B's list and what is requested differ though nothing is under way: shown both ways with what each answer
costs, decided by people, never corrected by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text, in_batches
from core.notices import notify
from core.text import counted
from portfolio.billing.approval_limits import Act, demand_alone
from portfolio.billing.new_billable import contract_year_start
from portfolio.models import Registration, Subject, SubjectState
from portfolio.subjects.counts import SubjectCounts, counts_of
from portfolio.subjects.requests import SubjectEntry, request_subjects, withdraw_subjects
from portfolio.sync.diff import SAID_NO, of
from portfolio.sync.progress import only_after

# Listed at D&B on this day, as far as known.
BILLED = (SubjectState.MONITORED, SubjectState.PENDING_REMOVE)


@dataclass(frozen=True, slots=True)
class Drift:
    """How D&B's list and what is requested differ, in numbers."""

    missing: int  # requested, and D&B has dropped it or never had it
    refused: int  # requested, and D&B does not take it
    extra: int  # at D&B, and nobody requests it
    unsent: int  # on its way out by itself
    pending: int  # sent, not answered yet
    in_doubt: int  # of these, for so long that D&B will be asked
    held_back: int  # requested or withdrawn, and the sync of it was cancelled

    @property
    def is_none(self) -> bool:
        return not (self.missing or self.refused or self.extra or self.held_back)

    def __str__(self) -> str:
        return gettext(
            "%(missing)s requested but not at D&B, %(refused)s refused by D&B, %(extra)s at D&B but not requested"
        ) % {"missing": counted(self.missing), "refused": counted(self.refused), "extra": counted(self.extra)}


def drift(registration: Registration) -> Drift:
    return drift_in(counts_of(registration, only_after(registration)))


def drift_in(counts: SubjectCounts) -> Drift:
    return Drift(
        missing=counts.missing,
        refused=counts.refused,
        extra=counts.extra,
        unsent=counts.going_out,
        pending=counts.pending,
        in_doubt=counts.in_doubt,
        held_back=counts.to_add + counts.to_remove - counts.going_out,
    )


def missing(registration: Registration) -> QuerySet[Subject]:
    """Wanted, and out without our doing: nobody has asked for it since."""
    asked_since = Q(requested_at__gt=F("checked_at"))
    return of(registration).filter(requested=True, state=SubjectState.REMOVED).exclude(asked_since)


def refused(registration: Registration) -> QuerySet[Subject]:
    return of(registration).filter(requested=True, state=SubjectState.REFUSED)


def extra(registration: Registration) -> QuerySet[Subject]:
    """At D&B, and nobody has said anything about it, or D&B refused to take it out."""
    nobody_said = Q(requested_at__isnull=True) | Q(code__in=SAID_NO)
    return of(registration).filter(nobody_said, requested=False, state=SubjectState.MONITORED)


def costs_of_sending_again(registration: Registration, rows: Iterable[Subject], others: Sequence[uuid.UUID]) -> int:
    """How many of these missing would be billed anew: monitored neither here nor in the contract's other registrations
    in this contract year, as far as known."""
    start = contract_year_start(registration.contract)
    numbers = [row.company_id for row in rows if not _stayed(row, start)]
    elsewhere: set[str] = set()
    for batch in in_batches(numbers) if others else []:
        known = Subject.objects.filter(registration__in=others, reported_by__isnull=True)
        found = known.filter(_has_stayed(start) | Q(state__in=BILLED))
        elsewhere.update(found.filter(company__in=batch).values_list("company_id", flat=True))
    return len(set(numbers) - elsewhere)


def _has_stayed(start: date | None) -> Q:
    return Q(monitored_until__isnull=False) if start is None else Q(monitored_until__gte=start)


def _stayed(row: Subject, start: date | None) -> bool:
    """What only a file of somebody's says does not count."""
    if row.reported_by or row.monitored_until is None:
        return False
    return start is None or row.monitored_until >= start


# What people decide, each with its name on it. `duns` None means all there are.


def request_missing(registration: Registration, duns: Sequence[str] | None, *, by: Actor) -> int:
    """What D&B monitors beside our requests becomes requested: it is billed already, nothing is sent."""
    numbers = _numbers(extra(registration), duns)
    return len(
        request_subjects(
            registration=registration, entries=[SubjectEntry(one) for one in numbers], requested_by=by
        ).newly
    )


def stop_monitoring(registration: Registration, duns: Sequence[str] | None, *, by: Actor) -> int:
    """What D&B monitors beside our requests is withdrawn. It stays billed for this contract year."""
    numbers = _numbers(extra(registration), duns)
    demand_alone(
        Act(by, registration, removals=len(numbers)),
        gettext(
            "First request the companies, which costs nothing. Then stop monitoring them by an import, which "
            "another user can approve."
        ),
    )
    for keys in _keys(registration, numbers):
        rows = Subject.objects.filter(pk__in=keys, requested=False, state=SubjectState.MONITORED)
        rows.update(requested_at=timezone.now(), requested_by=clean_text(by, 200), code="", message="")
    _record(
        registration,
        by,
        "stop",
        gettext("%(companies)s to be removed from %(registration)s: %(shown)s"),
        numbers,
    )
    return len(numbers)


def send_again(registration: Registration, duns: Sequence[str] | None, *, by: Actor) -> int:
    """What is requested and not at D&B, or was refused, is to be added once more."""
    numbers = _numbers(missing(registration), duns) + _numbers(refused(registration), duns)
    demand_alone(
        Act(by, registration, additions=_billed_again(registration, numbers)),
        gettext(
            "Select fewer companies. For larger changes, withdraw these requests and submit the companies as "
            "an import, which another user can approve."
        ),
    )
    for keys in _keys(registration, numbers):
        rows = Subject.objects.filter(
            pk__in=keys, requested=True, state__in=[SubjectState.REMOVED, SubjectState.REFUSED]
        )
        rows.update(
            state=SubjectState.UNKNOWN,
            requested_at=timezone.now(),
            requested_by=clean_text(by, 200),
            code="",
            message="",
        )
    _record(
        registration,
        by,
        "send_again",
        gettext("%(companies)s to be added to %(registration)s again: %(shown)s"),
        numbers,
    )
    return len(numbers)


def withdraw_extra(registration: Registration, duns: Sequence[str] | None, *, by: Actor) -> int:
    """What is requested and not at D&B, or refused, is withdrawn; there is nothing to send."""
    numbers = _numbers(missing(registration), duns) + _numbers(refused(registration), duns)
    return len(withdraw_subjects(registration=registration, duns=numbers, requested_by=by))


DECISIONS = {
    "request": request_missing,
    "stop": stop_monitoring,
    "send-again": send_again,
    "withdraw": withdraw_extra,
}


def _billed_again(registration: Registration, numbers: Sequence[str]) -> int:
    others = Registration.objects.filter(contract=registration.contract_id).exclude(pk=registration.pk)
    rows = [row for keys in _keys(registration, numbers) for row in Subject.objects.filter(pk__in=keys)]
    return costs_of_sending_again(registration, rows, list(others.values_list("pk", flat=True)))


def _numbers(rows: QuerySet[Subject], duns: Sequence[str] | None) -> list[str]:
    if duns is None:
        return list(rows.order_by("pk").values_list("company_id", flat=True))
    found: list[str] = []
    for batch in in_batches(list(duns)):
        found += rows.filter(company__in=batch).values_list("company_id", flat=True)
    return found


def _keys(registration: Registration, numbers: Sequence[str]) -> list[list[uuid.UUID]]:
    return [[Subject.key(registration.pk, one) for one in batch] for batch in in_batches(numbers)]


def _record(registration: Registration, by: str, action: str, words: str, numbers: Sequence[str]) -> None:
    if numbers:
        shown = ", ".join(numbers[:10]) + (" …" if len(numbers) > 10 else "")
        told = {"companies": plurals.companies(len(numbers)), "registration": registration, "shown": shown}
        record(actor=by, action=action, thing=registration, summary=words % told, after={"duns": numbers[:10_000]})


def notify_of_drift(registration: Registration, url: str = "") -> bool:
    """People are notified of drift once, and again when it has changed."""
    found = drift(registration)
    if not registration.adopted or found.is_none:
        return False
    notice = notify(
        kind="drift",
        subject=gettext("%(registration)s: differences from D&B's list") % {"registration": registration},
        text=gettext("%(found)s. Differences are never corrected automatically. Review them on the differences page.")
        % {"found": found},
        url=url,
        key=f"{registration.pk}|{found.missing}|{found.refused}|{found.extra}",
    )
    return notice is not None
