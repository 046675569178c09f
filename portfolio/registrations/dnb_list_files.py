"""Files that D&B delivers about the list itself, applied: Exceptions (what it refused) and DunsExport (what it has)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.db import in_batches
from core.text import counted
from direct_plus.delivered_files import FileKind, Refusal, parse_file_name, read_exceptions, read_export
from direct_plus.duns import InvalidDuns, LostLeadingZero, normalise_duns
from direct_plus.results import NOT_FOUND, OUTCOMES, Outcome
from portfolio.models import Registration, Subject, SubjectState
from portfolio.registrations.adopt import AT_ONCE, batches, learn_is_in, read_listing
from portfolio.sync import apply_response
from portfolio.sync.apply_response import IS_IN
from portfolio.sync.progress import count_open

CLOCKS_DIFFER = timedelta(minutes=5)
# State of what is under way, D&B's code, and what it says.
Validation = tuple[str, str, str]


class WrongFile(ValueError):
    """The file is not about this registration, or not of this kind; the message says so."""


@dataclass(slots=True)
class Exceptions:
    """What an Exceptions file decided."""

    refused: int = 0
    in_already: int = 0
    out_already: int = 0
    passed_by: int = 0  # lines about numbers that nothing is under way for

    def __str__(self) -> str:
        return gettext(
            "%(refused)s refused, %(in_already)s already monitored, %(out_already)s already removed; %(lines)s "
            "ignored because nothing is pending for their numbers"
        ) % {
            "refused": counted(self.refused),
            "in_already": counted(self.in_already),
            "out_already": counted(self.out_already),
            "lines": plurals.lines(self.passed_by),
        }


@dataclass(slots=True)
class Export:
    """What a DunsExport file showed."""

    listed: int = 0
    newly_known: int = 0
    gone: int = 0
    unreadable: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = gettext("%(companies)s at D&B, %(newly_known)s of them not previously known") % {
            "companies": plurals.companies(self.listed),
            "newly_known": counted(self.newly_known),
        }
        told += gettext("; %(gone)s no longer at D&B") % {"gone": counted(self.gone)} if self.gone else ""
        return told + (
            gettext("; %(lines)s unreadable") % {"lines": plurals.lines(len(self.unreadable))}
            if self.unreadable
            else ""
        )


def apply_exceptions(registration: Registration, path: Path, *, by: str) -> Exceptions:
    """Settle what is under way by D&B's refusals; a second time it changes nothing."""
    _check_name(registration, path, FileKind.EXCEPTIONS)
    name, result = parse_file_name(path.name), Exceptions()
    # What was sent after the file was written is not meant by it; the two clocks may differ a little.
    sent_by = (name.written_at if name else timezone.now()) + CLOCKS_DIFFER
    for batch in batches(read_exceptions(path)):
        with transaction.atomic():
            _apply_refusals(registration, batch, sent_by, result)
    count_open(registration, refused=result.refused)
    _record(registration, by, "exceptions", path.name, str(result))
    return result


def _apply_refusals(
    registration: Registration, batch: Sequence[Refusal], sent_by: datetime, result: Exceptions
) -> None:
    refusals = {Subject.key(registration.pk, number): one for one in batch if (number := _number(one.duns))}
    under_way = Subject.objects.filter(pk__in=list(refusals), state__in=apply_response.PENDING, sent_at__lte=sent_by)
    groups: dict[Validation, list[uuid.UUID]] = {}
    for key, state in under_way.values_list("pk", "state"):
        groups.setdefault((state, refusals[key].code, refusals[key].information), []).append(key)
    settled = sum(_apply(keys, validation, result) for validation, keys in groups.items())
    result.passed_by += len(batch) - settled


def _apply(keys: Sequence[uuid.UUID], validation: Validation, result: Exceptions) -> int:
    """Rows with the same thing under way and the same word of D&B on it."""
    state, code, information = validation
    outcome = outcome_of(code)
    if state == SubjectState.PENDING_ADD and outcome in IS_IN:
        settled = apply_response.monitored(keys, [state], since=apply_response.today(), code=code, message=information)
        result.in_already += settled
    elif state == SubjectState.PENDING_ADD:
        settled = _refuse(keys, code, information)
        result.refused += settled
    elif outcome == Outcome.ABSENT or code == NOT_FOUND:
        settled = apply_response.taken_out(keys, code=code, message=information)
        result.out_already += settled
    else:
        # D&B does not take it out: it is in, and the code keeps it from being asked for again.
        settled = apply_response.monitored(keys, [state], since=apply_response.today(), code=code, message=information)
        result.refused += settled
    return settled


def _refuse(keys: Sequence[uuid.UUID], code: str, information: str) -> int:
    replacement = _number(information) if outcome_of(code) == Outcome.TRANSFERRED else None
    return apply_response.refused(keys, code=code or "refused", message=information, replacement=replacement)


def outcome_of(code: str) -> Outcome:
    return Outcome.UNKNOWN if code == NOT_FOUND else OUTCOMES.get(code, Outcome.UNCLEAR)


def _number(text: str) -> str | None:
    """D&B names a number whose leading zero it lost without it."""
    try:
        return normalise_duns(text)
    except LostLeadingZero as lost:
        return lost.suggestion
    except InvalidDuns:
        return None


def apply_export(
    registration: Registration,
    paths: Sequence[Path],
    *,
    by: str,
    reported_by: uuid.UUID | None = None,
    has_all_parts: bool = True,
) -> Export:
    """D&B's list, in as many files as it came in: who is on it is in; who is not is out, where it is whole.

    Changes no request. Without `has_all_parts`, a part is known to be missing. `reported_by` is the person who brought
    it, where nobody but that person vouches for what it says.
    """
    for path in paths:
        _check_name(registration, path, FileKind.EXPORT)
    dnb_time, result = _written_at(paths), Export()
    listed: set[str] = set()
    for path in paths:
        for lines in batches(read_export(path), AT_ONCE):
            listing = read_listing(lines)
            result.unreadable += listing.unreadable
            fresh = [number for number in listing.numbers if number not in listed]
            result.newly_known += learn_is_in(registration, fresh, dnb_time=dnb_time, reported_by=reported_by)
            listed.update(fresh)
    result.listed = len(listed)
    if has_all_parts and is_whole(paths):
        result.gone = _leave_out(registration, listed, dnb_time) if listed else 0
        Registration.objects.filter(pk=registration.pk).update(list_received_at=dnb_time)
    count_open(registration)
    _record(registration, by, "import list", ", ".join(path.name for path in paths), str(result))
    return result


def _written_at(paths: Sequence[Path]) -> datetime:
    names = [parse_file_name(path.name) for path in paths]
    return min((timezone.now(), *(name.written_at for name in names if name)))


def is_whole(paths: Sequence[Path]) -> bool:
    """Parts 1 to n of one export; a file of another name is taken for a whole list."""
    names = [parse_file_name(path.name) for path in paths]
    numbers = sorted(name.number or 1 if name else 1 for name in names)
    return numbers == list(range(1, len(paths) + 1)) and len({name and name.written_at for name in names}) == 1


def _leave_out(registration: Registration, listed: set[str], dnb_time: datetime) -> int:
    """Who was thought to be in when the list was written and is not on it."""
    rows = Subject.objects.filter(registration=registration, state=SubjectState.MONITORED, checked_at__lt=dnb_time)
    thought = rows.values_list("pk", "company_id").iterator(chunk_size=2000)
    missing = [key for key, number in thought if number not in listed]
    day = dnb_time.date()
    was = [SubjectState.MONITORED]
    gone = 0
    for keys in in_batches(missing, AT_ONCE):
        with transaction.atomic():
            gone += apply_response.removed(keys, was, until=day, at=dnb_time, is_by_file=True)
    return gone


# As D&B names its files.
FILE_NAMES = {FileKind.EXPORT: "DunsExport", FileKind.EXCEPTIONS: "Exceptions"}


def _check_name(registration: Registration, path: Path, kind: FileKind) -> None:
    """Other names are taken as they are: people rename files."""
    name = parse_file_name(path.name)
    if name and name.kind != kind:
        raise WrongFile(
            gettext("%(name)s has the wrong type: %(kind)s. Choose the %(needed)s file instead.")
            % {"name": path.name, "kind": FILE_NAMES.get(name.kind, name.kind), "needed": FILE_NAMES[kind]}
        )
    if name and name.reference != registration.reference:
        raise WrongFile(
            gettext("%(name)s belongs to %(reference)s, not to %(other)s. Choose the file of %(other)s.")
            % {"name": path.name, "reference": name.reference, "other": registration.reference}
        )


def _record(registration: Registration, by: str, action: str, name: str, told: str) -> None:
    record(
        actor=by,
        action=action,
        thing=registration,
        summary=gettext("%(name)s applied to %(registration)s: %(result)s")
        % {"name": name, "registration": registration, "result": told},
    )
