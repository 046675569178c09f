"""Dates and numbers as the reader's language writes them."""

import ast
import gettext
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation.template import templatize

from core.markup import ago, exact, file_size
from core.models import AuditEntry
from core.text import counted, day_text, moment_text, plural
from dnbmon_site.accounts.models import User
from monitoring.elements.formatting import value_text
from tests.builders.contracts import a_contract
from tests.support import PROGRAM

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
        assert value_text("2026-11-24") == day and value_text("2026-11-24T14:05:00Z") == moment


def test_what_dnb_sends_follows_it_too() -> None:
    with translation.override("de"):
        assert value_text({"value": Decimal("1234567.50"), "currency": "EUR"}) == "1.234.567,5 EUR"
        assert file_size(1_234_567) == "1,2 MB"
        assert "24. November 2026" in ago(MOMENT)


@pytest.fixture
def with_german(settings: Any) -> None:
    """Offered, as it will be once its catalogue is complete; its way of writing dates is there already."""
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "Deutsch")]


@pytest.mark.django_db
def test_pages_are_written_in_the_persons_language(client: Client, with_german: None) -> None:
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
    assert "not a time zone" in client.post("/my/", {"timezone": "Mars", "language": "en-us"}).content.decode()
    page = client.post("/my/", {"timezone": "Europe/Berlin", "language": "en-us"}, follow=True).content.decode()
    assert "1,000,000" in page and "/my/" in page
    person.refresh_from_db()
    assert (person.timezone, person.language) == ("Europe/Berlin", "en-us")
    assert AuditEntry.objects.get(action="edit preferences").actor == "bob"


# A language is offered with all its words, or not at all


def all_messages() -> set[str]:
    """Every text that is marked for translation, in code and in templates; the singular of those with two forms."""
    found: set[str] = set()
    for path in files_with_words():
        text = path.read_text()
        found |= set(messages_of(text) if path.suffix == ".py" else messages_of_template(text))
    return found


def files_with_words() -> Iterator[Path]:
    root = Path(settings.BASE_DIR)
    for app in PROGRAM:
        yield from (path for path in (root / app).rglob("*.py") if "migrations" not in path.parts)
    yield from (path for path in (root / "templates").rglob("*") if path.suffix in (".html", ".txt"))


def messages_of_template(source: str) -> Iterator[str]:
    literal = r"""gettext\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    yield from map(ast.literal_eval, re.findall(literal, templatize(source, origin=None)))


def messages_of(code: str) -> Iterator[str]:
    names = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def untranslated(code: str) -> set[str]:
    place = Path(settings.BASE_DIR) / "locale" / code.replace("-", "_") / "LC_MESSAGES" / "django.mo"
    known: set[str] = set()
    if place.exists():
        with place.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        known = {key if isinstance(key, str) else key[0] for key, words in catalogue.items() if words}
    return all_messages() - known


def test_each_language_offered_is_complete() -> None:
    for code, name in settings.LANGUAGES:
        missing = set() if code.startswith("en") else untranslated(code)
        assert not missing, f"{name} is offered, but these have no translation: {sorted(missing)[:20]} …"


def test_a_language_without_words_would_not_be_offered() -> None:
    assert len(untranslated("de")) > 1_000
