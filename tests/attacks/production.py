"""What an attack has in hand: a browser as any person, a client with any key, and a look at what it did."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.support import ROOT, Running

HOST = "monitoring.example.com"
WILD = ".example.org"
PASSWORD = "an-attacker-knows-this-one-42"

MAKE_PERSON = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
person, _ = get_user_model().objects.get_or_create(username={name!r}, defaults=dict(email={name!r} + "@example.com"))
person.is_staff, person.is_superuser, person.is_active = True, {superuser!r}, True
person.set_password({password!r})
person.save()
person.groups.set([Group.objects.get(name=role) for role in {roles!r}])
print(person.pk)
"""


class Browser(requests.Session):
    """A browser behind the proxy: absolute addresses are not needed, forms carry their token."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.headers.update({"Host": HOST, "X-Forwarded-Proto": "https", "Referer": f"https://{HOST}/"})

    def ask(self, path: str, method: str = "GET", **options: object) -> requests.Response:
        """Does not follow redirects: they lead to the public host."""
        # Secure cookies, which requests would keep back: the proxy speaks HTTPS, and its part is played here.
        self.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        return self.request(method, self.url + path, allow_redirects=False, timeout=60, **options)  # type: ignore[arg-type]

    def submit(self, path: str, data: Mapping[str, object] | None = None, **options: object) -> requests.Response:
        """A form, with the token that pages put into it."""
        return self.ask(path, "POST", data={**(data or {}), "csrfmiddlewaretoken": self.token()}, **options)

    def token(self) -> str:
        (token,) = (cookie.value for cookie in self.cookies if cookie.name.endswith("csrftoken"))
        return token or ""


@dataclass(frozen=True)
class Production:
    """The running program."""

    url: str
    env: dict[str, str]
    running: Running
    connections: Path
    # Of the neighbour that PRIVATE_HOSTS names.
    named_port: int

    def inside(self, code: str) -> str:
        """What `code` prints when it runs with the program's own settings and data: to prepare, and to look."""
        command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), "shell", "--no-imports", "-c", code]
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def person(self, name: str, *roles: str, superuser: bool = False) -> Browser:
        """Somebody with these roles, signed in."""
        self.inside(MAKE_PERSON.format(name=name, roles=list(roles), superuser=superuser, password=PASSWORD))
        return self.signed_in(name)

    def signed_in(self, name: str) -> Browser:
        browser = self.stranger()
        browser.ask("/login/")
        answer = browser.submit("/login/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return browser

    def stranger(self) -> Browser:
        return Browser(self.url)

    def mails(self) -> str:
        """All that the program has sent by mail, one message after the other."""
        folder = self.connections.with_name("mails")
        return "".join(path.read_text() for path in sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime_ns))

    def connected_to(self) -> set[str]:
        """Every address that a process of the program has opened a connection to, as Python writes it."""
        return set(self.recorded())

    def recorded(self) -> list[str]:
        return self.connections.read_text().splitlines() if self.connections.exists() else []

    def strangers(self) -> set[str]:
        """Of those, all that are neither its own web server, its database nor the named neighbour."""
        known = {self.named_port, *(urlsplit(url).port for url in (self.url, self.env["DATABASE_URL"]))}
        return {line for line in self.connected_to() if not is_at(line, known)}


def is_at(line: str, ports: set[int | None]) -> bool:
    """Whether a recorded address is one of these ports of this machine."""
    address = ast.literal_eval(line)
    return isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1") and address[1] in ports
