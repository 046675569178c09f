"""`up` as a process: everything answers, nothing is left behind, and the demo keeps to its own folder."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from dnbmon_site.operations.processes.pidfile import running
from tests.engines import engine
from tests.process_table import alive, children, family
from tests.support import ROOT, Running, free_port, manage, managed, wait_until

STOPS_WITHIN = 15
STARTED = "Press Ctrl-C to stop."

pytestmark = pytest.mark.slow


class Up:
    """A running `up`, and what it printed."""

    def __init__(self, running: Running, port: int) -> None:
        self.running = running
        self.pid = running.process.pid
        self.url = f"http://127.0.0.1:{port}"

    def word(self, label: str) -> str:
        (line,) = [line for line in self.running.said.splitlines() if line.strip().startswith(label)]
        return line.strip().removeprefix(label).strip()

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.url + path, timeout=20, **options)  # type: ignore[arg-type]

    def changes(self) -> list[object]:
        key = {"Authorization": f"Bearer {self.word('API key')}"}
        answer = self.get("/api/v1/changes/", headers=key)
        assert answer.status_code == 200, answer.text
        found: list[object] = answer.json()["results"]
        return found

    def lets_in(self) -> bool:
        with requests.Session() as browser:
            page = browser.get(f"{self.url}/login/", timeout=20)
            form = {
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
                "username": self.word("User"),
                "password": self.word("Password"),
            }
            answer = browser.post(page.url, data=form, allow_redirects=False, timeout=20)
            return answer.status_code == 302 and "sessionid" in browser.cookies

    def ends_by(self, number: signal.Signals, *, group: bool) -> None:
        everybody = family(self.pid)
        began = time.monotonic()
        (os.killpg if group else os.kill)(self.pid, number)
        assert self.running.process.wait(STOPS_WITHIN) == 0
        wait_until(lambda: not alive(everybody), timeout=5, what="the end of everybody")
        assert time.monotonic() - began < STOPS_WITHIN
        assert "Traceback" not in self.running.said


@contextmanager
def up(*arguments: str, env: dict[str, str], log: Path) -> Iterator[Up]:
    port = free_port()
    with managed("up", "--port", str(port), *arguments, env=env, log=log) as running:
        try:
            wait_until(
                lambda: STARTED in running.said or running.process.poll() is not None, timeout=90, what="the start"
            )
            assert STARTED in running.said, running.said
            yield Up(running, port)
        finally:
            everybody = family(running.process.pid)
            running.kill_all()
            wait_until(lambda: not alive(everybody), timeout=20, what="the end of everybody")


@pytest.fixture
def own_data(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has settings of their own, which the demo has to leave alone."""
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3",
        "DNB_API_KEY": "my-own-key",
        "DNB_API_SECRET_FILE": "/dev/null",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }


def test_the_demo_from_the_first_start_to_the_second(own_data: dict[str, str], tmp_path: Path) -> None:
    demo = ("--demo", "--demo-folder", str(tmp_path / "demo"))
    with up(*demo, env=own_data, log=tmp_path / "first.log") as first:
        assert first.get("/health/ready").status_code == 200
        assert first.lets_in()
        wait_until(first.changes, timeout=30, what="the first changes")
        word, key = first.word("Password"), first.word("API key")
        refuses_a_second(own_data, demo, first)
        first.ends_by(signal.SIGINT, group=True)
    count = deliveries(tmp_path)
    with up(*demo, env=own_data, log=tmp_path / "second.log") as second:
        assert (second.word("Password"), second.word("API key")) == (word, key)
        assert second.lets_in()
        assert second.changes()
        assert deliveries(tmp_path) >= count > 0
        second.ends_by(signal.SIGTERM, group=False)
    assert not (tmp_path / "own.sqlite3").exists()


def refuses_a_second(env: dict[str, str], demo: tuple[str, ...], running: Up) -> None:
    same_port = manage("up", "--port", running.url.rpartition(":")[2], *demo, env=env)
    assert same_port.returncode == 1
    assert "is in use by another program" in same_port.stderr and "--port" in same_port.stderr
    same_folder = manage("up", "--port", str(free_port()), *demo, env=env)
    assert same_folder.returncode == 1
    assert "is already running" in same_folder.stderr


def deliveries(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "demo" / "db.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM monitoring_delivery").fetchone()[0])


def test_own_data_without_credentials(process_env: dict[str, str], tmp_path: Path) -> None:
    """Says what is missing, and is there to be looked at all the same; starts no sandbox."""
    with up(env=process_env, log=tmp_path / "up.log") as running:
        assert "DNB_API_KEY" in running.running.said and "DNB_API_SECRET" in running.running.said
        assert running.lets_in()
        assert len(children(running.pid)) == 2
        restarts_its_web(running)
        running.ends_by(signal.SIGTERM, group=False)
    # Notes of processes in files, the same on every engine.
    if engine() == "sqlite":
        in_the_background_with_status_and_stop(process_env)


def in_the_background_with_status_and_stop(process_env: dict[str, str]) -> None:
    port = str(free_port())
    assert manage("status", "--port", port, env=process_env).returncode == 3
    started = manage("up", "--background", "--port", port, env=process_env, timeout=90)
    try:
        assert started.returncode == 0 and "Running in the background" in started.stdout, started.stderr
        assert "manage.py changepassword admin" in started.stdout
        # What it said at its start may hold a password, and is not kept.
        assert "Password" not in (ROOT / "var" / f"up-{port}.log").read_text()
        told = manage("status", "--port", port, env=process_env)
        # Without credentials nothing is pulled, which health calls critical.
        assert (told.returncode, "DNB_API_KEY" in told.stdout) == (1, True), told.stdout + told.stderr
    finally:
        everybody = set().union(*(family(note.pid) for note in running(ROOT / "var", int(port))))
        stopped = manage("stop", "--port", port, env=process_env)
    assert stopped.returncode == 0 and f":{port}/ stopped after" in stopped.stdout, stopped.stderr
    assert everybody
    wait_until(lambda: not alive(everybody), timeout=5, what="the end of everybody")
    assert "not running" in manage("stop", "--port", port, env=process_env).stdout
    for kind in ("json", "log"):
        (ROOT / "var" / f"up-{port}.{kind}").unlink()


def restarts_its_web(running: Up) -> None:
    said = running.running.said
    for pid in children(running.pid):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: running.running.said.count("is restarting") == 2, timeout=10, what="the restart")
    assert "is restarting" not in said
    wait_until(lambda: answers(running), timeout=40, what="the web server")


def answers(running: Up) -> bool:
    try:
        return running.get("/health/live").status_code == 200
    except requests.ConnectionError:
        return False


def test_who_is_killed_leaves_nobody_behind(own_data: dict[str, str], tmp_path: Path) -> None:
    with up("--demo", "--demo-folder", str(tmp_path / "demo"), env=own_data, log=tmp_path / "up.log") as running:
        wait_until(lambda: len(family(running.pid)) >= 11, timeout=30, what="the whole family")
        everybody = family(running.pid)
        os.kill(running.pid, signal.SIGKILL)
        running.running.process.wait()
        wait_until(lambda: not alive(everybody), timeout=25, what="the end of everybody")


def test_a_stop_during_the_start(own_data: dict[str, str], tmp_path: Path) -> None:
    arguments = ("up", "--demo", "--port", str(free_port()), "--demo-folder", str(tmp_path / "demo"))
    with managed(*arguments, env=own_data, log=tmp_path / "up.log") as running:
        wait_until(lambda: "Starting" in running.said, timeout=30)
        time.sleep(1.5)
        everybody = family(running.process.pid)
        os.killpg(running.process.pid, signal.SIGINT)
        running.process.wait(STOPS_WITHIN)
        wait_until(lambda: not alive(everybody), timeout=5, what="the end of everybody")
    assert "Traceback" not in running.said
    assert not json_file(tmp_path / "demo" / "access.json")


def json_file(path: Path) -> object:
    return json.loads(path.read_text()) if path.exists() else None
