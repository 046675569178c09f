"""The contract review is counted once, and shown from what was kept."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.benefit import review as reviews
from monitoring.benefit.review import Review, ask_for_review, begun, companies_of, count, forget_reviews, review
from monitoring.benefit.savings import Reason, candidates_of
from monitoring.benefit.year import year_so_far
from monitoring.models import AlertKind, ContractReview
from portfolio.exposure.rates import set_rate, set_reporting_currency
from portfolio.models import Company, Subject
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER
from tests.builders.exposures import exposure
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.programs import Program
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 1)
LONG_AGO = timezone.now().date() - timedelta(days=120)
PAGE = "/portfolio/review/"


def some_stays(*numbers: str) -> None:
    registration = a_registration(adopted=True)
    for duns in numbers:
        a_subject(duns, registration, monitored_since=LONG_AGO)


def the_review() -> Review:
    found = review()
    assert found is not None
    return found


def test_the_kept_review_is_the_counted_one() -> None:
    some_stays(DUNS, OTHER)
    Company.objects.filter(pk=DUNS).update(global_ultimate=OTHER)
    exposure(f"{DUNS};9.00")
    Subject.objects.filter(company=OTHER).update(requested=False)
    an_alert(kind=AlertKind.CHANGE, company_id=DUNS)
    candidates, found = candidates_of(year_so_far()), the_review()
    assert found.numbers.savings == candidates.savings()
    assert (found.numbers.renewing, found.numbers.saved) == (2, candidates.saved)
    for reason in Reason:
        assert list(companies_of(found, reason)) == sorted(candidates.by_reason[reason])
    assert companies_of(found)[OTHER] == [Reason.UNREQUESTED, Reason.UNCHANGED]


def test_the_page_does_not_count(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    some_stays(*(f"{number}" for number in range(100_000_000, 100_000_030)))
    admin.get(PAGE)
    some_stays(DUNS)
    with django_assert_max_num_queries(12):
        assert admin.get(PAGE).context["numbers"].renewing == 30
    count()
    assert admin.get(PAGE).context["numbers"].renewing == 31
    assert ContractReview.objects.count() == 1


def test_who_asks_sees_how_far_it_is(admin: Client) -> None:
    some_stays(DUNS)
    admin.get(PAGE)
    assert "Numbers as of" in text_of(admin.post(PAGE, follow=True))
    row = begun()
    assert row is not None
    assert "Starts in a moment" in text_of(admin.get(PAGE))
    ContractReview.objects.filter(pk=row.pk).update(step=2)
    assert "step 2 of 3" in text_of(admin.get(PAGE))
    ask_for_review()
    assert ContractReview.objects.filter(is_whole=False).count() == 1
    count(str(row.pk))
    assert begun() is None and the_review().key == row.pk


def test_who_waited_for_the_worker_longer_than_one_takes_has_it_counted() -> None:
    ask_for_review()
    row = begun()
    assert row is not None
    ContractReview.objects.filter(pk=row.pk).update(made_at=timezone.now() - timedelta(hours=1))
    count(str(row.pk))
    assert the_review().key == row.pk
    ask_for_review()
    row = begun()
    assert row is not None
    ContractReview.objects.filter(pk=row.pk).delete()
    count(str(row.pk))
    assert the_review().key == row.pk


def test_a_review_in_another_currency_is_not_shown(admin: Client) -> None:
    some_stays(DUNS)
    exposure(f"{DUNS};1234.00")
    assert the_review().numbers.savings[1].exposure == 123_400
    set_reporting_currency(currency="USD", set_by="ann")
    set_rate(currency="EUR", day=DAY, rate=Decimal(2), set_by="ann")
    text = text_of(admin.get(PAGE))
    assert "Exposure (USD)" in text and "2,468" in text and "1,234" not in text


def test_a_review_of_another_version_is_counted_again() -> None:
    some_stays(DUNS)
    count()
    ContractReview.objects.update(numbers='{"year": {}}')
    assert the_review().numbers.renewing == 1


def test_a_large_portfolio_is_counted_by_the_worker(
    admin: Client, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "COUNTED_AT_ONCE", 1)
    some_stays(DUNS, OTHER)
    for _ in range(2):
        assert "being counted for the first time" in text_of(admin.get(PAGE))
    assert admin.get(f"{PAGE}unchanged/").headers["Location"] == PAGE
    refused = program.get("portfolio/review/")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert program.get("portfolio/review/companies/").status_code == 503
    (row,) = ContractReview.objects.all()
    count(str(row.pk))
    assert admin.get(PAGE).context["numbers"].renewing == 2


def test_what_a_killed_process_left_is_removed() -> None:
    ContractReview.objects.create(made_at=timezone.now() - timedelta(hours=1), step=2)
    assert begun() is None
    count()
    assert [row.is_whole for row in ContractReview.objects.all()] == [True]


def test_what_was_read_before_a_company_was_erased_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    some_stays(DUNS)
    read = candidates_of

    def erased_meanwhile(year: Any) -> Any:
        found = read(year)
        forget_reviews()
        return found

    monkeypatch.setattr(reviews, "candidates_of", erased_meanwhile)
    count()
    assert ContractReview.objects.count() == 0


def test_amounts_are_for_those_who_may_see_them(client: Client) -> None:
    some_stays(DUNS)
    exposure(f"{DUNS};1234.00")
    client.force_login(a_person("view_contract", "view_alert"))
    assert "1,234" not in text_of(client.get(PAGE))
    client.force_login(a_person("view_contract", "view_alert", "view_exposure", username="eve"))
    text = text_of(client.get(PAGE))
    assert "Exposure (EUR)" in text and "1,234" in text
