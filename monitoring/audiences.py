"""Who reported a change, as one column: nothing while only its own registration has, else an interned set of all.

Written where reports are recorded. Business units are not in it, so nothing is written again when registrations move
from one unit to another.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from core.db import in_batches, insert_new
from core.visibility import Scope
from monitoring.models import Audience, Change, Observation, Verb

Registrations = frozenset[uuid.UUID]


def intern(sets: Iterable[Registrations]) -> None:
    """Of each set one row."""
    insert_new(Audience, [Audience.of(registrations) for registrations in sorted(set(sets), key=sorted)])


def members_of(audiences: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, Registrations]:
    keys = {key for key in audiences if key}
    return {row.pk: row.members for row in Audience.objects.filter(pk__in=keys)} if keys else {}


def audiences_of(scope: Scope) -> list[uuid.UUID]:
    """The sets with a registration that the scope shows: few rows, read once a request."""
    if "audiences" not in scope.known:
        rows = Audience.objects.all()
        scope.known["audiences"] = sorted(row.pk for row in rows if not row.members.isdisjoint(scope.registrations))
    return list(scope.known["audiences"])


def stamp(changes: Iterable[uuid.UUID]) -> None:
    """Write who reported these changes, and what they were replaced by. Who writes looks again, until nothing differs:
    of several that record reports at once, the last sees all."""
    waiting = set(changes)
    while waiting:
        waiting = {key for keys in in_batches(sorted(waiting)) for key in _stamp(keys)}


def _stamp(keys: Collection[uuid.UUID]) -> Iterator[uuid.UUID]:
    """Returns what is to be looked at again."""
    rows = list(Change.objects.filter(pk__in=keys).values_list("pk", "registration_id", "audience", "replaced_by"))
    reporters = _reporters({key: registration for key, registration, _, _ in rows})
    different: dict[tuple[uuid.UUID | None, uuid.UUID | None], list[uuid.UUID]] = defaultdict(list)
    for key, _, stamped, replaced_by in rows:
        found = reporters[key]
        audience = Audience.key(found) if len(found) > 1 else None
        if audience != stamped:
            different[stamped, audience].append(key)
            yield from (key, *([replaced_by] if replaced_by else []))
    intern(found for found in reporters.values() if len(found) > 1)
    for (stamped, audience), batch in different.items():
        Change.objects.filter(pk__in=batch, audience=stamped).update(audience=audience)


def _reporters(owners: Mapping[uuid.UUID, uuid.UUID]) -> dict[uuid.UUID, Registrations]:
    """Its own registration, those that reported it later, and those of the changes that it replaced."""
    found = {key: {registration} for key, registration in owners.items()}
    reports = Observation.objects.filter(change__in=list(found), verb=Verb.OBSERVED)
    for key, registration in reports.values_list("change_id", "registration_id").distinct():
        found[key].add(registration)
    replaced = list(
        Change.objects.filter(replaced_by__in=list(found)).values_list("replaced_by", "registration_id", "audience")
    )
    members = members_of(audience for _, _, audience in replaced)
    for end, registration, audience in replaced:
        if end:
            found[end] |= {registration} | (members[audience] if audience else frozenset())
    return {key: frozenset(registrations) for key, registrations in found.items()}
