"""With a key of one unit that has every scope: no answer tells of what only the other unit has."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from tests.builders.programs import Program
from tests.visibility.marks import DUNS, SEARCHED, marks_in
from tests.visibility.walk import NO_DUNS, Address, about, addresses, alike, text_of
from tests.visibility.world import OWN, OWN_NAME, REFERENCE, SHARED, World, receives_more

CURSOR = re.compile(r"gAAAA[\w=-]+")
pytestmark = pytest.mark.django_db
FILTERS = {"search": SEARCHED, "tag": SEARCHED, "company": DUNS, "duns": DUNS, "registration": REFERENCE}
LISTS = ("", *(f"?{name}={value}" for name, value in FILTERS.items()))


def endpoints(world: World) -> list[Address]:
    found, unfilled = addresses(world, below="/api/v1/")
    assert unfilled == [], "say what stands for their parameters in tests/visibility/walk.py"
    return found


def test_no_answer_shows_anothers(world: World, key: Program) -> None:
    wrong = []
    for address in endpoints(world):
        for query in LISTS if not address.route.parameters else ("",):
            answer = key.client.get(address.path + query, headers=key.headers)
            found = marks_in(text_of(answer), world.keys, asked=address.path + query)
            if found or answer.status_code >= 500:
                wrong.append((address.path + query, answer.status_code, found))
    assert wrong == [], "\n".join(map(str, wrong))


def test_no_answer_changes_when_only_another_is_told(world: World, key: Program) -> None:
    """In any byte: but for cursors, which are encrypted, and so new in each answer."""
    moment = timezone.now() + timedelta(minutes=5)
    before = answers_at(key, world, moment)
    receives_more(world.other)
    assert [path for path, text in answers_at(key, world, moment).items() if text != before[path]] == []
    assert any("CURSOR" in text for text in before.values()), "nothing would be found"


def answers_at(key: Program, world: World, moment: datetime) -> dict[str, str]:
    paths = [one.path for one in endpoints(world) if not one.route.parameters]
    paths += [*about(SHARED, below="/api/v1/"), f"/api/v1/registrations/{world.own.reference}/"]
    with time_machine.travel(moment, tick=False):
        texts = {path: text_of(key.client.get(path, headers=key.headers)) for path in paths}
    return {path: CURSOR.sub(lambda found: f"CURSOR {len(found[0])}", text) for path, text in texts.items()}


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_what_is_anothers_is_answered_like_what_is_not_there(world: World, key: Program, method: str) -> None:
    wrong = []
    for address in endpoints(world):
        if address.path == address.unknown:
            continue
        given: dict[str, Any] = {"headers": key.headers, "content_type": "application/json", "data": "{}"}
        given = {"headers": key.headers} if method == "get" else given
        theirs, nobodys = (getattr(key.client, method)(path, **given) for path in (address.path, address.unknown))
        if theirs.status_code < 400 or alike(theirs, address) != alike(nobodys, address):
            wrong.append((address.path, theirs.status_code, nobodys.status_code))
    assert wrong == [], "\n".join(map(str, wrong))


def test_of_a_company_that_both_hold_no_answer_shows_what_only_the_other_was_told(world: World, key: Program) -> None:
    answers = {path: key.client.get(path, headers=key.headers) for path in about(SHARED, below="/api/v1/")}
    shown = {path: text_of(answer) for path, answer in answers.items() if answer.status_code == 200}
    assert {path: marks_in(text, world.keys) for path, text in shown.items() if marks_in(text, world.keys)} == {}
    assert f"/api/v1/companies/{SHARED}/dossier/" in shown, "nothing would be found"


def test_a_filter_by_anothers_registration_is_one_by_none(world: World, key: Program) -> None:
    for path in ("companies/", "changes/", "notifications/", "portfolio/risk/"):
        theirs, nobodys = key.get(path, registration=REFERENCE), key.get(path, registration="NO_SUCH_REG")
        assert theirs.status_code == nobodys.status_code == 400
        assert json.loads(theirs.content) == json.loads(nobodys.content)


def test_a_look_up_of_anothers_company_is_one_of_none(world: World, key: Program) -> None:
    found = key.post("companies/lookup/", {"duns": [DUNS, NO_DUNS, OWN, SHARED]}).json()["results"]
    theirs, nobodys, own, shared = found
    assert {**theirs, "input": "", "duns": ""} == {**nobodys, "input": "", "duns": ""}
    assert own["company"]["name"] == OWN_NAME
    assert [one["registration"] for one in shared["subjects"]] == [world.own.reference]


def test_what_it_sees_is_there(world: World, key: Program) -> None:
    """Otherwise nothing would be found, because nothing is shown."""
    companies = {one["duns"] for one in key.walk("companies/")}
    assert companies == {OWN, SHARED}
    followed = key.follow()
    assert {item["company"]["duns"] for item in followed.items} == {OWN, SHARED}
    assert {item["registration"] for item in followed.items} == {world.own.reference}
    assert {item["publication"] for item in followed.items} == {None}
    assert {one["company"]["duns"] for one in key.walk("alerts/") if one["company"]} == {OWN}
    assert {one["registration"] for one in key.walk("notifications/")} == {world.own.reference}
    assert {change["element"] for change in key.walk(f"companies/{SHARED}/changes/")} == {
        None,
        "organization.primaryAddress.addressLocality.name",
    }
