"""Alerts about the company, and what users did with them: also what a reopened alert no longer shows."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from core.actors import person_text
from core.models import AuditEntry
from core.text import moment_text
from monitoring.alerts.actions import closing_words, reopened_words
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.facts.seen import as_seen_by, comments_seen_by
from monitoring.alerts.undo import open_again_words
from monitoring.company_page.timeline import without_company
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Line, Source, Topic, Work, source_of
from monitoring.dossier.reactions import Reacted, Reactions
from monitoring.dossier.reader import Part
from monitoring.models import Alert, AlertComment, AlertItem, AlertState, CloseReason, Severity

REOPEN = "alert.reopen"
REOPENINGS = frozenset({REOPEN, "alert.worse"})


def read_alerts(asked: Asked) -> tuple[list[Alert], dict[uuid.UUID, list[Alert]]]:
    """Also summaries of many alerts with a change of the company among them; and those of each change."""
    if not asked.sees(Part.ALERTS):
        return [], {}
    items = list(asked.rows(AlertItem).filter(company=asked.duns).values_list("alert", "change", "alert__company"))
    summaries = sorted({alert for alert, _, company in items if company is None})
    rows = asked.rows(Alert).filter(Q(company=asked.duns) | Q(pk__in=summaries))
    found = list(rows.select_related("assignee").order_by("raised_at", "id"))
    as_seen_by(asked.reader.actor, found)
    changes: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for key, change, _ in items:
        changes[key].add(change)
    by_change: dict[uuid.UUID, list[Alert]] = defaultdict(list)
    for alert in found:
        for change in changes[alert.pk]:
            by_change[change].append(alert)
    return found, by_change


def alert_lines(asked: Asked, alerts: Sequence[Alert], reactions: Reactions) -> Iterator[Line]:
    for alert in alerts:
        yield _raised(alert, reactions.to_alert(alert))
        source = source_of(Alert, alert.pk)
        yield from _acts(f"{alert.pk.hex}", _columns(alert), source)
        yield from _other_acts(alert, source)
    for comment in comments_seen_by(asked.reader.actor, alerts):
        yield _comment(comment)


def _comment(row: AlertComment) -> Line:
    """A snooze is known by its comment: the alert itself forgets it when it returns."""
    source = source_of(AlertComment, row.pk, page=(Alert, row.alert_id))
    if end := row.snoozed_until:
        text = gettext("Alert snoozed until %(moment)s") % {"moment": moment_text(end)}
        line = _act(row.pk.hex, row.at, text, row.by, source)
        return replace(line, details=((gettext("Comment"), row.text),))
    if row.text in (reopened_words(), open_again_words()):
        # The program's own words for an act that has a line of its own.
        return replace(_act(row.pk.hex, row.at, row.text, row.by, source), is_minor=True)
    line = _act(row.pk.hex, row.at, _comment_text(row.text), row.by, source)
    return line if row.by == PROGRAM else replace(line, work=Work.COMMENT)


def _comment_text(text: str) -> str:
    for reason in CloseReason:
        if text.startswith(words := closing_words(reason)):
            return gettext("Comment on closing: %(text)s") % {"text": text.removeprefix(words).strip()}
    return gettext("Comment: %(text)s") % {"text": text}


def _raised(alert: Alert, reacted: Reacted) -> Line:
    text = without_company(alert.title, alert.company_id) if alert.company_id else alert.title
    return Line(
        at=alert.raised_at,
        topic=Topic.ALERT,
        key=alert.pk.hex,
        text=gettext("Alert raised: %(title)s") % {"title": text},
        details=(
            (gettext("Alert rule"), alert.rule_name),
            (gettext("Reason"), alert.reason),
            (gettext("Date of change"), alert.happened_at),
            *reacted.details,
        ),
        sources=(source_of(Alert, alert.pk),),
        severity=Severity(alert.severity),
        lacks=reacted.lacks,
        state=_state_of(alert),
    )


def _state_of(alert: Alert) -> str:
    if alert.state == AlertState.CLOSED and alert.close_reason:
        return gettext("Closed: %(reason)s") % {"reason": CloseReason(alert.close_reason).label}
    return str(AlertState(alert.state).label)


def _columns(alert: Alert) -> Mapping[str, Any]:
    names = ("acknowledged_at", "acknowledged_by", "closed_at", "closed_by", "close_reason")
    return {name: getattr(alert, name) for name in names}


def noted_lines(entry: AuditEntry) -> Iterator[Line]:
    """What the audit log says of an alert. One that is open again has forgotten who had acknowledged and closed it."""
    source = source_of(AuditEntry, entry.pk)
    before = json.loads(entry.before or "{}")
    times = {name: parse_datetime(before.get(name) or "") for name in ("acknowledged_at", "closed_at")}
    yield from _acts(f"{entry.pk.hex}", {**before, **times}, source)
    text = gettext("Alert reopened") if entry.action == REOPEN else entry.summary
    yield _act(entry.pk.hex, entry.at, text, entry.actor, source)


def _acts(key: str, columns: Mapping[str, Any], source: Source) -> Iterator[Line]:
    if moment := columns.get("acknowledged_at"):
        yield _act(f"{key}1", moment, gettext("Alert acknowledged"), columns["acknowledged_by"], source)
    if moment := columns.get("closed_at"):
        reason = columns.get("close_reason")
        text = gettext("Alert closed: %(reason)s") % {"reason": CloseReason(reason).label} if reason else ""
        yield _act(f"{key}2", moment, text or gettext("Alert closed"), columns["closed_by"], source)


def _other_acts(alert: Alert, source: Source) -> Iterator[Line]:
    if alert.assigned_at and alert.assignee:
        text = gettext("Alert assigned to %(person)s") % {"person": person_text(alert.assignee)}
        line = _act(f"{alert.pk.hex}0", alert.assigned_at, text, alert.assigned_by, source)
        yield replace(line, work=Work.ASSIGNMENT)
    if alert.reversed_at:
        yield _act(f"{alert.pk.hex}3", alert.reversed_at, alert.reversal, "", source)


def _act(key: str, at: datetime, text: str, who: str, source: Source) -> Line:
    return Line(at=at, topic=Topic.HANDLING, key=key, text=text, who=who, sources=(source,))
