"""Which sources report a company: what is kept lets settling pass by those that have one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.bulk import replace_value, select_values
from monitoring import company_sources
from monitoring.company_sources import DOCUMENTS, add_source, several_sources, source_of_delivery
from monitoring.ingest.insert import add_sources
from monitoring.models import Change
from monitoring.pipeline import ingest as pipeline
from monitoring.pipeline.ingest import ingest
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
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
    Company.objects.bulk_create(Company(duns=duns, sources="a") for duns in (DUNS, OTHER))

    def another_is_faster(*arguments: Any) -> int:
        monkeypatch.undo()
        add_source("b", [DUNS])
        return replace_value(*arguments)

    monkeypatch.setattr(company_sources, "replace_value", another_is_faster)
    add_source("c", [DUNS, OTHER])
    assert kept() == ["a", "b", "c"] and kept(OTHER) == ["a", "c"]


def test_a_company_that_is_gone_meanwhile_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    Company.objects.create(duns=DUNS, sources="a")

    def it_goes(*arguments: Any) -> int:
        Company.objects.all().delete()
        return replace_value(*arguments)

    monkeypatch.setattr(company_sources, "replace_value", it_goes)
    add_source("b", [DUNS])
    assert not Company.objects.exists()


def test_the_source_is_kept_before_its_first_change_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever settles what another has brought must find it."""
    one, two = a_registration("ONE"), a_registration("TWO")
    delivered(an_update(), registration=one)
    seen: list[tuple[int, bool]] = []

    def note(model: Any, name: str, before: str, after: str, keys: Any) -> int:
        seen.append((Change.objects.filter(registration=two).count(), len(after.split()) == 2))
        return replace_value(model, name, before, after, keys)

    monkeypatch.setattr(company_sources, "replace_value", note)
    delivered(an_update(), registration=two)
    assert seen == [(0, True)]


def test_a_source_is_kept_of_a_company_that_another_inserts_just_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """After this reading has looked which companies are there."""
    one, two = a_registration("ONE"), a_registration("TWO")
    second = a_delivery(an_update(an_element(current="X")), registration=two)
    real = add_sources

    def another_inserts(batches: Any, *arguments: Any) -> None:
        monkeypatch.undo()
        real(batches, *arguments)
        delivered(an_update(), registration=one)

    monkeypatch.setattr(pipeline, "add_sources", another_inserts)
    ingest(second)
    assert kept() == sorted([of(one), of(two)])


def test_companies_without_a_history_take_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    companies = [f"{number:09}" for number in range(100)]
    Company.objects.bulk_create(Company(duns=duns) for duns in companies)
    with CaptureQueriesContext(connection) as queries:
        add_source("a", companies)
    assert set(Company.objects.values_list("sources", flat=True)) == {"a"}
    if connection.vendor in ("sqlite", "postgresql"):
        assert len(queries) <= 4


def test_where_a_change_compares_documents_or_does_not_hold_that_is_kept_too() -> None:
    """The registration may send documents no more."""
    one = a_registration("ONE")
    delivered(an_update(), registration=one)
    Change.objects.update(superseded=True)
    Company.objects.update(sources="")
    add_source(of(one), [DUNS])
    assert DOCUMENTS in kept() and several_sources([DUNS]) == [DUNS]


def test_more_companies_than_a_statement_takes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Company(duns=f"{number:09}", sources="a") for number in range(1200)]
    Company.objects.bulk_create(rows)
    asked: list[int] = []
    real = select_values

    def count(model: Any, names: Any, **conditions: Any) -> Any:
        asked.append(len(conditions["pk__in"]))
        return real(model, names, **conditions)

    monkeypatch.setattr(company_sources, "select_values", count)
    assert several_sources([row.duns for row in rows]) == [] and max(asked) <= 500
