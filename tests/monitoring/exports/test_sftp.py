"""Files sent to another machine over a real SFTP connection: whole, in order, and to nobody else."""

import io
import socket
import struct
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import paramiko
import pytest
from django.test import Client
from django.utils import timezone

from core.encryption import decrypted, encrypted
from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from monitoring.exports.errors import BadKey
from monitoring.exports.scheduled import plan, write_now
from monitoring.exports.sftp import confirm_key, read_private_key, try_out
from monitoring.models import FileServer, ScheduledExport
from tests.builders.deliveries import delivered
from tests.builders.notifications import an_update
from tests.builders.pages import text_of
from tests.servers.sftp_servers import PASSWORD, USER, FileTaker, taking_files
from tests.support import free_port

pytestmark = pytest.mark.django_db
OUR_KEY = paramiko.ECDSAKey.generate()


@pytest.fixture(scope="session")
def its_key() -> paramiko.PKey:
    return paramiko.RSAKey.generate(2048)


@pytest.fixture
def taker(tmp_path: Path, its_key: paramiko.PKey) -> Iterator[FileTaker]:
    with taking_files(tmp_path / "there", key=its_key) as running:
        yield running


def a_server(taker: FileTaker, *, known: bool = True, **columns: Any) -> FileServer:
    host_key = f"{taker.key.get_name()} {taker.key.get_base64()}" if known else ""
    return FileServer.objects.create(
        **{
            "name": "ERP",
            "host": "127.0.0.1",
            "port": taker.port,
            "user_name": USER,
            "encrypted_password": encrypted(PASSWORD),
            "host_key": host_key,
            "created_at": timezone.now(),
            **columns,
        }
    )


def an_export(server: FileServer, **columns: Any) -> ScheduledExport:
    export = ScheduledExport(**{"name": "changes", "at": time(6), "server": server, **columns})
    plan(export)
    export.save(force_insert=True)
    return export


def private(key: paramiko.PKey, password: str | None = None) -> str:
    file = io.StringIO()
    key.write_private_key(file, password)
    return file.getvalue()


# Whole and in order


def test_the_file_arrives_before_its_marker_and_each_under_its_name_when_whole(taker: FileTaker) -> None:
    export = an_export(a_server(taker))
    delivered(an_update())
    assert write_now(export), export.error
    name = export.file_name
    assert taker.names() == [name, f"{name}.done"]
    assert taker.events[1:] == [
        f"write .{name}.part",
        f"rename {name}",
        f"write .{name}.done.part",
        f"rename {name}.done",
    ]
    assert '"rows": 1' in (taker.folder / f"{name}.done").read_text()
    assert "804735132" in (taker.folder / name).read_text()


def test_folders_of_the_server_and_of_the_export(taker: FileTaker) -> None:
    (taker.folder / "in" / "dnb").mkdir(parents=True)
    export = an_export(a_server(taker, folder="/in"), folder="dnb")
    assert write_now(export), export.error
    assert (taker.folder / "in" / "dnb" / export.file_name).exists()


def test_what_breaks_in_between_leaves_nothing_under_its_name_and_is_sent_again(taker: FileTaker) -> None:
    export = an_export(a_server(taker))
    delivered(an_update())
    taker.breaks_after = 100
    assert not write_now(export)
    assert all(name.endswith(".part") for name in taker.names())
    taker.breaks_after = None
    assert write_now(export), export.error
    assert '"rows": 1' in (taker.folder / f"{export.file_name}.done").read_text()


def test_nothing_is_left_here(taker: FileTaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    settings.EXPORT_FOLDER = tmp_path / "here"
    monkeypatch.setattr("tempfile.tempdir", None)
    assert write_now(an_export(a_server(taker)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


# To nobody else


def test_a_server_that_nobody_has_confirmed_is_told_nothing(taker: FileTaker) -> None:
    server = a_server(taker, known=False)
    export = an_export(server)
    assert not write_now(export)
    assert "is not confirmed" in export.error
    assert "SHA256:" in export.error
    assert taker.events == []
    server.refresh_from_db()
    assert confirm_key(server, offered=server.offered_key, by="ann")
    assert AuditEntry.objects.get().action == "file server.confirm"
    assert write_now(export), export.error


def test_another_key_is_refused_and_the_password_is_not_said(taker: FileTaker, tmp_path: Path) -> None:
    server = a_server(taker)
    with taking_files(tmp_path / "false", key=paramiko.RSAKey.generate(2048)) as false:
        FileServer.objects.update(port=false.port)
        server.refresh_from_db()
        assert "a different key than the confirmed one" in try_out(server)
    assert false.events == []
    assert server.offered_key != server.host_key


def test_a_key_of_another_kind_is_another_key(taker: FileTaker, tmp_path: Path) -> None:
    server = a_server(taker)
    with taking_files(tmp_path / "false", key=paramiko.ECDSAKey.generate()) as false:
        server.port = false.port
        assert "a different key than the confirmed one" in try_out(server)
    assert false.events == []


def test_only_the_key_that_was_looked_at_is_confirmed(taker: FileTaker) -> None:
    server = a_server(taker, known=False)
    try_out(server)
    seen = server.offered_key
    FileServer.objects.update(offered_key="ssh-rsa another")
    assert not confirm_key(server, offered=seen, by="ann")
    assert not confirm_key(a_server(taker, known=False, name="x"), offered="", by="ann")
    assert server.host_key == ""


def test_a_client_that_leaves_early_does_not_end_the_server(taker: FileTaker) -> None:
    """As one does that has seen the key and goes: to the server, the connection is reset while it waits for more."""
    with socket.create_connection(("127.0.0.1", taker.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"SSH-2.0-early\r\n")
        with client.makefile("rb") as answer:
            assert answer.readline().startswith(b"SSH-2.0-") and answer.read(1)
    assert try_out(a_server(taker)) == ""


# Signing in


def test_with_a_private_key(taker: FileTaker) -> None:
    taker.let_in = OUR_KEY.get_base64()
    server = a_server(taker, encrypted_password="", encrypted_key=encrypted(private(OUR_KEY)))
    assert try_out(server) == ""
    assert taker.names() == []
    taker.let_in = ""
    assert "rejected the login of erp with this private key" in try_out(server)


def test_what_is_wrong_is_said(taker: FileTaker, settings: Any) -> None:
    server = a_server(taker)
    server.folder = "/nowhere"
    assert "folder does not exist" in try_out(server)
    server.encrypted_password = encrypted("guessed")
    assert "rejected the login of erp with this password" in try_out(server)
    server.encrypted_password = "lost"
    assert "SECRET_KEY was changed" in try_out(server)
    server.port = free_port()
    assert "Could not connect to" in try_out(server)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "not a valid private key"), ("guess", "not a valid private key"), (private(OUR_KEY, "secret"), "passphrase")],
)
def test_what_is_no_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadKey, match=said):
        read_private_key(text)


# The pages


PATH = "/monitoring/fileserver/"


def filled(taker: FileTaker, **fields: Any) -> dict[str, Any]:
    values = {"name": "ERP", "host": "127.0.0.1", "port": taker.port, "user_name": USER, "password": PASSWORD}
    return {**values, **fields}


def test_made_tested_confirmed_and_tested_again(admin: Client, taker: FileTaker) -> None:
    admin.post(f"{PATH}add/", filled(taker))
    server = FileServer.objects.get()
    page = f"{PATH}{server.pk}/change/"
    assert PASSWORD not in admin.get(page).content.decode()
    assert "Compare its key" in text_of(admin.post(f"{PATH}{server.pk}/do/test/", follow=True))
    server.refresh_from_db()
    answer = admin.post(f"{PATH}{server.pk}/do/confirm/", {"offered": server.offered_key}, follow=True)
    assert "Confirmed" in text_of(answer)
    assert taker.key.fingerprint in text_of(answer)
    assert "The connection works" in text_of(admin.post(f"{PATH}{server.pk}/do/test/", follow=True))
    admin.post(page, filled(taker, password="", name="ERP in Leeds"))
    server.refresh_from_db()
    assert (server.name, server.host_key != "") == ("ERP in Leeds", True), "the password and the key are kept"
    admin.post(page, filled(taker, host="localhost"))
    server.refresh_from_db()
    assert server.host_key == "", "another machine has a key of its own"


@pytest.mark.parametrize("fields", [{"host": "localhost"}, {"port": "2222"}, {"user_name": "somebody"}])
def test_elsewhere_the_password_is_asked_for_again(admin: Client, taker: FileTaker, fields: dict[str, str]) -> None:
    """Otherwise whoever may change the host has the stored one sent to a machine of their own."""
    server = a_server(taker)
    page = f"{PATH}{server.pk}/change/"
    assert "Enter the password" in text_of(admin.post(page, filled(taker, password="", **fields)))
    server.refresh_from_db()
    assert (server.host, server.port, server.user_name) == ("127.0.0.1", taker.port, USER)
    admin.post(page, filled(taker, password="another secret", **fields))
    server.refresh_from_db()
    assert decrypted(server.encrypted_password) == "another secret"


def test_nothing_is_sent_where_somebody_led_it_who_has_left(admin: Client, taker: FileTaker) -> None:
    bob = User.objects.create_superuser("bob", "bob@example.com", "secret words")
    client = Client()
    client.force_login(bob)
    client.post(f"{PATH}add/", filled(taker))
    server = FileServer.objects.get()
    confirm_key(server, offered=offered_by(server), by="ann")
    export = an_export(server)
    User.objects.filter(pk=bob.pk).update(username="robert", is_active=False)
    assert not write_now(export) and export.error.startswith("bob, who maintained the file server")
    assert not taker.names()
    page = f"{PATH}{server.pk}/change/"
    admin.post(page, filled(taker, password=""))
    export.server = FileServer.objects.get()
    assert write_now(export), export.error
    client = Client()
    client.force_login(User.objects.create_superuser("eve", "eve@example.com", "secret words"))
    client.post(page, filled(taker, host="localhost"))
    User.objects.filter(username="eve").delete()
    assert try_out(FileServer.objects.get()).startswith("eve, who maintained"), "she had it lead elsewhere"


def offered_by(server: FileServer) -> str:
    try_out(server)
    server.refresh_from_db()
    return server.offered_key


def test_a_server_in_our_own_network_is_reached_when_a_setting_names_it(taker: FileTaker, settings: Any) -> None:
    server = a_server(taker)
    settings.PRIVATE_HOSTS = []
    assert "PRIVATE_HOSTS does not include 127.0.0.1" in try_out(server)
    settings.PRIVATE_HOSTS = ["127.0.0.0/8"]
    assert "PRIVATE_HOSTS" not in try_out(server)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": ""}, "Enter a password or a private key"),
        ({"private_key": private(OUR_KEY)}, "not both"),
        ({"password": "", "private_key": "x"}, "not a valid private key"),
        ({"port": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_refused(admin: Client, taker: FileTaker, fields: dict[str, str], said: str) -> None:
    assert said in text_of(admin.post(f"{PATH}add/", filled(taker, **fields)))
    assert not FileServer.objects.exists()


def test_an_export_may_go_there(admin: Client, taker: FileTaker) -> None:
    server = a_server(taker)
    fields = {"name": "daily", "content": "changes", "format": "csv", "server": str(server.pk), "folder": "/in"}
    admin.post("/monitoring/scheduledexport/add/", {**fields, "zone": "UTC", "at": "06:00", "is_active": "on"})
    assert ScheduledExport.objects.get().server == server
    assert "daily" in text_of(admin.get(f"{PATH}{server.pk}/change/"))
