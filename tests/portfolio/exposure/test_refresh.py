"""Companies show what is at stake, whatever changed it; and open alerts with them."""

from decimal import Decimal
from typing import Any

import pytest

from core.bulk import update_rows
from monitoring.models import Alert, AlertState
from portfolio.exposure import refresh
from portfolio.exposure.rates import set_rate
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.upload import undo_exposure
from portfolio.models import Company
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.exposures import DAY, exposure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def companies() -> None:
    a_company(DUNS)
    a_company(OTHER, "Other")


def shown() -> dict[str, tuple[int | None, bool]]:
    rows = Company.objects.values_list("pk", "exposure", "exposure_unconverted")
    return {duns: (cents, is_apart) for duns, cents, is_apart in rows}


def test_companies_show_sums_and_what_is_missing_in_them() -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};10;EUR", f"{OTHER};20;USD", "999999999;1;EUR")
    assert refresh_columns() == 3
    assert shown() == {DUNS: (1_000, False), OTHER: (None, True)}
    set_rate(currency="USD", day=DAY, rate=Decimal("0.5"), set_by="ann")
    refresh_columns()
    assert shown() == {DUNS: (1_000, False), OTHER: (1_000, False)}


def test_what_is_undone_is_shown_no_longer() -> None:
    upload = exposure(f"{DUNS};10")
    refresh_columns()
    undo_exposure(upload, undone_by="ann")
    refresh_columns()
    assert shown() == {DUNS: (None, False), OTHER: (None, False)}


def test_nothing_is_written_where_all_is_right() -> None:
    exposure(f"{DUNS};10")
    refresh_columns()
    assert refresh_columns() == 0


def test_what_changes_while_it_is_written_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    exposure(f"{DUNS};10")
    write = update_rows

    def changing(*given: Any) -> None:
        write(*given)
        monkeypatch.setattr(refresh, "update_rows", write)
        exposure(f"{DUNS};11")

    monkeypatch.setattr(refresh, "update_rows", changing)
    refresh_columns()
    assert shown()[DUNS] == (1_100, False)


def test_open_alerts_follow_and_closed_ones_keep_what_it_was() -> None:
    common: dict[str, Any] = {"company_id": DUNS, "severity": 3, "happened_at": "2026-03-01T00:00Z", "sequence": 1}
    times = {"raised_at": "2026-03-01T00:00Z", "rate_window": "2026-03-01T00:00Z"}
    for number, state in enumerate((AlertState.NEW, AlertState.CLOSED)):
        Alert.objects.create(id=f"{number:032x}", state=state, exposure=5, title="t", reason="r", **common, **times)
    exposure(f"{DUNS};10")
    refresh_columns()
    assert dict(Alert.objects.values_list("state", "exposure")) == {AlertState.NEW: 1_000, AlertState.CLOSED: 5}
