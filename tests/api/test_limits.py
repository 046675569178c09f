"""How often a key may call."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from dnbmon_site.accounts.models import ApiKey
from dnbmon_site.accounts.rate_limit import spend
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration

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


def test_each_answer_says_how_many_calls_are_left(a_program: Callable[..., Program]) -> None:
    """Whatever becomes of a call: it has counted."""
    program = a_program(calls_per_minute=9)
    paths = ["event-types/", "event-types", "changes/?limit=0", "alerts/", "companies/1/", "nothing/"]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = [program.client.get(f"/api/v1/{path}", headers=program.headers) for path in paths]
        answers.append(program.post("changes/"))
        answers.append(program.client.get("/api/schema/", headers=program.headers))
        answers.append(program.client.get("/api/v1/changes/", headers={**program.headers, "Accept": "text/html"}))
        answers.append(program.get("event-types/"))
        assert [answer.status_code for answer in answers] == [200, 200, 400, 403, 404, 404, 405, 200, 406, 429]
        assert {answer["RateLimit-Limit"] for answer in answers} == {"9"}
        assert [answer["RateLimit-Remaining"] for answer in answers] == list("8765432100")
        assert [answer["RateLimit-Reset"] for answer in answers] == [
            "7",
            "14",
            "20",
            "27",
            "34",
            "40",
            "47",
            "54",
            "60",
            "60",
        ]
        clock.shift(timedelta(seconds=60))
        assert program.get("event-types/")["RateLimit-Remaining"] == "8", "as RateLimit-Reset said"


@pytest.mark.parametrize("number", [1, 7, 11, 59, 601])
def test_all_of_a_minutes_calls_may_come_at_once(a_program: Callable[..., Program], number: int) -> None:
    a_program(calls_per_minute=number)
    key = ApiKey.objects.get()
    with time_machine.travel(timezone.now(), tick=False):
        paces = [spend(key) for _ in range(number + 1)]
    assert [pace.left for pace in paces if pace] == [*range(number - 1, -1, -1), 0]
    assert [bool(pace.wait) for pace in paces if pace] == [False] * number + [True]


def test_an_answer_that_is_given_again_counts_too(a_program: Callable[..., Program]) -> None:
    a_registration()
    program = a_program(scopes="pull", calls_per_minute=2)
    statuses = [program.post("registrations/ACME_LOD_01/pull/", word="a").status_code for _ in range(3)]
    assert statuses == [202, 202, 429]


def test_no_limit(a_program: Callable[..., Program]) -> None:
    program = a_program(calls_per_minute=0)
    assert {program.get("event-types/").status_code for _ in range(20)} == {200}
    assert "RateLimit-Limit" not in program.get("event-types/")


def test_people_are_not_counted(db: None) -> None:
    person = a_signed_in_person("monitoring.view_webhookendpoint")
    assert {person.get("event-types/").status_code for _ in range(5)} == {200}
