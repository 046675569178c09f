"""Dates and numbers as the reader's language writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from dnbmon_site.models import User
from monitoring.wording import say
from portfolio.markup import ago, bytes_in_words, exact
from portfolio.models import AuditEntry
from portfolio.wording import counted, day_text, moment_text, plural
from tests.builders import a_contract

MOMENT = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "number", "day", "moment"),
    [
        ("en-gb", "1,234,567", "24 Nov 2026", "24 Nov 2026, 14:05"),
        ("en-us", "1,234,567", "Nov 24, 2026", "Nov 24, 2026, 2:05 p.m."),
        ("de", "1.234.567", "24.11.2026", "24.11.2026, 14:05"),
    ],
)
def test_numbers_and_dates_follow_the_language(language: str, number: str, day: str, moment: str) -> None:
    with translation.override(language):
        assert counted(1_234_567) == number
        assert plural(1_234_567, "company", "companies") == f"{number} companies"
        assert day_text(date(2026, 11, 24)) == day
        assert moment_text(MOMENT) == moment
        assert moment in exact(MOMENT)
        assert say("2026-11-24") == day and say("2026-11-24T14:05:00Z") == moment


def test_what_dnb_sends_follows_it_too() -> None:
    with translation.override("de"):
        assert say({"value": Decimal("1234567.50"), "currency": "EUR"}) == "1.234.567,5 EUR"
        assert bytes_in_words(1_234_567) == "1,2 MB"
        assert "24. November 2026" in ago(MOMENT)


@pytest.mark.django_db
def test_pages_are_written_in_the_persons_language(client: Client) -> None:
    contract = a_contract(contracted_number=1_234_567)
    person = User.objects.create_superuser("ann")
    client.force_login(person)
    assert "1,234,567" in page_of(client, contract)
    User.objects.update(language="de")
    assert "1.234.567" in page_of(client, contract)
    User.objects.update(language="tlh")
    assert "1,234,567" in page_of(client, contract)


def page_of(client: Client, contract: Any) -> str:
    answer = client.get("/portfolio/contract/year/")
    return str(answer.content.decode())


@pytest.mark.django_db
def test_everybody_chooses_zone_and_language_for_themselves(client: Client) -> None:
    person = User.objects.create_user("bob", is_staff=True)
    assert client.get("/my/").status_code == 302
    client.force_login(person)
    assert "no time zone" in client.post("/my/", {"timezone": "Mars", "language": "de"}).content.decode()
    page = client.post("/my/", {"timezone": "Europe/Berlin", "language": "de"}, follow=True).content.decode()
    assert "1.000.000" in page and "/my/" in page
    person.refresh_from_db()
    assert (person.timezone, person.language) == ("Europe/Berlin", "de")
    assert AuditEntry.objects.get(action="edit preferences").actor == "bob"
