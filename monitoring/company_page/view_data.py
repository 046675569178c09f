"""All that the page of a company shows, now and as of a day, read in few queries and by indexes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.visibility import EVERYTHING, Scope, visible_to
from monitoring.company_page.document_table import compared, facts_of, paths_between, turns
from monitoring.company_page.group import group_of, monitored_among
from monitoring.company_page.risk import risk_of
from monitoring.company_page.sources import name_sources
from monitoring.company_page.summary import family, head_of, relatives, summaries
from monitoring.company_page.timeline import Line, Page, Stretch, changes_of, known_elements, stretch_of, timeline
from monitoring.company_page.value_mismatch import find_mismatches
from monitoring.history.checkpoints import known_at, profile
from monitoring.history.company_projection import columns_of, merged_into
from monitoring.history.known import Known
from monitoring.history.state import MOST_MISMATCHES, CompanyState
from monitoring.models import Change, Element, Kind, Severity
from monitoring.retention.retention import note_for
from monitoring.scores.chart_data import scores_of
from portfolio.companies.notes import described, notes_of
from portfolio.dnb_codes import explain
from portfolio.models import MERGED, Company, ExternalReference, Registration, Subject, SubjectState
from portfolio.proposals.decide import Continued, continued

MOST_REFERENCES = 200
MOST_MERGED = 100
LATEST = 6


@dataclass(slots=True)
class Story:
    """What is known of one company up to a moment, and what is known today."""

    duns: str
    until: datetime | None
    today: Known
    then: Known

    def elements(self, changes: Iterable[Change]) -> dict[str, Element]:
        """The words for these changes and all else that can appear, in one query."""
        paths = {row.element for row in changes}
        paths.update(self.then.scores.numbers, self.then.scores.ratings)
        return known_elements(paths.union(paths_between(self.then.state.document, self.today.state.document)))


def read_story(duns: str, moment: datetime | None = None, *, left_at: datetime | None = None) -> Story:
    """It ends when the company left what the reader sees."""
    if moment is None or (left_at and left_at <= moment):
        (today,) = known_at(duns, left_at)
        return Story(duns, moment, today, today)
    today, then = known_at(duns, left_at, moment)
    return Story(duns, moment, today, then)


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
        _show_as_it_was(row, story, left_at)
    subjects = _subjects(row.duns, scope)
    registrations = _registrations(story.today.notified, subjects, scope)
    references = visible_to(scope, ExternalReference.objects.filter(company=row.duns))
    found = stretch_of(_changes(row.duns, scope, moment, left_at), before=before)
    elements = story.elements(found.rows)
    page = timeline(found, elements)
    find_mismatches(page, _known_then(story, found), registrations)
    name_sources(page, registrations, scope)
    known, group = _profile(story, elements), group_of(row, scope)
    scores = scores_of(story.then.scores, elements, moment or timezone.now())
    return {
        **known,
        "page": page,
        "latest_lines": (latest := _latest(page)),
        # The day of the event, as the latest changes show it: lists show the last update, which a document is too.
        "last_change_at": latest[0].change.changed_at if latest and not before else None,
        "scores": scores,
        "risk": risk_of(known["head"], scores, in_group=0 if moment else len(group.critical)),
        "begins": story.today.begins,
        "around": _around(story, subjects, registrations, scope, left_at),
        "group": group,
        "described": described(subjects),
        "is_listed": bool(subjects),
        "references": list(references.order_by("system", "reference")[:MOST_REFERENCES]),
        "notes": notes_of(row.duns, scope),
    }


def _known_then(story: Story, found: Stretch) -> CompanyState:
    """With the mismatches of the changes shown: of many the latest are known, and older ones by their own time."""
    state = story.then.state
    if found.is_first or len(state.mismatches) < MOST_MISMATCHES or not found.rows:
        return state
    return profile(story.duns, as_of=found.rows[0].changed_at)


def _show_as_it_was(row: Company, story: Story, left_at: datetime) -> None:
    for name, value in columns_of(story.today.state).items():
        setattr(row, name, value)
    changes = changes_of(row.duns).filter(~Q(kind=Kind.ELEMENT) | Q(severity__gt=Severity.NOISE))
    row.changed_at = changes.filter(changed_at__lte=left_at).values_list("changed_at", flat=True).first()
    row.exposure, row.exposure_unconverted = None, False


def _changes(duns: str, scope: Scope, *until: datetime | None) -> QuerySet[Change]:
    """What the scope shows of the story, up to the earliest of these moments."""
    rows, ends = visible_to(scope, changes_of(duns)), [moment for moment in until if moment]
    return rows.filter(changed_at__lte=min(ends)) if ends else rows


def _latest(page: Page) -> list[Line]:
    """What the overview shows of the timeline."""
    return [line for day in page.days for line in day.lines][:LATEST]


def _profile(story: Story, elements: Mapping[str, Element]) -> dict[str, Any]:
    then, today = story.then.state.document, story.today.state.document
    is_past, has_baseline = story.until is not None, story.then.has_baseline
    return {
        "head": head_of(story.then.state, story.then.review),
        "head_today": head_of(story.today.state, story.today.review),
        "summaries": summaries(then, today),
        "family": family(story.then.state),
        "facts": compared(then, today, with_new=has_baseline) if is_past else facts_of(today),
        "turns": turns(then, today, elements) if is_past else None,
        "has_baseline": has_baseline,
        "kept_note": note_for(story.until) if story.today.is_cut else "",
    }


def _subjects(duns: str, scope: Scope) -> list[Subject]:
    rows = Subject.objects.filter(company=duns).select_related("registration").defer("registration__detail")
    return list(visible_to(scope, rows).order_by("id"))


def _registrations(
    notified: Collection[uuid.UUID], subjects: Sequence[Subject], scope: Scope
) -> dict[uuid.UUID, Registration]:
    found = {row.registration_id: row.registration for row in subjects}
    # Mostly they are the same: then nothing more is read.
    if missing := set(notified) - found.keys():
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
    found = relatives(story.duns, story.then.state, story.today.state)
    mergers = continued(story.duns)
    _from_history(story.today.state, mergers)
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
        list(_watches(story.today.notified, subjects, registrations)),
        found,
        _neighbours(mergers.before, companies, moment),
        _neighbours(mergers.after, companies, moment),
    )


def _from_history(today: CompanyState, mergers: Continued) -> None:
    """What D&B itself said of a merger, whether or not anybody had to decide on it."""
    if (number := merged_into(today)) and today.status:
        mergers.after[number] = today.status.moment


def _companies(duns: str, numbers: set[str], scope: Scope) -> dict[str, Company]:
    related = Q(pk__in=sorted(numbers - {""})) | (Q(merged_into=duns) & MERGED)
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
    notified: Mapping[uuid.UUID, datetime],
    subjects: Sequence[Subject],
    registrations: Mapping[uuid.UUID, Registration],
) -> Iterable[Watch]:
    """Every registration once, by its name."""
    listed = {row.registration_id: row for row in subjects}
    for key, registration in sorted(registrations.items(), key=lambda item: item[1].reference):
        subject = listed.get(key)
        if subject and key not in notified and _is_untouched(subject):
            continue
        problem = " ".join(filter(None, explain(subject))) if subject else ""
        yield Watch(registration, subject, notified.get(key), problem)


def _is_untouched(subject: Subject) -> bool:
    """A request that was withdrawn before anything was sent to D&B."""
    return not subject.requested and subject.state == SubjectState.UNKNOWN and subject.sent_at is None
