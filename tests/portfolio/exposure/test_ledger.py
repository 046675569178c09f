"""Amounts that are replaced while they are read are read again."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core.models import Blob
from portfolio.exposure import ledger, packed
from portfolio.exposure.entries import set_exposures
from portfolio.exposure.ledger import past_amounts
from portfolio.exposure.packed import AmountsGone, Position
from portfolio.exposure.totals import exposures_at
from tests.builders.companies import DUNS, OTHER
from tests.builders.exposures import DAY, exposure
from tests.builders.people import an_actor

pytestmark = pytest.mark.django_db
LATER = DAY + timedelta(days=30)


def put(duns: str, cents: int) -> None:
    set_exposures([Position(duns, cents, "EUR", "orders", DAY)], requested_by=an_actor("ann"))


def first_doing(act: Callable[[], None], load: Callable[..., Any], patch: pytest.MonkeyPatch, module: Any) -> None:
    """`load` of the module, and once something that another process does before it."""

    def acting(owners: Any) -> Any:
        patch.setattr(module, "load", load)
        act()
        return load(owners)

    patch.setattr(module, "load", acting)


def test_what_is_replaced_between_two_reads_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    put(DUNS, 100)
    first_doing(lambda: put(OTHER, 200), packed.load, monkeypatch, ledger)
    assert exposures_at(DAY).by_duns == {int(DUNS): 100, int(OTHER): 200}


def test_what_is_replaced_while_more_is_kept_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    put(DUNS, 100)
    first_doing(lambda: put(OTHER, 200), packed.load, monkeypatch, packed)
    put("101202303", 300)
    assert exposures_at(DAY).by_duns == {int(DUNS): 100, int(OTHER): 200, 101202303: 300}


def test_lost_bytes_are_no_empty_book() -> None:
    upload = exposure(f"{DUNS};5")
    Blob.objects.filter(owner=upload.positions or upload.pk).delete()
    with pytest.raises(AmountsGone):
        exposures_at(DAY)


def of_one(since: date = DAY, until: date = LATER, most: int = 1000) -> list[tuple[date, int | None]]:
    return [(one.layer.day, one.cents) for one in past_amounts(DUNS, since, until, most)[0]]


def test_the_past_of_one_company_begins_with_what_counted_and_has_each_change_once() -> None:
    for number, amount in enumerate((1, 2, 2, 3)):
        exposure(f"{DUNS};{amount}", f"{OTHER};9", as_of=DAY + timedelta(days=number))
    exposure(f"{OTHER};9", as_of=DAY + timedelta(days=4))
    assert of_one(DAY + timedelta(days=2)) == [
        (DAY + timedelta(days=2), 200),
        (DAY + timedelta(days=3), 300),
        (DAY + timedelta(days=4), None),
    ]
    assert of_one(until=DAY) == [(DAY, 100)]


def test_an_import_that_adds_leaves_the_company_as_it_was() -> None:
    exposure(f"{DUNS};1")
    exposure(f"{OTHER};9", mode="add", as_of=DAY + timedelta(days=1))
    exposure(f"{DUNS};5", book="orders", as_of=DAY + timedelta(days=1))
    assert of_one() == [(DAY, 100), (DAY + timedelta(days=1), 500)]


def test_too_many_amounts_are_read_from_the_latest_on() -> None:
    for number in range(4):
        exposure(f"{DUNS};{number + 1}", f"{OTHER};9", as_of=DAY + timedelta(days=number))
    found, kept_from = past_amounts(DUNS, DAY, LATER, 4)
    assert [one.cents for one in found] == [300, 400]
    assert kept_from == DAY + timedelta(days=2)
    assert past_amounts(DUNS, DAY, LATER, 8)[1] is None


def test_the_past_is_read_again_where_it_was_replaced_between_two_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    put(DUNS, 100)
    first_doing(lambda: put(DUNS, 200), packed.load, monkeypatch, ledger)
    assert of_one() == [(DAY, 200)]
