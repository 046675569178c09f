"""What D&B sent: whether it is read and published, what could not be read, and what goes out to people and systems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from health.looking import Look
from health.models import State
from health.results import Result, graded
from monitoring.models import DeadLetter, DeadLetterState, Delivery, DeliveryState, Dispatch, DispatchState
from portfolio.models import RegistrationState, SyncRun, SyncState
from portfolio.wording import days_and_hours, plural

COUNTED = 1000
# A pull goes straight on to read and publish, and a job looks every five minutes.
STANDS_WARNING, STANDS_CRITICAL = timedelta(minutes=10), timedelta(hours=1)
DOUBT_WARNING, DOUBT_CRITICAL = timedelta(hours=1), timedelta(hours=24)
PARKED_FOR = timedelta(days=7)


def checks_of_data(look: Look) -> Iterator[Result]:
    yield from deliveries(look)
    yield dispatches(look)
    if look.is_full:
        yield dead_letters()
        yield parked(look)
        yield syncs(look)


# State, check, title, when it began to wait, what to do
WAITING = (
    (DeliveryState.RECEIVED, "unread", "Deliveries not read yet", "manage.py ingest reads them."),
    (DeliveryState.INGESTED, "unpublished", "Deliveries not published yet", "See whether jobs run."),
)


def deliveries(look: Look) -> Iterator[Result]:
    """What is under way, in one query; reading that was stopped on purpose is told by its own mark."""
    states = (DeliveryState.RECEIVED, DeliveryState.INGESTED, DeliveryState.DOUBTFUL)
    fields = ("state", "registration_id", "asked_at", "received_at", "ingested_at")
    rows = list(Delivery.objects.filter(state__in=states).order_by("id").values_list(*fields)[: 3 * COUNTED])
    stopped = {row.pk for row in look.registrations if row.ingest_stopped_reason}
    yield doubts(look, [asked for state, _, asked, *_ in rows if state == DeliveryState.DOUBTFUL])
    for wanted, check, title, do in WAITING:
        times = [
            ingested or received
            for state, registration, _, received, ingested in rows
            if state == wanted and not (state == DeliveryState.RECEIVED and registration in stopped)
        ]
        yield _standing(look, check, title, times, do)


def doubts(look: Look, times: list[datetime | None]) -> Result:
    """Calls that may have taken something that never arrived, by the age of the oldest."""
    title = "Calls in doubt"
    if not times:
        return Result("doubts", title, State.OK, "Nothing is in doubt.", 0)
    age = _oldest(look, times)
    state = State.CRITICAL if age >= DOUBT_CRITICAL else State.WARNING if age >= DOUBT_WARNING else State.OK
    calls = plural(len(times), "call")
    sentence = f"{calls} in doubt, the oldest for {days_and_hours(age)}. Replay repairs it by itself."
    do = "See the registration's replays: if none reaches its end, ask D&B." if state != State.OK else ""
    return Result("doubts", title, state, sentence, len(times), "calls", do)


def _oldest(look: Look, times: list[datetime | None]) -> timedelta:
    return look.now - min((moment for moment in times if moment), default=look.now)


def _standing(look: Look, check: str, title: str, times: list[datetime | None], do: str) -> Result:
    if not times:
        return Result(check, title, State.OK, "None waits.", 0)
    age = _oldest(look, times)
    state = _by_age(age)
    sentence = f"{plural(len(times), 'delivery', 'deliveries')}, the oldest for {days_and_hours(age)}."
    return Result(check, title, state, sentence, len(times), "waiting", do if state != State.OK else "")


def _by_age(age: timedelta) -> State:
    if age >= STANDS_CRITICAL:
        return State.CRITICAL
    return State.WARNING if age >= STANDS_WARNING else State.OK


def dead_letters() -> Result:
    count = DeadLetter.objects.filter(state=DeadLetterState.OPEN)[:COUNTED].count()
    title = "Unreadable items"
    if not count:
        return Result("dead-letters", title, State.OK, "Everything could be read.", 0)
    do = "Look at “Unreadable items”: try again after an update, or set aside."
    sentence = f"{plural(count, 'item')} could not be read. The bytes are kept, the others went on."
    return Result("dead-letters", title, State.WARNING, sentence, count, "items", do, is_mark=True)


def dispatches(look: Look) -> Result:
    """What should have gone out and did not."""
    due = Dispatch.objects.filter(state=DispatchState.WAITING, next_try_at__lt=look.now - STANDS_WARNING)
    times = list(due.order_by("next_try_at").values_list("next_try_at", flat=True)[:COUNTED])
    title = "Messages to be sent"
    if not times:
        return Result("dispatches", title, State.OK, "None is overdue.", 0)
    age = look.now - (times[0] or look.now)
    sentence = f"{plural(len(times), 'message')} overdue, the oldest by {days_and_hours(age)}."
    return Result("dispatches", title, _by_age(age), sentence, len(times), "overdue", "See whether jobs run.")


def parked(look: Look) -> Result:
    """Messages whose tries are used up, and the last reason among them."""
    recent = look.now - PARKED_FOR
    rows = Dispatch.objects.filter(state=DispatchState.PARKED, created_at__gte=recent).order_by("-created_at")
    errors = list(rows.values_list("last_error", flat=True)[:COUNTED])
    state = graded(len(errors), warning=1, critical=COUNTED + 1)
    title = "Messages given up"
    if not errors:
        return Result("parked", title, state, "None in the last 7 days.", 0)
    sentence = f"{plural(len(errors), 'message')} of the last 7 days could not be sent. The last one: {errors[0]}"
    do = "Mend the channel or webhook, then send them again under “Messages”."
    return Result("parked", title, state, sentence, len(errors), "messages", do, is_mark=True)


def syncs(look: Look) -> Result:
    """Making D&B's lists equal to what is wanted."""
    failed = list(SyncRun.objects.filter(state=SyncState.FAILED).order_by("-id").values_list("error", flat=True)[:100])
    title = "Syncs with D&B's lists"
    running = sum(row.state == RegistrationState.ACTIVE for row in look.registrations)
    if not failed or not running:
        return Result("sync", title, State.OK, "None has failed.", 0)
    sentence = f"{plural(len(failed), 'sync', 'syncs')} failed and tried again by itself: {failed[0]}"
    do = "See “Syncs”: if it stays, the reason says what to mend."
    return Result("sync", title, State.WARNING, sentence, len(failed), "syncs", do, is_mark=True)
