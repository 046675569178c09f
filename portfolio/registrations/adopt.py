"""Taking over what D&B has already: learn its list, then take it as requested. Sends and bills nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.blobs import load_bytes, store_bytes
from core.bulk import among
from core.db import LOOKUP_BATCH, clean_text, insert_new_values
from core.jobs import ask_worker
from core.leases import holding
from direct_plus.client import DirectPlus
from direct_plus.duns import InvalidDuns
from direct_plus.errors import DirectPlusError
from portfolio.companies.duns_lists import entries_of, is_plain, read_listed
from portfolio.dnb_client import NotConfigured, client_for, longest_call
from portfolio.models import (
    LIST_INCOMPLETE,
    CheckState,
    Company,
    Contract,
    MembershipCheck,
    Registration,
    Subject,
    SubjectState,
)
from portfolio.sync import apply_response
from portfolio.sync.apply_response import IS_IN
from portfolio.sync.errors import explain_error, forget_refused_token
from portfolio.sync.progress import count_open
from portfolio.sync.verify import check

Item = TypeVar("Item")
SAVED_EVERY = 20
# Numbers learnt in one transaction: the more, the fewer times each page of an index is written.
AT_ONCE = 10_000
RECORDED = 10_000
# By name, since what D&B published is above this app.
PROPOSE = "monitoring.jobs.propose_for_adopted"
NOT_IN = (SubjectState.UNKNOWN, SubjectState.REMOVED, SubjectState.REFUSED)


class NothingToCheck(ValueError):
    """The list holds no D-U-N-S number."""


class NothingKnown(ValueError):
    """Neither a company of D&B's list is known, nor that the list is empty."""


@dataclass(slots=True)
class Listing:
    """Numbers of a list, and what stands there that is none."""

    numbers: list[str]
    unreadable: list[str]


def is_number_known(contract: Contract) -> bool:
    """Whether what D&B bills already is known: before, every count of new companies reads "up to"."""
    return not Registration.objects.filter(LIST_INCOMPLETE, contract=contract).exists()


def not_adopted(contract: Contract) -> list[str]:
    """The registrations because of which it is not."""
    rows = Registration.objects.filter(LIST_INCOMPLETE, contract=contract)
    return list(rows.order_by("reference").values_list("reference", flat=True))


def uncertain_contracts() -> set[str]:
    """Those where it is not."""
    return set(Registration.objects.filter(LIST_INCOMPLETE).values_list("contract_id", flat=True))


def read_listing(lines: Iterable[str]) -> Listing:
    """Each number once, in its order. `#` begins a comment."""
    found: dict[str, None] = {}
    unreadable: list[str] = []
    for line in lines:
        if is_plain(number := line.strip()):
            found[number] = None
            continue
        for text in entries_of(line):
            _read_one(text, found, unreadable)
    return Listing(list(found), unreadable)


def _read_one(text: str, found: dict[str, None], unreadable: list[str]) -> None:
    if not any(character.isdigit() for character in text):
        return
    try:
        found[read_listed(text)] = None
    except InvalidDuns:
        unreadable.append(text[:40])


def learn_is_in(
    registration: Registration,
    numbers: Iterable[str],
    *,
    dnb_time: datetime | None = None,
    reported_by: uuid.UUID | None = None,
) -> int:
    """D&B said then that these are in; nothing becomes requested by it. Returns how many were not known to be in.

    `reported_by` is the person by whose file D&B is to have said so.
    """
    moment = dnb_time or timezone.now()
    return sum(_learn_batch(registration, batch, moment, reported_by) for batch in batches(numbers, AT_ONCE))


def _learn_batch(
    registration: Registration, batch: Sequence[str], moment: datetime, reported_by: uuid.UUID | None
) -> int:
    keys = Subject.keys(registration.pk, batch)
    rows = sorted(zip(keys, batch, strict=True), key=lambda row: row[0].int)
    with transaction.atomic():
        known = _states([key for key, _ in rows])
        missing = [row for row in rows if row[0] not in known]
        new = _learn_new(registration, missing, moment, reported_by)
        if len(new) < len(missing):
            known |= _states([key for key, duns in missing if duns not in new])
        return len(new) + _learn_known(known, moment, reported_by)


def count_not_known(registration: Registration, numbers: Sequence[str], moment: datetime) -> int:
    """How many of these `learn_is_in` would make known."""
    keys = Subject.keys(registration.pk, numbers)
    known = Subject.objects.filter(among("id", keys), state__in=(SubjectState.MONITORED, SubjectState.PENDING_REMOVE))
    out_since = Subject.objects.filter(among("id", keys), state__in=NOT_IN, checked_at__gt=moment)
    return len(keys) - known.count() - out_since.count()


def _states(keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Subject.objects.filter(among("id", keys)).values_list("pk", "state"))


def _learn_new(
    registration: Registration, rows: Sequence[tuple[uuid.UUID, str]], moment: datetime, reported_by: uuid.UUID | None
) -> set[str]:
    """Those of the rows that are no longer missing by our doing."""
    insert_new_values(Company, ("duns",), sorted((duns,) for _, duns in rows), "duns")
    return insert_new_values(
        Subject,
        ("id", "company_id"),
        rows,
        "company_id",
        registration_id=registration.pk,
        state=SubjectState.MONITORED,
        monitored_since=moment.date(),
        checked_at=moment,
        reported_by=reported_by,
    )


def _learn_known(known: Mapping[uuid.UUID, str], moment: datetime, reported_by: uuid.UUID | None) -> int:
    """Rows that were there before, by what they were; each statement asks once more whether they still are."""
    there = _rows(known, SubjectState.MONITORED)
    there.filter(checked_at__lt=moment).update(checked_at=moment)
    if reported_by is None:
        there.filter(reported_by__isnull=False).update(reported_by=None)
    out_since = set(_rows(known, *NOT_IN).filter(checked_at__gt=moment).values_list("pk", flat=True))
    told = {key: state for key, state in known.items() if key not in out_since}
    # Nobody has said anything about this stay yet: an old request to end the last one does not end it.
    _rows(told, SubjectState.REMOVED).filter(requested=False).update(requested_at=None)
    was = (*NOT_IN, SubjectState.PENDING_ADD)
    back = [key for key, state in told.items() if state in was]
    return apply_response.monitored(back, was, since=moment.date(), at=moment, reported_by=reported_by)


def _rows(known: Mapping[uuid.UUID, str], *states: str) -> QuerySet[Subject]:
    keys = [key for key, state in known.items() if state in states]
    return Subject.objects.filter(among("id", keys), state__in=states)


def batches(items: Iterable[Item], size: int = LOOKUP_BATCH) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def adopt_as_requested(registration: Registration, *, by: str, is_empty: bool = False) -> int:
    """Everything that D&B is known to monitor becomes requested, and the registration adopted. Sends nothing, and costs
    nothing: it is billed already. Returns how many became requested. `is_empty`: a person vouches that D&B has none."""
    if not is_empty:
        _demand_known_list(registration)
    rows = Subject.objects.filter(registration=registration, requested=False, state=SubjectState.MONITORED)
    numbers = list(rows.order_by("pk").values_list("company_id", flat=True)[:RECORDED])
    count = rows.update(
        requested=True,
        requested_by=clean_text(by, 200),
        requested_at=timezone.now(),
        requested_import=None,
        remove_on=None,
    )
    was_adopted = registration.adopted
    registration.adopted, registration.adopted_as_empty = True, is_empty or registration.adopted_as_empty
    Registration.objects.filter(pk=registration.pk).update(adopted=True, adopted_as_empty=registration.adopted_as_empty)
    record(
        actor=by,
        action="adopt",
        thing=registration,
        summary=gettext("%(registration)s adopted: %(companies)s monitored by D&B already, now requested")
        % {"registration": registration, "companies": plurals.companies(count)},
        before={"adopted": was_adopted},
        after={"adopted": True, "count": count, "duns": numbers},
    )
    ask_worker(PROPOSE, str(registration.pk), task_name=f"Proposals for {registration.reference}"[:100])
    return count


def _demand_known_list(registration: Registration) -> None:
    """Who adopts an unknown list as an empty one is shown all of its companies as differences later."""
    there = Subject.objects.filter(registration=registration, state=SubjectState.MONITORED)
    if registration.list_received_at is None and not there.exists():
        raise NothingKnown(
            gettext(
                "It is not known yet which companies D&B monitors in %(registration)s, so nothing was adopted. Load "
                "D&B's export file, or confirm that the list is empty."
            )
            % {"registration": registration}
        )


# A list that D&B is asked about, one by one


def start_check(registration: Registration, numbers: Sequence[str], *, by: str) -> MembershipCheck:
    """Have D&B asked about these numbers by the job; it goes on where it stopped."""
    if not numbers:
        raise NothingToCheck(gettext("The list contains no D-U-N-S numbers. Enter one nine-digit number per line."))
    check_row = MembershipCheck(
        registration=registration, created_by=clean_text(by, 200), created_at=timezone.now(), total=len(numbers)
    )
    store_bytes(check_row.pk, "\n".join(numbers).encode())
    check_row.save(force_insert=True)
    summary = gettext("Check of %(numbers)s in %(registration)s started at D&B") % {
        "numbers": plurals.numbers(len(numbers)),
        "registration": registration,
    }
    record(actor=by, action="check", thing=registration, summary=summary, after={"duns": list(numbers[:RECORDED])})
    return check_row


def cancel_check(row: MembershipCheck, *, by: str) -> bool:
    running = MembershipCheck.objects.filter(pk=row.pk, state=CheckState.RUNNING)
    cancelled = running.update(state=CheckState.CANCELLED, ended_at=timezone.now())
    if cancelled:
        summary = gettext("Check of %(numbers)s in %(registration)s cancelled") % {
            "numbers": plurals.numbers(row.total),
            "registration": row.registration,
        }
        record(actor=by, action="check_cancel", thing=row.registration, summary=summary)
    return bool(cancelled)


def go_on_checking(
    row: MembershipCheck,
    *,
    client: DirectPlus | None = None,
    until: datetime | None = None,
    report: Callable[[], None] = lambda: None,
) -> bool:
    """Ask about the rest of a list, as far as the time allows; True when it has reached its end."""
    with holding(f"check/{row.pk}", longest_call()) as hold:
        if hold is None:
            return False
        row.refresh_from_db()
        numbers = load_bytes(row.pk).decode().split()
        try:
            client = client or client_for(row.registration.contract)
            while row.state == CheckState.RUNNING and row.position < row.total:
                if until and timezone.now() >= until:
                    return False
                hold.renew()
                _ask_some(row, client, numbers[row.position : row.position + SAVED_EVERY])
                report()
        except (DirectPlusError, NotConfigured) as error:
            if client:
                forget_refused_token(client, error)
            MembershipCheck.objects.filter(pk=row.pk).update(error=clean_text(explain_error(error)[0]))
            return False
        return _end_check(row)


def _ask_some(row: MembershipCheck, client: DirectPlus, numbers: Sequence[str]) -> None:
    answers = [check(client, row.registration.reference, number) for number in numbers]
    present = [answer.duns for answer in answers if answer.outcome in IS_IN]
    learn_is_in(row.registration, present)
    learn_is_out(row.registration, [answer.duns for answer in answers if answer.outcome not in IS_IN])
    moved = {"position": F("position") + len(numbers), "present": F("present") + len(present), "error": ""}
    MembershipCheck.objects.filter(pk=row.pk).update(**moved)
    row.refresh_from_db()


def learn_is_out(registration: Registration, numbers: Sequence[str]) -> int:
    """D&B says that these are not in: what we took for monitored is not."""
    keys: list[uuid.UUID] = [Subject.key(registration.pk, duns) for duns in numbers]
    return apply_response.removed(keys, [SubjectState.MONITORED], until=apply_response.today()) if keys else 0


def _end_check(row: MembershipCheck) -> bool:
    ended = row.position >= row.total
    if ended:
        done = {"state": CheckState.ENDED, "ended_at": timezone.now(), "error": ""}
        MembershipCheck.objects.filter(pk=row.pk, state=CheckState.RUNNING).update(**done)
        count_open(row.registration)
    return ended
