"""What is inserted or changed the fast way reads as if Django had written it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from core.bulk import insert_rows, update_version
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
