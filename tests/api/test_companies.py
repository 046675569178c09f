"""The list of companies: found by index, walked to its end, and a snapshot that the feed goes on from."""

import random
from typing import Any

import pytest
from django.utils import timezone

from core.db import search_name
from core.lists.pagination import write_token
from monitoring.feed import api
from portfolio.companies import search
from portfolio.companies.conditions import SORTED_NUMBERS
from portfolio.companies.pages import company_page
from portfolio.models import Company, Flag
from tests.builders.companies import a_company
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db


def found(program: Program, **filters: Any) -> list[str]:
    return [company["duns"] for company in program.walk("companies/", limit=2, **filters)]


def test_a_company_as_lists_show_it(program: Program) -> None:
    delivered(a_seed(primaryName="Müller & Söhne", countryISOAlpha2Code="DE"))
    company = program.read("companies/804735132/")
    assert set(company.pop("figures").values()) == {None, ""}, "nothing is known of them"
    assert company == {
        "duns": "804735132",
        "name": "Müller & Söhne",
        "country": "DE",
        "city": "",
        "operating_status": "",
        "changed_at": "2026-01-08T01:23:13Z",
        "tier": "",
        "next_review_on": None,
        "references": [],
    }
    assert program.read("companies/80-473-5132/")["duns"] == "804735132"
    assert program.walk("companies/")[0] == program.read("companies/804735132/")


def test_a_company_s_figures(program: Program) -> None:
    a_company("804735132", failure_percentile=82, failure_class=2, rating="3A2", flags=Flag.SUITS | Flag.INACTIVE)
    figures = program.read("companies/804735132/")["figures"]
    assert (figures["failure_percentile"], figures["rating"], figures["flags"]) == (82, "3A2", ["suits", "inactive"])
    assert (figures["delinquency_class"], figures["size"]) == (None, "")


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
        ("walkcrm:W-001", "walkcrm:W-001 contains characters other than the digits 0 to 9."),
        ("walkcrm:W-001", "use /api/v1/companies/?reference=."),
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
    assert found(program, search="aCmE") == ["000000001", "000000002", "000000004"]
    assert found(program, search="aCmE", sort="name") == ["000000004", "000000001", "000000002"]
    assert found(program, search="100 acm") == ["000000004"]
    assert found(program, search="%") == found(program, search=".*") == []
    assert found(program, country="de") == ["000000002", "000000003"]
    assert found(program, country="DE,GB", search="acme") == ["000000001", "000000002", "000000004"]
    assert found(program, country="unknown") == []
    assert found(program, changed_since="2026-01-07") == ["000000001", "000000004"], "oldest change first"
    assert found(program, changed_since="2026-01-07T02:23:13+01:00") == ["000000001", "000000004"]
    assert found(program, changed_since="2026-01-07T01:23:13.001Z") == ["000000004"]


def test_filters_by_figures(program: Program) -> None:
    here, there = a_registration("ONE"), a_registration("TWO")
    a_company(
        "000000001",
        failure_class=5,
        rating="5A1",
        size="large",
        flags=Flag.SUITS | Flag.HIGH_RISK_BUSINESS,
        employees=900,
    )
    a_company("000000002", failure_class=1, industry_code="3537", flags=0, operating_status="Active", employees=3)
    a_company("000000003", global_ultimate="000000001", country="DE")
    a_subject("000000001", here, monitored_since=MOMENT.date(), owner="ann", tags="critical, key account")
    a_subject("000000002", there, monitored_since=MOMENT.date(), monitored_until=MOMENT.date(), tags="uncritical")
    one, two, three = "000000001", "000000002", "000000003"
    for filters, expected in (
        ({"failure_class": "5"}, [one]),
        ({"failure_class": "1,5"}, [one, two]),
        ({"failure_class": "unknown"}, [three]),
        ({"failure_class": "5,unknown"}, [one, three]),
        ({"delinquency_class": "1"}, []),
        ({"rating": "5A1"}, [one]),
        ({"size": "large"}, [one]),
        ({"size": "unknown"}, [two, three]),
        ({"industry_code": "3537"}, [two]),
        ({"operating_status": "Active"}, [two]),
        ({"global_ultimate": "00-000-0001"}, [three]),
        ({"global_ultimate": "unknown"}, [one, two]),
        ({"flag": "suits"}, [one]),
        ({"flag": "none"}, [two]),
        ({"flag": "unknown"}, [three]),
        ({"registration": "ONE"}, [one]),
        ({"registration": "TWO"}, []),
        ({"monitored": "true"}, [one]),
        ({"monitored": "false"}, [two, three]),
        ({"owner": "ann"}, [one]),
        ({"owner": "unknown"}, [two, three]),
        ({"tag": "critical"}, [one]),
        ({"tag": "unknown"}, [three]),
        ({"country": "DE,unknown"}, [one, two, three]),
        ({"sort": "employees"}, [two, one]),
        ({"sort": "-employees"}, [one, two]),
        ({"sort": "-failure_class", "monitored": "true"}, [one]),
    ):
        assert found(program, **filters) == expected, filters


def test_every_sort_walks_all_that_are_known(program: Program) -> None:
    chance = random.Random(3)
    for number in range(12):
        values: dict[str, Any] = {
            name: chance.choice([None, 1, 2, 3])
            for name in SORTED_NUMBERS
            if name not in ("last_critical_at", "exposure")
        }
        a_company(f"{number:09}", rating=chance.choice(["", "5A1", "5A2", "--"]), **values)
    for name in (*values, "rating"):
        known = list(Company.objects.exclude(**{name: "" if name == "rating" else None}))
        expected = [row.duns for row in sorted(known, key=lambda row: (getattr(row, name), row.duns))]
        assert found(program, sort=name) == expected, name
        assert found(program, sort=f"-{name}") == expected[::-1], name


def test_a_search_that_leaves_companies_out_says_so(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 2)
    for number in range(3):
        a_company(f"{number:09}", "Acme")
    assert "left out" in program.read("companies/", search="acme")["note"]
    assert program.read("companies/", search="acme 000000001")["note"] is None


@pytest.mark.parametrize(
    "filters",
    [
        {"search": "a\0"},
        {"search": ""},
        {"search": "a" * 201},
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
        {"after": write_token(["", "duns", "1"]), "sort": "name"},
        {"after": write_token(["", "employees", "duns", "x", "1"]), "sort": "employees"},
        {"after": write_token(["", "employees", "duns", "9" * 50, "1"]), "sort": "employees"},
        {"name": "acme"},
        {"failure_class": "6"},
        {"size": "huge"},
        {"flag": "blue"},
        {"sort": "version"},
        {"sort": "exposure"},
        {"registration": "NOBODY"},
        {"monitored": "perhaps"},
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


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("reference=A&reference=B", "reference: One value only."),
        ("limit=1001", "limit: 1 to 1,000."),
        ("limit=0", "limit: 1 to 1,000."),
        ("size=huge", 'size: "huge" is not one of micro, small, medium, large, unknown.'),
        ("duns=" + ",".join(["804735132"] * 201), "duns: At most 200 entries. You sent 201. Send several requests."),
    ],
)
def test_a_refusal_says_what_is_accepted(program: Program, query: str, words: str) -> None:
    assert program.get(f"companies/?{query}").json()["detail"] == words


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"search": "same"},
        {"sort": "name"},
        {"sort": "-employees"},
        {"changed_since": "2026-01-01"},
        {"country": "DE"},
    ],
)
def test_a_walk_ends_and_shows_each_once(program: Program, limit: int, filters: dict[str, str]) -> None:
    """Also where all are equal in what they are sorted by."""
    duns = [f"{number:09}" for number in random.Random(1).sample(range(10**9), 20)]
    for number in duns:
        a_company(number, "Same Name", country="DE", changed_at=MOMENT, employees=7)
    expected = sorted(duns, reverse="-" in filters.get("sort", ""))
    assert [company["duns"] for company in program.walk("companies/", limit=limit, **filters)] == expected


def test_names_of_every_alphabet_are_walked_in_one_order(program: Program) -> None:
    names = ["a", "Ab", "a b", "a-b", "aé", "az", "aß", "a中", "a\U0001f600", "a\U0001f600b", "A" + "中" * 400]
    for number, name in enumerate(names):
        a_company(f"{number:09}", name)
    walked = [company["name"] for company in program.walk("companies/", sort="name", limit=1)]
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
    def published_in_between(asked: dict[str, Any], *seen: Any) -> Any:
        page = company_page(asked, *seen)
        delivered(a_notice("EXIT"))
        return page

    monkeypatch.setattr(api, "company_page", published_in_between)
    page = program.read("companies/")
    assert page["results"] == []
    assert [item["kind"] for item in program.follow(page["changes_cursor"]).items] == ["left"]


def test_a_page_takes_few_queries(program: Program, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        a_company(f"{number:09}", "Acme", changed_at=timezone.now())
    cursor = program.read("companies/", sort="name", limit=5)["next"]
    with django_assert_max_num_queries(4):
        program.read("companies/", sort="name", limit=5, after=cursor)
    with django_assert_max_num_queries(7):
        program.read("companies/", search="acme", country="unknown", limit=5)
    with django_assert_max_num_queries(4):
        program.read("companies/000000001/")


def test_a_cursor_of_another_endpoint_is_refused_as_such(program: Program) -> None:
    cursor = program.read("companies/")["changes_cursor"]
    answer = program.get("notifications/", after=cursor)
    assert answer.status_code == 400 and "belongs to another endpoint" in answer.json()["detail"]
