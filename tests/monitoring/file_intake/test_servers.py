"""Files fetched from a real SFTP server: each once, whole, and only from the server that was confirmed."""

import errno
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import paramiko
import pytest
from django.test import Client
from django.utils import timezone

from core.encryption import encrypted
from core.models import AuditEntry
from monitoring.file_intake import servers
from monitoring.file_intake.run import Run
from monitoring.models import DeliveredFile, FileServer, FileSource, Notification
from portfolio.models import Registration, Subject
from tests.builders.delivered_files import a_file, a_header, updates
from tests.builders.programs import a_signed_in_person
from tests.servers.sftp_servers import PASSWORD, USER, FileTaker, taking_files

pytestmark = pytest.mark.django_db
Take = Callable[[], int]


@pytest.fixture(scope="session")
def its_key() -> paramiko.PKey:
    return paramiko.RSAKey.generate(2048)


@pytest.fixture
def dnb(tmp_path: Path, its_key: paramiko.PKey) -> Iterator[FileTaker]:
    with taking_files(tmp_path / "dnb", key=its_key) as running:
        yield running


def a_source(taker: FileTaker, *, known: bool = True, **columns: Any) -> FileServer:
    return FileServer.objects.create(
        **{
            "name": "D&B STP",
            "host": "127.0.0.1",
            "port": taker.port,
            "user_name": USER,
            "encrypted_password": encrypted(PASSWORD),
            "host_key": f"{taker.key.get_name()} {taker.key.get_base64()}" if known else "",
            "created_at": timezone.now(),
            "is_source": True,
            **columns,
        }
    )


def reads(taker: FileTaker) -> list[str]:
    return [event for event in taker.events if event.startswith("read")]


def test_what_lies_on_the_server_is_fetched_once_and_imported(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker
) -> None:
    server = a_source(dnb)
    files = [a_file(dnb.folder, *updates(2)), a_file(dnb.folder, *updates(2, first=2), number=2)]
    a_header(files)
    (dnb.folder / "readme.txt").write_text("not D&B's")
    assert take() == 3
    assert Notification.objects.count() == 4
    assert set(DeliveredFile.objects.values_list("source", "requested_by")) == {(FileSource.SERVER, "D&B STP")}
    assert [path.name for path in folder.iterdir()] == ["done"]
    assert (take(), len(reads(dnb))) == (0, 3)
    server.refresh_from_db()
    assert (server.fetch_error, server.fetched_at is not None) == ("", True)
    assert len(dnb.names()) == 4, "they stay on the server"


def test_a_folder_of_the_server(registration: Registration, folder: Path, take: Take, dnb: FileTaker) -> None:
    a_source(dnb, source_folder="/out/acme")
    a_header([a_file(dnb.folder / "out" / "acme", *updates(2))])
    assert take() == 2


def test_names_that_the_server_chooses_lead_nowhere_else(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker
) -> None:
    a_source(dnb)
    path = a_file(dnb.folder, *updates(1))
    dnb.renamed[path.name] = f"../{path.name}"
    (dnb.folder / "secret").write_text("secret")
    (dnb.folder / path.name.replace("_1.zip", "_2.zip")).symlink_to(dnb.folder / "secret")
    take()
    assert (reads(dnb), DeliveredFile.objects.count()) == ([], 0)
    assert not (folder.parent / path.name).exists()


def test_a_file_that_is_still_written_there_is_left_alone(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_source(dnb)
    a_file(dnb.folder, *updates(1))
    monkeypatch.setattr(servers, "QUIET", timedelta(minutes=1))
    take()
    assert reads(dnb) == []


def test_a_download_that_was_broken_off_goes_on(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_source(dnb)
    path = a_file(dnb.folder, *updates(400))
    monkeypatch.setattr(servers, "PIECE", 200)
    answers = iter([True] * 4 + [False] * 20)
    with monkeypatch.context() as patch:
        patch.setattr(Run, "has_time", lambda self, is_at_work=True: next(answers))
        take()
    (part,) = [one for one in folder.iterdir() if one.name.endswith(".part")]
    taken = part.stat().st_size
    assert 0 < taken < path.stat().st_size
    take()
    assert (folder / path.name).read_bytes() == path.read_bytes()


def test_a_server_that_was_not_confirmed_gives_nothing(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker
) -> None:
    server = a_source(dnb, known=False)
    a_file(dnb.folder, *updates(1))
    take()
    server.refresh_from_db()
    assert "is not confirmed" in server.fetch_error
    assert dnb.events == []


def test_a_file_that_cannot_be_read_there_holds_up_no_other(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker
) -> None:
    server = a_source(dnb)
    locked = [a_file(dnb.folder, *updates(1)), a_file(dnb.folder, *updates(1), number=3)]
    dnb.locked |= {path.name for path in locked}
    good = a_file(dnb.folder, *updates(2), number=2)
    take()
    assert [row.name for row in DeliveredFile.objects.all()] == [good.name]
    server.refresh_from_db()
    assert all(f"{path.name}: " in server.fetch_error for path in locked)
    assert "Permission denied" in server.fetch_error and "write permission" not in server.fetch_error
    dnb.locked.clear()
    take()
    server.refresh_from_db()
    assert (DeliveredFile.objects.count(), server.fetch_error) == (3, "")


@pytest.mark.parametrize("name", ["locked", "missing"])
def test_a_folder_that_cannot_be_read_there(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker, name: str
) -> None:
    server = a_source(dnb, source_folder=f"/{name}")
    dnb.locked.add("locked")
    (dnb.folder / "locked").mkdir()
    take()
    server.refresh_from_db()
    assert "folder with files from D&B does not exist on 127.0.0.1, or erp may not read it" in server.fetch_error


def test_what_goes_wrong_on_this_machine_is_told_so(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_source(dnb)
    a_file(dnb.folder, *updates(1))

    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    take()
    server.refresh_from_db()
    assert f"cannot be stored in {folder} on this machine" in server.fetch_error
    assert "No space left on device" in server.fetch_error


def test_a_list_from_a_server_is_reported_by_who_set_it_up(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker, django_user_model: Any
) -> None:
    """Otherwise whoever has a server of their own would get around the limits for new companies."""
    ann = django_user_model.objects.create_user("ann")
    a_source(dnb, maintainer_id=ann.pk, created_by="ann")
    a_file(dnb.folder, "100000000", kind="DunsExport")
    take()
    DeliveredFile.objects.update(wait_until=timezone.now())
    assert take() == 1
    assert Subject.objects.get().reported_by == ann.pk
    entry = AuditEntry.objects.get(action="import list")
    assert (entry.actor, entry.actor_id) == ("D&B STP", None)


def test_a_download_that_is_not_noted_is_not_taken_for_a_file_of_the_folder(
    registration: Registration, folder: Path, take: Take, dnb: FileTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_source(dnb)
    a_file(dnb.folder, *updates(2))

    def locked(*_: object, **__: object) -> None:
        raise RuntimeError("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(servers, "arrive", locked)
        take()
    assert not DeliveredFile.objects.exists()
    take()
    assert DeliveredFile.objects.get().source == FileSource.SERVER


# Who may


PATH = "/monitoring/fileserver/"
MANAGES = tuple(f"monitoring.{verb}_fileserver" for verb in ("add", "change", "view"))


def filled(dnb: FileTaker, **fields: Any) -> dict[str, Any]:
    values = {"name": "STP", "host": "127.0.0.1", "port": dnb.port, "user_name": USER, "password": PASSWORD}
    return {**values, **fields}


def test_to_receive_from_a_server_takes_the_right_to_change_what_is_monitored(dnb: FileTaker) -> None:
    person = a_signed_in_person(*MANAGES)
    person.client.post(f"{PATH}add/", filled(dnb, is_source="on"))
    server = FileServer.objects.get()
    assert not server.is_source
    page = f"{PATH}{server.pk}/change/"
    person.client.post(page, filled(dnb, is_source="on", host="localhost"))
    server.refresh_from_db()
    assert (server.is_source, server.host) == (False, "localhost"), "the rest they may change"
    FileServer.objects.update(is_source=True)
    assert person.client.post(page, filled(dnb, host="127.0.0.1")).status_code == 403
    assert person.client.post(f"{PATH}{server.pk}/do/confirm/").status_code == 403
    server.refresh_from_db()
    assert server.host == "localhost"


def test_whoever_has_files_received_looks_after_the_server(admin: Client, dnb: FileTaker) -> None:
    server = a_source(dnb, is_source=False)
    admin.post(f"{PATH}{server.pk}/change/", filled(dnb, is_source="on", password=""))
    server.refresh_from_db()
    assert (server.is_source, server.created_by) == (True, "ann")
    assert server.maintainer_id is not None
