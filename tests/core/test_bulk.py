"""What is inserted or changed the fast way reads as if Django had written it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.bulk import (
    among,
    distinct_digits,
    durable_later,
    find_rows,
    insert_rows,
    thousands,
    update_later,
    update_rows,
    update_together,
    update_version,
    update_versions,
)
from core.db import insert_new_values
from core.models import Blob
from monitoring.models import Change, Delivery, Notification
from portfolio.models import Company, Subject
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 29, 1, 59, 59, 123000, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("model", [Company, Delivery, Notification, Change])
def test_rows_come_back_as_django_writes_them(model: Any) -> None:
    delivered(a_seed(primaryName="Ünï"), an_update())
    for row in list(model.objects.all()):
        row.pk = "999999999" if model is Company else uuid4()
        row._state.adding = True
        if hasattr(row, "changed_at"):
            row.changed_at = MOMENT
        insert_rows(model, [row])
        fast = model.objects.filter(pk=row.pk).values().get()
        model.objects.filter(pk=row.pk).delete()
        row.save(force_insert=True)
        assert model.objects.filter(pk=row.pk).values().get() == fast


def test_bytes_and_times_are_exact() -> None:
    insert_rows(Blob, [Blob(key="k", owner=uuid4(), part=0, data=b"\0\xff")])
    assert bytes(Blob.objects.get().data) == b"\0\xff"
    insert_rows(Company, [Company(duns="100000001", changed_at=MOMENT)])
    assert Company.objects.get().changed_at == MOMENT.astimezone(UTC)
    assert Company.objects.filter(changed_at__gte=MOMENT, changed_at__lt=MOMENT + timedelta(seconds=1)).exists()


def test_a_key_that_is_there_is_refused() -> None:
    insert_rows(Company, [Company(duns="100000001")])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(Company, [Company(duns="100000001")])


def test_only_the_version_that_was_read_is_changed() -> None:
    insert_rows(Company, [Company(duns="100000001", name="before")])
    read, late = Company.objects.get(), Company.objects.get()
    assert update_version(read, {"name": "after", "changed_at": MOMENT})
    assert not update_version(late, {"name": "too late"})
    row = Company.objects.get()
    assert (row.name, row.version, row.changed_at) == ("after", 1, MOMENT)
    assert update_version(row, {})
    assert Company.objects.get().version == 2


def test_finds_the_rows_that_are_there() -> None:
    delivery = delivered(a_seed(), an_update())
    keys = list(Notification.objects.values_list("pk", flat=True))
    found = find_rows(Notification, ("id", "delivery", "place"), [*keys, *(uuid4() for _ in range(600))])
    assert sorted(found) == sorted(Notification.objects.values_list("id", "delivery", "place"))
    assert {row[1] for row in found} == {delivery.pk}
    assert find_rows(Company, ("duns", "version"), []) == []


def test_digits_of_a_column_are_told_apart() -> None:
    delivered(*(an_update(duns=duns) for duns in (DUNS, OTHER)))
    delivered(an_update(duns=DUNS), registration=a_registration("TWO"))
    changes = Change.objects.all()
    every = {"company__in": [DUNS, OTHER]}
    found = distinct_digits(Change, "company_id", "place", slice(16, 25), **every)
    assert found == {(row.company_id, row.place[16:25]) for row in changes}
    assert len(distinct_digits(Change, "kind", "place", slice(0, 4), **every)) == 1


def test_many_rows_are_changed_at_once_and_those_changed_meanwhile_are_named() -> None:
    insert_rows(Company, [Company(duns=f"10000000{number}", name="before", city="Leeds") for number in range(3)])
    one, two, three = Company.objects.order_by("pk")
    assert update_versions([(one, {"name": "after"}), (two, {"city": "York"})]) == []
    late, early = one, Company.objects.get(pk=two.pk)
    assert update_versions([(late, {"name": "too late"}), (early, {}), (three, {"changed_at": MOMENT})]) == [late]
    rows = Company.objects.order_by("pk").values_list("name", "city", "changed_at", "version")
    assert list(rows) == [("after", "Leeds", None, 1), ("before", "York", None, 2), ("before", "Leeds", MOMENT, 1)]


def test_a_time_is_only_raised() -> None:
    insert_rows(Company, [Company(duns="100000001"), Company(duns="100000002", changed_at=MOMENT)])
    for hours in (1, -1):
        update_later(Company, "changed_at", dict.fromkeys(["100000001", "100000002"], MOMENT + timedelta(hours=hours)))
    assert set(Company.objects.values_list("changed_at", "version")) == {(MOMENT + timedelta(hours=1), 1)}
    update_later(Company, "changed_at", {})


# Thousands of rows in one statement

NUMBERS = [f"{100_000_000 + number}" for number in range(4)]


def test_what_is_there_is_not_inserted_again_and_not_returned() -> None:
    insert_rows(Company, [Company(duns=NUMBERS[1], name="before")])
    rows = [(number, "given") for number in (*NUMBERS[:3], NUMBERS[2])]
    given = insert_new_values(Company, ("duns", "name"), rows, "duns", changed_at=MOMENT)
    assert given == {NUMBERS[0], NUMBERS[2]}
    assert insert_new_values(Company, ("duns", "name"), rows, "duns") == set()
    assert insert_new_values(Company, ("duns", "name"), [], "duns") == set()
    found = Company.objects.order_by("duns").values_list("name", "changed_at", "version")
    assert list(found) == [("given", MOMENT, 0), ("before", None, 0), ("given", MOMENT, 0)]


def test_more_values_than_a_statement_takes_are_inserted_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thousands, "MOST_PARAMETERS", 5)
    assert insert_new_values(Company, ("duns", "name"), [(one, "ü") for one in NUMBERS], "duns") == set(NUMBERS)
    assert set(Company.objects.values_list("duns", "name")) == {(one, "ü") for one in NUMBERS}


def test_each_kind_of_column_is_inserted_as_django_writes_it() -> None:
    registration, company = a_registration(), Company.objects.create(duns=NUMBERS[0])
    row = Subject(id=uuid4(), registration=registration, company=company, requested=True, requested_at=MOMENT)
    row.requested_import, row.monitored_since, row.tags = uuid4(), MOMENT.date(), 'a, "ü" \\ {b}'
    row.save(force_insert=True)
    whole: dict[str, Any] = dict(Subject.objects.filter(pk=row.pk).values().get())
    for names in ({"id", "company_id"}, {*whole}, {"id", "company_id", "remove_on", "requested_import", "requested"}):
        row.delete()
        rest = {name: value for name, value in whole.items() if name not in names}
        inserted = insert_new_values(Subject, list(names), [[whole[name] for name in names]], "company_id", **rest)
        assert inserted == {company.duns}
        row = Subject.objects.get()
        assert Subject.objects.values().get() == whole


def test_only_rows_among_the_values_are_meant() -> None:
    registration = a_registration()
    for number in NUMBERS:
        a_subject(number, registration)
    keys = Subject.keys(registration.pk, NUMBERS[:2])
    assert keys == [Subject.key(registration.pk, number) for number in NUMBERS[:2]]
    rows = Subject.objects.filter(among("id", keys))
    assert set(rows.values_list("company_id", flat=True)) == set(NUMBERS[:2])
    assert rows.filter(among("company", NUMBERS[1:]), requested=True).update(tags="told") == 1
    assert list(Subject.objects.filter(tags="told").values_list("company_id", flat=True)) == [NUMBERS[1]]
    assert Subject.objects.exclude(among("company", NUMBERS[:3])).get().company_id == NUMBERS[3]
    assert not Subject.objects.filter(among("id", [])).exists()
    assert Subject.objects.filter(among("id", [])).update(tags="none") == 0


@pytest.mark.parametrize("update", [update_rows, update_together])
def test_rows_are_given_values_of_their_own(update: Callable[..., None]) -> None:
    insert_rows(Company, [Company(duns=number, city="before") for number in NUMBERS])
    rows = [(NUMBERS[0], "a", MOMENT), (NUMBERS[1], "b", None), ("none", "c", None)]
    update(Company, ("name", "changed_at"), rows)
    found = Company.objects.order_by("duns").values_list("name", "changed_at", "city")
    assert list(found) == [("a", MOMENT, "before"), ("b", None, "before"), ("", None, "before"), ("", None, "before")]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL locks rows one by one")
def test_rows_updated_together_are_locked_in_the_order_of_their_keys() -> None:
    insert_rows(Company, [Company(duns=number) for number in NUMBERS])
    with CaptureQueriesContext(connection) as statements:
        update_together(Company, ("name",), [(number, "a") for number in reversed(NUMBERS)])
    lock, update = [one["sql"] for one in statements if "portfolio_company" in one["sql"]]
    assert lock.startswith('SELECT "portfolio_company"."duns"')
    assert lock.endswith(" ASC FOR NO KEY UPDATE")
    assert update.startswith("UPDATE")


HOW_DURABLE = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}


@pytest.mark.django_db(transaction=True)
def test_what_is_durable_later_leaves_other_commits_as_they_are() -> None:
    if connection.vendor not in HOW_DURABLE:
        pytest.skip("MongoDB's commits all wait for the disk")

    def found() -> object:
        with connection.cursor() as cursor:
            cursor.execute(HOW_DURABLE[connection.vendor])
            return cursor.fetchone()[0]

    usual = found()
    with pytest.raises(ZeroDivisionError), durable_later():
        assert found() == {"sqlite": 1, "postgresql": "off"}[connection.vendor]
        raise ZeroDivisionError
    assert found() == usual
    with transaction.atomic(), durable_later():
        assert found() == usual
