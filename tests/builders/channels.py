"""Channels of alerts, as rows and as the form sends them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.models import AlertRule, Channel, RuleChannel, Severity, content_key
from monitoring.outbox.addresses import mail_addresses, set_address
from monitoring.outbox.permitted_addresses import confirm


def a_channel(*rules: AlertRule, address: str = "ann@example.com", **fields: Any) -> Channel:
    """One that takes whatever these rules raise, and nothing else."""
    narrow = {"all_rules": False, "min_severity": Severity.NOISE, "created_at": timezone.now() - timedelta(hours=1)}
    channel = Channel(**{"name": "Mail", **narrow, **fields})
    set_address(channel, address)
    channel.save(force_insert=True)
    said_yes(address)
    for rule in rules:
        listen(rule, channel)
    return channel


def said_yes(address: str) -> None:
    """Whoever reads there was asked, and wants messages."""
    for one in mail_addresses(address):
        confirm(one)


def listen(rule: AlertRule, channel: Channel) -> None:
    RuleChannel.objects.create(id=content_key("rule channel", rule.pk, channel.pk), rule=rule, channel=channel)


def channel_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Mine",
        "address": "ann@example.com",
        "active": "on",
        "min_severity": Severity.NOISE.value,
        "frequency": "at_once",
        "digest_day": 0,
        **fields,
    }
