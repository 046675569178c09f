"""Alerts, as plain rows and as rules raise them."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.alerts.evaluate import raise_alerts
from monitoring.models import Alert, Severity
from portfolio.models import Company
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import STATUS
from tests.builders.notifications import a_seed, news
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp, soon


def an_alert(sequence: int = 0, **columns: Any) -> Alert:
    """A row, without what it came from."""
    Company.objects.get_or_create(duns=columns.get("company_id") or DUNS)
    moment = timezone.now() - timedelta(days=sequence)
    told: dict[str, Any] = {"rule_name": "Out of business", "title": f"alert {sequence}", "reason": "because"}
    told |= {"company_id": DUNS, "severity": Severity.CRITICAL, "sequence": 1, "fact_count": 1, "id": uuid.uuid4()}
    times = dict.fromkeys(("happened_at", "raised_at", "rate_window"), moment)
    return Alert.objects.create(**{**told, **times, **columns})


def a_raised_alert(**fields: Any) -> Alert:
    """One that a rule raised, of two pieces of news."""
    a_rule(**{"elements": STATUS, "conditions": "becomes 403", **fields})
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)), news(), news("organization.telephone", [], ["1"]))
    raised()
    return Alert.objects.get(company=DUNS)


def raised() -> int:
    return raise_alerts(soon())
