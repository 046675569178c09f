"""A company that is erased is gone from all amounts."""

from datetime import date

import pytest

from dnbmon_site.operations.erase.company import forget
from portfolio.exposure.packed import parts_of, positions_of
from portfolio.exposure.totals import exposures_at
from portfolio.models import ExposureImport
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.exposures import DAY, exposure

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
