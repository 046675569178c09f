"""The calls that add and remove: rows are marked as sent before the call, so that a process killed in between leaves a
doubt that is resolved later, never a company that nobody knows about."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from core.db import database_now
from core.text import counted
from direct_plus.client import LARGEST_BATCH, SLOWEST_UPLOAD
from direct_plus.errors import DirectPlusError
from direct_plus.results import BatchAnswer, SubjectAnswer
from portfolio.models import Subject, SubjectState
from portfolio.sync import apply_response, progress
from portfolio.sync.apply_response import ACCEPTED, IS_IN, IS_OUT, REFUSING, UNANSWERED
from portfolio.sync.context import Work
from portfolio.sync.diff import Verb, of, unanswered, unsent
from portfolio.sync.errors import DID_NOTHING, is_about_the_number

PIECE = 20_000  # rows marked in one statement
AT_ONCE = 200  # numbers looked up for single calls
TROUBLES = 3  # calls in a row that may fail on D&B's side before the sync waits


def send_singly(work: Work, verb: Verb) -> int:
    """A call for each, those never sent first; returns how many calls got an answer."""
    answered = 0
    rows = _some(unsent(work.registration, verb, work.run.requests_after))
    for row in rows + _some(unanswered(work.registration, verb, work.run.requests_after)):
        work.go_on()
        if mark_one(work, row, verb):
            answered += send_one(work, row, verb)
    return answered


def _some(rows: QuerySet[Subject]) -> list[Subject]:
    return list(rows.order_by("pk")[:AT_ONCE])


def mark_one(work: Work, row: Subject, verb: Verb) -> bool:
    """Note that it is being sent; False when it changed meanwhile and is not to be sent any more."""
    same = of(work.registration).filter(pk=row.pk, state=row.state, requested=verb == Verb.ADD)
    marked = same.update(state=verb.pending, sent_at=_stamp(), code=UNANSWERED, message="")
    if marked and row.state not in apply_response.PENDING:
        progress.count(work.run, sent=1)
    return bool(marked)


def send_one(work: Work, row: Subject, verb: Verb) -> bool:
    """Make the call for a marked row and apply the response; False when what it did is not known."""
    progress.count(work.run, calls=1)
    work.note(f"send_{verb}", [row.company_id])
    try:
        answer = _call(work, row, verb)
    except DirectPlusError as error:
        return _failed_one(work, row, verb, error)
    work.troubles = 0
    apply_one(work, row.pk, verb, answer)
    return True


def _call(work: Work, row: Subject, verb: Verb) -> SubjectAnswer:
    reference = work.registration.reference
    if verb == Verb.REMOVE:
        return work.client.remove_subject(reference, row.company_id)
    return work.client.add_subject(reference, row.company_id, row.customer_reference or None)


def _failed_one(work: Work, row: Subject, verb: Verb, error: DirectPlusError) -> bool:
    if is_about_the_number(error):
        _refuse(work, row.pk, verb, error.code or "refused", error.message, getattr(error, "replacement", None))
        return True
    if isinstance(error, DID_NOTHING):
        _put_back(work, [row.pk], row.state)
        raise error
    work.trouble, work.troubles = error, work.troubles + 1
    if work.troubles >= TROUBLES:
        raise error
    return False


def _put_back(work: Work, keys: list[uuid.UUID], state: str) -> None:
    """D&B did nothing: the rows are again what they were. What was in doubt before stays so."""
    if state in apply_response.PENDING:
        return
    rows = of(work.registration).filter(pk__in=keys, code=UNANSWERED, state__in=apply_response.PENDING)
    progress.count(work.run, sent=-rows.update(state=state, sent_at=None))


def apply_one(work: Work, key: uuid.UUID, verb: Verb, answer: SubjectAnswer) -> None:
    """What the answer's code says is what D&B has; where it says nothing final, D&B is asked later."""
    told: dict[str, Any] = {"code": answer.code, "message": answer.message}
    if verb == Verb.ADD and answer.outcome in IS_IN:
        apply_response.monitored([key], [SubjectState.PENDING_ADD], since=apply_response.today(), **told)
    elif verb == Verb.REMOVE and answer.outcome in IS_OUT:
        apply_response.taken_out([key], **told)
    elif answer.outcome in REFUSING:
        _refuse(work, key, verb, answer.code, answer.message, answer.replacement)
    else:
        waiting = of(work.registration).filter(pk=key, state=verb.pending)
        waiting.update(code=answer.code or ACCEPTED, message=answer.message)


def _refuse(work: Work, key: uuid.UUID, verb: Verb, code: str | None, message: str, replacement: str | None) -> None:
    progress.count(work.run, refused=1)
    if verb == Verb.ADD:
        apply_response.refused([key], code=code, message=message, replacement=replacement)
    else:
        apply_refused_removal(work, key, code, message)


def apply_refused_removal(work: Work, key: uuid.UUID, code: str | None, message: str) -> None:
    """Whether it is in nevertheless is asked at once; if so, the code keeps it from being asked for again."""
    row = of(work.registration).get(pk=key)
    progress.count(work.run, calls=1)
    found = work.client.check_subject(work.registration.reference, row.company_id)
    if found.outcome in IS_IN:
        apply_response.monitored(
            [key], [SubjectState.PENDING_REMOVE], since=apply_response.today(), code=code, message=message
        )
    else:
        apply_response.taken_out([key], code=code, message=message)


def send_batch(work: Work, verb: Verb) -> None:
    """One file with everything that is to be sent now, up to D&B's limit."""
    work.go_on(seconds=LARGEST_BATCH * 10 / SLOWEST_UPLOAD)
    moment = _stamp()
    again_at = moment + timedelta(milliseconds=1)
    fresh = _mark(unsent(work.registration, verb, work.run.requests_after), verb, moment, LARGEST_BATCH)
    progress.count(work.run, sent=fresh)
    in_doubt = unanswered(work.registration, verb, work.run.requests_after).exclude(sent_at=moment)
    _mark(in_doubt.exclude(sent_at=again_at), verb, again_at, LARGEST_BATCH - fresh)
    marked = of(work.registration).filter(state=verb.pending, code=UNANSWERED, sent_at__in=[moment, again_at])
    numbers = list(marked.order_by("pk").values_list("company_id", flat=True))
    if not numbers:
        return
    try:
        answer = _call_many(work, verb, numbers)
    except DID_NOTHING:
        _put_all_back(work, marked.filter(sent_at=moment))
        raise
    marked.update(code=answer.code or ACCEPTED, message=answer.message)


def _mark(rows: QuerySet[Subject], verb: Verb, moment: datetime, most: int) -> int:
    """Mark as sent, a piece at a time: what is marked is no longer among the rows."""
    marked = 0
    while marked < most:
        size = min(PIECE, most - marked)
        edge = list(rows.order_by("pk").values_list("pk", flat=True)[size - 1 : size])
        piece = rows.filter(pk__lte=edge[0]) if edge else rows
        marked += piece.update(state=verb.pending, sent_at=moment, code=UNANSWERED, message="")
        if not edge:
            break
    return marked


def _call_many(work: Work, verb: Verb, numbers: list[str]) -> BatchAnswer:
    progress.count(work.run, calls=1)
    work.report(
        gettext("%(registration)s: sending %(numbers)s as one batch")
        % {"registration": work.registration, "numbers": counted(len(numbers))}
    )
    send = work.client.add_subjects if verb == Verb.ADD else work.client.remove_subjects
    answer = send(work.registration.reference, numbers)
    work.note(f"send_{verb}", numbers)
    return answer


def _put_all_back(work: Work, rows: QuerySet[Subject]) -> None:
    was_out = rows.filter(state=SubjectState.PENDING_ADD, monitored_until__isnull=False)
    count = was_out.update(state=SubjectState.REMOVED, sent_at=None)
    count += rows.filter(state=SubjectState.PENDING_ADD).update(state=SubjectState.UNKNOWN, sent_at=None)
    count += rows.filter(state=SubjectState.PENDING_REMOVE).update(state=SubjectState.MONITORED, sent_at=None)
    progress.count(work.run, sent=-count)


def _stamp() -> datetime:
    now = database_now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
