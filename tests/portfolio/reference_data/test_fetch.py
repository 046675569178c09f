"""D&B's lists of codes: fetched only as confirmed, each by one call, whatever D&B's answers look like."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged, calls_used
from portfolio.models import CallKind, Contract, DnbCall, ReferenceCategory, ReferenceCode, ReferenceList
from portfolio.reference_data import fetch
from portfolio.reference_data.fetch import fetch_due, lists_to_fetch, planned_fetch, request_reference_data
from portfolio.reference_data.words import forget_words, words_of
from tests.builders.calls import a_budget
from tests.builders.times import ago
from tests.interleaving import cut_before, interleave, orders_with_one_stop

pytestmark = pytest.mark.django_db
KIND = CallKind.REFERENCE_DATA
STATUS = ReferenceCategory.OPERATING_STATUS


@pytest.fixture(autouse=True)
def in_german_too(settings: Any) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "Deutsch")]
    forget_words()


def request(contract: Contract) -> None:
    request_reference_data(contract, confirmed=planned_fetch(), requested_by="ann")


def words(category: str = STATUS, language: str = "en") -> dict[str, str]:
    rows = ReferenceCode.objects.filter(category=category, language=language)
    return dict(rows.values_list("code", "words"))


@pytest.mark.parametrize("categories", ["ids", "names", "numbers", "absent"])
@pytest.mark.parametrize("codes", ["code", "dnbCode", "object"])
def test_words_are_found_in_every_shape_of_the_answers(
    contract: Contract, control: SandboxControl, categories: str, codes: str
) -> None:
    control.switch("reference_categories", categories)
    control.switch("reference_codes", codes)
    request(contract)
    assert fetch_due() > 10 - (categories == "absent")
    assert words() == {"9074": "Active", "403": "Out of business"}
    assert words(language="de") == {"9074": "Aktiv", "403": "Geschäftstätigkeit eingestellt"}
    assert words("399", "de")["7372"] == "Standardsoftware"


def test_each_list_is_one_call_and_no_more_were_confirmed(contract: Contract, control: SandboxControl) -> None:
    request(contract)
    fetch_due()
    calls = list(DnbCall.objects.filter(kind=KIND).values_list("requested_by", flat=True))
    assert calls == ["ann"] * planned_fetch()[KIND]
    assert calls_used(contract, KIND) == len(lists_to_fetch())
    fetch_due()
    assert calls_used(contract, KIND) == len(lists_to_fetch()), "nothing waits any more"


def test_a_list_that_dnb_does_not_offer_says_so_and_others_come(contract: Contract, control: SandboxControl) -> None:
    request(contract)
    fetch_due()
    row = ReferenceList.objects.get(pk=ReferenceList.key(ReferenceCategory.NAICS_2022, "en"))
    assert row.error.startswith("D&B does not offer this list") and row.fetched_at is None
    assert ReferenceList.objects.get(pk=ReferenceList.key(STATUS, "de")).count == 2


@pytest.mark.parametrize("reading", ["refuse", "english"])
def test_words_of_another_language_are_not_kept_as_german(
    contract: Contract, control: SandboxControl, reading: str
) -> None:
    control.switch("reference_german", False)
    control.switch("reference_language", reading)
    request(contract)
    fetch_due()
    assert words() and not words(language="de")
    assert words_of(STATUS, 9074, "de", described="Active") == "Active"


@pytest.mark.parametrize("confirmed", [{}, {KIND: 1}, {KIND: 25, CallKind.MATCH: 1}])
def test_nothing_is_requested_by_another_number(contract: Contract, confirmed: dict[CallKind, int]) -> None:
    with pytest.raises(CallsChanged):
        request_reference_data(contract, confirmed=confirmed, requested_by="ann")
    assert not ReferenceList.objects.exists() and not fetch_due()


def test_nothing_is_requested_that_the_budget_does_not_hold(contract: Contract) -> None:
    a_budget(contract, KIND, len(lists_to_fetch()) - 1)
    with pytest.raises(BudgetUsedUp):
        request(contract)
    assert not ReferenceList.objects.exists() and not fetch_due()


def test_a_budget_that_is_lowered_meanwhile_ends_the_fetch(contract: Contract, control: SandboxControl) -> None:
    request(contract)
    a_budget(contract, KIND, 3)
    fetch_due()
    assert calls_used(contract, KIND) == 3
    errors = list(ReferenceList.objects.exclude(error="").values_list("error", flat=True))
    assert len(errors) == len(lists_to_fetch()) - 3 and "An administrator can raise the limit" in errors[0]
    fetch_due()
    assert calls_used(contract, KIND) == 3


def test_what_fails_is_not_tried_again_without_a_user(contract: Contract, control: SandboxControl) -> None:
    control.set_fault("http_error", on="reference", status=500, code=None, times=1)
    request(contract)
    assert fetch_due() == 0
    made = calls_used(contract, KIND)
    assert made == 1 and not ReferenceList.objects.filter(error="").exists()
    fetch_due()
    assert calls_used(contract, KIND) == made
    request(contract)
    fetch_due()
    assert words()


def test_lists_that_came_are_fetched_again_after_a_month_and_no_others(
    contract: Contract, control: SandboxControl
) -> None:
    request(contract)
    fetched, now = fetch_due(), timezone.now()
    used = calls_used(contract, KIND)
    with time_machine.travel(now + timedelta(days=29)):
        fetch_due()
    assert DnbCall.objects.count() == used
    with time_machine.travel(now + timedelta(days=31)):
        assert fetch_due() == fetched
        assert fetch_due() == 0
    assert DnbCall.objects.count() == used + fetched
    assert DnbCall.objects.filter(requested_by=fetch.MONTHLY).count() == fetched


def test_a_second_request_makes_no_call_twice(contract: Contract, control: SandboxControl) -> None:
    request(contract)
    fetched = ReferenceList.objects.filter(category=STATUS)
    fetched.update(called_at=timezone.now(), fetched_at=timezone.now())
    before = list(fetched.values_list("requested_at", flat=True))
    assert request_reference_data(contract, confirmed=planned_fetch(), requested_by="bob") == 0
    assert list(fetched.values_list("requested_at", flat=True)) == before
    fetch_due()
    used = DnbCall.objects.count()
    assert request_reference_data(contract, confirmed=planned_fetch(), requested_by="bob", seen=ago(hours=1)) == 0
    fetch_due()
    assert DnbCall.objects.count() == used, "the page was shown before the first request"


def test_a_budget_of_none_ends_the_monthly_refresh(contract: Contract, control: SandboxControl) -> None:
    request(contract)
    fetch_due()
    used = DnbCall.objects.count()
    a_budget(contract, KIND, 0)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert fetch_due() == 0
    assert DnbCall.objects.count() == used


def test_words_that_changed_replace_the_old_and_codes_that_went_stay(
    contract: Contract, control: SandboxControl
) -> None:
    request(contract)
    fetch_due()
    ReferenceCode.objects.filter(category=STATUS, code="403").update(words="Closed")
    gone = ReferenceCode(ReferenceCode.key(STATUS, "1", "en"), category=STATUS, code="1", language="en", words="Gone")
    gone.save(force_insert=True)
    request(contract)
    fetch_due()
    assert words() == {"9074": "Active", "403": "Out of business", "1": "Gone"}


@pytest.mark.parametrize("order", list(orders_with_one_stop(4)))
def test_two_processes_make_each_call_once(
    contract: Contract, control: SandboxControl, monkeypatch: pytest.MonkeyPatch, order: list[int]
) -> None:
    """In every order of their steps."""
    request(contract)
    ReferenceList.objects.exclude(category=STATUS, language="en").delete()
    row = ReferenceList.objects.get()
    cut_before(monkeypatch, (fetch, "client_for"), (fetch, "counted_call"), (fetch, "_codes"))
    interleave(order, *[lambda: fetch._fetch(row)] * 2)
    assert DnbCall.objects.count() == 1


def test_the_request_is_in_the_audit_log(contract: Contract) -> None:
    request(contract)
    entry = AuditEntry.objects.get(action="reference_data.fetch")
    assert entry.actor == "ann" and "25 calls" in entry.summary
