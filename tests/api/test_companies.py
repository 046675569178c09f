"""The list of companies: found by index, walked to its end, and a snapshot that the feed goes on from."""

import random
from typing import Any

import pytest
from django.utils import timezone

from core.db import search_name
from core.lists.pagination import write_token
from monitoring.feed import api
from portfolio.companies.parameters import company_page
from portfolio.models import Company
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.programs import Program
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db


def a_company(duns: str, name: str = "", **columns: Any) -> Company:
    return Company.objects.create(duns=duns, name=name, search_name=search_name(name), **columns)


def found(program: Program, **filters: Any) -> list[str]:
    return [company["duns"] for company in program.walk("companies/", limit=2, **filters)]


def test_a_company_as_lists_show_it(program: Program) -> None:
    delivered(a_seed(primaryName="Müller & Söhne", countryISOAlpha2Code="DE"))
    assert program.read("companies/804735132/") == {
        "duns": "804735132",
        "name": "Müller & Söhne",
        "country": "DE",
        "city": "",
        "operating_status": "",
        "changed_at": "2026-01-08T01:23:13Z",
    }
    assert program.read("companies/80-473-5132/")["duns"] == "804735132"
    assert program.walk("companies/")[0] == program.read("companies/804735132/")


@pytest.mark.parametrize("duns", ["150483782", "1", "x", "80473513%00", "80473513\u0661", "%ED%A0%80"])
def test_an_unknown_company_is_not_found(program: Program, duns: str) -> None:
    for path in ("", "changes/", "profile/"):
        answer = program.get(f"companies/{duns}/{path}")
        assert answer.status_code == 404, answer.content
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("duns", "words"),
    [
        (
            "99999",
            "The path contains no valid D-U-N-S number: 99999 has 5 digits; a D-U-N-S number has nine.",
        ),
        ("150483782", "To monitor it, request it with POST /api/v1/registrations/{reference}/subjects/."),
    ],
)
def test_what_is_not_found_says_why_and_what_to_do(program: Program, duns: str, words: str) -> None:
    assert words in program.get(f"companies/{duns}/").json()["detail"]


def test_filters(program: Program) -> None:
    a_company("000000001", "Acme Ltd", country="GB", changed_at=MOMENT)
    a_company("000000002", "ACME Maschinen", country="DE")
    a_company("000000003", "Zeta", country="DE", changed_at=MOMENT.replace(year=2025))
    a_company("000000004", "acme 100% _", country="GB", changed_at=MOMENT.replace(year=2027))
    assert found(program) == ["000000001", "000000002", "000000003", "000000004"]
    assert found(program, duns="000000003,00-000-0001") == ["000000001", "000000003"]
    assert found(program, duns=["000000003", "000000009"]) == ["000000003"]
    assert found(program, name="aCmE") == ["000000004", "000000001", "000000002"], "by name"
    assert found(program, name="acme 100%") == ["000000004"]
    assert found(program, name="%") == found(program, name=".*") == []
    assert found(program, country="de") == ["000000002", "000000003"]
    assert found(program, country="DE,GB", name="acme") == ["000000004", "000000001", "000000002"]
    assert found(program, changed_since="2026-01-07") == ["000000001", "000000004"], "oldest change first"
    assert found(program, changed_since="2026-01-07T02:23:13+01:00") == ["000000001", "000000004"]
    assert found(program, changed_since="2026-01-07T01:23:13.001Z") == ["000000004"]


@pytest.mark.parametrize(
    "filters",
    [
        {"name": "a\0"},
        {"name": ""},
        {"name": "a" * 201},
        {"duns": "1"},
        {"duns": ""},
        {"duns": ",".join(f"{number:09}" for number in range(201))},
        {"country": "D"},
        {"country": "D\n"},
        {"changed_since": "yesterday"},
        {"changed_since": "2026-02-30"},
        {"changed_since": "2026-01-01T00:00:00"},
        {"changed_since": "0001-01-01T00:00:00+14:00"},
        {"changed_since": "2026-01-01T00:00:00Z\0"},
        {"changed_since": "９９９９-01-01\0"},
        {"after": "x"},
        {"after": write_token(["", "duns"])},
        {"after": write_token(["", "version", "1"])},
        {"after": write_token(["", "duns", "1"]), "name": "a"},
        {"after": write_token(["", "changed_at", "duns", "never", "1"]), "changed_since": "2026-01-01"},
        {"after": write_token(["", "changed_at", "duns", "2026-01-01", "1"]), "changed_since": "2026-01-01"},
        {"limit": "-1"},
        {"offset": "0"},
    ],
)
def test_what_cannot_be_is_refused(program: Program, filters: dict[str, str]) -> None:
    answer = program.get("companies/", **filters)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("filters", [{}, {"name": "same"}, {"changed_since": "2026-01-01"}, {"country": "DE"}])
def test_a_walk_ends_and_shows_each_once(program: Program, limit: int, filters: dict[str, str]) -> None:
    """Also where all are equal in what they are sorted by."""
    duns = [f"{number:09}" for number in random.Random(1).sample(range(10**9), 20)]
    for number in duns:
        a_company(number, "Same Name", country="DE", changed_at=MOMENT)
    assert [company["duns"] for company in program.walk("companies/", limit=limit, **filters)] == sorted(duns)


def test_names_of_every_alphabet_are_walked_in_one_order(program: Program) -> None:
    names = ["a", "Ab", "a b", "a-b", "aé", "az", "aß", "a中", "a\U0001f600", "a\U0001f600b", "A" + "中" * 400]
    for number, name in enumerate(names):
        a_company(f"{number:09}", name)
    walked = [company["name"] for company in program.walk("companies/", name="a", limit=1)]
    assert walked == sorted(names, key=search_name)


def test_a_snapshot_and_the_feed_after_it_have_no_hole(program: Program) -> None:
    """What is published while the pages are read is in the feed, whatever page it would have been on."""
    for number in range(6):
        delivered(a_seed(f"{number}0000000{number}", primaryName=f"Old {number}"))
    shown: dict[str, str] = {}
    cursors = set()
    for number, page in enumerate(program.pages("companies/", limit=2)):
        cursors.add(page["changes_cursor"])
        shown.update({company["duns"]: company["name"] for company in page["results"]})
        delivered(
            an_update(an_element("organization.primaryName", None, f"New {number}", stamp(days=9)), duns="000000000")
        )
        delivered(a_seed(f"00000000{number + 1}", primaryName="Came meanwhile"))
    assert len(cursors) == 1
    for change in program.follow(cursors.pop()).items:
        shown[change["company"]["duns"]] = change["company"]["name"]
    assert shown == dict(Company.objects.values_list("duns", "name"))


def test_the_mark_is_taken_before_the_rows_are_read(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def published_in_between(asked: dict[str, Any]) -> Any:
        page = company_page(asked)
        delivered(a_notice("EXIT"))
        return page

    monkeypatch.setattr(api, "company_page", published_in_between)
    page = program.read("companies/")
    assert page["results"] == []
    assert [item["kind"] for item in program.follow(page["changes_cursor"]).items] == ["left"]


def test_a_page_takes_few_queries(program: Program, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        a_company(f"{number:09}", "Acme", changed_at=timezone.now())
    cursor = program.read("companies/", name="acme", limit=5)["next"]
    with django_assert_max_num_queries(4):
        program.read("companies/", name="acme", limit=5, after=cursor)
    with django_assert_max_num_queries(4):
        program.read("companies/000000001/")


def test_a_cursor_of_another_endpoint_is_refused_as_such(program: Program) -> None:
    cursor = program.read("companies/")["changes_cursor"]
    answer = program.get("notifications/", after=cursor)
    assert answer.status_code == 400 and "belongs to another endpoint" in answer.json()["detail"]
