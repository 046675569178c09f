"""What an answer says of a change: by whom it is reported, when, and what became of it; to those who see a part, by one
of their own registrations, and without the number of the publication, which counts all that is published."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from core.visibility import Scope
from monitoring.feed.feed import Entry
from monitoring.history.sources import own_reports
from monitoring.models import Change, Verb


class Said(NamedTuple):
    change: Change
    verb: Verb
    registration: uuid.UUID
    number: int | None
    recorded_at: datetime


def said_in(entries: Iterable[Entry], scope: Scope) -> list[Said]:
    if scope.sees_all:
        return [Said(one.change, one.verb, one.registration, one.sequence, one.change.recorded_at) for one in entries]
    return [Said(one.change, one.verb, one.registration, None, one.recorded_at) for one in entries]


def said_of(changes: Sequence[Change], numbers: Mapping[uuid.UUID, int], scope: Scope) -> list[Said]:
    """At present."""
    if scope.sees_all:
        return [
            Said(one, present_verb(one), one.registration_id, numbers.get(one.pk), one.recorded_at) for one in changes
        ]
    own = own_reports(scope, changes)
    return [
        Said(one, present_verb(one), own[one.pk].registration, None, own[one.pk].recorded_at)
        for one in changes
        if one.pk in own
    ]


def present_verb(change: Change) -> Verb:
    if not change.superseded:
        return Verb.OBSERVED
    return Verb.REPLACED if change.replaced_by else Verb.WITHDRAWN
