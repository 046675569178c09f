"""Messages to webhooks over real HTTP, by a worker's processes on SQLite, while the other jobs go on; none may fail.

python -m benchmarks.sending [--messages 10000] [--webhooks 8]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from benchmarks import frame
from benchmarks.frame import Amount

MESSAGES = Amount("messages", "messages", 40, 2_000, 10_000)
WEBHOOKS = Amount("webhooks", "webhooks that receive them", 4, 8, 8)
LOOK_EVERY = 1.0
# Jobs that write while messages go out.
BESIDE = ("monitoring.jobs.update_all_counts", "monitoring.jobs.make_proposals", "health.jobs.look_after")
MANAGE = str(Path(__file__).resolve().parent.parent / "manage.py")


@dataclass(frozen=True, slots=True)
class Figures:
    messages: int
    received: int
    twice: int
    sent: int
    failed_jobs: int
    locked: int
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.sent == self.received == self.messages and not self.failed_jobs


def main() -> None:
    options = frame.options(__doc__, MESSAGES, WEBHOOKS, engines=("sqlite",))
    with frame.reported(options) as report, tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        figures = run(Path(folder), options.messages, options.webhooks)
        rows = [[name.replace("_", " "), f"{value:,}"] for name, value in asdict(figures).items()]
        rows.append(["messages a second", f"{figures.messages / figures.seconds:,.0f}"])
        report.table(f"SQLite, {options.messages:,} messages to {options.webhooks} webhooks", ("", "count"), rows)
    sys.exit(not figures.is_good)


def run(folder: Path, messages: int, webhooks: int) -> Figures:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "dnbmon_site.settings",
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "PRIVATE_HOSTS": "127.0.0.1",
        "DEBUG": "1",
    }
    subprocess.run([sys.executable, MANAGE, "migrate", "-v", "0"], check=True)
    import django

    django.setup()
    with receiver() as (url, ids):
        fill(url, messages, webhooks)
        begun = time.monotonic()
        with worker(folder / "worker.log"):
            send_all()
        seconds = time.monotonic() - begun
    return judge(folder, ids, messages, seconds)


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    ids: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            ids.append(f"{self.path} {self.headers['webhook-id']}")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", ids
    finally:
        server.shutdown()


def fill(url: str, messages: int, webhooks: int) -> None:
    from monitoring.webhooks.endpoints import Event, create_endpoint, emit_events

    for number in range(webhooks):
        create_endpoint(made_by="bench", name=f"w{number}", url=f"{url}/{number}", event_types="subject.*")
    for start in range(0, messages // webhooks, 500):
        numbers = range(start, min(start + 500, messages // webhooks))
        emit_events(Event("subject.requested", {"n": n}, str(n), f"{n % 1000:09}") for n in numbers)


@contextmanager
def worker(log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, MANAGE, "worker"], stdout=file, stderr=file)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def send_all() -> None:
    from core.jobs import ask_worker
    from monitoring.jobs import SEND
    from monitoring.models import MessageState, OutboxMessage

    while OutboxMessage.objects.filter(state=MessageState.WAITING).exists():
        for job in (SEND, *BESIDE):
            ask_worker(job, task_name="bench")
        time.sleep(LOOK_EVERY)


def judge(folder: Path, ids: list[str], messages: int, seconds: float) -> Figures:
    from django_q.models import Failure

    from monitoring.models import MessageState, OutboxMessage

    for failure in Failure.objects.all():
        print(failure.func, str(failure.result).strip().splitlines()[-1:])
    return Figures(
        messages=messages,
        received=len(set(ids)),
        twice=len(ids) - len(set(ids)),
        sent=OutboxMessage.objects.filter(state=MessageState.SENT).count(),
        failed_jobs=Failure.objects.count(),
        locked=(folder / "worker.log").read_text(errors="replace").count("database is locked"),
        seconds=round(seconds, 1),
    )


if __name__ == "__main__":
    main()
