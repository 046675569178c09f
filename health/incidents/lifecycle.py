"""What went wrong, from beginning to end: opened once and closed by itself, by keys and compare-and-swap."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text, insert_new
from core.jobs import ask_worker
from core.notices import notify
from core.text import days_and_hours
from health.checks.result import RUNBOOK, Result
from health.incidents.closed_gaps import note_of_gap
from health.models import Incident, IncidentNote, State
from monitoring.jobs import SEND

CRITICAL_NOTICE, WELL_NOTICE, PAST_NOTICE = "health.critical", "health.well", "health.past"


def follow(results: Sequence[Result], seen_before: Iterable[str], left_out: Sequence[str] = ()) -> None:
    """Make incidents show what a look found. A mere warning has to be seen twice, so that nothing flickers."""
    open_now = {row.dedup_key: row for row in Incident.objects.filter(ended_at=None)}
    before, told = set(seen_before), False
    troubles = {result.dedup_key: result for result in results if result.state >= State.WARNING}
    for dedup_key, result in troubles.items():
        if dedup_key in open_now:
            told |= go_on(open_now[dedup_key], result)
        elif result.state == State.CRITICAL or result.is_mark or dedup_key in before:
            told |= open_for(result)
    unknown = {result.dedup_key for result in results if result.state == State.UNKNOWN}
    for dedup_key, row in open_now.items():
        # What cannot be seen now is neither well nor worse.
        if dedup_key not in troubles and dedup_key not in unknown and dedup_key not in left_out:
            told |= end(row)
    if told:
        ask_worker(SEND, task_name="Send health notices")


def open_for(result: Result) -> bool:
    """Open it, once whoever sees it first; whether channels are told."""
    row = open_incident(
        dedup_key=result.dedup_key,
        title=result.title,
        cause=result.sentence,
        runbook=result.runbook,
        state=result.state,
        notify=result.notify or result.state == State.CRITICAL,
    )
    return row is not None and notify_of_error(row, result.do)


def open_incident(
    *,
    dedup_key: str,
    title: str,
    cause: str,
    runbook: str = "",
    state: State = State.CRITICAL,
    notify: bool = True,
    started_at: datetime | None = None,
) -> Incident | None:
    """A new incident; None where it is open already, by whomever."""
    last = last_of(dedup_key)
    if last is not None and last.ended_at is None:
        return None
    row = Incident(
        id=Incident.key(dedup_key, last.pk if last else None),
        dedup_key=clean_text(dedup_key, 200),
        title=clean_text(title, 300),
        cause=clean_text(cause),
        latest_detail=clean_text(cause),
        runbook=runbook,
        state=state,
        notify=notify,
        started_at=started_at or timezone.now(),
    )
    return row if insert_new(Incident, [row]) else None


def last_of(dedup_key: str) -> Incident | None:
    return Incident.objects.filter(dedup_key=dedup_key).order_by("-started_at", "-id").first()


def open_problems(checks: Collection[str]) -> int:
    """How many problems these checks found when they last looked."""
    rows = Incident.objects.filter(ended_at=None).values_list("dedup_key", flat=True)
    return sum(key.partition(":")[0] in checks for key in rows)


def go_on(row: Incident, result: Result) -> bool:
    """It is still there: what is seen now, and whether it got worse."""
    sentence = clean_text(result.sentence)
    if sentence != row.latest_detail:
        Incident.objects.filter(pk=row.pk, ended_at=None).update(latest_detail=sentence)
    is_worse, becomes_notable = result.state > row.state, result.notify and not row.notify
    if not (is_worse or becomes_notable):
        return False
    worse = Q(state__lt=result.state) if is_worse else Q(notify=False)
    state = max(result.state, State(row.state))
    if not Incident.objects.filter(worse, pk=row.pk, ended_at=None).update(state=state, notify=True):
        return False
    row.state, row.notify, row.latest_detail = state, True, sentence
    return notify_of_error(row, result.do)


def end(row: Incident) -> bool:
    """It is over; whoever closes it tells those who heard of it."""
    now = timezone.now()
    if not Incident.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now):
        return False
    if found := note_of_gap(row):
        author, text = found
        add_note(row, author=author, text=text)
    if not row.notify:
        return False
    text = gettext("%(title)s: resolved after %(span)s. Cause: %(cause)s") % {
        "title": row.title,
        "span": days_and_hours(now - row.started_at),
        "cause": row.cause,
    }
    return _notify(WELL_NOTICE, gettext("Resolved: %(title)s") % {"title": row.title}, text, row)


def record_past(*, dedup_key: str, title: str, cause: str, started_at: datetime, ended_at: datetime) -> None:
    """Something that was over before anybody could write it down."""
    row = Incident(
        id=Incident.key(f"{dedup_key}\n{started_at.isoformat()}", None),
        dedup_key=dedup_key,
        title=title,
        cause=clean_text(cause),
        latest_detail=clean_text(cause),
        runbook=f"{RUNBOOK}#{dedup_key.partition(':')[0]}",
        state=State.CRITICAL,
        notify=True,
        started_at=started_at,
        ended_at=ended_at,
    )
    if insert_new(Incident, [row]) and _notify(PAST_NOTICE, row.title, row.cause, row):
        ask_worker(SEND, task_name="Send health notices")


def notify_of_error(row: Incident, do: str) -> bool:
    """What is wrong stands in the subject already: it is read on a phone, at night."""
    if not row.notify:
        return False
    subject = f"{State(row.state).label}: {row.title}: {row.latest_detail}"
    see = gettext("See %(runbook)s.") % {"runbook": row.runbook}
    return _notify(CRITICAL_NOTICE, subject, " ".join(filter(None, (row.latest_detail, do, see))), row)


def _notify(kind: str, subject: str, text: str, row: Incident) -> bool:
    """Once for each incident and kind."""
    url = reverse("admin:health_incident_change", args=[row.pk])
    return notify(kind=kind, subject=subject, text=text, url=url, key=str(row.pk)) is not None


def add_note(incident: Incident, *, author: str, text: str) -> IncidentNote:
    return IncidentNote.objects.create(
        incident=incident, author=author, at=timezone.now(), text=clean_text(text.strip(), 4000)
    )
