"""Each registration: how fresh it is, and the marks that pulling, reading and repairing have left on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from health.looking import Look
from health.models import State
from health.results import Result
from portfolio.models import Cadence, Registration, RegistrationState
from portfolio.wording import days_and_hours, is_late, loss_sentence

DAY = timedelta(hours=24)
# D&B drops what waits for 96 hours; this leaves a day and a half to do something about it.
CRITICAL_AFTER = timedelta(hours=60)
FAILED_RUNS = 3
SHOWN = 5


def checks_of_registrations(look: Look) -> Iterator[Result]:
    for row in look.registrations:
        yield freshness(look, row)
        yield from marks(row)
    yield from failing(look)
    if not look.registrations:
        do = "Look for them: manage.py sync_registrations, or the button on the front page."
        yield Result("fresh", "Freshness", State.UNKNOWN, "There is no registration yet.", do=do)


def freshness(look: Look, row: Registration) -> Result:
    """How long ago D&B's queue was last seen empty, by D&B's clock."""
    if row.last_pulled_at is None:
        return _never_pulled(look, row)
    age = max(look.dnb_now(row.contract_id) - row.last_pulled_at, timedelta())
    state = _state_of(row, age)
    sentence = f"Pulled {days_and_hours(age)} ago."
    do = ""
    if state != State.OK:
        sentence += " " + loss_sentence(row, look.dnb_now(row.contract_id))
        do = "Start it." if row.state == RegistrationState.PAUSED else "See why pulling stands still on its page."
    hours = round(age.total_seconds() / 3600, 2)
    return Result("fresh", f"Freshness of {row.reference}", state, sentence, hours, "h", do, row.reference)


def _state_of(row: Registration, age: timedelta) -> State:
    if age >= CRITICAL_AFTER:
        return State.CRITICAL
    return State.WARNING if age >= max(DAY, 1.5 * cadence_of(row)) else State.OK


def cadence_of(row: Registration) -> timedelta:
    if row.cadence == Cadence.DAILY:
        return DAY
    return row.cadence_every * (timedelta(hours=1) if row.cadence == Cadence.HOURS else timedelta(minutes=1))


def _never_pulled(look: Look, row: Registration) -> Result:
    title = f"Freshness of {row.reference}"
    if row.state == RegistrationState.PAUSED:
        do = "Start it when this program is the only one that pulls it."
        return Result("fresh", title, State.UNKNOWN, "It was never pulled and is paused.", do=do, subject=row.reference)
    late = is_late(row, look.now)
    sentence = "It was never pulled, and is late." if late else "Its first pull has not reached the end yet."
    state = State.WARNING if late else State.UNKNOWN
    do = "See whether jobs run." if late else ""
    return Result("fresh", title, state, sentence, do=do, subject=row.reference)


def marks(row: Registration) -> Iterator[Result]:
    """What its own rows say needs a person, or stands still."""
    name = row.reference
    if row.state == RegistrationState.STOPPED:
        do = "Mend what D&B complains of; it starts by itself within the hour."
        reason = row.stopped_reason or "no reason given"
        yield _mark("stopped", f"{name} is stopped by D&B", State.CRITICAL, f"D&B refuses it: {reason}", do, name)
    if row.ingest_stopped_reason:
        do = "Look at “Unreadable items”, then resume reading on the registration's page."
        yield _mark("reading", f"Reading of {name} has stopped", State.CRITICAL, row.ingest_stopped_reason, do, name)
    if row.gap_from:
        do = "Ask D&B to seed the registration again or run a refresh check, then clear the mark on its page."
        yield _mark("gap", f"Something is missing in {name}", State.WARNING, row.gap_reason, do, name)
    if row.replay_mark:
        do = "Compare with D&B for that moment, then clear the mark on its page."
        yield _mark("replay", f"A replay of {name} left something out", State.WARNING, row.replay_mark, do, name)


def failing(look: Look) -> Iterator[Result]:
    """All that fail in one line: the reason is mostly one, and a hundred of them hide everything else."""
    rows = [row for row in look.registrations if row.state == RegistrationState.ACTIVE and row.failures >= FAILED_RUNS]
    if not rows:
        return
    names = ", ".join(row.reference for row in rows[:SHOWN]) + (" and others" if len(rows) > SHOWN else "")
    most = max(rows, key=lambda row: row.failures)
    sentence = f"{names}: {most.failures} tries in a row failed. {most.trouble}"
    do = "Nothing while D&B is away: it tries again by itself. Otherwise mend what the sentence names."
    yield Result("pulling", "Pulling", State.WARNING, sentence, len(rows), "registrations", do)


def _mark(check: str, title: str, state: State, sentence: str, do: str, subject: str) -> Result:
    return Result(check, title, state, sentence, do=do, subject=subject, loud=True, is_mark=True)
