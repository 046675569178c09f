"""Which sources report a company: what is kept lets settling pass by those that have one."""

from typing import Any

import pytest

from core.bulk import lookups, update_values
from monitoring import company_sources
from monitoring.company_sources import DOCUMENTS, add_source, several_sources, source_of_delivery
from monitoring.models import Change
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


def kept(duns: str = DUNS) -> list[str]:
    return Company.objects.get(pk=duns).sources.split()


def of(registration: Registration) -> str:
    return source_of_delivery(a_delivery(an_update(), registration=registration))


def test_each_registration_that_reports_is_kept_once() -> None:
    one, two = a_registration("ONE"), a_registration("TWO")
    for registration in (one, one, two):
        delivered(an_update(), registration=registration)
    assert kept() == sorted([of(one), of(two)])
    assert several_sources([DUNS]) == [DUNS]
    delivered(an_update(duns=OTHER), registration=one)
    assert kept(OTHER) == [of(one)] and several_sources([DUNS, OTHER]) == [DUNS]


def test_documents_that_are_compared_are_not_passed_by() -> None:
    delivered(a_seed(), registration=a_registration("WHOLE", full_product=True))
    assert DOCUMENTS in kept() and several_sources([DUNS]) == [DUNS]


def test_of_a_company_of_which_nothing_is_kept_the_history_tells() -> None:
    """As a backup of an earlier version has it."""
    one, two = a_registration("ONE"), a_registration("TWO")
    delivered(an_update(), registration=one)
    Company.objects.update(sources="")
    assert several_sources([DUNS]) == [DUNS]
    add_source(of(two), [DUNS])
    assert kept() == sorted([of(one), of(two)])


def test_a_company_that_was_there_without_a_history_has_what_reports_it_first() -> None:
    Company.objects.create(duns=DUNS)
    registration = a_registration()
    delivered(a_seed(), registration=registration)
    assert kept() == [of(registration)] and several_sources([DUNS]) == []


def test_of_two_who_add_at_once_both_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    Company.objects.create(duns=DUNS, sources="a")

    def another_is_faster(model: Any, values: Any, **conditions: Any) -> int:
        monkeypatch.undo()
        add_source("b", [DUNS])
        return update_values(model, values, **conditions)

    monkeypatch.setattr(company_sources, "update_values", another_is_faster)
    add_source("c", [DUNS])
    assert kept() == ["a", "b", "c"]


def test_a_company_that_is_gone_meanwhile_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    Company.objects.create(duns=DUNS, sources="a")

    def it_goes(model: Any, values: Any, **conditions: Any) -> int:
        Company.objects.all().delete()
        return lookups.update_values(model, values, **conditions)

    monkeypatch.setattr(company_sources, "update_values", it_goes)
    add_source("b", [DUNS])
    assert not Company.objects.exists()


def test_the_source_is_kept_before_its_first_change_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever settles what another has brought must find it."""
    one, two = a_registration("ONE"), a_registration("TWO")
    delivered(an_update(), registration=one)
    seen: list[tuple[int, bool]] = []
    real = update_values

    def note(model: Any, values: Any, **conditions: Any) -> int:
        seen.append((Change.objects.filter(registration=two).count(), len(values["sources"].split()) == 2))
        return real(model, values, **conditions)

    monkeypatch.setattr(company_sources, "update_values", note)
    delivered(an_update(), registration=two)
    assert seen == [(0, True)]
