"""Who was notified of an alert or a change and who acknowledged it, and when: also that no message was sent, and that
no user has acknowledged it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.visibility import is_restricted
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Detail, Lack
from monitoring.dossier.messages import Messages
from monitoring.dossier.reader import Part
from monitoring.models import Alert, Change, MessageState, OutboxMessage, Severity
from monitoring.retention.retention import LEAST_DAYS


@dataclass(frozen=True, slots=True)
class Reacted:
    """Of an alert or a change: what its line states, and what is missing."""

    details: tuple[Detail, ...] = ()
    lacks: frozenset[Lack] = frozenset()


@dataclass(frozen=True, slots=True)
class Reactions:
    """`by_change`: the alerts that a change raised, as far as the reader sees them; `reopened`: the alerts that have
    forgotten who had acknowledged them."""

    asked: Asked
    messages: Messages
    by_change: Mapping[uuid.UUID, Sequence[Alert]] = field(default_factory=dict)
    reopened: frozenset[uuid.UUID] = frozenset()

    def to_alert(self, alert: Alert) -> Reacted:
        sent = self._notified([alert], self.messages.of_alerts.get(alert.pk, ()), alert.raised_at)
        taken = self._acknowledged([alert])
        if taken.lacks:
            words = gettext("No user has acknowledged this alert.")
            since = gettext("No user has acknowledged this alert since it was reopened.")
            taken = _with_words(taken, since if alert.pk in self.reopened else words)
        return _both(sent, taken)

    def to_change(self, change: Change) -> Reacted:
        """Of changes that users are expected to see: severe ones, and all others that somebody was notified of."""
        alerts = self.by_change.get(change.pk, ())
        rows = [*self.messages.of_changes.get(change.pk, ())]
        if not self.asked.sees(Part.ALERTS) or not (change.severity >= Severity.HIGH or alerts or rows):
            return Reacted()
        rows += [row for alert in alerts for row in self.messages.of_alerts.get(alert.pk, ())]
        return _both(self._notified(alerts, rows, change.recorded_at), self._of_alerts(alerts))

    def _of_alerts(self, alerts: Sequence[Alert]) -> Reacted:
        if not alerts:
            words = gettext("No user has acknowledged this change: no alert was raised.")
            return _with_words(Reacted(), words)
        taken = self._acknowledged(alerts)
        if not taken.lacks:
            return taken
        since = gettext("No user has acknowledged this change since its alert was reopened.")
        is_reopened = any(alert.pk in self.reopened for alert in alerts)
        return _with_words(taken, since if is_reopened else gettext("No user has acknowledged this change."))

    def _acknowledged(self, alerts: Sequence[Alert]) -> Reacted:
        taken = [alert for alert in alerts if alert.acknowledged_at]
        details = [*map(_acknowledgment, taken), *map(_closing, (alert for alert in alerts if alert not in taken))]
        lacks = frozenset() if taken else frozenset({Lack.ACKNOWLEDGMENT})
        return Reacted(tuple(filter(None, details)), lacks)

    def _notified(self, alerts: Sequence[Alert], rows: Sequence[OutboxMessage], since: datetime) -> Reacted:
        if not self.asked.sees(Part.MESSAGES):
            return Reacted()
        details = tuple(self._recipients(rows))
        if any(row.state == MessageState.SENT for row in rows):
            return Reacted(details)
        if any(alert.company_id is None for alert in alerts):
            words = gettext("Messages about a summary of several companies are not listed in a dossier.")
            return Reacted(((gettext("Notified"), words), *details))
        if days := days_kept(since):
            words = gettext("No message is kept. Messages are deleted after %(days)s.") % {"days": plurals.days(days)}
            return Reacted(((gettext("Notified"), words), *details))
        words = gettext("No message was sent.")
        if is_restricted(self.asked.reader.actor):
            words = gettext("No message was sent to the channels and webhooks of your business units.")
        return Reacted(((gettext("Notified"), words), *details), frozenset({Lack.MESSAGE}))

    def _recipients(self, rows: Sequence[OutboxMessage]) -> Iterator[Detail]:
        """Each recipient with the first message that was sent; otherwise with what became of the last."""
        in_order = sorted(rows, key=lambda row: row.sent_at or row.created_at)
        sent = {row.target: row for row in reversed(in_order) if row.state == MessageState.SENT}
        unsent = {row.target: row for row in in_order if row.target not in sent}
        for row in reversed(sent.values()):
            yield gettext("Notified: %(name)s") % {"name": self.messages.recipient(row)}, row.sent_at or row.created_at
        for row in unsent.values():
            label = gettext("Message to %(name)s") % {"name": self.messages.recipient(row)}
            yield label, str(MessageState(row.state).label)


def days_kept(since: datetime) -> int:
    """After how many days messages are deleted; 0 where those since then are kept."""
    days = max(settings.RECORDS_KEEP_DAYS, LEAST_DAYS) if settings.RECORDS_KEEP_DAYS else 0
    return days if days and since < timezone.now() - timedelta(days=days) else 0


def _acknowledgment(alert: Alert) -> Detail | None:
    label = gettext("Acknowledged by %(who)s") % {"who": alert.acknowledged_by}
    return (label, alert.acknowledged_at) if alert.acknowledged_at else None


def _closing(alert: Alert) -> Detail | None:
    if not alert.closed_at:
        return None
    if alert.closed_by == PROGRAM:
        return gettext("Closed automatically"), alert.closed_at
    return gettext("Closed by %(who)s without acknowledgment") % {"who": alert.closed_by}, alert.closed_at


def _with_words(found: Reacted, words: str) -> Reacted:
    return Reacted(((gettext("Acknowledged"), words), *found.details), frozenset({Lack.ACKNOWLEDGMENT}))


def _both(first: Reacted, second: Reacted) -> Reacted:
    return Reacted((*first.details, *second.details), first.lacks | second.lacks)
