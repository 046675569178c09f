"""One holder of a row at a time, by the database's clock, whatever model the row is of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from core.db import database_now
from core.leases import NOBODYS, Hold, HoldLost, holding, is_held
from core.models import Export, Lease, Leased
from monitoring.models import DataFetch, FamilyTree
from portfolio.models import Registration
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration

A_MINUTE = timedelta(minutes=1)
MODELS = [model for model in apps.get_models() if issubclass(model, Leased)]


def a_row(model: type[Leased]) -> QuerySet[Any]:
    makers: dict[Any, Callable[[], Leased]] = {
        DataFetch: lambda: DataFetch.objects.create(
            contract=a_contract(), requested_at=timezone.now(), confirmed_calls=1
        ),
        FamilyTree: lambda: FamilyTree.objects.create(
            contract=a_contract(), requested_at=timezone.now(), moved_at=timezone.now(), confirmed_calls=1
        ),
        Export: lambda: Export.objects.create(requested_at=timezone.now()),
        Lease: lambda: Lease.objects.create(key="work"),
        Registration: a_registration,
    }
    return model._default_manager.filter(pk=makers[model]().pk)


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def row(request: pytest.FixtureRequest, db: None) -> QuerySet[Any]:
    return a_row(request.param)


def taken(row: QuerySet[Any]) -> Hold[Any]:
    hold = Hold.take(row, A_MINUTE)
    assert hold
    return hold


def expire(row: QuerySet[Any]) -> None:
    row.update(lease_until=database_now() - timedelta(seconds=1))


def test_only_one_has_it_until_it_is_released(row: QuerySet[Any]) -> None:
    hold = taken(row)
    assert is_held(row.get())
    assert Hold.take(row, A_MINUTE) is None
    hold.release()
    assert not is_held(row.get())
    taken(row)


def test_each_holder_has_the_next_fence(row: QuerySet[Any]) -> None:
    first = taken(row)
    first.release()
    assert taken(row).fence == first.fence + 1 == row.get().fence


def test_who_comes_too_late_changes_nothing(row: QuerySet[Any]) -> None:
    late = taken(row)
    expire(row)
    assert not is_held(row.get())
    second = taken(row)
    with pytest.raises(HoldLost):
        late.renew()
    with pytest.raises(HoldLost):
        late.update(fence=99)
    late.release()
    assert (row.get().lease_owner, row.get().fence) == (second.owner, second.fence)


def test_a_fence_that_moved_on_ends_the_hold(row: QuerySet[Any]) -> None:
    hold = taken(row)
    row.update(fence=hold.fence + 1)
    with pytest.raises(HoldLost):
        hold.renew()


def test_who_is_late_but_alone_goes_on(row: QuerySet[Any]) -> None:
    hold = taken(row)
    expire(row)
    hold.renew(seconds=600)
    assert row.get().lease_until > database_now() + timedelta(seconds=600)
    assert Hold.take(row, A_MINUTE) is None


def test_of_a_dead_holder_nothing_is_left(row: QuerySet[Any]) -> None:
    taken(row)
    row.update(**NOBODYS)
    taken(row)


@pytest.mark.django_db
def test_no_row_no_hold() -> None:
    assert Hold.take(Lease.objects.filter(pk="nothing"), A_MINUTE) is None


@pytest.mark.django_db
def test_work_by_name_is_held_for_a_block_also_when_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), holding("work", A_MINUTE) as hold:
        assert hold
        with holding("work", A_MINUTE) as second:
            assert second is None
        with holding("other work", A_MINUTE) as other:
            assert other
        raise ZeroDivisionError
    with holding("work", A_MINUTE) as hold:
        assert hold


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", MODELS)
def test_of_many_at_once_one_gets_it(model: type[Leased]) -> None:
    row, won = a_row(model), []

    def compete() -> None:
        try:
            won.append(Hold.take(row.all(), A_MINUTE))
        finally:
            connection.close()

    threads = [threading.Thread(target=compete) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([hold for hold in won if hold]) == 1
