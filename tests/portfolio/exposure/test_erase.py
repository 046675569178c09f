"""A company that is erased is gone from all amounts."""

from datetime import date
from typing import Any

import pytest

from core.blobs import load_bytes, store_bytes
from core.models import Blob
from dnbmon_site.operations.erase.company import forget
from portfolio.exposure import entries, packed
from portfolio.exposure import upload as upload_module
from portfolio.exposure.entries import forget_exposure, set_exposures
from portfolio.exposure.packed import Position, parts_of, positions_of
from portfolio.exposure.totals import exposures_at
from portfolio.exposure.upload import choose_mark, read_exposure
from portfolio.models import ExposureImport
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.exposures import DAY, an_exposure_import, exposure
from tests.builders.people import an_actor

pytestmark = pytest.mark.django_db


def test_a_book_that_held_only_it_still_replaces_what_was_before() -> None:
    exposure(f"{DUNS};10", f"{OTHER};20", as_of=date(2026, 1, 1))
    exposure(f"{DUNS};30", as_of=date(2026, 2, 1))
    forget(DUNS, by="ann")
    assert exposures_at(DAY).by_duns == {}


def test_it_is_gone_from_every_import_and_the_others_stay() -> None:
    a_company(DUNS)
    exposure(f"{DUNS};10", f"{OTHER};20")
    exposure(f"{DUNS};30", book="orders", as_of=date(2026, 1, 1))
    forget(DUNS, by="ann")
    assert exposures_at(DAY).by_duns == {int(OTHER): 2_000}
    rows = list(ExposureImport.objects.order_by("id"))
    assert {one.duns for row in rows for one in positions_of(row)} == {OTHER}
    assert [[part.amounts for part in parts_of(row)] for row in rows] == [[{"EUR": 2_000}], [{}]]


def test_what_is_kept_while_an_import_is_looked_at_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = an_actor("ann")
    set_exposures([Position(OTHER, 1, "EUR", "orders", DAY)], requested_by=ann)

    def read_before_it_came(row: ExposureImport) -> list[Position]:
        found = positions_of(row)
        monkeypatch.setattr(entries, "positions_of", positions_of)
        set_exposures([Position(DUNS, 2, "EUR", "orders", DAY)], requested_by=ann)
        return found

    monkeypatch.setattr(entries, "positions_of", read_before_it_came)
    assert forget_exposure(DUNS) == 1
    assert exposures_at(DAY).by_duns == {int(OTHER): 1}


def test_after_a_process_that_dies_the_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = exposure(f"{DUNS};10", f"{OTHER};20")

    def die(owner: Any) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(packed, "delete_bytes", die)
        with pytest.raises(InterruptedError):
            forget_exposure(DUNS)
    # And one that died before its bytes counted.
    upload.refresh_from_db()
    store_bytes(packed.new_owner(upload), b"of a dead process")
    forget_exposure(DUNS)
    upload.refresh_from_db()
    assert [one.duns for one in positions_of(upload)] == [OTHER]
    sizes = [len(load_bytes(owner)) for owner in Blob.objects.values_list("owner", flat=True)]
    assert sizes.count(16) == 1
    assert 32 not in sizes
    assert len(b"of a dead process") not in sizes


def test_after_another_choice_the_amounts_of_the_first_are_gone() -> None:
    upload = an_exposure_import("DUNS;Amount", f"{DUNS};500", f"{OTHER};1.234")
    read_exposure(upload)
    first = upload.positions or upload.pk
    assert load_bytes(first)
    choose_mark(upload, mark=",", chosen_by="ann")
    assert load_bytes(first) == b""


def test_a_file_read_on_after_that_has_no_company_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = an_exposure_import("DUNS;Amount", f"{DUNS};500", f"{OTHER};7")

    def erased_before(*given: Any, **more: Any) -> bool:
        monkeypatch.setattr(upload_module, "replace", packed.replace)
        forget(DUNS, by="ann")
        return packed.replace(*given, **more)

    monkeypatch.setattr(upload_module, "replace", erased_before)
    read_exposure(upload)
    assert [one.duns for one in positions_of(upload)] == [OTHER]
