"""Each registration: how fresh it is, and the marks that pulling, reading and recovering have left on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext, ngettext

from core.text import days_and_hours, moment_text
from health.checks.context import Look
from health.checks.result import Result
from health.models import State
from portfolio.models import Cadence, Registration, RegistrationState
from portfolio.registrations.status import is_failing, is_late, loss_sentence

DAY = timedelta(hours=24)
# D&B drops what waits for 96 hours; this leaves a day and a half to do something about it.
CRITICAL_AFTER = timedelta(hours=60)
SHOWN = 5


def checks_of_registrations(look: Look) -> Iterator[Result]:
    for row in look.registrations:
        yield freshness(look, row)
        yield from marks(row)
    yield from failing(look)
    if not look.registrations:
        do = gettext(
            "Run “.venv/bin/python manage.py sync_registrations”, or choose “Find registrations” under “Registrations”."
        )
        yield Result("fresh", gettext("Freshness"), State.UNKNOWN, gettext("No registrations yet."), do=do)


def freshness(look: Look, row: Registration) -> Result:
    """How long ago D&B's queue was last seen empty, by D&B's clock."""
    if row.last_pulled_at is None:
        return _never_pulled(look, row)
    age = max(look.dnb_now(row.contract_id) - row.last_pulled_at, timedelta())
    if _is_late(look, row) and not is_failing(row):
        return _late(row, age)
    state, sentence, do = _state_of(row, age), _pulled(row, age), ""
    # A pause is a decision and no fault, but the page must not show it as if all were pulled.
    is_paused = state == State.OK and row.state == RegistrationState.PAUSED
    if is_paused:
        state = State.UNKNOWN
    elif state != State.OK:
        sentence += " " + loss_sentence(row, look.dnb_now(row.contract_id))
        do = (
            gettext("Resume the registration.")
            if row.state == RegistrationState.PAUSED
            else gettext("Open the registration to see why pulling has stalled.")
        )
    hours = round(age.total_seconds() / 3600, 2)
    return Result(
        "fresh",
        gettext("Freshness of %(reference)s") % {"reference": row.reference},
        state,
        sentence,
        hours,
        "h",
        do,
        row.reference,
        is_paused=is_paused,
    )


def _pulled(row: Registration, age: timedelta) -> str:
    last = _last_pull(age)
    if row.state == RegistrationState.PAUSED and row.paused_until:
        words = gettext("Paused until %(until)s. %(last_pull)s")
        return words % {"until": moment_text(row.paused_until), "last_pull": last}
    if row.state == RegistrationState.PAUSED:
        return gettext("Paused. %(last_pull)s") % {"last_pull": last}
    if age < timedelta(minutes=1):
        return gettext("Pulled just now.")
    return gettext("Pulled %(span)s ago.") % {"span": days_and_hours(age)}


def _last_pull(age: timedelta) -> str:
    if age < timedelta(minutes=1):
        return gettext("The last pull was just now.")
    return gettext("The last pull was %(span)s ago.") % {"span": days_and_hours(age)}


def _is_late(look: Look, row: Registration) -> bool:
    return look.paused_pulls is None and is_late(row, look.now)


def _late(row: Registration, age: timedelta) -> Result:
    """Due, and no process has pulled it."""
    return Result(
        "fresh",
        gettext("Freshness of %(reference)s") % {"reference": row.reference},
        max(_state_of(row, age), State.WARNING),
        gettext("The pull scheduled for %(due)s has not run. %(last_pull)s")
        % {"due": moment_text(row.next_pull_at) if row.next_pull_at else "–", "last_pull": _last_pull(age)},
        round(age.total_seconds() / 3600, 2),
        "h",
        gettext("Check that the worker is running."),
        row.reference,
    )


def _state_of(row: Registration, age: timedelta) -> State:
    if age >= CRITICAL_AFTER:
        return State.CRITICAL
    return State.WARNING if age >= max(DAY, 1.5 * cadence_of(row)) else State.OK


def cadence_of(row: Registration) -> timedelta:
    if row.cadence == Cadence.DAILY:
        return DAY
    return row.cadence_every * (timedelta(hours=1) if row.cadence == Cadence.HOURS else timedelta(minutes=1))


def _never_pulled(look: Look, row: Registration) -> Result:
    title = gettext("Freshness of %(reference)s") % {"reference": row.reference}
    if row.state == RegistrationState.PAUSED:
        do = gettext("Start the registration once D&B Monitoring is the only system that pulls it.")
        return Result(
            "fresh",
            title,
            State.UNKNOWN,
            gettext("Never pulled: the registration is not started."),
            do=do,
            subject=row.reference,
        )
    late = _is_late(look, row)
    sentence = (
        gettext("Never pulled: the first pull is overdue.") if late else gettext("The first pull is not complete yet.")
    )
    state = State.WARNING if late else State.UNKNOWN
    do = gettext("Check that the worker is running.") if late else ""
    return Result("fresh", title, state, sentence, do=do, subject=row.reference)


def marks(row: Registration) -> Iterator[Result]:
    """What its own rows say needs a person, or stands still."""
    name = row.reference
    if row.state == RegistrationState.STOPPED:
        do = gettext("Correct the problem that D&B reports. The registration restarts automatically within the hour.")
        reason = row.stopped_reason or gettext("no reason given")
        yield _mark(
            "stopped",
            gettext("Registration %(name)s") % {"name": name},
            State.CRITICAL,
            gettext("Stopped because D&B refuses it: %(reason)s") % {"reason": reason},
            do,
            name,
        )
    if row.ingest_stopped_reason:
        do = gettext("Review “Parsing errors”, then resume processing on the registration's page.")
        yield _mark(
            "reading",
            gettext("Processing of %(name)s") % {"name": name},
            State.CRITICAL,
            gettext("Processing stopped: %(reason)s") % {"reason": row.ingest_stopped_reason},
            do,
            name,
        )
    if row.gap_from:
        do = gettext(
            "Open the registration's page and close the data gap: companies that D&B has changed are fetched and "
            "compared."
        )
        yield _mark(
            "gap", gettext("Completeness of %(name)s") % {"name": name}, State.WARNING, row.gap_reason, do, name
        )
    if row.replay_mark:
        do = gettext(
            "Compare the companies' data of that time with D&B's, then clear the warning on the registration's page."
        )
        yield _mark(
            "replay",
            gettext("Replay of %(name)s") % {"name": name},
            State.WARNING,
            row.replay_mark,
            do,
            name,
        )


def failing(look: Look) -> Iterator[Result]:
    """All that fail in one line: the reason is mostly one, and a hundred of them hide everything else."""
    rows = [row for row in look.registrations if is_failing(row)]
    if not rows:
        return
    names = ", ".join(row.reference for row in rows[:SHOWN])
    if len(rows) > SHOWN:
        names = gettext("%(names)s and others") % {"names": names}
    most = max(rows, key=lambda row: row.consecutive_failures)
    sentence = ngettext(
        "%(names)s: the last pull failed: %(error)s",
        "%(names)s: %(count)s attempts in a row failed: %(error)s",
        most.consecutive_failures,
    ) % {"names": names, "count": most.consecutive_failures, "error": most.last_error}
    do = gettext(
        "Wait while D&B is unavailable: pulls are retried automatically. Otherwise correct the cause named above."
    )
    yield Result("pulling", gettext("Pulls"), State.WARNING, sentence, len(rows), "failing", do)


def _mark(check: str, title: str, state: State, sentence: str, do: str, subject: str) -> Result:
    return Result(check, title, state, sentence, do=do, subject=subject, notify=True, is_mark=True)
