"""What is inserted or changed the fast way reads as if Django had written it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from core.bulk import find_rows, insert_rows, update_later, update_version, update_versions
from core.models import Blob
from monitoring.models import Change, Delivery, Notification
from portfolio.models import Company
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed, an_update

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
