"""When a registration is due next."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError

from portfolio.models import Cadence, Registration
from portfolio.registrations.schedule import next_due

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


def a_row(**fields: object) -> Registration:
    return Registration(reference="ACME", **fields)


def test_every_so_many_minutes_or_hours() -> None:
    assert next_due(a_row(cadence=Cadence.MINUTES, cadence_every=7), NOON) == NOON + timedelta(minutes=7)
    assert next_due(a_row(cadence=Cadence.HOURS, cadence_every=6), NOON) == NOON + timedelta(hours=6)


def test_never_later_than_48_hours() -> None:
    assert next_due(a_row(cadence=Cadence.HOURS, cadence_every=500), NOON) == NOON + timedelta(hours=48)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-27T05:00:00+00:00", "2026-03-27T06:30:00+00:00"),
        ("2026-03-27T07:00:00+00:00", "2026-03-28T06:30:00+00:00"),
        # Berlin's clocks go forward on 29 March: the local time stays.
        ("2026-03-28T07:00:00+00:00", "2026-03-29T05:30:00+00:00"),
    ],
)
def test_daily_at_a_time_in_a_zone(now: str, due: str) -> None:
    row = a_row(cadence=Cadence.DAILY, cadence_time=time(7, 30), cadence_zone="Europe/Berlin")
    assert next_due(row, datetime.fromisoformat(now)) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"cadence": Cadence.HOURS, "cadence_every": 49}, "48 hours"),
        ({"cadence": Cadence.MINUTES, "cadence_every": 2881}, "48 hours"),
        ({"cadence": Cadence.DAILY, "cadence_time": None}, "Enter the time of day"),
    ],
)
def test_refuses_a_cadence_that_would_lose(fields: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        a_row(**fields).clean()


def test_refuses_an_unknown_zone() -> None:
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        Registration._meta.get_field("cadence_zone").run_validators("Mars/Olympus")
