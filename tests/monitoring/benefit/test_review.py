"""The contract review is counted once, and shown from what was kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.benefit import review as reviews
from monitoring.benefit.review import ask_for_review, begun, companies_of, count, forget_reviews, review
from monitoring.benefit.savings import Reason, candidates_of
from monitoring.benefit.year import year_so_far
from monitoring.models import AlertKind, ContractReview
from portfolio.models import Company, Subject
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now().date() - timedelta(days=120)
PAGE = "/portfolio/review/"


def some_stays(*numbers: str) -> None:
    registration = a_registration(adopted=True)
    for duns in numbers:
        a_subject(duns, registration, monitored_since=LONG_AGO)


def test_the_kept_review_is_the_counted_one() -> None:
    some_stays(DUNS, OTHER)
    Company.objects.filter(pk=DUNS).update(global_ultimate=OTHER, exposure=900)
    Subject.objects.filter(company=OTHER).update(requested=False)
    an_alert(kind=AlertKind.CHANGE, company_id=DUNS)
    candidates, found = candidates_of(year_so_far()), review()
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
    assert begun() is None and review().key == row.pk


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
    Company.objects.filter(pk=DUNS).update(exposure=123_400)
    client.force_login(a_person("view_contract", "view_alert"))
    assert "1,234" not in text_of(client.get(PAGE))
    client.force_login(a_person("view_contract", "view_alert", "view_exposure", username="eve"))
    text = text_of(client.get(PAGE))
    assert "Exposure (EUR)" in text and "1,234" in text
