"""The list of companies: filtered and sorted by figures, searched by words, with chips, and few queries."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.cached_counts import update_counts
from core.exports.files import parts_of, write_waiting
from core.models import Export
from monitoring.company_page import admin as company_admin
from portfolio.companies import search
from portfolio.models import Company, Flag
from tests.builders.companies import a_company
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = "000000001", "000000002", "000000003"
Listed = Callable[[str], list[str]]


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(a_person(role="Administrator"))
    return client


@pytest.fixture
def listed(reader: Client) -> Listed:
    return lambda query: [row.pk for row in change_list(reader, query).result_list]


def change_list(reader: Client, query: str) -> Any:
    return reader.get(f"/portfolio/company/?{query}").context["cl"]


@pytest.fixture
def companies() -> str:
    """Three; returns the key of the registration of the first."""
    a_company(
        ONE,
        "Acme Forge Ltd",
        operating_status="Active",
        failure_class=5,
        flags=Flag.SUITS | Flag.HIGH_RISK_BUSINESS,
        rating="5A1",
        size="large",
    )
    a_company(TWO, "Zeta", failure_class=1, flags=0, country="DE", last_critical_at=MOMENT, employees=3)
    a_company(THREE, "Forged Steel", global_ultimate=ONE, industry_code="3537", industry="Trucks")
    registration = a_registration("ONE")
    a_subject(ONE, registration, monitored_since=date(2026, 1, 1), owner="ann", tags="critical, key account")
    a_subject(TWO, registration, tags="uncritical")
    return str(registration.pk)


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("failure_class=5", [ONE]),
        ("failure_class=5&failure_class=1", [TWO, ONE]),
        ("failure_class=unknown", [THREE]),
        ("failure_class=5&failure_class=unknown", [ONE, THREE]),
        ("delinquency_class=unknown", [ONE, TWO, THREE]),
        ("country=DE", [TWO]),
        ("country=unknown", [ONE, THREE]),
        ("rating=5A1", [ONE]),
        ("size=large", [ONE]),
        ("industry_code=3537", [THREE]),
        ("flag=suits", [ONE]),
        ("flag=none", [TWO]),
        ("flag=unknown", [THREE]),
        (f"global_ultimate={ONE}", [THREE]),
        ("owner=ann", [ONE]),
        ("owner=unknown", [TWO, THREE]),
        ("tag=critical", [ONE]),
        ("tag=key+account", [ONE]),
        ("tag=unknown", [THREE]),
        ("monitored=yes", [ONE]),
        ("monitored=no", [TWO, THREE]),
        ("critical_from=2026-01-01", [TWO]),
        ("critical_to=2025-12-31", []),
        ("failure_class=5&monitored=no", []),
        ("failure_class=blue", [TWO, ONE, THREE]),
        ("q=forge", [ONE, THREE]),
        ("q=forge&failure_class=5", [ONE]),
        ("q=ltd+acme", [ONE]),
        ("q=anvil", []),
        ("columns=name,failure_class&o=2", [TWO, ONE, THREE]),
        ("columns=name,failure_class&o=-2", [ONE, TWO, THREE]),
        ("columns=name,employees&o=-2", [TWO, THREE, ONE]),
        # The usual cells, of country and status; unknown values come last.
        ("o=4", [TWO, ONE, THREE]),
        ("o=-5", [ONE, THREE, TWO]),
        ("columns=name,global_ultimate&o=2", [THREE, ONE, TWO]),
    ],
)
def test_companies_are_chosen_and_sorted(listed: Listed, companies: str, query: str, expected: list[str]) -> None:
    assert sorted(listed(query)) == sorted(expected)
    if "o=" in query:
        assert listed(query) == expected


def test_where_nothing_is_counted_nothing_is_looked_for(listed: Listed, companies: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert listed("failure_class=5&monitored=no") == []
    if connection.vendor != "mongodb":
        assert sum("EXISTS" in query["sql"] for query in queries) == 1


@pytest.mark.parametrize(
    "name",
    ("country", "rating", "industry_code", "size", "operating_status", "global_ultimate", "owner", "tag"),
)
def test_a_value_that_no_text_can_hold_is_ignored(listed: Listed, companies: str, name: str) -> None:
    """PostgreSQL takes no NUL."""
    assert sorted(listed(f"{name}=%00")) == sorted([ONE, TWO, THREE])


def test_by_registration(listed: Listed, companies: str) -> None:
    assert listed(f"registration={companies}") == [ONE]


@pytest.mark.parametrize(
    ("query", "chips"),
    [
        ("failure_class=5&failure_class=unknown", ["5 (highest risk), Unknown"]),
        ("flag=suits&monitored=yes", ["Monitored at present", "Suits"]),
        ("rating=5A1&industry_code=3537", ["5A1", "3537 Trucks"]),
        (f"global_ultimate={ONE}", ["Acme Forge Ltd"]),
        ("owner=unknown&tag=critical", ["No owner", "critical"]),
        ("size=large", ["Large (250 employees or more)"]),
    ],
)
def test_every_filter_has_a_chip(reader: Client, companies: str, query: str, chips: list[str]) -> None:
    update_counts("company_values")
    assert [str(chip.value) for chip in change_list(reader, query).chips] == chips


def test_filters_offer_what_occurs(reader: Client, companies: str) -> None:
    update_counts("company_values")
    specs = {spec.parameter_name: spec for spec in change_list(reader, "").filter_specs}
    offered = {name: [value for value, _ in specs[name].lookup_choices] for name in ("rating", "owner", "tag")}
    assert offered == {
        "rating": ["5A1", "unknown"],
        "owner": ["ann", "unknown"],
        "tag": ["critical", "key account", "uncritical", "unknown"],
    }


@pytest.mark.parametrize(
    "query",
    [
        *("", "q=forge", "q=forge+acme+steel", "failure_class=5&monitored=yes", "tag=critical&owner=ann"),
        *("columns=name,failure_class&o=2", f"global_ultimate={ONE}&flag=suits"),
    ],
)
def test_a_page_of_the_list_takes_few_queries(
    reader: Client, companies: str, django_assert_max_num_queries: AtMost, query: str
) -> None:
    reader.get("/portfolio/company/")
    with django_assert_max_num_queries(12):
        reader.get(f"/portfolio/company/?{query}")


def test_links_to_companies_are_made_without_looking_up_their_addresses(reader: Client, companies: str) -> None:
    """Django does so once a row where it keeps the list's filters in each link: half the time of a page."""
    page = reader.get("/portfolio/company/?failure_class=5").content.decode()
    assert f'href="/portfolio/company/{ONE}/change/"' in page


def test_a_search_that_leaves_companies_out_says_so(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 2)
    monkeypatch.setattr(company_admin, "MOST", 2)
    for number in range(3):
        a_company(f"{number:09}", "Acme")
    assert "some are left out" in text_of(reader.get("/portfolio/company/?q=acme"))
    assert "some are left out" not in text_of(reader.get("/portfolio/company/?q=acme+000000001"))


def test_a_file_has_all_that_a_search_finds(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job reads all companies for it: the page finds so many only. Also for a filter of the portfolio's list."""
    monkeypatch.setattr(search, "MOST", 2)
    for number in range(4):
        a_company(f"{number:09}", "Acme" if number else "Zeta", country="DE")
    address = "/portfolio/company/export/?q=acme&country=DE"
    assert "More than 2 rows. The file is created in the background" in text_of(reader.get(address))
    assert reader.post(address, {"format": "txt"}).status_code == 302
    write_waiting()
    assert b"".join(parts_of(Export.objects.get())) == b"000000001\n000000002\n000000003\n"


def test_figures_are_columns_of_the_list(reader: Client, companies: str) -> None:
    text = text_of(reader.get("/portfolio/company/?columns=name,failure_class,flags,size,industry&failure_class=5"))
    assert "Suits, High risk business" in text and "Large (250 employees or more)" in text


def test_a_list_in_the_order_of_a_figure_has_each_company_once(reader: Client) -> None:
    for number in range(120):
        a_company(f"{number:09}", "Acme", failure_class=number % 4 or None)
    pages = [change_list(reader, f"columns=name,failure_class&o=-2&p={page}").result_list for page in (1, 2, 3)]
    rows = [row for page in pages for row in page]
    assert len({row.pk for row in rows}) == Company.objects.count() == 120
    assert [row.failure_class for row in rows] == [3] * 30 + [2] * 30 + [1] * 30 + [None] * 30


def test_only_who_may_see_exposure_sees_filters_and_sorts_by_it(client: Client) -> None:
    a_company(ONE, "Acme", exposure=1_234_50)
    a_company(TWO, "Zeta")
    client.force_login(a_person(role="Administrator"))
    assert [row.pk for row in change_list(client, "exposure=known").result_list] == [ONE]
    assert [row.pk for row in change_list(client, "columns=name,exposure&o=-2").result_list] == [ONE, TWO]
    page = client.get("/portfolio/company/?columns=name,exposure")
    assert "1234.5" in text_of(page).replace(",", "")
    assert "o=-2" in page.content.decode(), "the first click puts the largest first"
    client.force_login(a_person(username="viewer", role="Viewer"))
    assert client.get("/portfolio/company/?exposure=known").status_code == 400
    text = text_of(client.get("/portfolio/company/?columns=name,exposure"))
    assert "Acme" in text and "1234.5" not in text.replace(",", "")
