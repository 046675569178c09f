"""Which users a change is for: follows found by what the company is, never one follow after the other."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from core.db import in_batches
from core.visibility import is_restricted, scope_of, visible_to
from monitoring.alerts.facts.reports import OLD_NEWS, Brought, Head, Report, is_old_news
from monitoring.alerts.rules import Scope, split
from monitoring.follows.filters import changes_in_filter
from monitoring.follows.preferences import preferences_of
from monitoring.follows.subjects import may_see_changes, visible
from monitoring.models import (
    Change,
    Follow,
    FollowKind,
    Frequency,
    Kind,
    NotificationPreference,
    Publication,
    Severity,
)
from portfolio.companies.owners import users_of
from portfolio.models import Subject

OWNER, TAGGED = "owner", f"{FollowKind.TAG}:"
# The most urgent counts where several follows of a user match.
URGENCY = {name: number for number, name in enumerate(Frequency.values)}


@dataclass(frozen=True, slots=True)
class Found:
    """A change that a user is to be notified of, and what the user follows that it belongs to."""

    person: uuid.UUID
    change: uuid.UUID
    company: str
    severity: int
    sequence: int
    because: str
    frequency: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A report of a publication, while it is matched."""

    report: Report
    publication: Publication

    @property
    def change(self) -> Change:
        return self.report.change


@dataclass(slots=True)
class Index:
    """All follows of active users, by what they are about."""

    follows: dict[tuple[str, str], list[Follow]] = field(default_factory=lambda: defaultdict(list))
    filters: list[Follow] = field(default_factory=list)
    people: dict[uuid.UUID, Any] = field(default_factory=dict)
    # Below this severity no user is notified of anything.
    least: int = Severity.HIGH
    has_owners: bool = False

    @classmethod
    def read(cls) -> Index:
        rows = list(Follow.objects.order_by("id"))
        active = get_user_model().objects.filter(pk__in={row.person_id for row in rows}, is_active=True)
        own = NotificationPreference.objects.filter(own_companies=True).values_list("own_severity", flat=True)
        has_owners = Subject.objects.exclude(owner="").exists()
        index = cls(people={person.pk: person for person in active}, has_owners=has_owners)
        for row in rows:
            if row.person_id not in index.people:
                continue
            if row.kind == FollowKind.FILTER:
                index.filters.append(row)
            else:
                index.follows[row.kind, row.subject].append(row)
        index.least = min([Severity.HIGH, *own, *(row.min_severity for row in rows)])
        return index

    def may_bring_something(self, publication: Publication) -> bool:
        """By its counts: most publications bring nothing of a severity that somebody follows."""
        if not (self.follows or self.filters or self.has_owners):
            return False
        if self.least < Severity.MEDIUM or publication.entry_count != publication.change_count:
            return True
        lower = publication.medium if self.least < Severity.HIGH else 0
        return publication.critical + publication.high + lower > 0

    def may_matter(self, head: Head) -> bool:
        return head.severity >= self.least or head.kind == Kind.TRANSFERRED

    def about(self, keys: Iterable[tuple[str, str]]) -> Iterator[Follow]:
        for key in keys:
            yield from self.follows.get(key, ())


def find_matches(run: Collection[Brought], index: Index, known: Collection[tuple[uuid.UUID, int]]) -> list[Found]:
    """What these publications bring to users: of each user and change once. `known` repeats what was said before."""
    reported = [Reported(report, its.publication) for its in run for report in its.reports]
    live = [one for one in reported if is_live(one) and (one.change.pk, one.publication.sequence) not in known]
    scope = Scope.of(one.change.company_id for one in live)
    found = [*_by_subject(live, index, scope), *_by_owner(live, index, scope), *_by_filter(live, index)]
    found = _described_to_them(found, index)
    first: dict[tuple[uuid.UUID, uuid.UUID], Found] = {}
    for one in sorted(found, key=lambda one: (URGENCY[one.frequency], one.sequence)):
        first.setdefault((one.person, one.change), one)
    return _seen(first.values(), index)


def is_live(one: Reported) -> bool:
    """Not what a replay or a rebuild brings of the past, nor what was published long before it is read: after a restore
    of an earlier backup, publications are read from the first one."""
    return is_recent(one.publication) and not is_old_news(one.change, one.publication)


def is_recent(publication: Publication) -> bool:
    return timezone.now() - publication.published_at <= OLD_NEWS


def _by_subject(live: Iterable[Reported], index: Index, scope: Scope) -> Iterator[Found]:
    """A further registration that reports the change is new to those who follow that registration, and to those who
    see only what the registrations of their business units report."""
    for one in live:
        for row in index.about(_keys_of(one, scope)):
            if _is_for(row, one) and _is_news(row, one, index.people[row.person_id]):
                yield _found(row.person_id, one, str(row), row.frequency)


def _keys_of(one: Reported, scope: Scope) -> Iterator[tuple[str, str]]:
    yield FollowKind.REGISTRATION, str(one.report.registration)
    duns = one.change.company_id
    company = scope.companies.get(duns)
    yield FollowKind.COMPANY, duns
    if company:
        yield FollowKind.GROUP, company.global_ultimate or duns
        yield FollowKind.COUNTRY, company.country
    for tag in scope.tags.get(duns, ()):
        yield FollowKind.TAG, tag


def _is_news(row: Follow, one: Reported, person: Any) -> bool:
    return one.report.is_new or row.kind == FollowKind.REGISTRATION or is_restricted(person)


def _is_for(row: Follow, one: Reported) -> bool:
    return one.change.severity >= row.min_severity and one.publication.published_at >= row.created_at


def _by_owner(live: Iterable[Reported], index: Index, scope: Scope) -> Iterator[Found]:
    """Owners follow their companies, unless they have switched that off."""
    owners = users_of({owner for found in scope.owners.values() for owner in found}) if scope.owners else {}
    preferences = preferences_of(list({person.pk: person for person in owners.values()}.values())) if owners else {}
    index.people |= {key: row.person for key, row in preferences.items()}
    for one in live:
        for owner in scope.owners.get(one.change.company_id, ()):
            row = preferences[owners[owner].pk] if owner in owners else None
            is_new = one.report.is_new or (row and is_restricted(row.person))
            if row and is_new and row.own_companies and one.change.severity >= row.own_severity:
                yield _found(row.person.pk, one, OWNER, row.own_frequency)


def _described_to_them(found: Collection[Found], index: Index) -> list[Found]:
    """Tags and owners are set for each registration: for who sees a part, those that others have set do not count."""
    by_words = {
        one for one in found if is_restricted(index.people[one.person]) and one.because.startswith((OWNER, TAGGED))
    }
    companies: dict[uuid.UUID, set[str]] = defaultdict(set)
    for one in by_words:
        companies[one.person].add(one.company)
    known = {(key, *words) for key, its in companies.items() for words in _words_for(index.people[key], its)}
    return [one for one in found if one not in by_words or (one.person, one.company, one.because) in known]


def _words_for(person: Any, companies: Collection[str]) -> Iterator[tuple[str, str]]:
    for batch in in_batches(sorted(companies)):
        rows = visible_to(person, Subject.objects.filter(company__in=batch)).values_list("company_id", "tags", "owner")
        for company, tags, owner in rows:
            yield from ((company, f"{TAGGED}{tag}") for tag in split(tags.casefold()))
            if owner.strip() in (person.get_username(), person.email):
                yield company, OWNER


def _by_filter(live: Collection[Reported], index: Index) -> Iterator[Found]:
    """Each filter is asked once for all changes that may be for it."""
    for row in index.filters:
        person = index.people[row.person_id]
        its = [one for one in live if _is_for(row, one) and _is_news(row, one, person)]
        chosen = changes_in_filter(row, person, [one.change for one in its]) if its else set()
        for one in its:
            if one.change.pk in chosen:
                yield _found(row.person_id, one, str(row), row.frequency)


def _found(person: uuid.UUID, one: Reported, because: str, frequency: str) -> Found:
    change, sequence = one.change, one.publication.sequence
    return Found(person, change.pk, change.company_id, change.severity, sequence, because, frequency)


def _seen(found: Iterable[Found], index: Index) -> list[Found]:
    """Without what the users may not see: asked once for all who see the same."""
    alike: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        person = index.people[one.person]
        if may_see_changes(person):
            alike[scope_of(person).key].append(one)
    return [one for its in alike.values() for one in _seen_by(index.people[its[0].person], its)]


def _seen_by(person: Any, found: Collection[Found]) -> list[Found]:
    keys = visible_changes(person, {one.change for one in found})
    return [one for one in found if one.change in keys]


def visible_changes(person: Any, changes: Collection[uuid.UUID]) -> dict[uuid.UUID, Change]:
    """Of these changes, those that hold and that the user may see."""
    rows: dict[uuid.UUID, Change] = {}
    for keys in in_batches(sorted(changes)):
        rows.update(visible(person, Change).filter(superseded=False).in_bulk(keys))
    return rows
