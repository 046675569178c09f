"""What a channel takes, and whom a rule notifies, in words for their lists and pages."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, ngettext

from core.actors import person_text
from core.outbound.mail_server import no_server_text
from core.text import counted
from monitoring.alerts.reach import Reach, people_of
from monitoring.alerts.rules import few, split
from monitoring.elements.formatting import lower_first
from monitoring.models import AlertRule, Channel, Severity
from monitoring.outbox.permitted_addresses import waits_for, why_refused


def status_of(row: Channel, taken: Sequence[AlertRule], reach: Reach) -> tuple[str, str, str]:
    """A word, its tone, and why; `taken` are the rules whose alerts come here."""
    if row.unsubscribed_at:
        return gettext("Unsubscribed"), "warn", gettext("A recipient used the “Unsubscribe” link.")
    if not row.active:
        return gettext("Disabled"), "calm", ""
    if why := why_refused(row):
        return gettext("Disabled"), "bad", why
    if row.pk in reach.asked:
        return gettext("Awaiting confirmation"), "warn", waits_for(reach.asked[row.pk])
    if row.pk in reach.muted:
        return gettext("Not sent"), "bad", no_server_text()
    if row.last_error:
        return gettext("Error"), "bad", row.last_error
    return (gettext("OK"), "good", "") if taken else _without_rules(row)


def _without_rules(row: Channel) -> tuple[str, str, str]:
    if row.person:
        why = gettext(
            "No rule sends alerts here. %(person)s receives only assigned alerts and alerts about companies they own."
        )
        return gettext("Own alerts only"), "info", why % {"person": row.person}
    if row.notices:
        return (
            gettext("Notices only"),
            "info",
            gettext("No rule sends alerts here. Only problems of D&B Monitoring and portfolio notices are sent."),
        )
    return (
        gettext("No alerts"),
        "warn",
        gettext(
            "No rule sends alerts here, so nothing is sent. Select this channel in a rule, or turn on “All rules”."
        ),
    )


def received_text(row: Channel, taken: Sequence[AlertRule]) -> str:
    """All that is sent to a channel."""
    found = [gettext("Alerts from %(rules)s") % {"rules": _rules_text(row, taken)}] if taken else []
    if row.person:
        found.append(gettext("Alerts assigned to %(person)s and about companies they own") % {"person": row.person})
    if row.notices:
        found.append(gettext("Problems of D&B Monitoring, and portfolio notices"))
    return "; ".join(found) or gettext("No alerts")


def _rules_text(row: Channel, taken: Sequence[AlertRule]) -> str:
    if row.all_rules:
        return gettext("all rules of severity %(severity)s: %(names)s") % {
            "severity": severity_from(row.min_severity),
            "names": few([rule.name for rule in taken]),
        }
    return few([rule.name for rule in taken])


def severity_from(least: int) -> str:
    """ "high or higher", and “critical” alone, as nothing is higher."""
    word = lower_first(str(Severity(least).label))
    return word if least == max(Severity) else gettext("%(severity)s or higher") % {"severity": word}


def waiting_text(count: int) -> str:
    """What has come together for a digest."""
    if not count:
        return gettext("no entries yet; an empty digest is not sent")
    return ngettext("%(count)s entry so far", "%(count)s entries so far", count) % {"count": counted(count)}


def offered(reach: Reach, row: Channel) -> list[AlertRule]:
    """The rules whose alerts a channel without any could take."""
    return [rule for rule in reach.rules if rule.severity >= row.min_severity]


def channels_text(rule: AlertRule, channels: Sequence[Channel]) -> str:
    """Whom a rule's alerts reach beside the inbox; nothing where that is nobody."""
    names = few([channel.name for channel in channels]) if channels else ""
    owner = gettext("the company's owner") if rule.notify_owner else ""
    return ", ".join(filter(None, [names, *split(rule.notify_users), owner]))


def waiting_texts(channels: Sequence[Channel], reach: Reach) -> list[str]:
    """Of channels that take a rule's alerts, and by which nobody gets them yet."""
    return [_when_it_receives(channel, reach) % {"channel": channel.name} for channel in channels]


def _when_it_receives(channel: Channel, reach: Reach) -> str:
    if channel.pk in reach.muted:
        return gettext("“%(channel)s” will receive its alerts once an email server is set up.")
    return gettext("“%(channel)s” will receive its alerts once the address is confirmed.")


def no_address_texts(rule: AlertRule, reach: Reach) -> list[str]:
    """Of the users of a rule who have neither an email address nor a channel of their own."""
    reached = {channel.person_id for channel in reach.channels}
    words = gettext("%(person)s has no email address and no own channel, so sees these alerts only under Alerts.")
    people = people_of([rule]).get(rule.pk, [])
    return [words % {"person": person_text(one)} for one in people if not one.email and one.pk not in reached]


def below_severity_texts(rule: AlertRule, channels: Sequence[Channel]) -> list[str]:
    """Of channels that are ticked in a rule and take only heavier alerts."""
    words = gettext(
        "“%(channel)s” only receives alerts of severity %(min_severity)s. "
        "This rule's alerts are %(severity)s, so they are not sent there."
    )
    return [
        words
        % {
            "channel": channel.name,
            "min_severity": severity_from(channel.min_severity),
            "severity": lower_first(str(Severity(rule.severity).label)),
        }
        for channel in channels
    ]
