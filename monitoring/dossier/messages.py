"""Who was notified: messages to channels, users and webhooks about the company, and digests with its alerts."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext

from core.visibility import is_restricted
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Detail, Line, Topic, source_of
from monitoring.dossier.reader import Part
from monitoring.models import Alert, DigestItem, MessageState, OutboxMessage, PersonalEvent, SendAttempt, TargetKind
from monitoring.outbox.names import names_of
from monitoring.webhooks.event_types import CHANGE_PUBLISHED, event_name

ALERT_RAISED = "alert.raised"
Attempts = Mapping[uuid.UUID, Sequence[SendAttempt]]
Subjects = dict[uuid.UUID, set[uuid.UUID]]


@dataclass(slots=True)
class Messages:
    """All about the company that the reader sees; by alert and by change, the messages that report it."""

    rows: list[OutboxMessage] = field(default_factory=list)
    names: dict[uuid.UUID, str] = field(default_factory=dict)
    of_alerts: dict[uuid.UUID, list[OutboxMessage]] = field(default_factory=lambda: defaultdict(list))
    of_changes: dict[uuid.UUID, list[OutboxMessage]] = field(default_factory=lambda: defaultdict(list))

    def recipient(self, row: OutboxMessage) -> str:
        name = self.names.get(row.target) or gettext("(deleted)")
        return gettext("%(type)s %(name)s") % {"type": row.get_kind_display(), "name": name}


def read_messages(asked: Asked, alerts: Sequence[Alert]) -> Messages:
    if not asked.sees(Part.MESSAGES):
        return Messages()
    digests = _digests(alerts)
    followed, names = _followed(asked)
    about = Q(company=asked.duns) | Q(pk__in=sorted({*digests, *followed}))
    rows = list(asked.rows(OutboxMessage).filter(about))
    names |= names_of(row for row in rows if row.target not in names)
    found = Messages(rows, names)
    for row in rows:
        payload = json.loads(row.payload)
        for alert in {*digests.get(row.pk, ()), *_alerts_in(row, payload)}:
            found.of_alerts[alert].append(row)
        for change in {*followed.get(row.pk, ()), *_changes_in(row, payload)}:
            found.of_changes[change].append(row)
    return found


def _digests(alerts: Sequence[Alert]) -> Subjects:
    rows = DigestItem.objects.filter(alert__in=[alert.pk for alert in alerts], digest__isnull=False)
    found: Subjects = defaultdict(set)
    for digest, alert in rows.values_list("digest", "alert") if alerts else ():
        if digest and alert:
            found[digest].add(alert)
    return found


def _followed(asked: Asked) -> tuple[Subjects, dict[uuid.UUID, str]]:
    """The changes in each message to a user who follows them, and the users. A business unit sees no such message."""
    found: Subjects = defaultdict(set)
    people: dict[uuid.UUID, str] = {}
    if is_restricted(asked.reader.actor):
        return found, people
    rows = PersonalEvent.objects.filter(company=asked.duns, created_at__gte=asked.span.since)
    for person, name, event, change in rows.values_list("person", "person__username", "event", "change"):
        found[OutboxMessage.key(person, event)].add(change)
        people[person] = name
    return found, people


def _alerts_in(row: OutboxMessage, payload: Mapping[str, object]) -> Iterator[uuid.UUID]:
    if row.event_type != ALERT_RAISED:
        return
    data, others = payload.get("data"), payload.get("others", ())
    keys = data.get("id") if isinstance(data, dict) else payload.get("alert")
    for key in (keys, *(others if isinstance(others, list) else ())):
        if key:
            yield uuid.UUID(str(key))


def _changes_in(row: OutboxMessage, payload: Mapping[str, object]) -> Iterator[uuid.UUID]:
    """What a webhook was sent, and what made an alert worse."""
    data, worse = payload.get("data"), payload.get("worse")
    if row.event_type == CHANGE_PUBLISHED and isinstance(data, dict) and data.get("id"):
        yield uuid.UUID(str(data["id"]))
    yield from (uuid.UUID(str(key)) for key in (worse if isinstance(worse, list) else ()))


def message_lines(asked: Asked, messages: Messages) -> list[Line]:
    rows = [row for row in messages.rows if asked.span.contains(row.created_at, row.sent_at)]
    attempts = _attempts(rows)
    return [_line(row, attempts.get(row.pk, ()), messages.recipient(row)) for row in rows]


def _attempts(rows: Sequence[OutboxMessage]) -> Attempts:
    found: dict[uuid.UUID, list[SendAttempt]] = defaultdict(list)
    tries = SendAttempt.objects.filter(message__in=[row.pk for row in rows]).order_by("id") if rows else ()
    for one in tries:
        found[one.message_id].append(one)
    return found


def _line(row: OutboxMessage, attempts: Sequence[SendAttempt], recipient: str) -> Line:
    last = attempts[-1].at if attempts else row.created_at
    is_usual = row.kind == TargetKind.WEBHOOK and row.event_type == CHANGE_PUBLISHED
    return Line(
        at=row.sent_at or last,
        topic=Topic.MESSAGE,
        key=row.pk.hex,
        text=_words(row) % {"event": event_name(row.event_type), "recipient": recipient},
        details=((gettext("Queued"), row.created_at), *_tries(attempts)),
        sources=(source_of(OutboxMessage, row.pk),),
        is_minor=is_usual and row.state == MessageState.SENT,
    )


def _words(row: OutboxMessage) -> str:
    return {
        MessageState.WAITING.value: gettext("%(event)s for %(recipient)s: waiting to be sent"),
        MessageState.SENT.value: gettext("%(event)s sent to %(recipient)s"),
        MessageState.DEAD.value: gettext("%(event)s for %(recipient)s: not delivered"),
        MessageState.CANCELLED.value: gettext("%(event)s for %(recipient)s: cancelled"),
    }[row.state]


def _tries(attempts: Sequence[SendAttempt]) -> Iterator[Detail]:
    for one in attempts:
        if one.error:
            yield gettext("Failed attempt (%(error)s)") % {"error": one.error}, one.at
        elif one.status is not None:
            yield gettext("Delivered, response %(status)s") % {"status": one.status}, one.at
        else:
            yield gettext("Delivered"), one.at
