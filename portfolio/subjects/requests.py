"""What people request: the only place where a company is requested or withdrawn."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.db import clean_text, in_batches, insert_new, search_name
from portfolio.models import Company, Registration, Subject, SubjectState


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
    for batch in in_batches(entries):
        _request_batch(registration, batch, requested_by, import_id, result)
    if result.newly:
        _record(registration, requested_by, "request", result.newly, requested=True)
    return result


def _request_batch(
    registration: Registration,
    entries: Sequence[SubjectEntry],
    requested_by: str,
    import_id: uuid.UUID | None,
    result: RequestResult,
) -> None:
    by_key = {Subject.key(registration.pk, entry.duns): entry for entry in entries}
    said = {
        "requested": True,
        "requested_by": clean_text(requested_by, 200),
        "requested_at": timezone.now(),
        "requested_import": import_id,
        "remove_on": None,
    }
    insert_new(Company, [_company(entry) for entry in by_key.values()])
    rows = [_subject(registration, key, entry, said) for key, entry in by_key.items()]
    newly = {row.pk for row in insert_new(Subject, rows)}
    known = {key: entry for key, entry in by_key.items() if key not in newly}
    newly |= _request_again(known, said)
    _describe(known)
    result.newly += [by_key[key].duns for key in by_key if key in newly]
    result.already += [by_key[key].duns for key in by_key if key not in newly]


def _request_again(keys: Iterable[uuid.UUID], said: Mapping[str, Any]) -> set[uuid.UUID]:
    """Of rows that were there before: those that were not requested, and are from now on."""
    rows = Subject.objects.filter(pk__in=list(keys), requested=False)
    withdrawn = set(rows.values_list("pk", flat=True))
    rows.filter(pk__in=list(withdrawn)).update(**said)
    _retry_refused(withdrawn)
    return withdrawn


def _company(entry: SubjectEntry) -> Company:
    name = clean_text(entry.name)
    return Company(duns=entry.duns, name=name, search_name=search_name(name))


def _subject(registration: Registration, key: uuid.UUID, entry: SubjectEntry, said: Mapping[str, Any]) -> Subject:
    return Subject(
        id=key,
        registration=registration,
        company_id=entry.duns,
        customer_reference=clean_text(entry.customer_reference, 200),
        tags=clean_text(entry.tags, 500),
        owner=clean_text(entry.owner, 200),
        **said,
    )


def _retry_refused(keys: Iterable[uuid.UUID]) -> None:
    """Who requests again what D&B has refused has it tried again."""
    refused = Subject.objects.filter(pk__in=list(keys), state=SubjectState.REFUSED)
    refused.update(state=SubjectState.UNKNOWN, code="", message="")


def _describe(by_key: Mapping[uuid.UUID, SubjectEntry]) -> None:
    """References, tags and owners of rows that were there before; what is not given stays."""
    told = {key: entry for key, entry in by_key.items() if entry.customer_reference or entry.tags or entry.owner}
    for row in Subject.objects.filter(pk__in=list(told)):
        entry = told[row.pk]
        given = {
            "customer_reference": clean_text(entry.customer_reference, 200),
            "tags": clean_text(entry.tags, 500),
            "owner": clean_text(entry.owner, 200),
        }
        different = {name: value for name, value in given.items() if value and getattr(row, name) != value}
        if different:
            Subject.objects.filter(pk=row.pk).update(**different)


def withdraw_subjects(*, registration: Registration, duns: Sequence[str], requested_by: str) -> list[str]:
    """Withdraw these companies; returns those that were requested. Sends nothing. One audit entry."""
    changed: list[str] = []
    for batch in in_batches(list(duns)):
        keys = [Subject.key(registration.pk, number) for number in batch]
        rows = Subject.objects.filter(pk__in=keys, requested=True)
        numbers = list(rows.values_list("company_id", flat=True))
        Subject.objects.filter(pk__in=keys, requested=True).update(
            requested=False, requested_by=clean_text(requested_by, 200), requested_at=timezone.now(), remove_on=None
        )
        changed += numbers
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
        after={"requested": requested, "duns": list(duns[:10_000])},
    )


def describe_subjects(*, registration: Registration, entries: Sequence[SubjectEntry]) -> None:
    """Keep what is noted about companies that are in the list; requests nothing, and what is not named stays."""
    for batch in in_batches(entries):
        _describe({Subject.key(registration.pk, entry.duns): entry for entry in batch})


def requested_among(registration: Registration, duns: Sequence[str]) -> set[str]:
    """Those of the numbers that are requested in this registration."""
    found: set[str] = set()
    for batch in in_batches(list(duns)):
        keys = [Subject.key(registration.pk, number) for number in batch]
        found.update(Subject.objects.filter(pk__in=keys, requested=True).values_list("company_id", flat=True))
    return found
