"""Files fetched from a real SFTP server: each once, whole, and only from the server that was confirmed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import paramiko
import pytest
from django.utils import timezone

from core.encryption import encrypted
from monitoring.file_intake import servers
from monitoring.file_intake.run import Run
from monitoring.models import DeliveredFile, FileServer, FileSource, Notification
from portfolio.models import Registration
from tests.builders.delivered_files import a_file, a_header, updates
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
