"""Writing rows so that repetition and company are harmless on every engine."""

import threading
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from core import db
from core.blobs import PART_SIZE, delete_bytes, load_bytes, store_bytes
from core.bulk import has_sql
from core.db import clean_text, database_now, insert_new
from core.models import Blob, Clock, Lease
from portfolio.models import Company


def companies(*numbers: int) -> list[Company]:
    return [Company(duns=f"{number:09d}") for number in numbers]


def keys(found: list[Company]) -> list[str]:
    return [row.duns.lstrip("0") for row in found]


@pytest.mark.django_db
def test_inserts_only_what_is_new_and_says_which() -> None:
    assert keys(insert_new(Company, companies(1, 2, 2, 3))) == ["1", "2", "3"]
    assert keys(insert_new(Company, companies(3, 4))) == ["4"]
    assert Company.objects.count() == 4


@pytest.mark.django_db
def test_a_clash_in_between_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = db.existing_keys, []

    def blind(model: Any, requested: Any) -> Any:
        calls.append(1)
        return set() if len(calls) <= 2 else real(model, requested)

    insert_new(Company, companies(1))
    monkeypatch.setattr(db, "existing_keys", blind)
    insert_new(Company, companies(1, 2, 3))
    assert Company.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_says_which_it_inserted_although_some_clashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without transactions, what stands before the clash stays, and it was this call that brought it."""
    real, calls = db.existing_keys, []

    def somebody_is_faster(model: Any, requested: Any) -> Any:
        found = real(model, requested)
        calls.append(1)
        if len(calls) == 1:
            Company.objects.create(duns="000000002")
        return found

    monkeypatch.setattr(db, "existing_keys", somebody_is_faster)
    assert sorted(keys(insert_new(Company, companies(1, 2, 3)))) == ["1", "3"]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_insert_each_row_once() -> None:
    failures: list[Exception] = []
    inserted: list[str] = []

    def insert() -> None:
        try:
            inserted.extend(row.duns for row in insert_new(Company, companies(*range(40))))
        except Exception as error:  # noqa: BLE001
            # An error ends only its thread: kept here, it fails the test.
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=insert) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Company.objects.count() == 40
    assert sorted(inserted) == [f"{number:09d}" for number in range(40)]


@pytest.mark.parametrize(
    ("text", "clean"), [("a\0b", "a\ufffdb"), ("a\ud800b", "a?b"), ("é😀", "é😀"), ("x" * 2000, "x" * 1000)]
)
def test_text_becomes_what_every_engine_can_hold(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@pytest.mark.django_db
def test_bytes_come_back_exactly_in_parts_that_fit_a_row() -> None:
    owner, data = uuid4(), bytes(range(256)) * 40_000
    store_bytes(owner, data)
    store_bytes(owner, data)
    assert Blob.objects.filter(owner=owner).count() == -(-len(data) // PART_SIZE)
    assert load_bytes(owner) == data
    delete_bytes(owner)
    assert load_bytes(owner) == b""


@pytest.mark.django_db
def test_the_databases_clock_runs() -> None:
    assert database_now() <= database_now()
    assert database_now().tzinfo is not None


@pytest.mark.django_db
def test_only_where_there_is_no_sql_a_row_is_needed_to_ask_for_the_time_and_the_first_who_asks_makes_it() -> None:
    Clock.objects.all().delete()
    database_now()
    database_now()
    assert Clock.objects.count() == (0 if has_sql() else 1)
    assert not Lease.objects.exists(), "the clock is nobody's lease"


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_first_are_all_told_the_time() -> None:
    Clock.objects.all().delete()
    told: list[datetime] = []

    def ask() -> None:
        try:
            told.append(database_now())
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(told), Clock.objects.count()) == (4, 0 if has_sql() else 1)
