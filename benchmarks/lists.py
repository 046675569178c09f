"""Every page, list and endpoint with many notifications against few, in one run.

    python -m benchmarks.lists [--few 10000] [--many 1000000]

With DATABASE_URL it fills and measures that database. Three tenths as many companies are monitored. Each time is the
best of some rounds: other work only adds to it.
"""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Any

from benchmarks import frame
from benchmarks.filling import LARGEST, MIDNIGHT, OWN, fill, fill_companies, key_of
from benchmarks.frame import Amount

FEW = Amount("few", "notifications in the small world", 100, 3_000, 10_000)
MANY = Amount("many", "notifications in the large world", 200, 30_000, LARGEST)
A_WEEK = (MIDNIGHT - timedelta(days=10)).strftime("%G-W%V")
A_DAY = (MIDNIGHT - timedelta(days=100)).date().isoformat()
SORTED = (
    *("failure_percentile", "failure_class", "delinquency_percentile", "rating", "limit_amount", "payment_index"),
    *("industry_code", "employees", "operating_status", "last_critical_at", "country", "global_ultimate"),
)
FILTERS = (
    *("failure_class=5", "failure_class=unknown", "rating=5A1", "industry_code=1100", "size=large", "flag=suits"),
    *("operating_status=Active", "global_ultimate=100000070", "registration={registration}", "monitored=yes"),
    *("owner=ann", "owner=unknown", "tag=critical", "critical_from=2026-01-01"),
    *("failure_class=5&delinquency_class=4&monitored=yes", "country=DE&size=large&failure_class=5&monitored=yes"),
)
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
    "/portfolio/company/?q=takino",
    "/portfolio/company/?q=forge+koln",
    "/portfolio/company/?q=forge+malmo+taki",
    "/portfolio/company/?q=holding",
    *(f"/portfolio/company/?columns=name,{name}&o={sign}2" for name in SORTED for sign in ("", "-")),
    *(f"/portfolio/company/?{one}" for one in FILTERS),
    "/portfolio/company/?columns=name,country",
    "/portfolio/company/{own}/change/",
    f"/portfolio/company/{{own}}/change/?as_of={A_DAY}",
    "/portfolio/risk/",
    "/portfolio/risk/companies/?failure_class=unknown",
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
    "/api/v1/companies/?search=forge+koln",
    "/api/v1/companies/?sort=-failure_percentile&country=DE",
    "/api/v1/companies/?failure_class=5&monitored=true",
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


Times = dict[str, tuple[float, int]]


def main() -> None:
    options = frame.options(__doc__, FEW, MANY)
    with frame.reported(options) as report:
        for engine, url in frame.filled(options, report):
            before = frame.apart(measure, url, count=options.few, rounds=options.rounds)
            after = frame.apart(measure, url, count=options.many, rounds=options.rounds)
            columns = ("page", f"ms with {options.few:,}", f"ms with {options.many:,}", "ratio", "queries")
            report.table(f"{engine} (targets: 2 ×, 150 ms, 12 queries)", columns, rows(before, after))


def rows(before: Times, after: Times) -> list[list[str]]:
    found = []
    for page, (short, _) in before.items():
        long, queries = after[page]
        missed = " !" if long > 2 * short or long > 150 or queries > 12 else ""
        found.append([page, f"{short:.0f}", f"{long:.0f}", f"{long / short:.2f}{missed}", str(queries)])
    return found


# In a process of its own


def a_client() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.create_superuser(f"bench-{uuid.uuid4().hex[:6]}", "", uuid.uuid4().hex)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def measure(count: int, rounds: int) -> Times:
    from portfolio.models import Registration

    fill_companies(count * 3 // 10)
    fill(count)
    client = a_client()

    names = {
        "own": OWN,
        "registration": Registration.key("default", "ACME_SUPPLIERS"),
        "delivery": key_of(0, 1),
        "notification": key_of(0, 2),
        "change": key_of(0, 3),
        "alert": key_of(0, 4),
        "webhook": key_of(0, 6),
    }
    return {page: page_time(client, page.format(**names), rounds) for page in PAGES}


def page_time(client: Any, url: str, rounds: int = 5) -> tuple[float, int]:
    """Milliseconds of the best round, and the queries of the last."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took = []
    for _ in range(rounds):
        with CaptureQueriesContext(connection) as queries:
            start = time.perf_counter()
            answer = client.get(url, follow=True)
            took.append((time.perf_counter() - start) * 1000)
        # The health page says 503 where no worker runs, as here.
        assert answer.status_code == 200 or url == "/health/", (url, answer.status_code)
    return min(took), len(queries)


if __name__ == "__main__":
    main()
