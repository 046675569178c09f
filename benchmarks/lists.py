"""Every list page and endpoint at a million notifications against ten thousand, in one run.

    python -m benchmarks.lists [--small 10000] [--large 1000000]

Uses the engine of DATABASE_URL where it is set (the database is filled!), else SQLite under a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 5
A_DELIVERY = 100
PATHS = (
    "organization.primaryName",
    "organization.telephone",
    "organization.dnbAssessment.failureScore.scoreDate",
    "organization.numberOfEmployees",
)
PAGES = (
    "/",
    "/portfolio/company/",
    "/portfolio/company/?q=name+77",
    "/portfolio/company/?q=10000077",
    "/portfolio/company/{duns}/change/",
    "/monitoring/change/",
    "/monitoring/change/?severity__exact=4",
    "/monitoring/change/?kind__exact=deleted",
    "/monitoring/notification/",
    "/monitoring/notification/?type__exact=SEED",
    "/monitoring/delivery/",
    "/monitoring/alert/",
    "/monitoring/alert/?state=all",
    "/monitoring/alert/?state=all&severity=4",
    "/monitoring/alert/?assignee=nobody",
    "/monitoring/alert/?q=10000077",
    "/monitoring/alert/{alert}/change/",
    "/monitoring/dispatch/",
    "/monitoring/dispatch/?state__exact=parked",
    "/monitoring/webhookendpoint/{webhook}/change/",
    "/portfolio/registration/",
    "/monitoring/element/",
    "/monitoring/reportschedule/report/?period=2026-W01",
    "/api/v1/companies/",
    "/api/v1/companies/{duns}/",
    "/api/v1/companies/{duns}/changes/",
    "/api/v1/companies/{duns}/profile/",
    "/api/v1/notifications/",
    "/api/v1/changes/",
    "/api/v1/changes/?after=latest",
    "/api/v1/alerts/",
    "/api/v1/alerts/?state=closed",
    "/api/v1/alerts/?company=100000077",
    "/api/v1/alerts/{alert}/",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("LOG_LEVEL", "ERROR")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
        import django

        django.setup()
        run(options.small, options.large)


def run(small: int, large: int) -> None:
    from django.core.management import call_command
    from rich.console import Console
    from rich.table import Table

    call_command("migrate", verbosity=0)
    client = a_client()
    fill(0, small)
    before = measure(client)
    fill(small, large)
    after = measure(client)
    table = Table("page", f"ms at {small:,}", f"ms at {large:,}", "ratio (≤ 2)", "queries (≤ 12)")
    for page, (short, _) in before.items():
        long, queries = after[page]
        table.add_row(page, f"{short:.0f}", f"{long:.0f}", f"{long / short:.2f}", str(queries))
    Console(width=110).print(table)


def a_client() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.create_superuser("bench", "bench@example.com", uuid.uuid4().hex)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def measure(client: Any) -> dict[str, tuple[float, int]]:
    return {page: _time(client, page.format(duns="100000077", alert=_key(7, 4), webhook=_key(0, 6))) for page in PAGES}


def _time(client: Any, url: str) -> tuple[float, int]:
    """Median milliseconds, and the queries of the last round."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took = []
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as queries:
            start = time.perf_counter()
            answer = client.get(url, follow=True)
            took.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, (url, answer.status_code)
    return statistics.median(took), len(queries)


def fill(start: int, end: int) -> None:
    """Notifications number `start` to `end`, each with a change, an alert and a message; a hundred a delivery."""
    from monitoring.delays import roll_up_delays
    from monitoring.models import Alert, AlertFact, Change, Delivery, Dispatch, Notification, Publication
    from monitoring.rolling_up import roll_up
    from portfolio.models import Company
    from tests.builders import a_registration

    registration = a_registration()
    _a_webhook()
    _insert(Company, _companies(start * 3 // 10, end * 3 // 10))
    for first in range(start, end, 20_000):
        numbers = range(first, min(first + 20_000, end))
        deliveries = range(numbers[0] // A_DELIVERY, (numbers[-1]) // A_DELIVERY + 1)
        _insert(Delivery, (_delivery(registration, number) for number in deliveries))
        _insert(Notification, (_notification(registration, number, end) for number in numbers))
        _insert(Change, (_change(registration, number, end) for number in numbers))
        _insert(Publication, (_publication(number) for number in deliveries))
        _insert(Alert, (_alert(number, end) for number in numbers))
        _insert(AlertFact, (_fact(number, end) for number in numbers))
        _insert(Dispatch, (_dispatch(number, end) for number in numbers))
    while roll_up() or roll_up_delays():
        pass


def _insert(model: Any, rows: Iterator[Any]) -> None:
    from django.db import transaction

    from portfolio.fast_rows import insert_rows

    while batch := list(islice(rows, 5000)):
        with transaction.atomic():
            insert_rows(model, batch)


def _companies(start: int, end: int) -> Iterator[Any]:
    from portfolio.models import Company

    for number in range(start, end):
        name = f"Name {number} Ltd"
        yield Company(duns=_duns(number), name=name, search_name=name.lower(), country="GB", changed_at=_at(number))


def _duns(number: int) -> str:
    return f"{100_000_000 + number}"


def _at(number: int) -> datetime:
    return START + timedelta(seconds=number * 20)


def _key(number: int, space: int) -> uuid.UUID:
    return uuid.UUID(int=int(_at(number).timestamp() * 1000) << 80 | 8 << 76 | 2 << 62 | space << 40 | number)


def _delivery(registration: Any, number: int) -> Any:
    from monitoring.models import Delivery, DeliveryState, Source

    return Delivery(
        id=_key(number * A_DELIVERY, 1),
        registration=registration,
        source=Source.PULL,
        state=DeliveryState.PUBLISHED,
        asked_at=_at(number * A_DELIVERY),
        received_at=_at(number * A_DELIVERY),
        ingested_at=_at(number * A_DELIVERY),
        notification_count=A_DELIVERY,
        new_count=A_DELIVERY,
    )


def _of(number: int, end: int) -> str:
    """The company of a notification: a fixed share for one company, the rest spread over all."""
    chance = random.Random(number)
    return _duns(77) if number % 500 == 0 and number < 10_000 else _duns(chance.randrange(max(1, end * 3 // 10)))


def _notification(registration: Any, number: int, end: int) -> Any:
    from monitoring.models import Notification

    return Notification(
        id=_key(number, 2),
        registration=registration,
        company_id=_of(number, end),
        type="SEED" if number % 40 == 0 else "DELETE" if number % 97 == 0 else "UPDATE",
        delivered_at=_at(number),
        recorded_at=_at(number),
        delivery_id=_key(number // A_DELIVERY * A_DELIVERY, 1),
        position=number % A_DELIVERY,
        organization='{"primaryName": "Name"}' if number % 40 == 0 else "",
    )


def _change(registration: Any, number: int, end: int) -> Any:
    from monitoring.models import Change, Kind

    kind = Kind.BASELINE if number % 40 == 0 else Kind.DELETED if number % 97 == 0 else Kind.ELEMENT
    return Change(
        id=_key(number, 3),
        company_id=_of(number, end),
        kind=kind,
        element=PATHS[number % 4] if kind == Kind.ELEMENT else "",
        previous='"before"',
        current='"after"',
        changed_at=_at(number),
        delivered_at=_at(number),
        recorded_at=_at(number),
        severity=4 if kind == Kind.DELETED else number % 4,
        notification_id=_key(number, 2),
        registration=registration,
        delivery_id=_key(number // A_DELIVERY * A_DELIVERY, 1),
    )


def _publication(number: int) -> Any:
    from monitoring.models import Publication

    return Publication(
        number=number + 1,
        delivery_id=_key(number * A_DELIVERY, 1),
        change_count=A_DELIVERY,
        published_at=_at(number * A_DELIVERY),
    )


def _alert(number: int, end: int) -> Any:
    """Of a hundred, one is new and two are acknowledged: people look after them."""
    from monitoring.models import Alert

    return Alert(
        id=_key(number, 4),
        rule_name="Out of business",
        company_id=_of(number, end),
        severity=number % 5,
        state={0: "new", 1: "acknowledged", 2: "acknowledged"}.get(number % 100, "closed"),
        title=f"Name {number} Ltd: name before → after",
        reason="Watches the name.",
        happened_at=_at(number),
        raised_at=_at(number),
        hour=_at(number).replace(minute=0, second=0),
        number=number // A_DELIVERY + 1,
        fact_count=1,
    )


def _fact(number: int, end: int) -> Any:
    from monitoring.models import AlertFact

    return AlertFact(
        id=_key(number, 5),
        alert_id=_key(number, 4),
        change=_key(number, 3),
        company=_of(number, end),
        kind="element",
        element=PATHS[0],
        text="name before → after",
        severity=number % 5,
        changed_at=_at(number),
        number=number // A_DELIVERY + 1,
    )


def _a_webhook() -> None:
    from monitoring.models import WebhookEndpoint
    from monitoring.webhooks import create_endpoint

    if not WebhookEndpoint.objects.exists():
        create_endpoint(made_by="bench", id=_key(0, 6), name="CRM", url="https://crm.example.com/hook")


def _dispatch(number: int, end: int) -> Any:
    from monitoring.models import Dispatch

    return Dispatch(
        id=_key(number, 7),
        kind="webhook",
        target=_key(0, 6),
        event=f"msg_{number}",
        event_type="change.published",
        company=_of(number, end),
        sequence=number,
        payload='{"type": "change.published"}',
        state="parked" if number % 1000 == 0 else "sent",
        created_at=_at(number),
    )


if __name__ == "__main__":
    main()
