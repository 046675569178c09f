"""Companies that renew and that the customer may do without."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.benefit.savings import Reason, candidates_of
from monitoring.benefit.year import year_so_far
from monitoring.models import AlertKind
from portfolio.models import Company, Contract, Subject
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now().date() - timedelta(days=120)
THIRD = "012345678"


def a_stay(duns: str = DUNS, reference: str = "ACME", **fields: Any) -> Subject:
    registration = a_registration(reference, adopted=True)
    return a_subject(duns, registration, **{"monitored_since": LONG_AGO, **fields})


def companies(reason: Reason) -> set[str]:
    return set(candidates_of(year_so_far()).by_reason[reason])


def a_change(duns: str, path: str, previous: Any, current: Any) -> None:
    delivered(an_update(an_element(path, previous, current, now_stamp(days=-10)), duns=duns))


def test_a_company_without_a_change_in_the_year_is_named() -> None:
    for duns in (DUNS, OTHER, THIRD):
        delivered(a_seed(duns, delivered=now_stamp(days=-100)))
        a_stay(duns)
    a_change(DUNS, "organization.primaryName", "Acme Ltd", "Acme Group Ltd")
    a_change(OTHER, "organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-02-01")
    assert companies(Reason.UNCHANGED) == {OTHER, THIRD}


def test_a_company_that_joined_lately_has_had_no_time_to_change() -> None:
    a_stay(monitored_since=timezone.now().date() - timedelta(days=30))
    assert companies(Reason.UNCHANGED) == set()


def test_a_company_that_is_requested_nowhere_is_named() -> None:
    a_stay(DUNS, "ONE", requested=False)
    a_stay(OTHER, "ONE", requested=False)
    a_stay(OTHER, "TWO")
    assert companies(Reason.UNREQUESTED) == {DUNS}


def test_a_company_in_several_registrations_is_named_and_saves_nothing() -> None:
    a_stay(DUNS, "ONE")
    a_stay(DUNS, "TWO")
    a_stay(OTHER, "ONE")
    found = candidates_of(year_so_far())
    assert found.by_reason[Reason.REPEATED] == {DUNS}
    assert {one.reason: one.saved for one in found.savings()}[Reason.REPEATED] == 0
    assert found.renewing == 2


def test_a_company_whose_ultimate_is_monitored_is_named_and_the_ultimate_is_not() -> None:
    for duns in (DUNS, OTHER):
        a_stay(duns)
    Company.objects.update(global_ultimate=OTHER)
    assert companies(Reason.GROUP) == {DUNS}
    Subject.objects.filter(company=OTHER).update(state="removed", requested=False)
    assert companies(Reason.GROUP) == set()


def test_what_leaves_before_the_anniversary_renews_no_longer() -> None:
    anniversary = timezone.now().date() + timedelta(days=60)
    row = a_stay()
    Contract.objects.update(anniversary=anniversary)
    Subject.objects.filter(pk=row.pk).update(remove_on=anniversary - timedelta(days=7))
    assert candidates_of(year_so_far()).renewing == 0


def test_alerts_that_would_be_missing_are_counted() -> None:
    a_stay()
    an_alert(kind=AlertKind.CHANGE, company_id=DUNS)
    an_alert(1, kind=AlertKind.CHANGE, company_id=DUNS, is_late=True)
    (saving,) = [one for one in candidates_of(year_so_far()).savings() if one.reason == Reason.UNCHANGED]
    assert (saving.companies, saving.saved, saving.alerts) == (1, 1, 2)


def test_a_company_of_several_reasons_is_saved_once() -> None:
    a_stay(DUNS, requested=False)
    found = candidates_of(year_so_far())
    assert DUNS in found.by_reason[Reason.UNCHANGED] and DUNS in found.by_reason[Reason.UNREQUESTED]
    assert found.saved == 1


def test_every_number_of_the_page_opens_as_many_companies(admin: Client) -> None:
    for number in range(120):
        a_stay(f"{100_000_000 + number}")
    page = admin.get("/portfolio/review/")
    for saving in page.context["numbers"].savings:
        listed = admin.get(f"/portfolio/review/{saving.reason.value}/")
        assert listed.context["found"].paginator.count == saving.companies
    second = admin.get("/portfolio/review/unchanged/?page=2")
    assert len(second.context["rows"]) == 20


def test_entries_are_selected_for_a_scheduled_removal(admin: Client) -> None:
    row = a_stay()
    assert str(row.pk) in admin.get("/portfolio/review/unchanged/").content.decode()
    asked = admin.post("/portfolio/subject/", {"action": "plan_selected", "_selected_action": [str(row.pk)]})
    assert "Schedule removal of 1 company" in text_of(asked)


def test_an_unknown_reason_is_not_found_and_who_may_not_see_contracts_sees_none(admin: Client, client: Client) -> None:
    assert admin.get("/portfolio/review/nonsense/").status_code == 404
    client.force_login(a_person("view_company"))
    assert client.get("/portfolio/review/").status_code == 403
    assert client.get("/portfolio/review/unchanged/").status_code == 403
