"""Records as of a day: with and without checkpoints they are the same."""

import random
from contextlib import nullcontext
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from core.blobs import store_bytes
from core.models import Blob
from monitoring.figures import checkpoints, records
from monitoring.figures.catalog import Figures
from monitoring.figures.record import ENTRY, pack
from monitoring.figures.records import FOREVER, make_checkpoints, next_month, records_at, records_before
from monitoring.models import FigureCheckpoint, FigureMonth
from tests.builders.companies import a_company, duns_numbers
from tests.builders.times import soon

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 1, 1), date(2026, 4, 30)
Known = dict[int, int]


@pytest.fixture(autouse=True)
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that only rows written since a checkpoint count as changed."""
    monkeypatch.setattr(records, "MARGIN", timedelta(0))


def write(duns: str, entries: dict[date, int]) -> None:
    """Exactly these of the month."""
    months: dict[date, bytes] = {}
    for day, percentile in sorted(entries.items()):
        record = pack(duns, Figures(failure_percentile=percentile), {})
        months[day.replace(day=1)] = months.get(day.replace(day=1), b"") + ENTRY.pack(day.day, record)
    month = FIRST
    while month <= LAST:
        fields = {"entries": months.get(month, b""), "company_id": duns, "month": month}
        key = FigureMonth.key_of(duns, month)
        before = FigureMonth.objects.filter(key=key).first()
        if (before.entries if before else b"") != fields["entries"]:
            FigureMonth.objects.update_or_create(key=key, defaults=fields | {"changed_at": timezone.now()})
        month = next_month(month)


def at(day: date | None) -> Known:
    return {int(row["duns"]): int(row["failure_percentile"]) for row in records_at(day)}


def expected(worlds: dict[str, dict[date, int]], day: date | None) -> Known:
    found = {}
    for duns, entries in worlds.items():
        until = [one for one in sorted(entries) if day is None or one <= day]
        if until:
            found[int(duns)] = entries[until[-1]]
    return found


@pytest.mark.parametrize("seed", range(6))
def test_any_day_while_rows_come_change_and_go(seed: int) -> None:
    chance = random.Random(seed)
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    numbers = duns_numbers(6)
    worlds: dict[str, dict[date, int]] = {}
    for duns in numbers:
        a_company(duns)
    for _ in range(12):
        for duns in chance.sample(numbers, 2):
            worlds[duns] = {chance.choice(days): chance.randint(1, 100) for _ in range(chance.randint(0, 5))}
            write(duns, worlds[duns])
        for day in [*chance.sample(days, 3), None]:
            assert at(day) == expected(worlds, day)
        if chance.random() < 0.2:
            make_checkpoints(soon())


def test_a_checkpoint_is_made_when_it_is_asked_for_and_used_again(
    django_assert_num_queries: Any,
) -> None:
    a_company("000000001")
    write("000000001", {FIRST: 50, date(2026, 3, 4): 40})
    assert at(date(2026, 3, 31)) == {1: 40}
    made = FigureCheckpoint.objects.get()
    assert (made.month, made.is_whole, made.companies) == (date(2026, 3, 1), True, 1)
    with django_assert_num_queries(3):
        assert at(date(2026, 3, 1)) == {1: 50}


def test_much_that_changed_has_it_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_CHANGED", 0)
    a_company("000000001")
    write("000000001", {FIRST: 50})
    assert at(None) == {1: 50}
    before = FigureCheckpoint.objects.get()
    write("000000001", {FIRST: 60})
    assert len(records_before(FOREVER)) == 1
    after = FigureCheckpoint.objects.get()
    assert after.pk != before.pk
    assert set(Blob.objects.values_list("owner", flat=True)) == {after.pk}


def test_one_whose_bytes_are_not_whole_is_made_again() -> None:
    a_company("000000001")
    write("000000001", {FIRST: 50})
    assert at(None) == {1: 50}
    Blob.objects.all().delete()
    assert at(None) == {1: 50}
    assert FigureCheckpoint.objects.count() == 1


def test_its_bytes_are_read_once_until_all_are_removed(django_assert_num_queries: Any) -> None:
    a_company("000000001")
    write("000000001", {FIRST: 50})
    assert at(None) == {1: 50}
    row, load = FigureCheckpoint.objects.get(), checkpoints.load
    first = load(row)
    assert first is not None
    # All readers have the same.
    with pytest.raises(ValueError, match="read-only"):
        first["month"] = 0
    with django_assert_num_queries(0):
        assert load(row) is first
    checkpoints.remove_all()
    assert load(row) is None


def test_who_makes_one_while_a_company_is_erased_does_not_keep_it() -> None:
    a_company("000000001")
    write("000000001", {FIRST: 50})

    def made() -> Any:
        found = records_before(date(2027, 1, 1))
        checkpoints.remove_all()
        return found

    assert len(checkpoints.save(FOREVER, made)) == 1
    assert not FigureCheckpoint.objects.exists()
    assert not Blob.objects.exists()


def test_what_is_killed_behind_a_removal_is_found_later(monkeypatch: pytest.MonkeyPatch) -> None:
    a_company("000000001")
    write("000000001", {FIRST: 50})

    def made() -> Any:
        found = records_before(date(2027, 1, 1))
        checkpoints.remove_all()
        return found

    def die(*given: Any) -> None:
        store_bytes(*given)
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "store_bytes", die)
        # As on an engine without transactions.
        patch.setattr(checkpoints, "transaction", SimpleNamespace(atomic=nullcontext))
        with pytest.raises(InterruptedError):
            checkpoints.save(FOREVER, made)
    assert Blob.objects.exists()
    monkeypatch.setattr(checkpoints, "UNFINISHED", timedelta(0))
    checkpoints.remove_unfinished()
    assert not Blob.objects.exists()
    assert not FigureCheckpoint.objects.exists()


def test_what_a_killed_process_left_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    FigureCheckpoint.objects.create(month=FIRST, made_at=timezone.now() - timedelta(hours=7))
    FigureCheckpoint.objects.create(month=FIRST, made_at=timezone.now())
    make_checkpoints(soon())
    assert FigureCheckpoint.objects.filter(is_whole=False).count() == 1


def test_all_months_are_prepared() -> None:
    a_company("000000001")
    write("000000001", {FIRST: 50, date(2026, 3, 4): 40})
    make_checkpoints(soon())
    months = set(FigureCheckpoint.objects.values_list("month", flat=True))
    assert {date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1), FOREVER} <= months
    assert FIRST not in months
