"""Moments, and how D&B writes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

MOMENT = datetime(2026, 1, 7, 1, 23, 13, tzinfo=UTC)


def stamp(moment: datetime = MOMENT, /, **later: float) -> str:
    """`stamp(hours=2)`: two hours after the moment, as D&B writes it."""
    return (moment + timedelta(**later)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_stamp(**later: float) -> str:
    """Just now, as D&B writes it: what is a week old raises no message."""
    return stamp(timezone.now(), **later)


def soon() -> Any:
    return timezone.now() + timedelta(seconds=55)


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)
