"""How soon what D&B sends is in the feed, and an alert: a worker's processes, a simulated D&B, times from the rows.

python -m benchmarks.latency [--pulls 60] [--queue database] [--queue redis]

Each pull brings a page of 100 notifications, one of which raises an alert. Pulls come at random moments.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.sending import worker

QUEUES = ("database", "redis")
TO_REACH = {"database": "≤ 3,000 ms", "redis": "≤ 1,000 ms"}
MOST_PAUSE, LOOK_EVERY, GIVE_UP = 3.0, 0.05, 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pulls", type=int, default=60)
    parser.add_argument("--queue", action="append", choices=QUEUES)
    parser.add_argument("--measured", action="store_true", help=argparse.SUPPRESS)
    # What the runner of all benchmarks hands on says nothing here, but for the smallest size.
    options, others = parser.parse_known_args()
    pulls = 3 if "--tiny" in others else options.pulls
    if options.measured:
        measure(options.queue[0], pulls)
        return
    print(f"{pulls} pulls; load of the machine at the beginning {os.getloadavg()[0]:.1f}", flush=True)
    sys.exit(max(apart(queue, pulls) for queue in options.queue or QUEUES))


def apart(queue: str, pulls: int) -> int:
    """In a process of its own: settings name the queue once."""
    if queue == "redis" and shutil.which("redis-server") is None:
        print("redis: not measured (redis-server was not found)")
        return 0
    command = [sys.executable, "-m", "benchmarks.latency", "--measured", "--queue", queue, "--pulls", str(pulls)]
    return subprocess.run(command).returncode


def measure(queue: str, pulls: int) -> None:
    from direct_plus.sandbox.run import start_sandbox

    with ExitStack() as open_now:
        folder = Path(open_now.enter_context(tempfile.TemporaryDirectory(prefix="dnbmon-bench-")))
        if queue == "redis":
            os.environ["REDIS_URL"] = open_now.enter_context(redis_server(folder))
        sandbox = open_now.enter_context(start_sandbox(switches={"calls_per_second": 0}))
        set_up(folder, sandbox.url)
        registration = prepare()
        sandbox.control.add_registration(registration.reference)
        with worker(folder / "worker.log"):
            wait_for_worker()
            for number in range(pulls):
                sandbox.control.emit(registration.reference, page(number))
                pull(str(registration.pk), number + 1)
                time.sleep(random.uniform(0, MOST_PAUSE))
    report(queue)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    from tests.support import free_port

    port = str(free_port())
    server = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def set_up(folder: Path, url: str) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "dnbmon_site.settings",
        "ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "DEBUG": "1",
        "LOG_LEVEL": "WARNING",
        "DNB_BASE_URL": url,
        "DNB_API_KEY": "sandbox-key",
        "DNB_API_SECRET": "sandbox-secret",
        "DNB_PULL": "yes",
        "DNB_CALLS_PER_SECOND": "1000",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def prepare() -> Any:
    """A registration that is pulled only when that is asked for, and somebody who is notified."""
    from monitoring.models import AlertRule
    from tests.builders.channels import a_channel
    from tests.builders.registrations import a_registration

    a_channel(AlertRule.objects.get(default_key="out-of-business"))
    return a_registration(next_pull_at=None)


def wait_for_worker() -> None:
    from django_q.models import Success

    wait_until(lambda: Success.objects.filter(func="monitoring.jobs.process_published").exists())


def page(number: int) -> list[Any]:
    """One notification raises an alert: more than a hundred in an hour would be one."""
    from tests.builders.elements import ACTIVE, OUT, STATUS
    from tests.builders.notifications import news

    numbers = [number * 100 + place for place in range(100)]
    return [
        news(STATUS, ACTIVE, OUT, duns=f"{100_000_000 + one}")
        if one % 100 == 0
        else news("organization.numberOfEmployees", [{"value": one}], [{"value": one + 1}], duns=f"{100_000_000 + one}")
        for one in numbers
    ]


def pull(key: str, count: int) -> None:
    """Ask for it as a page does, and wait until all that follows is done."""
    from core.jobs import async_task
    from monitoring.alerts.evaluate import CONSUMER
    from monitoring.publications.sequence import newest_publication

    async_task("monitoring.jobs.pull_now", key)
    wait_until(lambda: newest_publication() >= count and CONSUMER.position() >= newest_publication())


def wait_until(is_so: Any) -> None:
    until = time.monotonic() + GIVE_UP
    while not is_so():
        if time.monotonic() > until:
            sys.exit(f"not within {GIVE_UP:.0f} seconds")
        time.sleep(LOOK_EVERY)


def report(queue: str) -> None:
    from django.db.models import Min

    from monitoring.models import Alert, OutboxMessage, Publication

    received = dict(Publication.objects.values_list("sequence", "delivery__received_at"))
    for what, moments, to_reach in (
        ("in the feed", Publication.objects.values_list("sequence", "published_at"), "≤ 100 ms"),
        ("alert", Alert.objects.values_list("sequence").annotate(at=Min("raised_at")), TO_REACH[queue]),
        ("message queued", OutboxMessage.objects.values_list("sequence").annotate(at=Min("created_at")), ""),
    ):
        spans = [(at - received[sequence]).total_seconds() * 1000 for sequence, at in moments if received[sequence]]
        print(f"{queue}: received → {what}: {figures(spans)}; to reach: p95 {to_reach or '–'}", flush=True)


def figures(spans: Sequence[float]) -> str:
    p95 = statistics.quantiles(spans, n=20)[18] if len(spans) > 1 else max(spans)
    return f"median {statistics.median(spans):.0f} ms, p95 {p95:.0f} ms, longest {max(spans):.0f} ms, of {len(spans)}"


if __name__ == "__main__":
    main()
