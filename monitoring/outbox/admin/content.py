"""What an outgoing message is about: its companies, and the pages of its alert and recipient."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from core.markup import two_lines
from monitoring.models import OutboxMessage, TargetKind
from portfolio.models import Company

PAGES = {
    TargetKind.CHANNEL: "admin:monitoring_channel_change",
    TargetKind.WEBHOOK: "admin:monitoring_webhookendpoint_change",
}


def company_names(rows: Iterable[OutboxMessage]) -> dict[str, str]:
    numbers = {row.company for row in rows if row.company}
    return dict(Company.objects.filter(pk__in=numbers).values_list("pk", "name")) if numbers else {}


def company_text(row: OutboxMessage, names: Mapping[str, str]) -> SafeString | str:
    name = names.get(row.company)
    return two_lines(name, row.company) if name else row.company


def alert_url(row: OutboxMessage) -> str:
    """Empty where the message is not about one alert."""
    try:
        content: Any = json.loads(row.payload)
    except ValueError:
        return ""
    if row.kind != TargetKind.CHANNEL or not isinstance(content, dict):
        return ""
    key = content.get("alert") or content.get("assigned")
    return reverse("admin:monitoring_alert_change", args=[key]) if key else ""


def recipient_url(row: OutboxMessage) -> str:
    page = PAGES.get(TargetKind(row.kind))
    return reverse(page, args=[row.target]) if page else ""
