"""Rules, channels and news for the tests of alerts."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.addressing import mail_addresses, set_address
from monitoring.alerting import raise_alerts
from monitoring.models import AlertRule, Channel, Delivery, RuleChannel, Severity, content_key
from monitoring.permitted_addresses import confirm
from tests.builders import DUNS, an_element, an_update, stamp

OTHER = "150483782"
STATUS = "organization.dunsControlStatus.operatingStatus"
BANKRUPTCY = "organization.legalEvents.hasOpenBankruptcy"
PERCENTILE = "organization.dnbAssessment.failureScore.nationalPercentile"
ACTIVE, OUT = {"description": "Active", "dnbCode": 9074}, {"description": "Out of business", "dnbCode": 403}


def a_rule(name: str = "Out of business", **fields: Any) -> AlertRule:
    """The only rule there is, unless others were made before by it: the ready pack is put aside."""
    AlertRule.objects.exclude(pack="").delete()
    return AlertRule.objects.create(name=name, **{"active": True, "severity": Severity.CRITICAL, **fields})


def a_channel(*rules: AlertRule, address: str = "ann@example.com", **fields: Any) -> Channel:
    """One that takes whatever these rules raise, and nothing else."""
    narrow = {"all_rules": False, "minimum": Severity.NOISE, "created_at": timezone.now() - timedelta(hours=1)}
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


def soon() -> Any:
    return timezone.now() + timedelta(seconds=55)


def raised() -> int:
    return raise_alerts(soon())


def now_stamp(**later: float) -> str:
    """Just now, as D&B writes it: what is a week old raises no message."""
    return stamp(timezone.now(), **later)


def news(element: str = STATUS, previous: Any = ACTIVE, current: Any = OUT, duns: str = DUNS, **later: float) -> Any:
    """An update that happened just now."""
    at = now_stamp(**later)
    return an_update(an_element(element, previous, current, at), duns=duns, delivered=at)


def publication_of(delivery: Delivery) -> Any:
    return delivery.publication
