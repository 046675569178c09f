"""Every page, list and endpoint at a million notifications against ten thousand, in one run.

    python -m benchmarks.lists [--small 10000] [--large 1000000]

Uses the engine of DATABASE_URL where it is set (the database is filled!), else SQLite under a temporary folder.
Three tenths as many companies are monitored. Each time is the best of some rounds: other work only adds to it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from datetime import timedelta
from typing import Any

from benchmarks.filling import LARGEST, MIDNIGHT, OWN, fill, fill_companies, key_of

ROUNDS = 7
A_WEEK = (MIDNIGHT - timedelta(days=10)).strftime("%G-W%V")
A_DAY = (MIDNIGHT - timedelta(days=100)).date().isoformat()
PAGES = (
    "/",
    "/?days=90",
    "/?registration={registration}",
    "/?part=live",
    "/portfolio/company/",
    "/portfolio/company/?p=150",
    "/portfolio/company/?q=name+77",
    "/portfolio/company/?q=10000077",
    "/portfolio/company/?country=DE",
    "/portfolio/company/?columns=name,country",
    "/portfolio/company/{own}/change/",
    f"/portfolio/company/{{own}}/change/?as_of={A_DAY}",
    "/portfolio/subject/",
    "/portfolio/subject/?q=10000077",
    "/portfolio/registration/",
    "/portfolio/registration/{registration}/change/",
    "/portfolio/contract/year/",
    "/core/savedfilter/",
    "/monitoring/change/",
    "/monitoring/change/?p=150",
    "/monitoring/change/?severity=4",
    "/monitoring/change/?severity=from-high",
    "/monitoring/change/?kind=deleted",
    "/monitoring/change/?registration={registration}&severity=2",
    "/monitoring/change/?severity=4&kind=baseline",
    f"/monitoring/change/?day_from={A_DAY}&day_to={A_DAY}&severity=3",
    "/monitoring/change/?q=10000077",
    "/monitoring/change/?columns=name,told",
    "/monitoring/change/{change}/change/",
    "/monitoring/notification/",
    "/monitoring/notification/?type=SEED",
    "/monitoring/notification/?type=SEED&registration={registration}",
    "/monitoring/notification/{notification}/change/",
    "/monitoring/delivery/",
    "/monitoring/delivery/{delivery}/change/",
    "/monitoring/publication/",
    "/monitoring/dailystat/",
    "/monitoring/alert/",
    "/monitoring/alert/?state=all",
    "/monitoring/alert/?state=all&severity=4",
    "/monitoring/alert/?state=closed&severity=2",
    "/monitoring/alert/?assignee=nobody",
    "/monitoring/alert/?state=all&assignee=me",
    "/monitoring/alert/?q=10000077",
    "/monitoring/alert/{alert}/change/",
    "/monitoring/outboxmessage/",
    "/monitoring/outboxmessage/?state=dead",
    "/monitoring/webhookendpoint/{webhook}/change/",
    "/monitoring/element/",
    f"/monitoring/reportschedule/report/?period={A_WEEK}",
    f"/monitoring/reportschedule/report.xlsx?period={A_WEEK}",
    "/health/",
    "/api/v1/companies/",
    "/api/v1/companies/{own}/",
    "/api/v1/companies/{own}/changes/",
    "/api/v1/companies/{own}/profile/",
    f"/api/v1/companies/{{own}}/profile/?as_of={A_DAY}T00:00:00Z",
    "/api/v1/notifications/",
    "/api/v1/changes/",
    "/api/v1/changes/?after=latest",
    "/api/v1/registrations/",
    "/api/v1/registrations/ACME_SUPPLIERS/subjects/",
    "/api/v1/alerts/",
    "/api/v1/alerts/?state=closed",
    "/api/v1/alerts/?company={own}",
    "/api/v1/alerts/{alert}/",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=LARGEST)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("LOG_LEVEL", "CRITICAL")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
        import django

        django.setup()
        run(options.small, options.large)


def run(small: int, large: int) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    client = a_client()
    fill_companies(small * 3 // 10)
    fill(small)
    before = measure(client)
    fill_companies(large * 3 // 10)
    fill(large)
    draw(before, measure(client), small, large)


def draw(before: dict[str, tuple[float, int]], after: dict[str, tuple[float, int]], small: int, large: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("page", f"ms at {small:,}", f"ms at {large:,}", "ratio (≤ 2)", "queries (≤ 12)")
    for page, (short, _) in before.items():
        long, queries = after[page]
        marks = " !" if long > 2 * short or queries > 12 else ""
        table.add_row(page, f"{short:.0f}", f"{long:.0f}", f"{long / short:.2f}{marks}", str(queries))
    Console(width=120).print(table)


def a_client() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.create_superuser(f"bench-{uuid.uuid4().hex[:6]}", "", uuid.uuid4().hex)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def measure(client: Any) -> dict[str, tuple[float, int]]:
    from portfolio.models import Registration

    names = {
        "own": OWN,
        "registration": Registration.key("default", "ACME_SUPPLIERS"),
        "delivery": key_of(0, 1),
        "notification": key_of(0, 2),
        "change": key_of(0, 3),
        "alert": key_of(0, 4),
        "webhook": key_of(0, 6),
    }
    return {page: _time(client, page.format(**names)) for page in PAGES}


def _time(client: Any, url: str) -> tuple[float, int]:
    """Milliseconds of the best round, and the queries of the last."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took = []
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as queries:
            start = time.perf_counter()
            answer = client.get(url, follow=True)
            took.append((time.perf_counter() - start) * 1000)
        # The health page says 503 where no worker runs, as here.
        assert answer.status_code == 200 or url == "/health/", (url, answer.status_code)
    return min(took), len(queries)


if __name__ == "__main__":
    main()
