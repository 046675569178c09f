"""The command line of the unit, against an environment as in production, as a proxy that ends TLS would call it."""

from __future__ import annotations

import io
import json
import socket
import sys
import time
from pathlib import Path

import pytest
import requests

from dnbmon_site.http.unread_body import drain
from tests.builders.deploy_files import DEPLOY, unit
from tests.builders.settings import SAFE
from tests.support import ROOT, free_port, manage, program, wait_for_port

HOST = "monitoring.example.com"
SECURE = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


def as_in_the_unit(port: int) -> list[str]:
    command = unit(DEPLOY / "dnbmon-web.service")["Service"]["ExecStart"].split()
    found = [part.replace(":8000", f":{port}") for part in command]
    assert found != command and found[0] == "/opt/dnbmon/.venv/bin/python"
    return [sys.executable, *found[1:]]


@pytest.fixture
def production(database_url_for_processes: str) -> dict[str, str]:
    return {**SAFE, "DATABASE_URL": database_url_for_processes, "BEHIND_PROXY": "yes"}


def test_people_come_in_through_the_proxy(production: dict[str, str], tmp_path: Path) -> None:
    made = json.loads(manage("first_access", "--json", env=production).stdout)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with program(*as_in_the_unit(port), env=production, log=tmp_path / "log") as running:
        wait_for_port(port)
        # Plain HTTP is sent to HTTPS, except for who asks whether we live.
        moved = requests.get(f"{url}/login/", headers={"Host": HOST}, allow_redirects=False, timeout=20)
        assert (moved.status_code, moved.headers["Location"]) == (301, f"https://{HOST}/login/")
        assert requests.get(f"{url}/health/live", headers={"Host": HOST}, timeout=10).text == "alive\n"
        assert (
            requests.get(f"{url}/login/", headers={**SECURE, "Host": "evil.example.com"}, timeout=10).status_code == 400
        )

        session = requests.Session()
        page = session.get(f"{url}/login/", headers=SECURE, timeout=20)
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert "script-src 'self' 'unsafe-eval'" in page.headers["Content-Security-Policy"]
        assert (page.headers["X-Frame-Options"], page.headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
        style = session.get(f"{url}/static/dnbmon/pages.css", headers=SECURE, timeout=20)
        assert style.status_code == 200 and style.headers["Content-Type"].startswith("text/css")
        assert "default-src 'none'" in style.headers["Content-Security-Policy"]

        cookies = {name: str(value) for name, value in page.cookies.items()}
        form = {"username": made["user"], "password": made["password"], "csrfmiddlewaretoken": cookies["csrftoken"]}
        headers = {**SECURE, "Referer": f"https://{HOST}/login/"}
        entered = requests.post(
            f"{url}/login/", form, headers=headers, cookies=cookies, allow_redirects=False, timeout=20
        )
        assert entered.status_code == 302, entered.text
        cookie = next(value for name, value in entered.raw.headers.items() if "sessionid" in value)
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
        inside = requests.get(
            f"{url}/", headers=SECURE, cookies={"sessionid": entered.cookies.get("sessionid") or ""}, timeout=20
        )
        assert inside.status_code == 200 and "D&amp;B Monitoring" in inside.text
        assert running.stop() == 0
    lines = [json.loads(line) for line in running.said.splitlines()]
    assert {line["ip"] for line in lines if line["event"] == "request_finished"} >= {"203.0.113.9"}
    assert made["password"] not in running.said


def test_who_sends_much_that_is_not_read_gets_the_answer(production: dict[str, str], tmp_path: Path) -> None:
    """The server closed the connection while the rest was on its way, and the proxy made 502 of the 401."""
    port, size = free_port(), 8_000_000
    lines = ["POST /api/v1/registrations/A/subjects/ HTTP/1.1", "Authorization: Bearer dnbmon_none"]
    lines += [f"{name}: {value}" for name, value in {**SECURE, "Content-Length": str(size)}.items()]
    with program(*as_in_the_unit(port), env=production, log=tmp_path / "log") as running:
        wait_for_port(port)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            # As a proxy does it: whoever cannot send all has no answer.
            for _ in range(8):
                connection.sendall(b" " * (size // 8))
                time.sleep(0.2)
            assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
        assert running.stop() == 0


def test_what_is_far_too_large_is_not_taken_to_its_end() -> None:
    body = io.BytesIO(b" " * 500_000)
    drain(body, 200_000)
    assert body.tell() == 200_000


def test_who_goes_away_in_the_middle_disturbs_no_answer() -> None:
    class Gone(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    drain(Gone(), 200_000)


def test_the_unit_is_run_where_the_program_is() -> None:
    service = unit(DEPLOY / "dnbmon-web.service")["Service"]
    assert service["WorkingDirectory"] == "/opt/dnbmon" and (ROOT / "dnbmon_site" / "gunicorn_conf.py").exists()
