"""What people request: the only place where a company is requested or withdrawn."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.bulk import among, update_rows
from core.db import clean_text, in_batches, insert_new_values, search_name
from portfolio.companies.word_index import subject_words, write_company_words, write_subject_words
from portfolio.models import Company, Registration, Subject, SubjectState

# Companies written in one transaction: the more, the fewer times each page of an index is written. An audit entry names
# no more.
AT_ONCE = 10_000
DESCRIBED = ("customer_reference", "tags", "owner")


@dataclass(frozen=True, slots=True)
class SubjectEntry:
    """A company that somebody requests, with what was said about it."""

    duns: str
    name: str = ""
    customer_reference: str = ""
    tags: str = ""
    owner: str = ""


@dataclass(slots=True)
class RequestResult:
    """What a call to `request_subjects` has changed."""

    newly: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)


def request_subjects(
    *,
    registration: Registration,
    entries: Sequence[SubjectEntry],
    requested_by: str,
    import_id: uuid.UUID | None = None,
) -> RequestResult:
    """Request these companies. Sends nothing; repeating it changes nothing. Writes one audit entry."""
    result = RequestResult()
    for batch in in_batches(entries, AT_ONCE):
        named = {entry.duns: entry for entry in batch}
        with transaction.atomic():
            newly = _request_batch(registration, named, _request(requested_by, import_id))
        result.newly += [number for number in named if number in newly]
        result.already += [number for number in named if number not in newly]
    if result.newly:
        _record(registration, requested_by, "request", result.newly, requested=True)
    return result


def _request(requested_by: str, import_id: uuid.UUID | None) -> dict[str, Any]:
    return {
        "requested": True,
        "requested_by": clean_text(requested_by, 200),
        "requested_at": timezone.now(),
        "requested_import": import_id,
        "remove_on": None,
    }


def _request_batch(registration: Registration, named: Mapping[str, SubjectEntry], said: Mapping[str, Any]) -> set[str]:
    """Those that were not requested before."""
    names = sorted(map(_company, named.values()))
    created = insert_new_values(Company, ("duns", "name", "search_name"), names, "duns")
    write_company_words((duns, name, "") for duns, name, _ in names if name and duns in created)
    keys = Subject.keys(registration.pk, named)
    rows = [(key, entry.duns, *_description(entry)) for key, entry in zip(keys, named.values(), strict=True)]
    rows.sort(key=lambda row: row[0].int)
    columns = ("id", "company_id", *DESCRIBED)
    newly = insert_new_values(Subject, columns, rows, "company_id", registration_id=registration.pk, **said)
    write_subject_words((duns, reference, tags) for _, duns, reference, tags, _ in rows if duns in newly)
    known = [entry for number, entry in named.items() if number not in newly]
    if known:
        newly |= _request_again(registration, [entry.duns for entry in known], said)
        _describe(registration, known)
    return newly


def _request_again(registration: Registration, numbers: Sequence[str], said: Mapping[str, Any]) -> set[str]:
    """Of rows that were there before: those that were not requested, and are from now on."""
    rows = Subject.objects.filter(among("id", Subject.keys(registration.pk, numbers)), requested=False)
    withdrawn = list(rows.values_list("company_id", flat=True))
    if withdrawn:
        rows = Subject.objects.filter(among("id", Subject.keys(registration.pk, withdrawn)))
        rows.filter(requested=False).update(**said)
        # Who requests again what D&B has refused has it tried again.
        rows.filter(state=SubjectState.REFUSED).update(state=SubjectState.UNKNOWN, code="", message="")
    return set(withdrawn)


def _company(entry: SubjectEntry) -> tuple[str, str, str]:
    name = clean_text(entry.name)
    return entry.duns, name, search_name(name)


def _description(entry: SubjectEntry) -> tuple[str, str, str]:
    return clean_text(entry.customer_reference, 200), clean_text(entry.tags, 500), clean_text(entry.owner, 200)


def _describe(registration: Registration, entries: Sequence[SubjectEntry]) -> None:
    """References, tags and owners of rows that were there before; what is not given stays."""
    told = {entry.duns: given for entry in entries if any(given := _description(entry))}
    rows = Subject.objects.filter(among("id", Subject.keys(registration.pk, told)))
    changes: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    words: list[tuple[str, str, str]] = []
    for key, number, *before in rows.values_list("pk", "company_id", *DESCRIBED):
        found = zip(DESCRIBED, told[number], before, strict=True)
        different = {name: given for name, given, kept in found if given and given != kept}
        if different:
            changes[tuple(different)].append((key, *different.values()))
            words.append((number, different.get("customer_reference", ""), different.get("tags", "")))
    with subject_words(words):
        for names, changed in changes.items():
            update_rows(Subject, names, changed)


def withdraw_subjects(*, registration: Registration, duns: Sequence[str], requested_by: str) -> list[str]:
    """Withdraw these companies; returns those that were requested. Sends nothing. One audit entry."""
    changed: list[str] = []
    for batch in in_batches(list(duns), AT_ONCE):
        rows = Subject.objects.filter(among("id", Subject.keys(registration.pk, batch)), requested=True)
        with transaction.atomic():
            changed += rows.values_list("company_id", flat=True)
            rows.update(
                requested=False, requested_by=clean_text(requested_by, 200), requested_at=timezone.now(), remove_on=None
            )
    if changed:
        _record(registration, requested_by, "withdraw", changed, requested=False)
    return changed


def _record(registration: Registration, actor: str, action: str, duns: Sequence[str], *, requested: bool) -> None:
    shown = ", ".join(duns[:10]) + (" …" if len(duns) > 10 else "")
    words = gettext("%(companies)s requested in %(reference)s: %(shown)s")
    if not requested:
        words = gettext("%(companies)s no longer requested in %(reference)s: %(shown)s")
    record(
        actor=actor,
        action=action,
        thing=registration,
        summary=words
        % {
            "companies": plurals.companies(len(duns)),
            "reference": registration.reference,
            "shown": shown,
        },
        before={"requested": not requested},
        after={"requested": requested, "duns": list(duns[:AT_ONCE])},
    )


def describe_subjects(*, registration: Registration, entries: Sequence[SubjectEntry]) -> None:
    """Keep what is noted about companies that are in the list; requests nothing, and what is not named stays."""
    for batch in in_batches(entries, AT_ONCE):
        _describe(registration, batch)


def requested_among(registration: Registration, duns: Sequence[str]) -> set[str]:
    """Those of the numbers that are requested in this registration."""
    found: set[str] = set()
    for batch in in_batches(list(duns), AT_ONCE):
        rows = Subject.objects.filter(among("id", Subject.keys(registration.pk, batch)), requested=True)
        found.update(rows.values_list("company_id", flat=True))
    return found
