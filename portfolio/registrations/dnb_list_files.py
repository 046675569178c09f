"""Files that D&B delivers about the list itself, applied: Exceptions (what it refused) and DunsExport (what it has)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.db import in_batches
from core.text import counted
from direct_plus.delivered_files import FileKind, Refusal, parse_file_name, read_exceptions, read_export
from direct_plus.duns import InvalidDuns, LostLeadingZero, normalise_duns
from direct_plus.results import NOT_FOUND, OUTCOMES, Outcome
from portfolio.models import Company, Registration, Subject, SubjectState
from portfolio.registrations.adopt import AT_ONCE, batches, count_not_known, learn_is_in, read_listing
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


@dataclass(frozen=True, slots=True)
class DnbList:
    """D&B's list as files show it, each number once."""

    name: str
    dnb_time: datetime
    lines: int
    numbers: list[str]
    unreadable: list[str]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying a list would do."""

    newly_known: int
    gone: int
    names: list[str]  # of the first that would go


def read_list(registration: Registration, paths: Sequence[Path]) -> DnbList:
    """Changes nothing."""
    for path in paths:
        _check_name(registration, path, FileKind.EXPORT)
    numbers: dict[str, None] = {}
    unreadable: list[str] = []
    lines = 0
    for batch in (lines for path in paths for lines in batches(read_export(path), AT_ONCE)):
        listing = read_listing(batch)
        lines += len(batch)
        numbers.update(dict.fromkeys(listing.numbers))
        unreadable += listing.unreadable
    name = ", ".join(path.name for path in paths)
    return DnbList(name, _written_at(paths), lines, list(numbers), unreadable, is_whole(paths))


def preview_list(registration: Registration, listed: DnbList, *, shown: int = 20) -> Preview:
    """Without changing anything: how many companies would become known, and which would be marked as gone."""
    new = sum(count_not_known(registration, batch, listed.dnb_time) for batch in batches(listed.numbers, AT_ONCE))
    gone = _not_listed(registration, listed.dnb_time, listed.numbers) if listed.numbers else []
    return Preview(new, len(gone), _named(gone[:shown]))


def _named(gone: Sequence[tuple[uuid.UUID, str]]) -> list[str]:
    names = dict(Company.objects.filter(pk__in=[duns for _, duns in gone]).values_list("pk", "name"))
    return [f"{names.get(duns, '')} ({duns})".strip() for _, duns in gone]


def is_first_list(registration: Registration, dnb_time: datetime) -> bool:
    """Nothing was known before of what D&B monitors, so that nothing shows whether a list is complete."""
    monitored = Subject.objects.filter(registration=registration, state=SubjectState.MONITORED)
    return registration.list_received_at is None and not monitored.exclude(checked_at=dnb_time).exists()


def apply_list(
    registration: Registration, listed: DnbList, *, by: str, is_complete: bool, reported_by: uuid.UUID | None = None
) -> Export:
    """Who is on D&B's list is in; who is not is out, where the list is complete.

    Changes no request. `reported_by` is the person who brought it, where nobody but that person vouches for what it
    says.
    """
    result = Export(listed=len(listed.numbers), unreadable=listed.unreadable)
    result.newly_known = learn_is_in(registration, listed.numbers, dnb_time=listed.dnb_time, reported_by=reported_by)
    if is_complete:
        result.gone = _leave_out(registration, listed.dnb_time, listed.numbers) if listed.numbers else 0
        _note_complete(registration, listed.dnb_time)
    count_open(registration)
    _record(registration, by, "import list", listed.name, str(result))
    return result


def preview_confirmation(registration: Registration, dnb_time: datetime, *, shown: int = 20) -> Preview:
    """Of a list of this time that was applied as a part: who would be marked as gone if it were complete."""
    gone = _not_listed(registration, dnb_time)
    return Preview(0, len(gone), _named(gone[:shown]))


def confirm_list(registration: Registration, dnb_time: datetime, *, name: str, by: str) -> str:
    """A list that was applied as a part is complete, as a person vouches. Returns what that changed, in words."""
    gone = _leave_out(registration, dnb_time)
    _note_complete(registration, dnb_time)
    count_open(registration)
    words = gettext("confirmed as complete, %(gone)s no longer at D&B") % {"gone": counted(gone)}
    _record(registration, by, "import list", name, words)
    return words


def _note_complete(registration: Registration, dnb_time: datetime) -> None:
    """Unless a later list has come meanwhile."""
    is_latest = Q(list_received_at=None) | Q(list_received_at__lt=dnb_time)
    Registration.objects.filter(is_latest, pk=registration.pk).update(list_received_at=dnb_time)


def apply_export(
    registration: Registration,
    paths: Sequence[Path],
    *,
    by: str,
    reported_by: uuid.UUID | None = None,
) -> Export:
    """A list as D&B delivers it, in all its parts."""
    listed = read_list(registration, paths)
    return apply_list(registration, listed, by=by, is_complete=listed.is_whole, reported_by=reported_by)


def _written_at(paths: Sequence[Path]) -> datetime:
    names = [parse_file_name(path.name) for path in paths]
    return min((timezone.now(), *(name.written_at for name in names if name)))


def is_whole(paths: Sequence[Path]) -> bool:
    """Parts 1 to n of one export; a file of another name is taken for a whole list."""
    names = [parse_file_name(path.name) for path in paths]
    numbers = sorted(name.number or 1 if name else 1 for name in names)
    return numbers == list(range(1, len(paths) + 1)) and len({name and name.written_at for name in names}) == 1


def _not_listed(
    registration: Registration, dnb_time: datetime, numbers: Iterable[str] = ()
) -> list[tuple[uuid.UUID, str]]:
    """Who was thought to be in when the list was written and is not on it. Who is on a list that was applied before is
    known to be in since then, so that its numbers are not needed any more."""
    monitored = Subject.objects.filter(registration=registration, state=SubjectState.MONITORED)
    rows = monitored.filter(checked_at__lt=dnb_time).order_by("company_id")
    on_it = set(numbers)
    return [row for row in rows.values_list("pk", "company_id").iterator(chunk_size=2000) if row[1] not in on_it]


def _leave_out(registration: Registration, dnb_time: datetime, numbers: Iterable[str] = ()) -> int:
    was, day, gone = [SubjectState.MONITORED], dnb_time.date(), 0
    for rows in in_batches(_not_listed(registration, dnb_time, numbers), AT_ONCE):
        with transaction.atomic():
            keys = [key for key, _ in rows]
            gone += apply_response.removed(keys, was, until=day, at=dnb_time, is_by_file=True)
    return gone


# As D&B names its files.
FILE_NAMES = {FileKind.EXPORT: "DunsExport", FileKind.EXCEPTIONS: "Exceptions"}


def _check_name(registration: Registration, path: Path, kind: FileKind) -> None:
    """Other names are taken as they are: people rename files."""
    name = parse_file_name(path.name)
    if name and name.kind != kind:
        raise WrongFile(
            gettext("%(name)s is the wrong kind of file (%(kind)s). Choose the %(needed)s file instead.")
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
