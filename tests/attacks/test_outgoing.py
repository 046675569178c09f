"""Attacks that have the program connect where it should not, or tell somebody else what it keeps for itself."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.attacks.production import Production

SECRET = "the-stored-password-of-the-erp"
MAKE_FILE_SERVER = f"""
from django.utils import timezone
from monitoring.models import FileServer
from monitoring.signing import encrypted
row = FileServer.objects.create(name="ERP", host="sftp.example.com", user_name="erp", host_key="ssh-rsa AAAA",
    encrypted_password=encrypted({SECRET!r}), created_at=timezone.now())
print(row.pk)
"""


@pytest.fixture(scope="module")
def inner() -> Iterator["Inner"]:
    """A service of our own network, on this machine, which nobody may reach."""
    server = Inner()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Inner(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[str] = []


class _Asked(BaseHTTPRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Inner)
        self.server.asked.append(self.rfile.readline().decode(errors="replace"))


def test_the_stored_password_of_a_file_server_is_not_shown_to_another_host(
    production: Production, inner: Inner
) -> None:
    operator = production.person("sftp-operator", "Operator")
    key = production.inside(MAKE_FILE_SERVER)
    page = f"/monitoring/fileserver/{key}/change/"
    form = {"name": "ERP", "host": "127.0.0.1", "port": inner.server_port, "user_name": "erp"}
    assert "enter the password" in operator.submit(page, form).text
    # With a secret of his own the host may change, and then it is that one which is sent; but not into our network.
    assert operator.submit(page, {**form, "password": "guessed"}).status_code == 302
    operator.submit(f"/monitoring/fileserver/{key}/do/test/")
    assert "PRIVATE_HOSTS does not name 127.0.0.1" in operator.ask(page).text
    assert inner.asked == []


def test_d_and_bs_account_is_not_shown_to_another_host(production: Production, inner: Inner) -> None:
    admin = production.person("account-admin", "Administrator")
    make = "from portfolio.models import Contract; print(Contract.objects.get_or_create(name='default')[0].pk)"
    page = f"/portfolio/contract/{production.inside(make)}/change/"
    for address in (f"http://127.0.0.1:{inner.server_port}", "https://plus.dnb.com.example.com"):
        answer = admin.submit(page, {"prefix": "DNB", "base_url": address})
        assert answer.status_code == 200
        assert "key and secret are sent there" in answer.text
    assert inner.asked == []
