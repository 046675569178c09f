"""What D&B sent: whether it is read and published, what could not be read, and what goes out to people and systems."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.models import AuditEntry
from core.outbound.mail_server import has_mail_server, no_server_text, set_up_text
from core.text import counted, days_and_hours
from health.checks.context import Look
from health.checks.result import Result, graded, messages_url
from health.checks.waiting_messages import Target, disabled_webhooks, targets
from health.models import State
from monitoring.content_ids import milliseconds
from monitoring.models import (
    WEBHOOK_TEST,
    Channel,
    DeadLetter,
    DeadLetterState,
    Delivery,
    DeliveryState,
    MessageState,
    OutboxMessage,
    TargetKind,
)
from monitoring.outbox.failing import RETRYING, accepting_again, deleted_channels, failed_attempts
from monitoring.outbox.names import names_of_kind
from monitoring.outbox.permitted_addresses import without_server
from monitoring.rebuild.verification import ACTION
from portfolio.models import RegistrationState, SyncRun, SyncState

COUNTED = 1000
# A pull goes straight on to read and publish, and a job looks every five minutes.
STANDS_WARNING, STANDS_CRITICAL = timedelta(minutes=10), timedelta(hours=1)
IN_DOUBT_WARNING, IN_DOUBT_CRITICAL = timedelta(hours=1), timedelta(hours=24)
DEAD_FOR = timedelta(days=7)
# As many as people mend at once.
RECEIVERS = 20


def checks_of_data(look: Look) -> Iterator[Result]:
    yield from deliveries(look)
    waited_for = targets(look.now - STANDS_WARNING)
    yield overdue_messages(look, waited_for)
    yield from receivers(_still_failing([one for one in waited_for if one.is_failing]))
    yield from disabled_webhooks({one.key: one.held for one in waited_for if one.held})
    if look.is_full:
        yield dead_letters()
        yield dead_messages(look)
        yield verification(look)
        yield syncs(look)


# State, check, title, when it began to wait, what to do
WAITING = (
    (
        DeliveryState.RECEIVED,
        "unread",
        _("Deliveries waiting to be processed"),
        _("Run “.venv/bin/python manage.py ingest” to process them."),
    ),
    (
        DeliveryState.INGESTED,
        "unpublished",
        _("Deliveries waiting to be published"),
        _("Check that the worker is running."),
    ),
)


def deliveries(look: Look) -> Iterator[Result]:
    """What is under way, in one query; reading that was stopped on purpose has a mark of its own."""
    states = (DeliveryState.RECEIVED, DeliveryState.INGESTED, DeliveryState.IN_DOUBT)
    fields = ("state", "registration_id", "called_at", "received_at", "ingested_at")
    rows = list(Delivery.objects.filter(state__in=states).order_by("id").values_list(*fields)[: 3 * COUNTED])
    stopped = {row.pk for row in look.registrations if row.ingest_stopped_reason}
    yield in_doubt(look, [asked for state, _, asked, *_ in rows if state == DeliveryState.IN_DOUBT])
    for requested, check, title, do in WAITING:
        times = [
            ingested or received
            for state, registration, _, received, ingested in rows
            if state == requested and not (state == DeliveryState.RECEIVED and registration in stopped)
        ]
        yield _standing(look, check, str(title), times, str(do))


def in_doubt(look: Look, times: list[datetime | None]) -> Result:
    """Calls that may have taken something that never arrived, by the age of the oldest."""
    title = gettext("Calls in doubt")
    if not times:
        return Result("in-doubt", title, State.OK, gettext("No calls in doubt."), 0)
    age = _oldest(look, times)
    state = State.CRITICAL if age >= IN_DOUBT_CRITICAL else State.WARNING if age >= IN_DOUBT_WARNING else State.OK
    sentence = ngettext(
        "%(count)s call in doubt, the oldest for %(span)s. A replay recovers it automatically.",
        "%(count)s calls in doubt, the oldest for %(span)s. A replay recovers them automatically.",
        len(times),
    ) % {"count": counted(len(times)), "span": days_and_hours(age)}
    do = (
        gettext("Open the registration's replays. If none of them completes, contact D&B.") if state != State.OK else ""
    )
    return Result("in-doubt", title, state, sentence, len(times), "calls", do)


def _oldest(look: Look, times: list[datetime | None]) -> timedelta:
    return look.now - min((moment for moment in times if moment), default=look.now)


def _standing(look: Look, check: str, title: str, times: list[datetime | None], do: str) -> Result:
    if not times:
        return Result(check, title, State.OK, gettext("No deliveries waiting."), 0)
    age = _oldest(look, times)
    state = _by_age(age)
    sentence = ngettext(
        "%(count)s delivery waiting for %(span)s.", "%(count)s deliveries waiting, the oldest for %(span)s.", len(times)
    ) % {"count": counted(len(times)), "span": days_and_hours(age)}
    return Result(check, title, state, sentence, len(times), "waiting", do if state != State.OK else "")


def _by_age(age: timedelta) -> State:
    if age >= STANDS_CRITICAL:
        return State.CRITICAL
    return State.WARNING if age >= STANDS_WARNING else State.OK


def dead_letters() -> Result:
    count = DeadLetter.objects.filter(state=DeadLetterState.OPEN)[:COUNTED].count()
    title = gettext("Parsing errors")
    if not count:
        return Result("dead-letters", title, State.OK, gettext("No parsing errors."), 0)
    do = gettext("Open “Parsing errors”. Retry the items after an update, or dismiss them.")
    sentence = ngettext(
        "%(count)s item could not be parsed. Its data is kept; all other items were processed.",
        "%(count)s items could not be parsed. Their data is kept; all other items were processed.",
        count,
    ) % {"count": counted(count)}
    return Result("dead-letters", title, State.WARNING, sentence, count, "items", do, is_mark=True)


def receivers(failing: list[Target]) -> Iterator[Result]:
    """Channels and webhooks, each with its own cause."""
    if is_mute := _is_mute():
        do = f"{set_up_text()} {gettext('Then send a test from “Channels”.')}"
        yield Result("receivers", gettext("Email server"), State.WARNING, no_server_text(), do=do, subject="email")
    elif not has_mail_server():
        yield _without_mail_server()
    if not failing and not is_mute:
        sentence = gettext("No channel or webhook rejects messages.")
        yield Result("receivers", gettext("Message receivers"), State.OK, sentence, 0)
        return
    shown = sorted(failing, key=lambda one: -one.tries)[:RECEIVERS]
    keys = [one.key for one in shown]
    names, errors, failed = _names(shown), _errors(keys), failed_attempts(keys)
    mute = without_server(Channel.objects.filter(pk__in=list(names)))
    for one in shown:
        do = set_up_text() if one.key in mute else str(REMEDIES[one.kind])
        name = names.get(one.key) or gettext("(deleted)")
        yield _receiver(one, name, errors.get(one.key, ""), do, failed.get(one.key, one.tries))


def _still_failing(failing: list[Target]) -> list[Target]:
    """Without channels that were deleted, or have taken a message since: a successful test ends the warning."""
    channels = {one.key for one in failing if one.kind == TargetKind.CHANNEL}
    if not channels:
        return failing
    there = set(Channel.objects.filter(pk__in=channels).values_list("pk", flat=True))
    over = (channels - there) | accepting_again(channels)
    return [one for one in failing if one.kind != TargetKind.CHANNEL or one.key not in over]


def _without_mail_server() -> Result:
    """No channel needs one yet. With a key of its own, as what is unknown leaves an open incident as it is."""
    title, subject = gettext("Email server"), "mail-server"
    required = gettext("Invitations, password links, reports and alerts by email require an email server.")
    sentence = f"{no_server_text()} {required}"
    return Result("receivers", title, State.UNKNOWN, sentence, do=set_up_text(), subject=subject, is_not_set_up=True)


def _is_mute() -> bool:
    """Whether a channel sends emails that do not leave this machine."""
    if has_mail_server():
        return False
    return bool(without_server(Channel.objects.filter(active=True, unsubscribed_at=None)[:COUNTED]))


def _errors(keys: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What the message that was tried most often came back with."""
    tried = OutboxMessage.objects.filter(RETRYING, target__in=keys)
    return dict(tried.order_by("attempts").values_list("target", "last_error")[:COUNTED])


def _names(targets: list[Target]) -> dict[uuid.UUID, str]:
    keys: dict[str, list[uuid.UUID]] = {}
    for one in targets:
        keys.setdefault(one.kind, []).append(one.key)
    return {key: name for kind, those in keys.items() for key, name in names_of_kind(kind).filter(pk__in=those)}


def _receiver(one: Target, name: str, error: str, do: str, failed: int) -> Result:
    sentence = ngettext(
        "The last attempt failed: %(error)s.",
        "%(count)s attempts failed. Last error: %(error)s.",
        failed,
    ) % {"count": counted(failed), "error": error.rstrip(".")}
    sentence = f"{sentence} {_retried([one])}"
    title = str(TITLES[one.kind]) % {"name": name}
    return Result(
        "receivers",
        title,
        State.WARNING,
        sentence,
        failed,
        "failed tries",
        do,
        str(one.key),
        messages_url=messages_url(target=one.key, state="undelivered"),
    )


def _retried(failing: list[Target]) -> str:
    """With what waits behind them."""
    count, more = sum(one.retried for one in failing), sum(one.untried for one in failing)
    words = ngettext("%(count)s message is being retried", "%(count)s messages are being retried", count)
    text = words % {"count": counted(count)}
    if more:
        words = ngettext("%(count)s later message waits", "%(count)s later messages wait", more)
        text = f"{text}; {words % {'count': counted(more)}}"
    return f"{text}."


TITLES: dict[str, Any] = {
    TargetKind.WEBHOOK: _("Webhook %(name)s"),
    TargetKind.CHANNEL: _("Channel %(name)s"),
    TargetKind.REPORT: _("Report to %(name)s"),
    TargetKind.PERSON: _("Notifications of %(name)s"),
}
REMEDIES: dict[str, Any] = {
    TargetKind.WEBHOOK: _("Fix the receiver, or correct its address under “Webhooks”. Then send a test from there."),
    TargetKind.CHANNEL: _("Correct the address under “Channels”. Then send a test from there."),
    TargetKind.REPORT: _("Check the email server settings and the address of the recipient."),
    TargetKind.PERSON: _("Check the user's email address, or the channel that they selected under “My notifications”."),
}


def overdue_messages(look: Look, waited_for: list[Target]) -> Result:
    """What is due and nobody has tried to send; what waits for a receiver that fails is told with that receiver."""
    late = [one for one in waited_for if one.overdue and not one.is_failing]
    title = gettext("Outgoing messages")
    if not late:
        failing = [one for one in waited_for if one.retried]
        sentence = _retried(failing) if failing else gettext("No messages overdue.")
        return Result("messages", title, State.OK, sentence, 0)
    count, age = sum(one.overdue for one in late), look.now - min(one.first for one in late)
    sentence = ngettext(
        "%(count)s message overdue, the oldest by %(span)s.",
        "%(count)s messages overdue, the oldest by %(span)s.",
        count,
    ) % {"count": counted(count), "span": days_and_hours(age)}
    return Result(
        "messages", title, _by_age(age), sentence, count, "overdue", gettext("Check that the worker is running.")
    )


def dead_messages(look: Look) -> Result:
    """Messages whose tries are used up, and the last reason among them."""
    recent = look.now - DEAD_FOR
    dead = OutboxMessage.objects.filter(state=MessageState.DEAD).exclude(event_type=WEBHOOK_TEST)
    rows = dead.filter(created_at__gte=recent).order_by("-created_at")
    found = list(rows.only("kind", "target", "last_error")[:COUNTED])
    gone = deleted_channels(found)
    errors = [row.last_error for row in found if row.target not in gone]
    state = graded(len(errors), warning=1, critical=COUNTED + 1)
    title = gettext("Undelivered messages")
    if not errors:
        return Result(
            "dead-messages",
            title,
            state,
            gettext("In the last 7 days, no message failed all its delivery attempts."),
            0,
        )
    sentence = ngettext(
        "%(count)s message was not delivered in the last 7 days. Error: %(error)s",
        "%(count)s messages were not delivered in the last 7 days. Last error: %(error)s",
        len(errors),
    ) % {"count": counted(len(errors)), "error": errors[0]}
    do = gettext("Fix the channel or webhook, then resend the messages under “Outgoing messages”.")
    return Result(
        "dead-messages",
        title,
        state,
        sentence,
        len(errors),
        "messages",
        do,
        is_mark=True,
        messages_url=messages_url(state="dead"),
    )


def verification(look: Look) -> Result:
    """What the nightly comparison had to correct: nothing, unless a process died in a way that nobody thought of."""
    title, first = gettext("Stored data"), uuid.UUID(int=milliseconds(look.now - DEAD_FOR) << 80)
    entries = AuditEntry.objects.filter(action=ACTION, pk__gte=first).order_by("-pk")
    summaries = list(entries.values_list("summary", flat=True)[:COUNTED])
    if not summaries:
        return Result("verification", title, State.OK, gettext("No corrections in the last 7 days."), 0)
    sentence = gettext("The nightly verification found differences: %(summary)s.") % {"summary": summaries[0]}
    do = gettext("The data is correct again. Search the log of that day for the cause.")
    return Result("verification", title, State.WARNING, sentence, len(summaries), "nights", do, is_mark=True)


def syncs(look: Look) -> Result:
    """Making D&B's lists equal to what is requested."""
    failed = list(SyncRun.objects.filter(state=SyncState.FAILED).order_by("-id").values_list("error", flat=True)[:100])
    title = gettext("Syncs with D&B's lists")
    running = sum(row.state == RegistrationState.ACTIVE for row in look.registrations)
    if not failed or not running:
        return Result("sync", title, State.OK, gettext("No failed syncs."), 0)
    sentence = ngettext(
        "%(count)s sync failed and is retried automatically. Error: %(error)s",
        "%(count)s syncs failed and are retried automatically. Last error: %(error)s",
        len(failed),
    ) % {"count": counted(len(failed)), "error": failed[0]}
    do = gettext("Open “Syncs”. If the error persists, its reason shows what to correct.")
    return Result("sync", title, State.WARNING, sentence, len(failed), "syncs", do, is_mark=True)
