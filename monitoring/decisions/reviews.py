"""When a company is reviewed next, and that somebody did. The date follows from tier, reviews and decisions alone, so
whoever is killed before writing it leaves nothing that cannot be computed again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import F, Max, Q
from django.utils.translation import gettext

from core.actors import Actor
from core.audit import entry_of
from core.bulk import update_together
from core.cached_counts import update_counts
from core.db import clean_text, database_now, existing_keys, in_batches, insert_new
from core.ids import time_first_key
from core.models import AuditEntry
from monitoring.history.company_projection import STATUS
from monitoring.models import Decision, DecisionState, Review
from monitoring.models.workflow.review_settings import ReviewSettings, review_settings
from portfolio.imports.states import Refused
from portfolio.models import Company

LONGEST_NOTE = 2_000
A_DAY = timedelta(days=1)
# D&B sends nothing more under such a company's number.
GONE = frozenset(STATUS.values())


def is_gone(company: Company) -> bool:
    return bool(company.merged_into) or company.operating_status in GONE


def next_review(
    company: Company,
    reviewed: date | None,
    valid_until: date | None,
    settings: ReviewSettings,
    kept: date | None = None,
) -> date | None:
    """A tier's interval after the last review, or after the tier was set; the day on which a decision has expired, if
    that is earlier and nobody has looked since; no later than the `kept` day, which was open when the tier changed.
    None of a company that D&B merged or deleted: nothing is decided."""
    if is_gone(company):
        return None
    days, start = settings.days_of(company.tier), reviewed or company.tier_set_on
    found = [start + timedelta(days=days)] if days and start else []
    if valid_until and (reviewed is None or reviewed <= valid_until):
        found.append(valid_until + A_DAY)
    return min((*found, *([kept] if kept else [])), default=None)


def kept_review(company: Company, reviewed_at: datetime | None) -> date | None:
    """A review that was open when the tier changed, until somebody completes it: another tier never moves it later.
    Without a tier, it stays only if it was due by then."""
    day, since = company.kept_review_on, company.kept_review_at
    if day is None or since is None or (reviewed_at and reviewed_at >= since):
        return None
    return day if company.tier or day <= day_of(since) else None


def keep_review(company: Company) -> dict[str, Any]:
    """What is written with another tier, of a company as it was read: nothing where no review is open."""
    day = company.next_review_on
    return {"kept_review_on": day, "kept_review_at": database_now()} if day else {}


def by_open_review(companies: Sequence[Company]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The same for many, as their D-U-N-S numbers and what is written: those with an open review, and the others."""
    dated = [row.pk for row in companies if row.next_review_on]
    if dated:
        yield dated, {"kept_review_on": F("next_review_on"), "kept_review_at": database_now()}
    if others := sorted({row.pk for row in companies} - set(dated)):
        yield others, {}


def refresh_reviews(duns: Sequence[str], settings: ReviewSettings | None = None) -> int:
    """Write when these companies are reviewed next, until nothing differs: whoever wrote an older date meanwhile has
    not looked again. `settings` were read just now. Returns how many dates were written."""
    return sum(_refresh(batch, settings) for batch in in_batches(sorted(set(duns))))


def _refresh(batch: Sequence[str], settings: ReviewSettings | None) -> int:
    written = 0
    while changes := _differences(batch, settings or review_settings()):
        update_together(Company, ("next_review_on",), changes)
        # Others may have set other intervals since.
        written, settings = written + len(changes), None
    return written


KEPT = ("kept_review_on", "kept_review_at")
READ = ("duns", "tier", "tier_set_on", "next_review_on", "merged_into", "operating_status", *KEPT)


def _differences(batch: Sequence[str], settings: ReviewSettings) -> list[tuple[str, date | None]]:
    reviewed, valid = last_reviews(batch), _valid_until(batch)
    rows = Company.objects.filter(pk__in=batch).only(*READ)
    dates = [(row, _date(row, reviewed.get(row.duns), valid.get(row.duns), settings)) for row in rows]
    return [(row.duns, day) for row, day in dates if row.next_review_on != day]


def _date(company: Company, at: datetime | None, valid_until: date | None, settings: ReviewSettings) -> date | None:
    return next_review(company, day_of(at) if at else None, valid_until, settings, kept_review(company, at))


def last_reviews(batch: Sequence[str]) -> dict[str, datetime]:
    rows = Review.objects.filter(company__in=batch).order_by().values_list("company_id")
    return dict(rows.annotate(Max("reviewed_at")))


def _valid_until(batch: Sequence[str]) -> Mapping[str, date | None]:
    """Of the decisions that hold: the last final one of each company."""
    rows = Decision.objects.filter(company__in=batch, state=DecisionState.FINAL).order_by("number")
    return dict(rows.values_list("company_id", "valid_until"))


# Reviewing


def last_review(duns: str) -> Review | None:
    return Review.objects.filter(company=duns).order_by("-reviewed_at", "-id").first()


def mark_reviewed(company: Company, *, seen: uuid.UUID | None, note: str, by: Actor) -> Review:
    """Somebody looked and leaves the decision as it is. `seen` is the review that was the last one then."""
    last = last_review(company.duns)
    if (last.pk if last else None) != seen or not (made := _insert(company, seen, note, by)):
        raise Refused(_reviewed_since(company.duns))
    _after(company.duns)
    insert_new(AuditEntry, [entry_of_review(made, by)])
    return made


def entry_of_review(row: Review, by: str) -> AuditEntry:
    """From the row alone, so that it can be written later."""
    entry = entry_of(
        actor=by,
        action="review.done",
        thing=row.company,
        summary=gettext("%(company)s reviewed") % {"company": row.company},
        after={"note": row.note, "due_on": row.due_on},
    )
    entry.id, entry.at = time_first_key(row.reviewed_at, "review.done", row.pk), row.reviewed_at
    return entry


def _insert(company: Company, seen: uuid.UUID | None, note: str, by: Actor) -> Review | None:
    row = Review(
        id=Review.key(company.duns, seen),
        company=company,
        due_on=company.next_review_on,
        reviewed_by=clean_text(by, 200),
        reviewed_at=database_now(),
        note=clean_text(note.strip(), LONGEST_NOTE),
    )
    return row if insert_new(Review, [row]) else None


def _reviewed_since(duns: str) -> str:
    last = last_review(duns)
    words = gettext("Your review was not saved: %(person)s has reviewed this company since you opened the page.")
    return words % {"person": last.reviewed_by if last else gettext("Another user")}


def end_review(decision: Decision, settings: ReviewSettings | None = None) -> None:
    """A final decision is a review. Repeating it changes nothing."""
    company = decision.company
    row = Review(
        id=Review.key(company.duns, decision.pk),
        company=company,
        due_on=company.next_review_on,
        reviewed_by=decision.decided_by,
        reviewed_at=decision.confirmed_at or decision.decided_at,
        decision=decision,
    )
    insert_new(Review, [row], asked=True)
    _after(company.duns, settings)


def _after(duns: str, settings: ReviewSettings | None = None) -> None:
    if refresh_reviews([duns], settings):
        update_counts("reviews")


# Every night


def refresh_all_reviews() -> int:
    """What a process that died has left, and what other intervals change; returns how many dates were written."""
    _end_missing()
    touched = Q(next_review_on__isnull=False) | ~Q(tier="")
    companies = Company.objects.filter(touched).order_by().values_list("pk", flat=True)
    return refresh_reviews([*companies, *_decided_until_a_day()])


def _decided_until_a_day() -> list[str]:
    """Companies that a decision makes due, with no date yet where a process died before writing it."""
    rows = Decision.objects.filter(state=DecisionState.FINAL, valid_until__isnull=False)
    return list(rows.order_by().values_list("company_id", flat=True))


def _end_missing() -> None:
    finals = Decision.objects.filter(state=DecisionState.FINAL).order_by("pk")
    keys = {Review.key(duns, key): key for key, duns in finals.values_list("pk", "company_id")}
    known = existing_keys(Review, list(keys))
    missing = Decision.objects.filter(pk__in=[key for own, key in keys.items() if own not in known])
    for decision in missing.select_related("company"):
        end_review(decision)


def day_of(moment: datetime) -> date:
    """Days end in UTC."""
    return moment.astimezone(UTC).date()
