"""Companies show what is at stake, whatever changed it; and open alerts with them."""

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from core.bulk import update_together
from core.leases import HoldLost
from core.models import Lease
from monitoring.models import Alert, AlertState
from portfolio.exposure import refresh
from portfolio.exposure.rates import set_rate
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.upload import undo_exposure
from portfolio.models import Company, ExposureSettings
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.exposures import DAY, exposure
from tests.builders.people import an_actor

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
    undo_exposure(upload, undone_by=an_actor("ann"))
    refresh_columns()
    assert shown() == {DUNS: (None, False), OTHER: (None, False)}


def test_nothing_is_written_where_all_is_right() -> None:
    exposure(f"{DUNS};10")
    refresh_columns()
    assert refresh_columns() == 0


def test_what_changes_while_it_is_written_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    exposure(f"{DUNS};10")
    write = update_together

    def changing(*given: Any) -> None:
        write(*given)
        monkeypatch.setattr(refresh, "update_together", write)
        exposure(f"{DUNS};11")

    monkeypatch.setattr(refresh, "update_together", changing)
    refresh_columns()
    assert shown()[DUNS] == (1_100, False)


def alert(number: int = 0, state: AlertState = AlertState.NEW) -> None:
    common: dict[str, Any] = {"company_id": DUNS, "severity": 3, "happened_at": "2026-03-01T00:00Z", "sequence": 1}
    times = {"raised_at": "2026-03-01T00:00Z", "rate_window": "2026-03-01T00:00Z"}
    Alert.objects.create(id=f"{number:032x}", state=state, exposure=5, title="t", reason="r", **common, **times)


def test_open_alerts_follow_and_closed_ones_keep_what_it_was() -> None:
    for number, state in enumerate((AlertState.NEW, AlertState.CLOSED)):
        alert(number, state)
    exposure(f"{DUNS};10")
    refresh_columns()
    assert dict(Alert.objects.values_list("state", "exposure")) == {AlertState.NEW: 1_000, AlertState.CLOSED: 5}


def test_open_alerts_follow_after_a_process_that_dies_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(duns: list[str]) -> None:
        raise InterruptedError

    alert()
    exposure(f"{DUNS};10")
    with monkeypatch.context() as patch:
        patch.setattr(refresh, "FOLLOWERS", [die])
        with pytest.raises(InterruptedError):
            refresh_columns()
    refresh_columns()
    assert Alert.objects.get().exposure == 1_000


def test_open_alerts_follow_columns_that_are_right_already() -> None:
    """As a process leaves them that dies where the database has no transactions."""
    alert()
    exposure(f"{DUNS};10")
    Company.objects.filter(pk=DUNS).update(exposure=1_000)
    refresh_columns()
    assert Alert.objects.get().exposure == 1_000


def test_a_company_that_is_listed_after_its_amount_shows_it() -> None:
    exposure("101202303;10")
    refresh_columns()
    a_company("101202303", "Third")
    refresh_columns()
    assert shown()["101202303"] == (1_000, False)


@pytest.mark.parametrize("step", ["_to_show", "update_together"])
def test_whoever_loses_the_hold_has_it_made_again(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    exposure(f"{DUNS};10")
    do_step = getattr(refresh, step)

    def while_another_takes_over(*given: Any) -> Any:
        done = do_step(*given)
        Lease.objects.filter(pk="exposure-columns").update(fence=F("fence") + 1)
        ExposureSettings.objects.update(columns_of="what the other made")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(refresh, step, while_another_takes_over)
        with pytest.raises(HoldLost):
            refresh_columns()
    assert ExposureSettings.objects.get().columns_of == ""
    Lease.objects.update(lease_until=None)
    refresh_columns()
    assert shown()[DUNS] == (1_000, False)
