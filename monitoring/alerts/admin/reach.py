"""What a channel takes, and whom a rule notifies, in words for their lists and pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from core.actors import is_invited, person_text
from core.markup import badge, two_lines
from core.outbound.mail_server import has_mail_server, mail_server_context, no_server_text
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
    if not taken:
        return _without_rules(row)
    if row.last_sent_at is None:
        return gettext("Not tested"), "info", gettext("No message has been sent to this channel. Send a test message.")
    return gettext("OK"), "good", ""


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


def recipients_of(rule: AlertRule, reach: Reach, people: Sequence[Any]) -> tuple[str, str]:
    """Whom a rule's alerts reach beside the inbox, and its recipients who get no email, each with the reason."""
    channels = [channel.name for channel in reach.channels_of(rule)]
    found = [few(channels)] if channels else []
    unreached: list[str] = []
    for name, why, note in _recipients(rule, reach, people):
        notes = ", ".join(filter(None, [why, note]))
        (unreached if why else found).append(f"{name} ({notes})" if notes else name)
    return ", ".join(found), ", ".join(unreached)


def _recipients(rule: AlertRule, reach: Reach, people: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    """The users of a rule, and the owner: a name, why they get no message, and what else is in their way."""
    known = {text: person for person in people for text in (person.get_username(), person.email)}
    for name in split(rule.notify_users):
        if person := known.get(name):
            invited = gettext("invitation not accepted, so cannot view alerts yet") if is_invited(person) else ""
            yield person_text(person), _why_unreached(person, reach), invited
        else:
            yield name, gettext("not an active user who can view alerts"), ""
    if rule.notify_owner:
        yield gettext("the company's owner"), "" if has_mail_server() else _no_server(), ""


def _why_unreached(person: Any, reach: Reach) -> str:
    if reach.has_way_to(person):
        return ""
    if not has_mail_server():
        return _no_server()
    has_own = any(channel.person_id == person.pk for channel in reach.channels)
    return gettext("address not confirmed yet") if has_own else gettext("no email address and no own channel")


def _no_server() -> str:
    return gettext("no email server is set up")


def recipients_cell(row: Any) -> SafeString | str:
    """Of a rule in the list; its recipients as `recipients_of` has found them."""
    reached, unreached = row.recipients
    below = gettext("Not emailed: %(names)s") % {"names": unreached} if unreached else ""
    if row.channels or row.notify_users:
        return two_lines(reached or gettext("No notifications"), below) if below else reached
    word = gettext("Owners only") if row.notify_owner else gettext("No notifications")
    found = badge(word, "warn" if row.active else "calm", gettext("No channel receives these alerts"))
    return two_lines(found, below) if below else found


def recipients_context(row: AlertRule, reach: Reach) -> dict[str, Any]:
    """For the page of a rule and its test on history."""
    people = people_of([row]).get(row.pk, [])
    waiting = reach.waiting_of(row)
    reached, unreached = recipients_of(row, reach, people)
    emails = unreached or any(channel.pk in reach.muted for channel in waiting)
    return {
        "notified": reached,
        "not_emailed": unreached,
        "has_channels": bool(reach.channels_of(row) or people or waiting),
        **(mail_server_context() if emails else {}),
    }


def waiting_texts(channels: Sequence[Channel], reach: Reach) -> list[str]:
    """Of channels that take a rule's alerts, and by which nobody gets them yet."""
    return [_when_it_receives(channel, reach) % {"channel": channel.name} for channel in channels]


def _when_it_receives(channel: Channel, reach: Reach) -> str:
    if channel.pk in reach.muted:
        return gettext("“%(channel)s” will receive its alerts once an email server is set up.")
    return gettext("“%(channel)s” will receive its alerts once the address is confirmed.")


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
