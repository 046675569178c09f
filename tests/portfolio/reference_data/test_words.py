"""Words of codes: in the reader's language, else as the document describes them, else the code."""

import time
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import translation

from dnbmon_site.accounts.models import User
from monitoring.company_page.summary import status_words
from monitoring.company_page.value_diff import differences
from monitoring.elements.formatting import value_text
from portfolio.companies.filters import industries, statuses
from portfolio.models import ReferenceCategory, ReferenceCode
from portfolio.reference_data.words import (
    KEPT_SECONDS,
    forget_words,
    industry_words,
    legal_form_words,
    words_of,
    words_of_description,
)
from tests.builders.elements import ACTIVE

pytestmark = pytest.mark.django_db
STATUS, FORM = ReferenceCategory.OPERATING_STATUS, ReferenceCategory.ENTITY_TYPE


@pytest.fixture(autouse=True)
def words_there() -> Any:
    forget_words()
    known = [
        *((STATUS, "9074", "en", "Active"), (STATUS, "9074", "de", "Aktiv"), (STATUS, "5", "de", "Ruhend")),
        *((FORM, "451", "en", "Corporation"), (FORM, "451", "de", "Kapitalgesellschaft"), (FORM, "7", "de", "Sieben")),
        *((FORM, "5", "de", "Fünf"), ("399", "7372", "de", "Standardsoftware"), ("399", "9074", "de", "Andere")),
    ]
    for category, code, language, words in known:
        key = ReferenceCode.key(category, code, language)
        ReferenceCode.objects.create(id=key, category=category, code=code, language=language, words=words)
    yield
    forget_words()


@pytest.mark.parametrize(
    ("category", "code", "language", "described", "text"),
    [
        (STATUS, 9074, "de", "Active", "Aktiv"),
        (STATUS, "9074", "de-at", "", "Aktiv"),
        (STATUS, 9074, "en", "Active here", "Active here"),
        (STATUS, 9074, "en", "", "Active"),
        (STATUS, 1, "de", "Described", "Described"),
        (STATUS, 1, "de", "", "1"),
        (STATUS, None, "de", "Described", "Described"),
        (STATUS, None, "de", "", ""),
        (STATUS, True, "de", "yes", "yes"),
        (FORM, 9074, "de", "", "9074"),
        ("", 9074, "de", "Active", "Aktiv"),
        ("", 7, "de", "", "Sieben"),
        ("", 5, "de", "Five", "Five"),
        ("399", "7372", "de", "Software", "Standardsoftware"),
        (STATUS, 9074, "fr", "Active", "Active"),
    ],
)
def test_words(category: str, code: Any, language: str, described: str, text: str) -> None:
    assert words_of(category, code, language, described=described) == text


def test_what_is_kept_by_its_description_is_found_by_dnbs_english_words() -> None:
    assert words_of_description(STATUS, "ACTIVE", "de") == "Aktiv"
    assert words_of_description(STATUS, "Other", "de") == "Other"
    assert words_of_description(STATUS, "Active", "en") == "Active"
    with translation.override("de"):
        assert legal_form_words("Corporation") == "Kapitalgesellschaft"
        assert industry_words("399", "7372", "Software") == "Standardsoftware"
        assert industry_words("1", "7372", "Software") == "Software"


def test_pages_show_them() -> None:
    assert value_text(ACTIVE) == "Active"
    with translation.override("de"):
        assert value_text(ACTIVE) == "Aktiv"
        assert status_words("Ruht") == "Ruht"
        found = differences(ACTIVE, {"dnbCode": 451, "description": "Corporation"})
        assert list(map(str, found)) == ["Aktiv → Kapitalgesellschaft"]


def test_a_readers_filters_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"operating_status": ["Active"], "industry_code": [["7372", "Software", "399"], ["1", "Old"]]}
    monkeypatch.setattr("portfolio.companies.filters.recent_count", lambda name: found)
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True)
    with translation.override("de"):
        assert statuses(request) == [("Active", "Aktiv")]
        assert industries(request) == [("7372", "7372 Standardsoftware"), ("1", "1 Old")]


def test_a_page_of_codes_takes_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        for _ in range(50):
            words_of(STATUS, 9074, "de")
            words_of("", 7, "de")
    with django_assert_num_queries(0):
        words_of(STATUS, 9074, "en", described="Active")


def test_words_that_were_fetched_since_are_seen_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words_of(STATUS, 1, "de") == "1"
    key = ReferenceCode.key(STATUS, "1", "de")
    ReferenceCode.objects.create(id=key, category=STATUS, code="1", language="de", words="Eins")
    assert words_of(STATUS, 1, "de") == "1"
    later = time.monotonic() + KEPT_SECONDS + 1
    monkeypatch.setattr("portfolio.reference_data.words.time.monotonic", lambda: later)
    assert words_of(STATUS, 1, "de") == "Eins"
