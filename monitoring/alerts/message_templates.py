"""What is said of alerts, assignments, notices and digests."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.models import Notice
from core.text import counted, moment_text
from core.urls import link
from core.visibility import visible_to
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.elements.formatting import lower_first
from monitoring.models import Alert, AlertItem, AlertKind, Change, Channel, DigestItem, Severity
from monitoring.outbox.addresses import zone_of
from monitoring.outbox.message import LONGEST_SUBJECT, MOST_LINES, Entry, Message
from monitoring.outbox.visibility import alerts_for, scope_of_channel
from portfolio.companies.search import with_companies

MOST_ENTRIES = 100


def subject_of(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1].rstrip() + "…"


def alert_message(channel: Channel, alerts: Sequence[Alert], sequence: int | None) -> Message:
    """About one event's alerts, the heaviest first: all of them, or what one publication brought to them."""
    with timezone.override(zone_of(channel)):
        alert = alerts[0]
        shown, count = _facts_of(channel, alerts, sequence)
        severity = Severity(alert.severity).label
        first = shown[0].text if shown and alert.kind == AlertKind.CHANGE else alert.title
        told = _with_more(first, count - 1) if alert.kind == AlertKind.CHANGE else first
        return Message(
            subject=subject_of(f"[{severity}] {_whose(alerts, told)}"),
            lead=alert.title if alert.kind != AlertKind.CHANGE else _why_again(alerts, sequence),
            entries=[_fact_entry(fact, alert) for fact in shown],
            more=count - len(shown),
            why=_why(alerts),
            url=link("admin:monitoring_alert_change", alert.pk),
            url_words=gettext("View alert"),
        )


def _whose(alerts: Sequence[Alert], text: str) -> str:
    """Owners of other companies of the group receive it, too: it must not read as if theirs had changed."""
    is_of_group = all(alert.rule and alert.rule.group_only for alert in alerts)
    return gettext("Group member %(text)s") % {"text": text} if is_of_group else text


def _facts_of(channel: Channel, alerts: Sequence[Alert], sequence: int | None) -> tuple[list[AlertItem], int]:
    """Those to show, and how many there are; of several alerts, each change once."""
    facts = visible_to(scope_of_channel(channel), AlertItem.objects.filter(alert__in=[alert.pk for alert in alerts]))
    if sequence is not None:
        facts = facts.filter(sequence=sequence)
    ordered = facts.order_by("-severity", "changed_at", "place", "id")
    worse = _worse_facts(channel, alerts, sequence)
    if len(alerts) == 1 and not worse:
        return list(ordered[:MOST_LINES]), facts.count()
    shown = {fact.change: fact for fact in [*worse, *reversed(ordered[: MOST_LINES * len(alerts)])]}
    count = facts.order_by().exclude(change__in=[fact.change for fact in worse]).values("change").distinct().count()
    return list(shown.values())[::-1][:MOST_LINES], count + len(worse)


def _worse_facts(channel: Channel, alerts: Sequence[Alert], sequence: int | None) -> list[AlertItem]:
    """The changes by which alerts got worse, as facts: their rules may take no note of them."""
    keys = {alert.worse_by for alert in alerts if alert.worse_by and alert.worse_at == sequence}
    rows = visible_to(scope_of_channel(channel), Change.objects.filter(pk__in=keys)) if keys else ()
    changes = list(rows)
    with_companies(changes)
    return [
        AlertItem(
            change=line.change.pk, kind=line.change.kind, text=sentence(line), severity=line.change.severity,
            changed_at=line.change.changed_at,
        )
        for line in lines_of(changes)
    ]  # fmt: skip


def _why_again(alerts: Sequence[Alert], sequence: int | None) -> str:
    """Nothing where somebody has acknowledged it since then."""
    reasons = (alert.reopened_because for alert in alerts if alert.worse_at == sequence)
    reason = next(filter(None, reasons), "")
    return gettext("Reopened: the situation got worse. %(reason)s") % {"reason": reason} if reason else ""


def _why(alerts: Sequence[Alert]) -> str:
    names = list(dict.fromkeys(alert.rule_name for alert in alerts))
    if len(names) == 1:
        return gettext("Raised by the rule “%(rule)s”. %(reason)s") % {"rule": names[0], "reason": alerts[0].reason}
    quoted = [gettext("“%(name)s”") % {"name": name} for name in names]
    rules = gettext("%(names)s and %(name)s") % {"names": ", ".join(quoted[:-1]), "name": quoted[-1]}
    return gettext("Raised by the rules %(rules)s. %(reason)s") % {"rules": rules, "reason": alerts[0].reason}


def assignment_message(channel: Channel, alerts: Sequence[Alert], by: str) -> Message:
    """To whoever is to look after alerts: what they are about, and who says so."""
    if len(alerts) > 1:
        return _assignments_message(channel, alerts, by)
    message = alert_message(channel, alerts, None)
    subject, lead = gettext("Assigned to you: %(alert)s"), gettext("%(person)s assigned this alert to you.")
    if by == PROGRAM:
        subject, lead = gettext("Escalated to you: %(alert)s"), gettext("This alert is overdue.")
    subject, lead = subject % {"alert": message.subject}, lead % {"person": by}
    return replace(message, subject=subject_of(subject), lead=lead)


def _assignments_message(channel: Channel, alerts: Sequence[Alert], by: str) -> Message:
    """About alerts that were assigned together, the most severe first."""
    subject, lead = gettext("Assigned to you: %(alerts)s"), gettext("%(person)s assigned these alerts to you.")
    if by == PROGRAM:
        subject, lead = gettext("Escalated to you: %(alerts)s"), gettext("These alerts are overdue.")
    with timezone.override(zone_of(channel)):
        return Message(
            subject=subject_of(subject % {"alerts": _counts_text(len(alerts), 0)}),
            lead=lead % {"person": by},
            entries=_alert_entries(alerts)[:MOST_ENTRIES],
            more=max(len(alerts) - MOST_ENTRIES, 0),
            url=link("admin:monitoring_alert_changelist"),
            url_words=gettext("View alerts"),
        )


def _fact_entry(fact: AlertItem, alert: Alert) -> Entry:
    """A rule may give its alerts another severity than the change has: then the word says whose it is."""
    severity = Severity(fact.severity)
    when = "" if fact.kind == "baseline" else moment_text(fact.changed_at)
    own = str(severity.label)
    label = own if severity == alert.severity else gettext("%(severity)s-severity change") % {"severity": own}
    return Entry(fact.text, label, severity.name.lower(), when=when)


def notice_message(channel: Channel, notice: Notice) -> Message:
    url = notice.url if "://" in notice.url else link("admin:index").rstrip("/") + notice.url if notice.url else ""
    return Message(subject_of(notice.subject), notice.text, url=url, url_words=gettext("View details") if url else "")


def test_message(channel: Channel) -> Message:
    return Message(
        subject=gettext("Test message for channel “%(name)s”") % {"name": channel.name},
        lead=gettext("This is a test. D&B Monitoring can send messages to this channel."),
        url=link("admin:monitoring_alert_changelist"),
        url_words=gettext("View alerts"),
    )


def digest_message(channel: Channel, digest: uuid.UUID, due: datetime) -> Message:
    """Everything that waited, the heaviest first."""
    with timezone.override(zone_of(channel)):
        items = list(DigestItem.objects.filter(channel=channel, digest=digest).order_by("created_at", "id"))
        alerts = alerts_for(channel, {item.alert_id for item in items if item.alert_id})
        as_seen_by(scope_of_channel(channel), list(alerts.values()))
        notices = visible_to(scope_of_channel(channel), Notice.objects.all()).in_bulk(
            [item.notice for item in items if item.notice]
        )
        entries = [*_alert_entries(alerts.values()), *_notice_entries(notices.values())]
        return Message(
            subject=subject_of(f"{_counts_text(len(alerts), len(notices))}, {moment_text(due)}"),
            lead=_summary(list(alerts.values())),
            entries=entries[:MOST_ENTRIES],
            more=max(len(entries) - MOST_ENTRIES, 0),
            url=link("admin:monitoring_alert_changelist"),
            url_words=gettext("View alerts"),
        )


def _counts_text(alerts: int, notices: int) -> str:
    """ "3 alerts and 1 notice"."""
    some = ngettext("%(count)s alert", "%(count)s alerts", alerts) % {"count": counted(alerts)}
    others = ngettext("%(count)s notice", "%(count)s notices", notices) % {"count": counted(notices)}
    if alerts and notices:
        return gettext("%(alerts)s and %(notices)s") % {"alerts": some, "notices": others}
    return (some if alerts else others) if alerts or notices else gettext("No changes")


def _with_more(text: str, more: int) -> str:
    if more <= 0:
        return text
    told = ngettext("%(text)s, and %(count)s more change", "%(text)s, and %(count)s more changes", more)
    return told % {"text": text, "count": counted(more)}


def _summary(alerts: Sequence[Alert]) -> str:
    counts = {severity: sum(alert.severity == severity for alert in alerts) for severity in reversed(Severity)}
    return ", ".join(
        f"{counted(count)} {lower_first(str(severity.label))}" for severity, count in counts.items() if count
    )


def _alert_entries(alerts: Iterable[Alert]) -> list[Entry]:
    ordered = sorted(alerts, key=lambda alert: (-alert.severity, alert.raised_at, alert.pk))
    return [_alert_entry(alert) for alert in ordered]


def _alert_entry(alert: Alert) -> Entry:
    severity = Severity(alert.severity)
    more = alert.fact_count - 1 if alert.kind == AlertKind.CHANGE else 0
    told = ngettext("%(title)s, and %(count)s more change", "%(title)s, and %(count)s more changes", more)
    text = _whose([alert], told % {"title": alert.title, "count": counted(more)} if more > 0 else alert.title)
    url = link("admin:monitoring_alert_change", alert.pk)
    note = alert.reversal or alert.reopened_because
    return Entry(text, str(severity.label), severity.name.lower(), url, moment_text(alert.happened_at), note)


def _notice_entries(notices: Iterable[Notice]) -> list[Entry]:
    ordered = sorted(notices, key=lambda notice: (notice.created_at, notice.pk))
    return [Entry(f"{notice.subject}. {notice.text}", when=moment_text(notice.created_at)) for notice in ordered]
