"""Amounts that are replaced while they are read are read again."""

from collections.abc import Callable
from typing import Any

import pytest

from core.models import Blob
from portfolio.exposure import ledger, packed
from portfolio.exposure.entries import set_exposures
from portfolio.exposure.packed import AmountsGone, Position
from portfolio.exposure.totals import exposures_at
from tests.builders.companies import DUNS, OTHER
from tests.builders.exposures import DAY, exposure
from tests.builders.people import an_actor

pytestmark = pytest.mark.django_db


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
