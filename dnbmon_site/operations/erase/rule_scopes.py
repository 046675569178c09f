"""Rules and webhooks for what is forgotten: one whose last name goes would be for everything, so it is switched off."""

from __future__ import annotations

import re

from monitoring.models import AlertRule, WebhookEndpoint
from portfolio.models import Registration

REASON = "Disabled: all its companies or registrations were erased. Without them it would apply to everything."


def narrow(column: str, name: str) -> int:
    """Take the name out of rules (and webhooks, where they have such a column); how many held it."""
    count = 0
    for model in (AlertRule, WebhookEndpoint) if column == "companies" else (AlertRule,):
        for row in model._default_manager.filter(**{f"{column}__contains": name}):
            kept = [one for one in re.split(r"[,\s]+", getattr(row, column)) if one and one != name]
            columns: dict[str, object] = {column: "\n".join(kept) if column == "registrations" else ", ".join(kept)}
            columns |= {} if kept else switched_off(row)
            model._default_manager.filter(pk=row.pk).update(**columns)
            count += 1
    return count


def switched_off(row: AlertRule | WebhookEndpoint) -> dict[str, object]:
    if isinstance(row, AlertRule):
        return {"active": False, "description": f"{row.description}\n{REASON}".strip()}
    return {"is_active": False, "off_reason": REASON}


def release_webhooks(registration: Registration) -> int:
    rows = WebhookEndpoint.objects.filter(registration=registration)
    return rows.update(registration=None, is_active=False, off_reason=REASON)
