"""Who was notified: messages to channels and webhooks about the company, and digests with its alerts."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Q
from django.utils.translation import gettext

from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Detail, Line, Topic, source_of
from monitoring.dossier.reader import Part
from monitoring.models import Alert, DigestItem, MessageState, OutboxMessage, SendAttempt, TargetKind
from monitoring.outbox.names import names_of
from monitoring.webhooks.event_types import CHANGE_PUBLISHED, event_name

Attempts = Mapping[uuid.UUID, Sequence[SendAttempt]]


def message_lines(asked: Asked, alerts: Sequence[Alert]) -> list[Line]:
    if not asked.sees(Part.MESSAGES):
        return []
    about = Q(company=asked.duns) | Q(pk__in=_digests(alerts))
    rows = [row for row in asked.rows(OutboxMessage).filter(about) if asked.span.contains(row.created_at, row.sent_at)]
    attempts, names = _attempts(rows), names_of(rows)
    return [_line(row, attempts.get(row.pk, ()), names.get(row.target, "")) for row in rows]


def _digests(alerts: Sequence[Alert]) -> list[uuid.UUID]:
    rows = DigestItem.objects.filter(alert__in=[alert.pk for alert in alerts], digest__isnull=False)
    return sorted({key for key in rows.values_list("digest", flat=True) if key}) if alerts else []


def _attempts(rows: Sequence[OutboxMessage]) -> Attempts:
    found: dict[uuid.UUID, list[SendAttempt]] = defaultdict(list)
    tries = SendAttempt.objects.filter(message__in=[row.pk for row in rows]).order_by("id") if rows else ()
    for one in tries:
        found[one.message_id].append(one)
    return found


def _line(row: OutboxMessage, attempts: Sequence[SendAttempt], name: str) -> Line:
    last = attempts[-1].at if attempts else row.created_at
    recipient = gettext("%(type)s %(name)s") % {"type": row.get_kind_display(), "name": name or gettext("(deleted)")}
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
