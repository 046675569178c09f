"""Every measurement runs, at its smallest; no test asks how fast."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import (
    companies,
    delivered_files,
    exposure,
    figures,
    frame,
    ingest,
    lists,
    portfolio_page,
    sizes,
    stream,
    sync,
    unit_lists,
    workers,
)
from monitoring.models import Change, Delivery, DeliveryState, FigureMonth, Kind, Notification
from monitoring.publications.consumers import consumed_by_all
from monitoring.publications.sequence import newest_publication
from portfolio.exposure.totals import exposures_at
from portfolio.models import Subject
from tests.support import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def floor_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The floor finds its database where the measurement's process would have its own."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/floor")


def test_pages_are_read_and_known_the_second_time() -> None:
    found = ingest.read_pages(pages=1)
    assert set(found) == {"floor", "first", "each", "known"}
    assert (Notification.objects.count(), Change.objects.count()) == (100, 150)
    assert Delivery.objects.filter(state=DeliveryState.PUBLISHED).count() == consumed_by_all() + 1 == 2


def test_a_backlog_is_read_to_its_end() -> None:
    ingest.read_backlog(pages=2)
    assert not Delivery.objects.exclude(state=DeliveryState.PUBLISHED).exists()
    assert newest_publication() == 2


def test_a_second_process_ends_when_every_consumer_has_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "wait_to_begin", lambda: None)
    ingest.load_and_store(pages=2)
    assert ingest.as_pulled() < ingest.consume(publications=2)
    assert consumed_by_all() == newest_publication() == 2


def test_second_documents_are_compared_with_the_first() -> None:
    ingest.read_documents(count=3)
    derived = Change.objects.filter(kind=Kind.ELEMENT).exclude(derived_from="")
    assert derived.values("company").distinct().count() == 3


def test_names_change_as_often_as_the_row_says() -> None:
    found = ingest.read_names(changes=2)
    assert {"1", "2", "floor 1", "floor 2"} == set(found)
    assert Change.objects.filter(company="100000007").count() == 3


def test_a_history_grows() -> None:
    small, large = sizes.grow([100, 200])
    assert (small["size"], large["size"]) == (100, 200)
    assert large["bytes"] > 100
    assert len(large["pages"]) == len(sizes.PAGES)


def test_a_delivered_file_is_imported(tmp_path: Path) -> None:
    path = tmp_path / delivered_files.NAME
    delivered_files.write(path, 30)
    delivered_files.read(str(path))
    assert delivered_files.notifications() == 30
    assert len(set(delivered_files.fingerprint())) == 3


def test_a_worker_reads_its_registration_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "wait_to_begin", lambda: None)
    workers.store(list(workers.REFERENCES), pages=1)
    workers.read(workers.REFERENCES[1])
    left = Delivery.objects.get(state=DeliveryState.RECEIVED)
    assert left.registration.reference == workers.REFERENCES[0]


@pytest.mark.slow
def test_every_page_of_the_lists_answers() -> None:
    assert set(lists.measure(count=100, rounds=1)) == set(lists.PAGES)


@pytest.mark.slow
def test_lists_are_asked_for_by_who_sees_all_and_by_a_unit() -> None:
    found = unit_lists.measure(count=200, rounds=1)
    assert set(found) == set(unit_lists.PAGES)
    assert Change.objects.filter(registration__reference=unit_lists.REFERENCE).count() == 1
    assert Change.objects.exclude(audience=None).count() == 1


@pytest.mark.slow
def test_a_company_with_its_own_story_answers() -> None:
    assert [name for name, *_ in companies.measure_all(large=100, own=5)] == ["today", "as of a day"]


def test_amounts_are_imported_and_summed() -> None:
    assert exposure.measure(rows=7)["import in all"] > 0
    assert exposures_at(exposure.DAY).duns.tolist() == sorted(map(int, exposure.numbers(7)))


def test_additions_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DNB_BASE_URL", "DNB_API_KEY", "DNB_API_SECRET"):
        monkeypatch.setenv(name, "")
    sync.measure(count=5)
    assert Subject.objects.filter(state="monitored").count() == 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["delivered_files", "file_kills", "imports"])
def test_a_command_measures_in_processes_of_its_own(name: str) -> None:
    """Among them one that is killed, and whose file is imported again."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--tiny", "--anyway", "--engine", "sqlite"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_document_has_the_size_of_a_real_one() -> None:
    assert 5_000 < len(repr(stream.a_large_document(1, 1).as_json())) < 6_000


def test_the_portfolio_is_looked_at_today_and_as_of_a_day() -> None:
    rows = portfolio_page.measure(companies=20, months=3, rounds=1)
    assert [row[0] for row in rows][:2] == ["risk, today", "risk, as of a day"]
    assert FigureMonth.objects.count() == 20 + 2 * round(20 * figures.CHANGING)


def test_figures_are_read_today_and_as_of_a_day() -> None:
    rows = [row[0] for row in figures.measure(companies=20, months=3, rounds=1)]
    assert rows[2:4] == ["snapshot and counts, today", "snapshot and counts, as of a day"]
    assert FigureMonth.objects.count() == 20 + 2 * round(20 * figures.CHANGING)
