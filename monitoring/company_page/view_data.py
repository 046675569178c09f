"""All that the page of a company shows, now and as of a day, read in few queries and by indexes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.visibility import EVERYTHING, Scope, visible_to
from monitoring.audiences import audiences_of
from monitoring.company_page.document_table import compared, facts_of, paths_between, turns
from monitoring.company_page.group import group_of, monitored_among
from monitoring.company_page.risk import risk_of
from monitoring.company_page.sources import name_sources
from monitoring.company_page.summary import family, head_of, relatives, summaries
from monitoring.company_page.timeline import Line, Page, changes_and_replaced, known_elements, timeline
from monitoring.company_page.value_mismatch import find_mismatches
from monitoring.history.company_projection import columns_of, merged_into
from monitoring.history.state import CompanyState, Event, apply_events, events_with
from monitoring.models import Change, Element
from monitoring.retention.retention import note_for
from monitoring.scores.chart_data import scores_of
from portfolio.companies.notes import described, notes_of
from portfolio.dnb_codes import explain
from portfolio.models import Company, ExternalReference, Registration, Subject
from portfolio.proposals.decide import Continued, continued

MOST_REFERENCES = 200
MOST_MERGED = 100
LATEST = 6


@dataclass(slots=True)
class Story:
    """What history tells of one company up to a moment, and what it tells today."""

    duns: str
    until: datetime | None
    changes: list[Change]
    replaced: list[Change]
    events: list[Event]
    today: CompanyState
    then: CompanyState

    @property
    def shown(self) -> list[Change]:
        return [row for row in self.changes if self.until is None or row.changed_at <= self.until]

    @property
    def events_shown(self) -> list[Event]:
        return until(self.events, self.until)

    @property
    def begins(self) -> datetime | None:
        return min((event.moment for event in self.events), default=None)

    @property
    def has_baseline(self) -> bool:
        return any(event.seed is not None for event in self.events_shown)

    @property
    def is_cut(self) -> bool:
        """Whether a snapshot stands for what happened before."""
        return any(event.carried is not None for event in self.events)

    @property
    def elements(self) -> dict[str, Element]:
        """The words for all that can appear, in one query."""
        paths = {row.element for row in self.changes}
        return known_elements(paths.union(paths_between(self.then.document, self.today.document)))


def until(events: Iterable[Event], moment: datetime | None) -> list[Event]:
    return [event for event in events if moment is None or event.moment <= moment]


def read_story(duns: str, moment: datetime | None = None, *, left_at: datetime | None = None) -> Story:
    """Two queries: its changes, and its whole documents. It ends when the company left what the reader sees."""
    changes, replaced = changes_and_replaced(duns)
    events = until(events_with(changes, duns), left_at)
    changes = [row for row in changes if left_at is None or row.changed_at <= left_at]
    today = apply_events(events)
    then = apply_events(until(events, moment)) if moment else today
    return Story(duns, moment, changes, replaced, events, today, then)


@dataclass(slots=True)
class Watch:
    """A registration that monitors the company, or through which D&B has sent notifications about it."""

    registration: Registration
    subject: Subject | None = None
    notified_since: datetime | None = None
    problem: str = ""


@dataclass(slots=True)
class Neighbour:
    """A company that was merged into this one, or that this one was merged into."""

    company: Company
    since: datetime | None = None


@dataclass(slots=True)
class Around:
    """What is known beside the history: registrations, owners, mergers."""

    watches: list[Watch] = field(default_factory=list)
    relatives: list[Any] = field(default_factory=list)
    before: list[Neighbour] = field(default_factory=list)
    after: list[Neighbour] = field(default_factory=list)


def company_page(
    row: Company,
    *,
    moment: datetime | None = None,
    before: str = "",
    scope: Scope = EVERYTHING,
    left_at: datetime | None = None,
) -> dict[str, Any]:
    """Units that hold the company share its state; of its story, each sees what its registrations reported."""
    story = read_story(row.duns, moment, left_at=left_at)
    if left_at:
        _show_as_it_was(row, story)
    elements = story.elements
    subjects = _subjects(row.duns, scope)
    registrations = _registrations(story.events, subjects, scope)
    references = visible_to(scope, ExternalReference.objects.filter(company=row.duns))
    page = timeline(_visible(story.shown, scope), elements, before=before)
    find_mismatches(page, story.then, registrations)
    name_sources(page, story.replaced, registrations, scope)
    found = _profile(story, elements)
    scores = scores_of(story.events_shown, elements, moment or timezone.now())
    return {
        **found,
        "page": page,
        "latest_lines": _latest(page),
        "scores": scores,
        "risk": risk_of(found["head"], scores),
        "begins": story.begins,
        "around": _around(story, subjects, registrations, scope, left_at),
        "group": group_of(row, scope),
        "described": described(subjects),
        "is_listed": bool(subjects),
        "references": list(references.order_by("system", "reference")[:MOST_REFERENCES]),
        "notes": notes_of(row.duns, scope),
    }


def _show_as_it_was(row: Company, story: Story) -> None:
    for name, value in columns_of(story.today).items():
        setattr(row, name, value)
    row.changed_at = max((change.changed_at for change in story.changes), default=None)
    row.exposure, row.exposure_unconverted = None, False


def _visible(changes: list[Change], scope: Scope) -> list[Change]:
    if scope.sees_all:
        return changes
    shared = set(audiences_of(scope))
    return [row for row in changes if row.registration_id in scope.registrations or row.audience in shared]


def _latest(page: Page) -> list[Line]:
    """What the overview shows of the timeline."""
    return [line for day in page.days for line in day.lines][:LATEST]


def _profile(story: Story, elements: Mapping[str, Element]) -> dict[str, Any]:
    then, today = story.then.document, story.today.document
    is_past = story.until is not None
    return {
        "head": head_of(story.then, story.events_shown),
        "head_today": head_of(story.today, story.events),
        "summaries": summaries(then, today),
        "family": family(story.then),
        "facts": compared(then, today, with_new=story.has_baseline) if is_past else facts_of(today),
        "turns": turns(then, today, elements) if is_past else None,
        "has_baseline": story.has_baseline,
        "kept_note": note_for(story.until) if story.is_cut else "",
    }


def _subjects(duns: str, scope: Scope) -> list[Subject]:
    rows = Subject.objects.filter(company=duns).select_related("registration").defer("registration__detail")
    return list(visible_to(scope, rows).order_by("id"))


def _registrations(events: Sequence[Event], subjects: Sequence[Subject], scope: Scope) -> dict[uuid.UUID, Registration]:
    found = {row.registration_id: row.registration for row in subjects}
    # Mostly they are the same: then nothing more is read.
    if missing := {event.registration for event in events} - found.keys():
        found |= visible_to(scope, Registration.objects.defer("detail")).in_bulk(list(missing))
    return found


def _around(
    story: Story,
    subjects: Sequence[Subject],
    registrations: Mapping[uuid.UUID, Registration],
    scope: Scope,
    left_at: datetime | None,
) -> Around:
    moment = min((one for one in (story.until, left_at) if one), default=None)
    found = relatives(story.duns, story.then, story.today)
    mergers = continued(story.duns)
    _from_history(story.today, mergers)
    numbers = {one.duns for one in found} | mergers.before.keys() | mergers.after.keys()
    companies = _companies(story.duns, numbers, scope)
    monitored = monitored_among((one.duns for one in found if one.duns), scope)
    for one in found:
        one.company = companies.get(one.duns) if one.duns != story.duns else None
        one.is_monitored = one.duns in monitored
    if not scope.sees_all:
        for duns in mergers.before.keys() - companies.keys():
            del mergers.before[duns]
    for company in companies.values():
        if company.merged_into == story.duns:
            mergers.before.setdefault(company.duns, None)
    return Around(
        list(_watches(story.events, subjects, registrations)),
        found,
        _neighbours(mergers.before, companies, moment),
        _neighbours(mergers.after, companies, moment),
    )


def _from_history(today: CompanyState, mergers: Continued) -> None:
    """What D&B itself said of a merger, whether or not anybody had to decide on it."""
    if (number := merged_into(today)) and today.status:
        mergers.after[number] = today.status.moment


def _companies(duns: str, numbers: set[str], scope: Scope) -> dict[str, Company]:
    related = Q(pk__in=sorted(numbers - {""})) | Q(merged_into=duns)
    rows = visible_to(scope, Company.objects.filter(related))
    return {row.duns: row for row in rows[: len(numbers) + MOST_MERGED]}


def _neighbours(
    found: Mapping[str, datetime | None], companies: Mapping[str, Company], moment: datetime | None
) -> list[Neighbour]:
    """Those of mergers that had happened by then; of which no time is known, today's page alone tells."""
    return [
        Neighbour(companies.get(duns) or Company(duns=duns), since)
        for duns, since in sorted(found.items())
        if moment is None or (since and since <= moment)
    ]


def _watches(
    events: Sequence[Event], subjects: Sequence[Subject], registrations: Mapping[uuid.UUID, Registration]
) -> Iterable[Watch]:
    """Every registration once, by its name."""
    notified: dict[uuid.UUID, datetime] = {}
    for event in (one for one in events if one.registration in registrations):
        notified[event.registration] = min(event.moment, notified.get(event.registration, event.moment))
    listed = {row.registration_id: row for row in subjects}
    for key, registration in sorted(registrations.items(), key=lambda item: item[1].reference):
        subject = listed.get(key)
        problem = " ".join(filter(None, explain(subject))) if subject else ""
        yield Watch(registration, subject, notified.get(key), problem)
