"""A watched folder: sets with and without header, what is refused, and whatever is killed on the way."""

import errno
import importlib
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.actors import Actor
from core.ids import time_first_id
from core.leases import HoldLost, holding
from core.models import AuditEntry, Blob, Notice
from direct_plus import delivered_files
from dnbmon_site.worker.schedules import OFTEN
from monitoring.file_intake import arrivals, imports, intake, parts, reports, rows, run
from monitoring.file_intake.contents import store_contents
from monitoring.file_intake.intake import import_now
from monitoring.file_intake.lists import NumberChanged, confirm_complete, preview_of
from monitoring.jobs import import_delivered_files, ingest_now
from monitoring.models import Change, DeadLetter, DeliveredFile, Delivery, FileSource, FileState, Notification
from portfolio.models import Registration, Subject, SubjectState
from tests.builders.delivered_files import STAMP, a_file, a_header, a_zip, updates
from tests.builders.notifications import a_notice, a_seed
from tests.builders.registrations import REFERENCE, a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
Take = Callable[[], int]
A, B = "100000000", "100000001"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def states() -> dict[str, str]:
    return {row.name.removeprefix(f"{REFERENCE}_{STAMP}_"): row.state for row in DeliveredFile.objects.all()}


def is_late() -> None:
    """Nothing waits any longer."""
    DeliveredFile.objects.update(wait_until=timezone.now())


def report(folder: Path, name: str) -> str:
    return (folder / f"{name}.report.txt").read_text()


# Sets and their headers


def test_a_set_is_imported_and_put_aside_with_reports(registration: Registration, folder: Path, take: Take) -> None:
    files = [a_file(folder, *updates(3)), a_file(folder, *updates(2, first=3), a_notice("ENTER", A), number=2)]
    header = a_header(files)
    assert take() == 3
    assert Notification.objects.count() == 6
    assert names(folder) == ["done"]
    assert names(folder / "done") == sorted(
        name for path in (*files, header) for name in (path.name, f"{path.name}.report.txt")
    )
    told = report(folder / "done", files[1].name)
    assert "Result: Imported" in told and "Records: 3 records, 3 new" in told and "By type: UPDATE 2, ENTER 1" in told
    assert "Remark" not in told
    assert AuditEntry.objects.filter(action="delivered file.import", actor="file intake").count() == 3
    assert not Blob.objects.exclude(owner__in=Delivery.objects.values("pk")).exists()


@pytest.mark.parametrize("kind", ["SEEDFILE_HEADER", "SEED_HEADER"])
def test_seeds_have_a_header_of_two_names(registration: Registration, folder: Path, take: Take, kind: str) -> None:
    seed = {"organization": a_seed(A, primaryName="Acme Ltd")["organization"]}
    a_header([a_file(folder, seed, kind="SEEDFILE")], kind=kind)
    assert take() == 2
    assert Notification.objects.get().type == "SEED"


def test_a_header_may_come_first(registration: Registration, folder: Path, take: Take, tmp_path: Path) -> None:
    files = [a_file(tmp_path / "dnb", *updates(2)), a_file(tmp_path / "dnb", *updates(2, first=2), number=2)]
    a_header(files, folder=folder)
    assert take() == 0
    shutil.copy(files[1], folder)
    assert take() == 0
    assert (states()["NOTIFICATION_2.zip"], Notification.objects.count()) == (FileState.WAITING, 0)
    shutil.copy(files[0], folder)
    assert take() == 3
    assert Notification.objects.count() == 4
    assert not DeliveredFile.objects.exclude(remark="").exists()


def test_a_header_may_come_after(registration: Registration, folder: Path, take: Take, tmp_path: Path) -> None:
    path = a_file(folder, *updates(2))
    assert take() == 0
    assert path.exists()
    a_header([path])
    assert take() == 2
    assert DeliveredFile.objects.get(name=path.name).remark == ""


def test_without_a_header_a_set_waits_for_a_while_and_is_marked(
    registration: Registration, folder: Path, take: Take
) -> None:
    path = a_file(folder, *updates(2))
    assert take() == 0
    row = DeliveredFile.objects.get()
    assert row.wait_until - row.arrived_at == arrivals.HEADER_WAIT
    is_late()
    assert take() == 1
    assert "No header arrived" in report(folder / "done", path.name)
    # It is checked when it comes all the same.
    a_header([folder / "done" / path.name], folder=folder)
    assert take() == 1
    assert set(states().values()) == {FileState.IMPORTED}


def test_a_late_header_that_says_something_else_is_refused(
    registration: Registration, folder: Path, take: Take
) -> None:
    path = a_file(folder, *updates(2))
    take()
    is_late()
    take()
    header = a_header([folder / "done" / path.name], folder=folder, files=[{"name": path.name, "hash": "0" * 64}])
    take()
    assert "Imported before, with content that differs from the header: " in report(folder / "refused", header.name)
    (folder / "refused" / header.name).unlink()
    header = a_header([folder / "done" / path.name], folder=folder, totalRecordCount=7)
    take()
    assert "lists 7 records, but its files contain 2" in report(folder / "refused", header.name)
    assert Notification.objects.count() == 2


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"totalRecordCount": 5}, "lists 5 records, but its files contain 4"),
        ({"notificationCount": [{"count": 3, "type": "UPDATE"}]}, "lists 3 records of type UPDATE"),
        ({"notificationCount": [{"count": 1, "type": "EXIT"}]}, "lists 1 records of type EXIT"),
    ],
)
def test_a_set_that_does_not_hold_what_its_header_counts_is_refused(
    registration: Registration, folder: Path, take: Take, changed: dict[str, Any], problem: str
) -> None:
    files = [a_file(folder, *updates(2)), a_file(folder, *updates(2, first=2), number=2)]
    a_header(files, **changed)
    assert take() == 3
    assert set(states().values()) == {FileState.REFUSED}
    assert all(problem in report(folder / "refused", path.name) for path in files)
    assert (Notification.objects.count(), Blob.objects.count(), Delivery.objects.count()) == (0, 0, 0)


def test_a_file_with_another_hash_is_refused_and_the_rest_is_taken(
    registration: Registration, folder: Path, take: Take, tmp_path: Path
) -> None:
    files = [a_file(folder, *updates(2)), a_file(folder, *updates(2, first=2), number=2)]
    header = a_header(files)
    a_file(folder, *updates(3))
    assert take() == 1
    assert "does not match the hash" in report(folder / "refused", files[0].name)
    is_late()
    assert take() == 2
    assert "1 of the files that" in report(folder / "done", files[1].name)
    assert Notification.objects.count() == 2
    # Sent again as it should be, it is checked against the header that was here before.
    a_file(folder, *updates(2))
    assert take() == 1
    assert (
        states()
        == {
            "NOTIFICATION_1.zip": FileState.IMPORTED,
            "NOTIFICATION_2.zip": FileState.IMPORTED,
            "NOTIFICATION_HEADER.json": FileState.IMPORTED,
        }
        or DeliveredFile.objects.filter(state=FileState.REFUSED).count() == 1
    )
    assert Notification.objects.count() == 4
    assert header.name in names(folder / "done")


def test_a_hash_of_another_kind_is_compared_with_nothing(registration: Registration, folder: Path, take: Take) -> None:
    path = a_file(folder, *updates(2))
    a_header([path], files=[{"name": path.name, "hash": "5d41402abc4b2a76b9719d911017c592"}])
    assert take() == 2


def test_a_header_of_another_registration_is_refused(registration: Registration, folder: Path, take: Take) -> None:
    header = a_header([a_file(folder, *updates(1))], reference="OTHER")
    take()
    assert "is for the registration OTHER" in report(folder / "refused", header.name)


def test_a_header_that_lists_what_never_comes_ends_with_a_remark(
    registration: Registration, folder: Path, take: Take, tmp_path: Path
) -> None:
    header = a_header([a_file(tmp_path, *updates(1))], folder=folder)
    assert take() == 0
    is_late()
    assert take() == 1
    assert "1 of the files that" in report(folder / "done", header.name)


def test_somebody_may_import_without_waiting(registration: Registration, folder: Path, take: Take) -> None:
    a_file(folder, *updates(1))
    take()
    row = DeliveredFile.objects.get()
    assert import_now(row, requested_by=Actor("ann", time_first_id()))
    assert take() == 1
    assert not import_now(row, requested_by=Actor("ann", time_first_id()))
    assert AuditEntry.objects.filter(action="delivered file.import now", actor="ann").count() == 1


def test_a_set_does_not_wait_for_ever_for_a_file_that_fails(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [a_file(folder, *updates(2)), a_file(folder, *updates(2, first=2), number=2)]
    a_header(files)

    def failing(row: DeliveredFile, path: Path, has_time: Any) -> bool:
        if path == files[1]:
            raise OSError(errno.EIO, "Input/output error")
        return store_contents(row, path, has_time)

    monkeypatch.setattr(imports, "store_contents", failing)
    take()
    assert take() == 0
    is_late()
    assert take() == 1
    assert "1 of the files that" in report(folder / "done", files[0].name)
    row = DeliveredFile.objects.get(name=files[1].name)
    assert (row.state, "Input/output error" in row.reason) == (FileState.WAITING, True)
    monkeypatch.undo()
    import_delivered_files()
    row.refresh_from_db()
    assert (row.state, row.reason, Notification.objects.count()) == (FileState.IMPORTED, "", 4)


def test_a_set_waits_for_a_file_that_takes_long(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [a_file(folder, *updates(2)), a_file(folder, *updates(2, first=2), number=2)]
    a_header(files)
    monkeypatch.setattr(
        imports, "store_contents", lambda row, path, _: path != files[1] and store_contents(row, path, _)
    )
    take()
    is_late()
    assert take() == 0
    assert Notification.objects.count() == 0


# Again


def test_the_same_files_again_change_nothing_and_say_so(registration: Registration, folder: Path, take: Take) -> None:
    path = a_file(folder, *updates(3))
    header = a_header([path])
    take()
    before = stored()
    a_file(folder, *updates(3))
    a_header([path])
    assert take() == 0
    assert "It arrived 1 more time, and nothing was changed" in report(folder / "done", f"{path.stem}-{sha(path)}.zip")
    assert stored() == before
    assert names(folder) == ["done"]
    assert header.name in names(folder / "done")


def stored() -> tuple[int, ...]:
    counts = (model.objects.count() for model in (Notification, Change, Delivery))
    return (*counts, Registration.objects.get().turn)


def sha(path: Path) -> str:
    return DeliveredFile.objects.get(name=path.name).sha256[:8]


def test_what_was_refused_is_tried_again_when_it_is_put_back(
    contract: Any, folder: Path, take: Take, control: Any
) -> None:
    path = a_file(folder, *updates(1))
    take()
    assert names(folder) == ["refused"]
    a_registration(REFERENCE, contract=contract)
    (folder / "refused" / path.name).rename(path)
    take()
    is_late()
    assert take() == 1
    assert names(folder / "done") == [path.name, f"{path.name}.report.txt"]


# What is not read


def test_a_file_with_a_time_outside_the_calendar_is_told_like_any_other(folder: Path) -> None:
    """Some file systems keep such times."""
    path = folder / "list.csv"
    path.write_text("x")
    found = replace(arrivals.look_at(path), modified_ns=300_000_000_000 * 1_000_000_000)
    row = arrivals.arrive(found, source=FileSource.FOLDER)
    assert (row.state, row.written_at) == (FileState.REFUSED, row.arrived_at)
    assert "not the name of a file from D&B" in row.reason


def test_files_that_are_still_written_are_left_alone(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(folder, *updates(1))
    for name in (f".{path.name}", f"{path.name}.part", f"{path.name}.TMP", f"{path.name}.filepart"):
        shutil.copy(path, folder / name)
    monkeypatch.setattr(arrivals, "QUIET", timedelta(minutes=1))
    os.utime(path, (0, 0))  # a program may set this time while it writes
    take()
    assert not DeliveredFile.objects.exists()
    monkeypatch.setattr(arrivals, "QUIET", timedelta())
    take()
    assert DeliveredFile.objects.get().name == path.name
    assert len(names(folder)) == 5


def test_a_zip_that_may_be_sent_further_waits_longer(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(folder, *updates(1))
    path.write_bytes(path.read_bytes()[:-30])
    monkeypatch.setattr(arrivals, "QUIET_WHEN_INCOMPLETE", timedelta(minutes=15))
    take()
    assert not DeliveredFile.objects.exists()
    monkeypatch.setattr(arrivals, "QUIET_WHEN_INCOMPLETE", timedelta())
    assert take() == 1
    assert "is not a complete zip file" in report(folder / "refused", path.name)


BASE = f"{REFERENCE}_{STAMP}_NOTIFICATION_2"


def a_bomb(folder: Path) -> Path:
    return a_zip(folder, BASE, b"".join(b"%d %s\n" % (n, b"0" * 5000) for n in range(2000)))


def a_path_outside(folder: Path) -> Path:
    path = folder / f"{BASE}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.txt", b"{}\n")
    return path


def several_members(folder: Path) -> Path:
    path = a_zip(folder, BASE, b"{}\n")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.txt", b"{}\n")
    return path


def a_link(folder: Path) -> Path:
    (folder.parent / "secret").write_text("secret")
    path = folder / f"{BASE}.zip"
    path.symlink_to(folder.parent / "secret")
    return path


def cut_off(folder: Path) -> Path:
    path = a_zip(folder, BASE, b"{}\n" * 100)
    path.write_bytes(path.read_bytes()[:-30])
    return path


def damaged(folder: Path) -> Path:
    path = a_zip(folder, BASE, b"".join(b'{"n": %d}\n' % n for n in range(5000)))
    content = bytearray(path.read_bytes())
    content[1000:1060] = bytes(60)
    path.write_bytes(content)
    return path


def of_another_registration(folder: Path) -> Path:
    return a_file(folder, *updates(1), reference="OTHER_LOD")


def misnamed(folder: Path) -> Path:
    return a_file(folder, *updates(1)).rename(folder / "notifications.zip")


def not_utf8(folder: Path) -> Path:
    return a_zip(folder, BASE, "\n".join(f'{{"n": {n}}}' for n in range(30)).encode("utf-16"))


def no_objects(folder: Path) -> Path:
    return a_zip(folder, BASE, b"".join(b"[%d]\n" % n for n in range(30)))


def no_header(folder: Path) -> Path:
    path = folder / f"{REFERENCE}_{STAMP}_NOTIFICATION_HEADER.json"
    path.write_text("[1]")
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (a_bomb, "unpacks to more than"),
        (a_path_outside, "instead of a plain text file"),
        (several_members, "2 files instead of one"),
        (a_link, "link to this file"),
        (cut_off, "not a complete zip"),
        (damaged, "is damaged"),
        (of_another_registration, "OTHER_LOD is not known here"),
        (misnamed, "not the name of a file from D&B"),
        (not_utf8, "not JSON objects"),
        (no_objects, "not JSON objects"),
        (no_header, "contains no fileHeader"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason_and_the_rest_is_taken(
    registration: Registration,
    folder: Path,
    take: Take,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Path],
    reason: str,
) -> None:
    monkeypatch.setattr(delivered_files, "FREE_TEXT", 100_000)
    monkeypatch.setattr(delivered_files, "MOST_RATIO", 20)
    monkeypatch.setattr(parts, "PART_SIZE", 2000)
    bad = make(folder)
    good = a_file(folder, *updates(3))
    take()
    is_late()
    take()
    assert reason in report(folder / "refused", bad.name)
    assert sorted((folder / "refused").glob("*.zip")) + sorted((folder / "refused").glob("*.json"))
    assert names(folder / "done") == [good.name, f"{good.name}.report.txt"]
    assert Notification.objects.count() == 3
    assert not Blob.objects.exclude(owner__in=Delivery.objects.values("pk")).exists(), "nothing of it stays"
    assert names(folder.parent) == sorted({"incoming", *(["secret"] if make is a_link else [])})
    assert AuditEntry.objects.filter(action="delivered file.refuse").count() == 1


def test_lines_that_are_no_notifications_are_set_aside(registration: Registration, folder: Path, take: Take) -> None:
    path = a_file(folder, *updates(40), b"[1]", b'"text"', b"\xff\xfe{}", b'{"type": 7}')
    a_header([a_file(folder.parent, *updates(1))], folder=folder, totalRecordCount=44, files=[{"name": path.name}])
    take()
    assert "44 records, 40 new, 4 not parsed" in report(folder / "done", path.name)
    assert DeadLetter.objects.count() == 4


def test_reports_are_never_written_through_links(registration: Registration, folder: Path, take: Take) -> None:
    path = a_file(folder, *updates(1))
    victim = folder.parent / "victim"
    victim.write_text("untouched")
    (folder / "done").mkdir()
    (folder / "done" / f"{path.name}.report.txt").symlink_to(victim)
    take()
    is_late()
    take()
    assert "Imported" in report(folder / "done", path.name)
    assert victim.read_text() == "untouched"


def test_a_folder_that_is_a_link_takes_no_files(registration: Registration, folder: Path, take: Take) -> None:
    (folder.parent / "elsewhere").mkdir()
    (folder / "done").symlink_to(folder.parent / "elsewhere")
    path = a_file(folder, *updates(1))
    take()
    is_late()
    assert take() == 1
    assert path.exists() and names(folder.parent / "elsewhere") == []
    assert take() == 0


def test_a_file_that_changes_while_it_waits_is_another_one(
    registration: Registration, folder: Path, take: Take
) -> None:
    a_file(folder, *updates(1))
    take()
    path = a_file(folder, *updates(2))
    take()
    is_late()
    take()
    take()
    assert Notification.objects.count() == 2
    assert names(folder / "done") == [path.name, f"{path.name}.report.txt"]


def test_a_file_that_is_taken_away_while_it_waits_is_refused(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "store_contents", lambda *_: False)
    path = a_file(folder, *updates(1))
    take()
    monkeypatch.undo()
    path.unlink()
    is_late()
    import_delivered_files()
    assert "was changed or removed" in DeliveredFile.objects.get().reason


# Lists


def test_an_export_in_parts_is_one_list(registration: Registration, folder: Path, take: Take) -> None:
    a_file(folder, A, kind="DunsExport")
    a_file(folder, B, kind="DunsExport", number=2)
    assert take() == 0
    is_late()
    assert take() == 2
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 2
    assert "2 companies at D&B" in report(folder / "done", f"{REFERENCE}_{STAMP}_DunsExport_1.zip")


def test_a_list_without_one_of_its_parts_takes_nobody_out(registration: Registration, folder: Path, take: Take) -> None:
    gone = a_subject(B, registration, state=SubjectState.MONITORED, checked_at=timezone.now() - timedelta(days=400))
    a_file(folder, A, kind="DunsExport")
    cut = a_file(folder, B, kind="DunsExport", number=2)
    cut.write_bytes(cut.read_bytes()[:-30])
    take()
    is_late()
    assert take() == 2
    gone.refresh_from_db()
    assert gone.state == SubjectState.MONITORED
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 2


def monitored_long_ago(duns: str, registration: Registration) -> Subject:
    checked = timezone.now() - timedelta(days=400)
    return a_subject(duns, registration, state=SubjectState.MONITORED, checked_at=checked)


def is_removed(row: Subject) -> bool:
    row.refresh_from_db()
    return row.state == SubjectState.REMOVED


def test_a_lone_part_1_takes_nobody_out_until_a_person_confirms(
    registration: Registration, folder: Path, take: Take
) -> None:
    gone = monitored_long_ago(B, registration)
    path = a_file(folder, A, kind="DunsExport")
    take()
    is_late()
    assert take() == 1
    assert not is_removed(gone)
    told = report(folder / "done", path.name)
    assert "not on this list: 1 company. D&B does not state how many parts" in told
    assert Registration.objects.get().list_received_at is None
    assert Notice.objects.get().url.endswith(f"/{DeliveredFile.objects.get().pk}/change/")
    # Parts 1 and 2 may be all, or those of three.
    a_file(folder, "100000002", kind="DunsExport", number=2)
    take()
    is_late()
    assert take() == 1
    assert not is_removed(gone)
    row, ann = DeliveredFile.objects.get(name=path.name), Actor("ann", time_first_id())
    with pytest.raises(NumberChanged):
        confirm_complete(row, 2, by=ann)
    assert not is_removed(gone)
    assert "1 no longer at D&B" in confirm_complete(row, 1, by=ann)
    assert is_removed(gone)
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 2
    assert Registration.objects.get().list_received_at is not None
    assert set(DeliveredFile.objects.values_list("remark", flat=True)) == {""}
    row.refresh_from_db()
    with pytest.raises(NumberChanged):
        confirm_complete(row, 0, by=ann)


def test_a_first_list_is_not_complete_until_a_person_confirms(
    registration: Registration, folder: Path, take: Take
) -> None:
    """Nothing was known before that it could lack."""
    Registration.objects.update(list_received_at=None)
    a_file(folder, A, kind="DunsExport")
    take()
    is_late()
    assert take() == 1
    assert Registration.objects.get().list_received_at is None
    preview = preview_of(DeliveredFile.objects.get())
    assert preview and preview.gone == 0


def test_a_list_from_a_clock_ahead_takes_nobody_out_who_is_on_it(
    registration: Registration, folder: Path, take: Take
) -> None:
    gone = monitored_long_ago(B, registration)
    a_file(folder, A, kind="DunsExport", stamp="20990101000000")
    take()
    is_late()
    take()
    confirm_complete(DeliveredFile.objects.get(), 1, by=Actor("ann", time_first_id()))
    assert is_removed(gone)
    assert Subject.objects.get(state=SubjectState.MONITORED).company_id == A


def test_a_lone_part_1_that_lists_all_who_were_known_is_the_whole_list(
    registration: Registration, folder: Path, take: Take
) -> None:
    monitored_long_ago(A, registration)
    path = a_file(folder, A, kind="DunsExport")
    take()
    is_late()
    assert take() == 1
    assert "Remark" not in report(folder / "done", path.name)
    assert Registration.objects.get().list_received_at is not None


@pytest.mark.parametrize("name", ["{}.part", ".{}.1767870000.4096.part", "{}.TMP", "{}"])
def test_a_part_that_still_arrives_keeps_a_list_from_being_complete(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(arrivals, "QUIET_WHEN_INCOMPLETE", timedelta(minutes=15))
    gone = monitored_long_ago("100000002", registration)
    a_file(folder, A, kind="DunsExport")
    path = a_file(folder, B, kind="DunsExport", number=2)
    late = a_file(folder.parent, "100000003", kind="DunsExport", number=3)
    arriving = folder / name.format(late.name)
    arriving.write_bytes(late.read_bytes()[:-30])
    take()
    is_late()
    assert take() == 2
    assert not is_removed(gone)
    assert "the list is not complete" in report(folder / "done", path.name)
    arriving.unlink()
    late.rename(folder / late.name)
    take()
    assert preview_of(DeliveredFile.objects.get(name=path.name)) is None
    is_late()
    assert take() == 1
    preview = preview_of(DeliveredFile.objects.get(name=path.name))
    assert preview and preview.gone == 1 and not is_removed(gone)
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 4


def test_parts_wait_for_longer_than_one_that_is_cut_is_left_alone() -> None:
    assert timedelta(minutes=15) + timedelta(minutes=OFTEN) <= arrivals.EXPORT_WAIT


def test_a_refused_copy_that_a_good_one_replaced_does_not_spoil_its_list(
    registration: Registration, folder: Path, take: Take
) -> None:
    gone = monitored_long_ago("100000002", registration)
    a_file(folder, A, kind="DunsExport")
    cut = a_file(folder, B, kind="DunsExport", number=2)
    cut.write_bytes(cut.read_bytes()[:-30])
    take()
    is_late()
    assert take() == 2
    assert "the list is not complete" in report(folder / "done", f"{REFERENCE}_{STAMP}_DunsExport_1.zip")
    again = a_file(folder, B, kind="DunsExport", number=2)
    take()
    is_late()
    assert take() == 1
    assert "choose “Confirm complete list”" in report(folder / "done", again.name)
    confirm_complete(DeliveredFile.objects.get(name=again.name, state=FileState.IMPORTED), 1, by=Actor("ann", gone.pk))
    assert is_removed(gone)


def test_a_part_that_is_gone_is_refused_and_not_the_others(
    registration: Registration, folder: Path, take: Take
) -> None:
    monitored_long_ago("100000002", registration)
    a_file(folder, A, kind="DunsExport")
    path = a_file(folder, B, kind="DunsExport", number=2)
    take()
    path.unlink()
    is_late()
    assert take() == 2
    assert states() == {"DunsExport_1.zip": FileState.IMPORTED, "DunsExport_2.zip": FileState.REFUSED}
    assert "was changed or removed" in DeliveredFile.objects.get(name=path.name).reason
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 2


def test_a_list_is_reported_by_who_brought_one_of_its_parts(
    registration: Registration, folder: Path, take: Take
) -> None:
    a_file(folder, A, kind="DunsExport")
    a_file(folder, B, kind="DunsExport", number=2)
    take()
    ann = time_first_id()
    DeliveredFile.objects.filter(name__endswith="_2.zip").update(requester_id=ann)
    is_late()
    take()
    assert set(Subject.objects.values_list("reported_by", flat=True)) == {ann}


@pytest.mark.parametrize("kind", ["Exceptions", "EXCEPTIONS"])
def test_exceptions_are_applied_at_once(registration: Registration, folder: Path, take: Take, kind: str) -> None:
    row = a_subject(
        A, registration, state=SubjectState.PENDING_ADD, sent_at=timezone.now() - timedelta(days=400), requested=True
    )
    a_file(folder, "DUNS\tCode\tInformation", f"{A}\t10001\tNot found", b"\xff\xfe", kind=kind, number=None)
    assert take() == 1
    row.refresh_from_db()
    assert (row.state, row.code) == (SubjectState.REFUSED, "10001")


def test_a_name_that_no_engine_can_hold_is_refused(registration: Registration, folder: Path, take: Take) -> None:
    (folder / os.fsdecode(b"list \xff.zip")).write_bytes(b"x")
    take()
    assert DeliveredFile.objects.get().state == FileState.REFUSED
    assert names(folder) == ["refused"]


def test_parts_that_two_files_share_stay_for_the_other(registration: Registration, folder: Path, take: Take) -> None:
    good, again = a_file(folder, *updates(2)), a_zip(folder, BASE, b"")
    again.write_bytes(good.read_bytes())
    take()
    assert [row.is_stored for row in DeliveredFile.objects.all()] == [True, True]
    a_header([again], folder=folder, totalRecordCount=7)
    take()
    assert states()["NOTIFICATION_2.zip"] == FileState.REFUSED
    is_late()
    take()
    assert Notification.objects.count() == 2


def test_a_part_that_is_lost_is_stored_again(registration: Registration, folder: Path, take: Take) -> None:
    a_file(folder, *updates(2))
    take()
    Blob.objects.all().delete()
    is_late()
    take()
    take()
    assert DeliveredFile.objects.get().state == FileState.IMPORTED
    assert (Notification.objects.count(), DeliveredFile.objects.get().records) == (2, 2)


def test_what_processing_has_stopped_for_goes_on_when_it_is_resumed(
    registration: Registration, folder: Path, take: Take
) -> None:
    Registration.objects.update(ingest_stopped_reason="too many errors")
    a_header([a_file(folder, *updates(2))])
    assert take() == 0
    assert states()["NOTIFICATION_1.zip"] == FileState.PROCESSING
    Registration.objects.update(ingest_stopped_reason="")
    assert take() == 2
    assert Notification.objects.count() == 2


# Time and death


def test_a_run_ends_after_its_time_and_the_next_goes_on(
    registration: Registration, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", 1000)
    a_header([a_file(folder, *updates(20))])
    progress: list[tuple[int, int]] = []
    clock = iter(range(10_000))
    monkeypatch.setattr(run.Run, "has_time", lambda self, is_at_work=True: next(clock) % 4 != 3 or not is_at_work)
    for _ in range(200):
        intake.take_files(ingest_now, timezone.now())
        row = DeliveredFile.objects.filter(name__contains="_1.zip").first()
        progress.append((row.parts, row.delivered_parts) if row else (0, 0))
        if row and row.is_over:
            break
    assert len(set(progress)) > 5
    assert Notification.objects.count() == 20
    assert DeliveredFile.objects.get(name__contains="_1.zip").records == 20


class Killed(BaseException):
    """As SIGKILL: nobody catches it."""


POINTS = (
    (imports, "store_contents"),
    ("monitoring.file_intake.contents", "store_part"),
    ("monitoring.file_intake.contents", "save"),
    ("monitoring.file_intake.contents", "save_part"),
    (imports, "decide"),
    (imports, "save"),
    (imports, "deliver_part"),
    ("monitoring.file_intake.parts", "store_bytes"),
    ("monitoring.file_intake.parts", "insert_new"),
    ("monitoring.jobs", "ingest"),
    (imports, "finish"),
    (imports, "refuse"),
    (rows, "save"),
    (arrivals, "insert_new"),
    (reports, "_write"),
    (intake, "put_aside"),
)


def test_killed_anywhere_nothing_is_lost_or_doubled(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after each step, one death after the other, until a run reaches its end."""
    monkeypatch.setattr(parts, "PART_SIZE", 1000)
    files = [a_file(folder, *updates(9)), a_file(folder, *updates(3, first=9), a_notice("ENTER", A), number=2)]
    a_header(files)
    cut_off(folder.parent / "dnb").rename(folder / f"{REFERENCE}_{STAMP}_NOTIFICATION_3.zip")
    deaths = 0
    at: dict[str, int] = {"left": 0}

    def mortal(step: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            for is_done in (False, True):
                at["left"] -= 1
                if at["left"] == 0:
                    raise Killed
                if not is_done:
                    result = step(*args, **kwargs)
            return result

        return wrapped

    for place, name in POINTS:
        module = importlib.import_module(place) if isinstance(place, str) else place
        monkeypatch.setattr(module, name, mortal(getattr(module, name)))
    for death in range(1, 1000):
        at["left"] = 1 + death % 16
        try:
            take()
        except Killed:
            deaths += 1
            continue
        if at["left"] > 0 and names(folder) == ["done", "refused"]:
            break
    assert deaths > 15
    assert Notification.objects.count() == 13
    imported = DeliveredFile.objects.filter(state=FileState.IMPORTED)
    assert Delivery.objects.count() == sum(imported.values_list("parts", flat=True))
    assert len([name for name in names(folder / "done") if not name.endswith("report.txt")]) == 3
    assert {name: state for name, state in states().items() if state != FileState.IMPORTED} == {
        "NOTIFICATION_3.zip": FileState.REFUSED
    }
    assert DeliveredFile.objects.get(name=files[0].name).counts_by_type == {"UPDATE": 9}


def test_a_process_that_was_overtaken_writes_nothing(registration: Registration, folder: Path, take: Take) -> None:
    a_file(folder, *updates(2))
    take()
    slow = DeliveredFile.objects.get()
    slow.parts, slow.is_stored = 0, False
    with pytest.raises(HoldLost):
        rows.save_part(slow, 0, records=7)
    is_late()
    take()
    rows.refuse(slow, "It is gone.")
    row = DeliveredFile.objects.get()
    assert (row.state, row.records, row.reason) == (FileState.IMPORTED, 2, "")
    assert slow.state == FileState.WAITING
    assert not AuditEntry.objects.filter(action="delivered file.refuse").exists()


def test_what_has_come_under_the_name_of_an_imported_file_is_not_put_aside(
    registration: Registration, folder: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(folder, *updates(1))
    take()
    is_late()

    def late(row: DeliveredFile, found: arrivals.Found) -> None:
        a_file(folder, *updates(2))
        reports.put_aside(row, found)

    monkeypatch.setattr(intake, "put_aside", late)
    assert take() == 1
    assert names(folder) == [path.name]


def test_one_process_at_a_time_takes_files(registration: Registration, folder: Path, take: Take) -> None:
    a_file(folder, *updates(1))
    with holding(run.LEASE, timedelta(minutes=1)):
        assert take() == 0
        assert not DeliveredFile.objects.exists()
    take()
    assert DeliveredFile.objects.exists()
