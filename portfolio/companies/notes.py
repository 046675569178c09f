"""What people say about a company: notes, tags and an owner; each act is written down (`core/audit.py`)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import clean_text
from core.visibility import EVERYTHING, Scope, visible_to
from portfolio.companies.word_index import subject_words
from portfolio.models import Company, CompanyNote, Subject

LONGEST_NOTE = 4_000
LONGEST_TAGS, LONGEST_OWNER = 500, 200
MOST_NOTES = 100


@dataclass(frozen=True, slots=True)
class Described:
    """Tags and owner of a company, over all the lists it is in."""

    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    @property
    def tags_text(self) -> str:
        return ", ".join(self.tags)

    @property
    def owner(self) -> str:
        return ", ".join(self.owners)


def described(subjects: Iterable[Subject]) -> Described:
    """What the lists say together; they may differ, since imports tell it for each list."""
    rows = list(subjects)
    tags = dict.fromkeys(tag for row in rows for tag in split_tags(row.tags))
    return Described(tuple(tags), tuple(dict.fromkeys(row.owner for row in rows if row.owner)))


def split_tags(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


def describe_company(*, company: Company, tags: str, owner: str, by: str, scope: Scope = EVERYTHING) -> int:
    """Say these of the company in every list that it is in and that the scope shows; returns in how many that changed
    something."""
    after = {
        "tags": clean_text(", ".join(split_tags(tags)), LONGEST_TAGS),
        "owner": clean_text(owner.strip(), LONGEST_OWNER),
    }
    rows = list(visible_to(scope, Subject.objects.filter(company=company.pk)).order_by("id"))
    changed = [row for row in rows if {"tags": row.tags, "owner": row.owner} != after]
    for row in changed:
        before = {"tags": row.tags, "owner": row.owner}
        with subject_words([(company.pk, "", after["tags"])]):
            Subject.objects.filter(pk=row.pk).update(**after)
        words = gettext("%(pk)s: tags and owner changed") % {"pk": company.pk}
        record(actor=by, action="edit subject", thing=row, summary=words, before=before, after=after)
    return len(changed)


def notes_of(duns: str, scope: Scope = EVERYTHING) -> list[CompanyNote]:
    """The newest first."""
    return list(visible_to(scope, CompanyNote.objects.filter(company=duns)).order_by("-id")[:MOST_NOTES])


def add_note(*, company: Company, text: str, by: str, scope: Scope = EVERYTHING) -> CompanyNote | None:
    """None where nothing was written. Someone of a business unit writes for that unit."""
    text = clean_text(text.strip(), LONGEST_NOTE)
    if not text:
        return None
    units = CompanyNote.units_text(scope.units)
    note = CompanyNote.objects.create(
        company=company, by=clean_text(by, 200), at=timezone.now(), text=text, units=units
    )
    record(
        actor=by,
        action="add note",
        thing=company,
        summary=gettext("Note on %(company)s: %(text)s") % {"company": company, "text": text},
        after={"text": text},
    )
    return note


def remove_note(*, company: Company, key: uuid.UUID, by: str) -> bool:
    """Whether it was there; what it said stays in the audit."""
    note = CompanyNote.objects.filter(pk=key, company=company.pk).first()
    if note is None or not CompanyNote.objects.filter(pk=key).delete()[0]:
        return False
    before = {"text": note.text, "by": note.by}
    record(
        actor=by,
        action="remove note",
        thing=company,
        summary=gettext("Note on %(company)s removed") % {"company": company},
        before=before,
    )
    return True


def may_remove(note: CompanyNote, username: str, *, may_all: bool) -> bool:
    """One's own; those of others with a right of its own."""
    return may_all or note.by == username
