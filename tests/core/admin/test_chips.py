"""Lists are called what is in them, and show their filters as chips that are removed one by one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.contrib.auth.models import Group
from django.test import Client

from core.audit import record
from core.text import day_text
from portfolio.exposure.rates import set_rate
from portfolio.models import Company
from tests.builders.companies import OTHER, a_company
from tests.builders.pages import text_of

pytestmark = pytest.mark.django_db


def chips(answer: Any) -> list[tuple[str, str, str]]:
    return [(str(chip.name), chip.value, chip.without) for chip in answer.context["cl"].chips]


def test_totals_and_selections_name_what_they_count(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The total stands before the pages: behind their numbers it reads like one of them."""
    a_company()
    a_company(OTHER)
    monkeypatch.setattr(admin_site._registry[Company], "list_per_page", 1)
    page = admin.get("/portfolio/company/")
    text = text_of(page)
    assert "2 companies Page 1 2" in text
    assert "Companies: 0 of 1 selected all 2 selected" in text and "Select all 2 companies" in text
    assert 'data-where="on this page"' in page.text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/portfolio/company/", "Companies"),
        ("/monitoring/alert/", "Alerts"),
        ("/portfolio/subject/", "Monitored companies"),
        ("/accounts/user/", "Users"),
        ("/core/auditentry/", "Audit log"),
    ],
)
def test_a_list_is_called_what_is_in_it(admin: Client, path: str, title: str) -> None:
    page = admin.get(path).content.decode()
    assert f"<title> {title} | D&amp;B Monitoring</title>" in " ".join(page.split())
    assert f'xl:text-base">{title}</h1>' in page and "Select" not in page.partition("</title>")[0]


def test_each_filter_is_a_chip_that_leaves_the_others(admin: Client) -> None:
    found = chips(admin.get("/portfolio/company/?country=GB&q=acme&p=1"))
    assert found == [("search", "acme", "?country=GB"), ("country", "United Kingdom", "?q=acme")]


def test_the_box_of_countries_has_a_hint(admin: Client) -> None:
    assert 'data-placeholder="All countries. Type to search."' in admin.get("/portfolio/company/").text


def test_without_filters_there_are_none(admin: Client) -> None:
    assert chips(admin.get("/portfolio/company/?columns=name")) == []
    assert "Remove this filter" not in text_of(admin.get("/portfolio/company/"))


def test_values_are_shown_in_the_words_of_their_filter(admin: Client) -> None:
    record(actor="ann", action="withdraw", thing=a_company(), summary="Acme Ltd")
    found = chips(admin.get("/core/auditentry/?action=withdraw&day_from=2026-03-01"))
    assert found[0] == ("action", "Monitoring request withdrawn", "?day_from=2026-03-01")
    assert found[1] == ("day from", day_text(date(2026, 3, 1)), "?action=withdraw")


def test_django_s_own_filters_have_words_too(admin: Client) -> None:
    assert chips(admin.get("/accounts/user/?is_active__exact=1")) == [("active", "Yes", "?")]


def test_an_odd_value_is_shown_as_it_is(admin: Client) -> None:
    page = admin.get("/core/auditentry/", {"day_from": "<b>soon</b>"})
    assert chips(page) == [("day from", "<b>soon</b>", "?")] and "<b>soon" not in page.content.decode()


def test_an_empty_list_says_how_to_see_more_or_adds_the_first(admin: Client) -> None:
    text = text_of(admin.get("/portfolio/company/?q=nobody"))
    assert "No matching companies" in text and "Clear search and filters" in text and "Add company" not in text
    numbered = admin.get("/portfolio/company/?q=80-473-5132")
    assert "D-U-N-S number 804735132 is not in this list. To monitor the company, add it." in text_of(numbered)
    assert 'href="/portfolio/subjectimport/upload/?text=804735132"' in numbered.content.decode()
    assert 'href="/monitoring/fileserver/add/"' in admin.get("/monitoring/fileserver/").content.decode()


def test_users_are_filtered_by_role_and_rates_by_currency(admin: Client) -> None:
    group = Group.objects.get(name="Analyst")
    users = admin.get(f"/accounts/user/?groups__id__exact={group.pk}")
    assert (users.status_code, list(users.context["cl"].result_list)) == (200, [])
    set_rate(currency="USD", day=date(2026, 3, 1), rate=Decimal("1.1"), set_by="ann")
    rates = admin.get("/portfolio/exchangerate/?currency=USD")
    assert (rates.status_code, len(rates.context["cl"].result_list)) == (200, 1)
    assert [value for _, value, _ in chips(users) + chips(rates)] == ["Analyst", "USD"]
