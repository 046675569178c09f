"""Delivered files in health: what was refused and why, what waits, and file servers that fail."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from health.checks.context import begin_look
from health.checks.files import checks_of_files
from health.checks.result import Result
from health.models import State
from monitoring.file_intake import arrivals
from monitoring.file_intake.intake import import_paths
from monitoring.models import DeliveredFile, FileServer, FileSource, FileState
from tests.builders.delivered_files import a_file, updates
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


def results() -> list[Result]:
    return list(checks_of_files(begin_look()))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> None:
    settings.FILE_INTAKE_FOLDER = tmp_path / "incoming"


def test_nothing_is_wrong_where_nothing_arrived() -> None:
    (one,) = results()
    assert (one.state, one.sentence) == (State.OK, "No file was refused in the last 7 days.")


def test_a_refused_file_is_shown_until_it_arrives_as_it_should_be(tmp_path: Path) -> None:
    a_registration()
    path = a_file(tmp_path, *updates(1))
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    import_paths([path], by="ann")
    (one,) = results()
    assert (one.state, one.number) == (State.WARNING, 1)
    assert path.name in one.sentence and "not a complete zip" in one.sentence and "add it again" in one.do
    path.write_bytes(whole)
    import_paths([path], by="ann")
    assert results()[0].state == State.OK


def test_what_waits_says_until_when(tmp_path: Path) -> None:
    a_registration()
    import_paths([a_file(tmp_path, *updates(1))], by="ann")
    DeliveredFile.objects.update(state=FileState.WAITING)
    (one,) = results()
    assert one.state == State.OK and "1 file waits for its header" in one.sentence


def test_a_file_in_the_folder_that_is_not_read_is_shown(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that the user of the worker may not read."""
    path = a_file(settings.FILE_INTAKE_FOLDER, *updates(1))
    assert len(results()) == 1
    later = time.time_ns() + 16 * 60 * 1_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    one = results()[1]
    assert (one.state, one.dedup_key) == (State.WARNING, "files:folder")
    assert path.name in one.sentence and "may read the files" in one.do
    arrivals.arrive(arrivals.look_at(path), source=FileSource.FOLDER)
    assert len(results()) == 1


def test_a_file_that_is_open_long_after_its_time_is_shown(tmp_path: Path) -> None:
    a_registration()
    path = a_file(tmp_path, *updates(1))
    import_paths([path], by="ann")
    rows, hour = DeliveredFile.objects.all(), timedelta(hours=1)
    rows.update(state=FileState.WAITING, wait_until=timezone.now() - hour, reason="OSError: the disk fails")
    assert len(results()) == 1
    rows.update(wait_until=timezone.now() - 4 * hour)
    one = results()[1]
    assert (one.state, one.dedup_key) == (State.WARNING, "files:overdue")
    assert path.name in one.sentence and "OSError: the disk fails" in one.sentence
    rows.update(state=FileState.PROCESSING, reason="")
    assert len(results()) == 1, "a large one takes long"
    rows.update(reason="OSError: the disk fails")
    assert len(results()) == 2


def test_a_file_server_that_fails(tmp_path: Path) -> None:
    values = {"host": "sftp.example.com", "user_name": "acme", "created_at": timezone.now(), "is_source": True}
    FileServer.objects.create(name="STP", fetch_error="It does not answer.", **values)
    FileServer.objects.create(name="Fine", **values)
    one = results()[1]
    assert (one.check, one.title, one.state, one.sentence) == (
        "file-servers",
        "File server STP",
        State.WARNING,
        "It does not answer.",
    )
