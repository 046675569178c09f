"""Following something, and no longer; what a merger does to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import insert_new
from core.visibility import is_restricted
from monitoring.follows.matches import visible_changes
from monitoring.follows.subjects import Subject, may_see_changes, subject_of, subjects_of
from monitoring.models import Follow, FollowKind, Frequency, Severity

# Those that move with a company.
OF_COMPANIES = (FollowKind.COMPANY, FollowKind.GROUP)
MOST = 500


def follow(
    *, person: Any, kind: str, subject: str, min_severity: int = Severity.HIGH, frequency: str = Frequency.AT_ONCE
) -> tuple[Follow, Subject]:
    """Begin to follow it, or follow it in another way; raises ValidationError."""
    name, subject = subject.strip(), _normal(kind, subject)
    if not may_see_changes(person):
        raise ValidationError(gettext("You do not have permission to view changes. Ask your administrator."))
    found = subject_of(person, kind, subject)
    values = {"min_severity": min_severity, "frequency": frequency}
    key = Follow.key(person.pk, kind, subject)
    if not Follow.objects.filter(pk=key).exists() and Follow.objects.filter(person=person).count() >= MOST:
        raise ValidationError(gettext("You already follow %(count)s items. Unfollow some first.") % {"count": MOST})
    row = Follow(id=key, person=person, kind=kind, subject=subject, created_at=timezone.now(), **values)
    row.name = {FollowKind.TAG: name, FollowKind.FILTER: found.name}.get(FollowKind(kind), "")
    if not insert_new(Follow, [row]):
        Follow.objects.filter(pk=key).update(**values)
    _note(person, row, "follow", gettext("%(person)s follows %(subject)s"), found, after=values)
    return row, found


def _normal(kind: str, subject: str) -> str:
    """Tags as rules compare them, ids in one form."""
    subject = subject.strip()
    if kind == FollowKind.TAG:
        return subject.casefold()
    return subject.upper() if kind == FollowKind.COUNTRY else subject


def unfollow(*, person: Any, key: uuid.UUID | None) -> Subject | None:
    """What it was; None where it was not followed."""
    row = Follow.objects.filter(person=person, pk=key).first() if key else None
    if row is None:
        return None
    found = subjects_of(person, [row])[row.pk]
    row.delete()
    row.pk = key
    _note(person, row, "unfollow", gettext("%(person)s no longer follows %(subject)s"), found)
    return found


def _note(person: Any, row: Follow, action: str, words: str, found: Subject, **values: Mapping[str, Any]) -> None:
    summary = words % {"person": person.get_username(), "subject": found.name}
    record(actor=person.get_username(), action=action, thing=row, summary=summary, **values)


def followed(person: Any, kind: str, subject: str) -> Follow | None:
    return Follow.objects.filter(pk=Follow.key(person.pk, kind, subject)).first()


@dataclass(frozen=True, slots=True)
class Merger:
    """A change that reports that a company was merged into another one."""

    change: uuid.UUID
    company: str
    retained: str


def move_to_retained(mergers: Iterable[Merger]) -> int:
    """Whoever followed a company that D&B merged into another one, and may know of it, follows that; in the same way,
    unless they follow it already. The new rows come first, so a process that is killed leaves none out."""
    moved = 0
    for merger in mergers:
        found = Follow.objects.filter(kind__in=OF_COMPANIES, subject=merger.company).select_related("person")
        rows = [row for row in found if _may_know(row, merger)]
        insert_new(Follow, [_moved(row, merger.retained) for row in rows])
        Follow.objects.filter(pk__in=[row.pk for row in rows]).delete()
        moved += len(rows)
    return moved


def _may_know(row: Follow, merger: Merger) -> bool:
    """A company that nothing is known of here is hidden only from users who see a part."""
    if not visible_changes(row.person, [merger.change]):
        return False
    moved = _moved(row, merger.retained)
    return not is_restricted(row.person) or not subjects_of(row.person, [moved])[moved.pk].problem


def _moved(row: Follow, retained: str) -> Follow:
    return Follow(
        id=Follow.key(row.person_id, row.kind, retained),
        person_id=row.person_id,
        kind=row.kind,
        subject=retained,
        min_severity=row.min_severity,
        frequency=row.frequency,
        created_at=row.created_at,
    )
