"""Asking D&B one by one: about what stays in doubt after a sync, and about a pasted list before it is adopted."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from direct_plus.results import Outcome, SubjectAnswer
from portfolio.models import Subject, SubjectState
from portfolio.sync import apply_response, progress
from portfolio.sync.apply_response import IS_IN, REFUSING
from portfolio.sync.calls import mark_one, send_one
from portfolio.sync.context import Work
from portfolio.sync.diff import Verb, in_doubt, pending
from portfolio.sync.errors import is_about_the_number

SECONDS_A_CALL = 0.21  # five calls a second at most, with the throttle's margin
DOUBTS_A_RUN = 250
TALLIED_EVERY = 20


def duration_text(count: int) -> str:
    """How long asking about so many takes: "about 2 h 55 min"."""
    minutes = count * SECONDS_A_CALL / 60
    if minutes < 1:
        return gettext("less than a minute")
    hours, rest = divmod(round(minutes), 60)
    return (
        gettext("about %(hours)s h %(rest)s min") % {"hours": hours, "rest": rest}
        if hours
        else gettext("about %(rest)s min") % {"rest": rest}
    )


def check_calls_in_doubt(work: Work, limit: int = DOUBTS_A_RUN) -> bool:
    """Settle what is pending for too long, a bounded number at a time; True while anything is pending."""
    rows = list(in_doubt(work.registration).order_by("sent_at", "pk")[:limit])
    for asked, row in enumerate(rows, start=1):
        _ask_about(work, row)
        if asked % TALLIED_EVERY == 0:
            progress.update_counts(work.run)
    return pending(work.registration).exists()


def _ask_about(work: Work, row: Subject) -> None:
    work.go_on()
    work.note("check", [row.company_id])
    progress.count(work.run, calls=1)
    answer = check(work.client, work.registration.reference, row.company_id)
    row.refresh_from_db()
    if row.state == SubjectState.PENDING_ADD:
        _apply_addition(work, row, answer)
    elif row.state == SubjectState.PENDING_REMOVE:
        _apply_removal(work, row, answer)


def check(client: DirectPlus, reference: str, duns: str) -> SubjectAnswer:
    """D&B's word on one number; a refusal of the number itself is a word too."""
    try:
        return client.check_subject(reference, duns)
    except DirectPlusError as error:
        if not is_about_the_number(error):
            raise
        replacement = getattr(error, "replacement", None)
        return SubjectAnswer(duns, Outcome.UNKNOWN, error.code, error.message, replacement, error.dnb_time)


def _apply_addition(work: Work, row: Subject, answer: SubjectAnswer) -> None:
    told: dict[str, Any] = {"code": answer.code, "message": answer.message}
    if answer.outcome in IS_IN:
        apply_response.monitored([row.pk], [row.state], since=apply_response.today(), **told)
    elif answer.outcome in REFUSING:
        progress.count(work.run, refused=1)
        apply_response.refused([row.pk], replacement=answer.replacement, **told)
    elif not row.requested:
        apply_response.removed([row.pk], [row.state], until=apply_response.today(), **told)
    elif work.run.requests_after and row.requested_at and row.requested_at <= work.run.requests_after:
        Subject.objects.filter(pk=row.pk, state=row.state).update(
            state=SubjectState.UNKNOWN, **apply_response.said("", "")
        )
    elif mark_one(work, row, Verb.ADD):
        # Not there and still requested: the answer to a single addition says why a batch did not bring it.
        send_one(work, row, Verb.ADD)


def _apply_removal(work: Work, row: Subject, answer: SubjectAnswer) -> None:
    told: dict[str, Any] = {"code": answer.code, "message": answer.message}
    if answer.outcome not in IS_IN:
        apply_response.taken_out([row.pk], **told)
    elif row.requested:
        apply_response.monitored([row.pk], [row.state], since=apply_response.today(), **told)
    elif mark_one(work, row, Verb.REMOVE):
        send_one(work, row, Verb.REMOVE)
