"""Alerts by the time at which they were raised, as the inbox shows them: of every kind and state, late ones too."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from monitoring.models import Alert


def raised_between(alerts: QuerySet[Alert], start: datetime | None, end: datetime | None = None) -> QuerySet[Alert]:
    """From `start` on, and before `end`."""
    found = alerts.filter(raised_at__gte=start) if start else alerts
    return found.filter(raised_at__lt=end) if end else found
