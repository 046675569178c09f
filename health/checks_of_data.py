"""What D&B sent: whether it is read and published, what could not be read, and what goes out to people and systems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from health.looking import Look
from health.models import State
from health.results import Result, graded
from monitoring.models import DeadLetter, DeadLetterState, Delivery, DeliveryState, Dispatch, DispatchState
from portfolio.models import RegistrationState, SyncRun, SyncState
from portfolio.wording import counted, days_and_hours

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
    (DeliveryState.RECEIVED, "unread", _("Deliveries not read yet"), _("manage.py ingest reads them.")),
    (DeliveryState.INGESTED, "unpublished", _("Deliveries not published yet"), _("See whether jobs run.")),
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
        yield _standing(look, check, str(title), times, str(do))


def doubts(look: Look, times: list[datetime | None]) -> Result:
    """Calls that may have taken something that never arrived, by the age of the oldest."""
    title = gettext("Calls in doubt")
    if not times:
        return Result("doubts", title, State.OK, gettext("Nothing is in doubt."), 0)
    age = _oldest(look, times)
    state = State.CRITICAL if age >= DOUBT_CRITICAL else State.WARNING if age >= DOUBT_WARNING else State.OK
    sentence = ngettext(
        "%(count)s call in doubt, the oldest for %(span)s. Replay repairs it by itself.",
        "%(count)s calls in doubt, the oldest for %(span)s. Replay repairs it by itself.",
        len(times),
    ) % {"count": counted(len(times)), "span": days_and_hours(age)}
    do = gettext("See the registration's replays: if none reaches its end, ask D&B.") if state != State.OK else ""
    return Result("doubts", title, state, sentence, len(times), "calls", do)


def _oldest(look: Look, times: list[datetime | None]) -> timedelta:
    return look.now - min((moment for moment in times if moment), default=look.now)


def _standing(look: Look, check: str, title: str, times: list[datetime | None], do: str) -> Result:
    if not times:
        return Result(check, title, State.OK, gettext("None waits."), 0)
    age = _oldest(look, times)
    state = _by_age(age)
    sentence = ngettext(
        "%(count)s delivery, the oldest for %(span)s.", "%(count)s deliveries, the oldest for %(span)s.", len(times)
    ) % {"count": counted(len(times)), "span": days_and_hours(age)}
    return Result(check, title, state, sentence, len(times), "waiting", do if state != State.OK else "")


def _by_age(age: timedelta) -> State:
    if age >= STANDS_CRITICAL:
        return State.CRITICAL
    return State.WARNING if age >= STANDS_WARNING else State.OK


def dead_letters() -> Result:
    count = DeadLetter.objects.filter(state=DeadLetterState.OPEN)[:COUNTED].count()
    title = gettext("Unreadable items")
    if not count:
        return Result("dead-letters", title, State.OK, gettext("Everything could be read."), 0)
    do = gettext("Look at “Unreadable items”: try again after an update, or set aside.")
    sentence = ngettext(
        "%(count)s item could not be read. The bytes are kept, the others went on.",
        "%(count)s items could not be read. The bytes are kept, the others went on.",
        count,
    ) % {"count": counted(count)}
    return Result("dead-letters", title, State.WARNING, sentence, count, "items", do, is_mark=True)


def dispatches(look: Look) -> Result:
    """What should have gone out and did not."""
    due = Dispatch.objects.filter(state=DispatchState.WAITING, next_try_at__lt=look.now - STANDS_WARNING)
    times = list(due.order_by("next_try_at").values_list("next_try_at", flat=True)[:COUNTED])
    title = gettext("Messages to be sent")
    if not times:
        return Result("dispatches", title, State.OK, gettext("None is overdue."), 0)
    age = look.now - (times[0] or look.now)
    sentence = ngettext(
        "%(count)s message overdue, the oldest by %(span)s.",
        "%(count)s messages overdue, the oldest by %(span)s.",
        len(times),
    ) % {"count": counted(len(times)), "span": days_and_hours(age)}
    return Result("dispatches", title, _by_age(age), sentence, len(times), "overdue", gettext("See whether jobs run."))


def parked(look: Look) -> Result:
    """Messages whose tries are used up, and the last reason among them."""
    recent = look.now - PARKED_FOR
    rows = Dispatch.objects.filter(state=DispatchState.PARKED, created_at__gte=recent).order_by("-created_at")
    errors = list(rows.values_list("last_error", flat=True)[:COUNTED])
    state = graded(len(errors), warning=1, critical=COUNTED + 1)
    title = gettext("Messages given up")
    if not errors:
        return Result("parked", title, state, gettext("None in the last 7 days."), 0)
    sentence = ngettext(
        "%(count)s message of the last 7 days could not be sent. The last one: %(error)s",
        "%(count)s messages of the last 7 days could not be sent. The last one: %(error)s",
        len(errors),
    ) % {"count": counted(len(errors)), "error": errors[0]}
    do = gettext("Mend the channel or webhook, then send them again under “Messages”.")
    return Result("parked", title, state, sentence, len(errors), "messages", do, is_mark=True)


def syncs(look: Look) -> Result:
    """Making D&B's lists equal to what is wanted."""
    failed = list(SyncRun.objects.filter(state=SyncState.FAILED).order_by("-id").values_list("error", flat=True)[:100])
    title = gettext("Syncs with D&B's lists")
    running = sum(row.state == RegistrationState.ACTIVE for row in look.registrations)
    if not failed or not running:
        return Result("sync", title, State.OK, gettext("None has failed."), 0)
    sentence = ngettext(
        "%(count)s sync failed and tried again by itself: %(error)s",
        "%(count)s syncs failed and tried again by itself: %(error)s",
        len(failed),
    ) % {"count": counted(len(failed)), "error": failed[0]}
    do = gettext("See “Syncs”: if it stays, the reason says what to mend.")
    return Result("sync", title, State.WARNING, sentence, len(failed), "syncs", do, is_mark=True)
