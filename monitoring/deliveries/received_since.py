"""From when on there is data: what a list, a chart or a test on history says about the time before."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import recent_count
from core.text import day_text


def received_since() -> datetime | None:
    """When the first data of D&B arrived, as counted last."""
    since = recent_count("in_use").get("since")
    return datetime.fromisoformat(since) if since else None


def incomplete_text(since: datetime | None, first: date) -> str:
    """For what begins on an earlier day than the data does."""
    if since is None or since.date() <= first:
        return ""
    words = gettext("Notifications have been received since %(day)s. Changes on the days before may be missing.")
    return words % {"day": day_text(timezone.localtime(since).date())}
