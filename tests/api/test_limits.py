"""How often a key may call."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.api.programs import Program, a_person

pytestmark = pytest.mark.django_db


def test_more_than_a_minutes_number_is_refused_until_it_may(a_program: Callable[..., Program]) -> None:
    program, other = a_program(calls_per_minute=3), a_program(calls_per_minute=3)
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        assert [program.get("event-types/").status_code for _ in range(3)] == [200, 200, 200]
        answer = program.get("event-types/")
        assert answer.status_code == 429
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["Retry-After"] == "20"
        assert answer.json()["type"].endswith("#too-many-requests")
        assert other.get("event-types/").status_code == 200, "each key has its own"
        clock.shift(timedelta(seconds=19))
        assert program.get("event-types/").status_code == 429
        clock.shift(timedelta(seconds=2))
        assert program.get("event-types/").status_code == 200
        assert program.get("event-types/").status_code == 429
        clock.shift(timedelta(minutes=5))
        assert [program.get("event-types/").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_no_limit(a_program: Callable[..., Program]) -> None:
    program = a_program(calls_per_minute=0)
    assert {program.get("event-types/").status_code for _ in range(20)} == {200}


def test_people_are_not_counted(db: None) -> None:
    person = a_person("monitoring.view_webhookendpoint")
    assert {person.get("event-types/").status_code for _ in range(5)} == {200}
