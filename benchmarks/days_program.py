"""The real program of `benchmarks.days`, as its users start it, and D&B's sandbox beside it, in a temporary folder."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from direct_plus.sandbox.control.client import SandboxControl
from tests.process_table import alive, children, family
from tests.support import ROOT, wait_until

KEY, SECRET = "sandbox-key", "sandbox-secret"
PAGES = (
    "/",
    "/portfolio/company/",
    "/portfolio/company/{duns}/change/",
    "/portfolio/registration/",
    "/monitoring/change/",
    "/monitoring/delivery/",
    "/monitoring/alert/",
    "/health/",
    "/api/v1/companies/?limit=50",
    "/api/v1/companies/{duns}/profile/",
    "/api/v1/notifications/?limit=50",
)
PAUSE = 1.0
STOPS_WITHIN = 20


class Program:
    """Sandbox, web and worker as processes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}"
        self.control = SandboxControl(f"http://127.0.0.1:{port + 1}")
        self.env = environment(folder, self.control.base_url)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start_sandbox(self) -> None:
        state = str(self.folder / "sandbox.sqlite3")
        self.sandbox = self._start("sandbox", "--port", str(self.port + 1), "--state", state)
        wait_until(lambda: answers(self.control.base_url), timeout=60, what="the sandbox")

    def kill_sandbox(self) -> None:
        self.sandbox.kill()
        self.sandbox.wait()

    def start(self) -> None:
        """`up`, after the steps that a new installation takes."""
        self.manage("sync_registrations", "--start", "--every", "1")
        self.access: dict[str, Any] = json.loads(self.manage("first_access", "--json"))
        self.up = self._start("up", "--port", str(self.port))
        wait_until(lambda: answers(f"{self.url}/health/ready"), timeout=90, what="the web server")

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(command, env=self.env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def worker(self) -> set[int]:
        """The watchdog and everything below it."""
        return next((family(pid) for pid in children(self.up.pid) if "worker" in command_of(pid)), set())

    def cluster(self) -> set[int]:
        """The cluster of jobs, without its watchdog."""
        watchdogs = {pid for pid in children(self.up.pid) if "worker" in command_of(pid)}
        return self.worker() - watchdogs

    def signal(self, pids: set[int], number: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> tuple[float, int]:
        """As an operator: how long it took, and how many processes were left."""
        everybody = family(self.up.pid)
        begun = time.monotonic()
        self.up.terminate()
        self.up.wait(STOPS_WITHIN)
        return time.monotonic() - begun, len(alive(everybody))

    def end(self) -> None:
        """Nothing is left, whatever happened."""
        for process in self.processes:
            for pid in family(process.pid) if process.poll() is None else set():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def environment(folder: Path, dnb: str) -> dict[str, str]:
    base = {name: value for name, value in os.environ.items() if not name.startswith(("DNB_", "OIDC_"))}
    return base | {
        "ENV_FILE": os.devnull,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{folder}/days.sqlite3",
        "EMAIL_URL": "dummymail://",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        "DNB_PULL": "yes",
        "DNB_BASE_URL": dnb,
        "DNB_API_KEY": KEY,
        "DNB_API_SECRET": SECRET,
        "DNB_TIMEOUT": "10",
    }


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=5).status_code < 500
    return False


class Visitor(Thread):
    """A person who looks at pages, and a program that follows the feed, until it is told to stop."""

    def __init__(self, url: str, access: Mapping[str, Any], companies: list[str], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.url, self.companies, self.chance = url, companies, chance
        self.browser, self.api = requests.Session(), requests.Session()
        for session in (self.browser, self.api):
            # As a browser: a connection that the server has just closed is opened again.
            session.mount("http://", HTTPAdapter(max_retries=Retry(total=1, read=1, allowed_methods=["GET"])))
        self.api.headers["Authorization"] = f"Bearer {access['api_key']}"
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.changes: list[str] = []
        self.next = ""
        self.over = Event()
        self._sign_in(access)

    def _sign_in(self, access: Mapping[str, Any]) -> None:
        page = self.browser.get(f"{self.url}/login/", timeout=30)
        form = {
            "csrfmiddlewaretoken": self.browser.cookies["csrftoken"],
            "username": access["user"],
            "password": access["password"],
        }
        assert self.browser.post(page.url, data=form, allow_redirects=False, timeout=30).status_code == 302

    def run(self) -> None:
        while not self.over.wait(PAUSE):
            self.look(self.chance.choice(PAGES))
            self.follow()

    def look(self, page: str) -> None:
        path = page.format(duns=self.chance.choice(self.companies))
        session = self.api if path.startswith("/api/") else self.browser
        begun = time.monotonic()
        try:
            status = str(session.get(self.url + path, timeout=60, allow_redirects=False).status_code)
        except requests.RequestException as error:
            status = type(error).__name__
        self.seconds.append(time.monotonic() - begun)
        # The page of health says 503 when something is critical; a company may not have been pulled yet.
        is_fine = status == "200" or (page == "/health/" and status == "503") or ("{duns}" in page and status == "404")
        self.statuses["as they should" if is_fine else f"{page} {status}"] += 1

    def follow(self) -> None:
        """The feed from where it was left, until there is no more."""
        more = True
        while more:
            parameters = {"limit": "500"} | ({"after": self.next} if self.next else {})
            try:
                answer = self.api.get(f"{self.url}/api/v1/changes/", params=parameters, timeout=60)
                answer.raise_for_status()
            except requests.RequestException as error:
                self.statuses[f"feed {type(error).__name__}"] += 1
                return
            told = answer.json()
            self.statuses["as they should"] += 1
            self.changes += [change["id"] for change in told["results"]]
            self.next, more = told["next"], told["more"]

    def stop(self) -> None:
        self.over.set()
        self.join(60)
        self.follow()
