"""Lists for a user of a business unit that sees a hundredth of the changes, and for a user who sees all of them.

    python -m benchmarks.unit_lists [--many 1000000]

Half of the unit's changes were reported by its registration alone, half by another one first. Both users are asked in
turn, and each time is the best of some rounds: other work only adds to it. With DATABASE_URL it fills that database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from benchmarks import frame
from benchmarks.filling import LARGEST, REFERENCES, drawn, fill, key_of
from benchmarks.frame import Amount
from benchmarks.lists import a_client, page_time

MANY = Amount("many", "notifications in the world", 500, 100_000, LARGEST)
A_HUNDREDTH, REFERENCE = 100, "ACME_UNIT"
PAGES = (
    "/monitoring/change/",
    "/monitoring/change/?p=15",
    "/monitoring/change/?severity=all",
    "/monitoring/change/?severity=4",
    "/monitoring/change/?severity=from-high",
    "/monitoring/change/?kind=deleted",
    "/monitoring/change/?element=organization.telephone",
    "/monitoring/change/?q=takino",
    "/monitoring/notification/",
    "/monitoring/notification/?type=SEED",
    "/monitoring/alert/",
    "/monitoring/alert/?state=all",
    "/monitoring/alert/?q=takino",
    "/portfolio/company/",
    "/api/v1/changes/",
    "/api/v1/notifications/",
    "/api/v1/alerts/?state=closed",
)
# By page: milliseconds for all, milliseconds for the unit, queries for the unit.
Times = dict[str, tuple[float, float, int]]


def main() -> None:
    options = frame.options(__doc__, MANY)
    with frame.reported(options) as report:
        for engine, url in frame.filled(options, report):
            found = frame.apart(measure, url, count=options.many, rounds=options.rounds)
            columns = ("page", "ms for all", "ms for a hundredth", "ratio", "queries")
            report.table(f"{engine}, {options.many:,} changes (target: 2 ×)", columns, rows(found))


def rows(found: Times) -> list[list[str]]:
    return [
        [page, f"{every:.0f}", f"{some:.0f}", f"{some / every:.2f}{' !' if some > 2 * every else ''}", str(queries)]
        for page, (every, some, queries) in found.items()
    ]


# In a process of its own


def measure(count: int, rounds: int) -> Times:
    fill(count)
    numbers = range(0, LARGEST, LARGEST // count)[::A_HUNDREDTH]
    unit = _hand_over(numbers)
    _refresh_statistics()
    every = a_client()
    some = _client_of(unit)
    return {page: _both(every, some, page, rounds) for page in PAGES}


def _refresh_statistics() -> None:
    """With them, an engine chooses other indexes: a job sees to it on SQLite, and PostgreSQL itself within a minute."""
    from django.db import connection

    from dnbmon_site.operations.analyze import refresh_statistics

    refresh_statistics()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _both(every: Any, some: Any, page: str, rounds: int) -> tuple[float, float, int]:
    """In turn, so that other work meets both alike."""
    taken = [(page_time(every, page, 1)[0], *page_time(some, page, 1)) for _ in range(rounds + 1)]
    return min(one[0] for one in taken), min(one[1] for one in taken), taken[-1][2]


def _hand_over(numbers: Sequence[int]) -> str:
    """To a registration of its own: what it reported alone, and what it reported second."""
    from monitoring.models import Alert, Audience, Change, Notification
    from portfolio.models import Registration
    from tests.builders.registrations import a_registration
    from tests.builders.units import a_unit

    own = a_registration(REFERENCE)
    both = Audience.of(frozenset([own.pk, Registration.key("default", REFERENCES[0])]))
    Audience.objects.get_or_create(pk=both.pk, defaults={"registrations": both.registrations})
    for first, later in _batches(numbers):
        for model, space in ((Change, 3), (Alert, 4)):
            rows: Any = model.objects
            rows.filter(pk__in=[key_of(one, space) for one in first]).update(registration=own)
            rows.filter(pk__in=[key_of(one, space) for one in later]).update(audience=both.pk)
        Notification.objects.filter(pk__in=[key_of(one, 2) for one in (*first, *later)]).update(registration=own)
        _hold(own, {drawn(one).company for one in (*first, *later)})
    return a_unit("Unit", own).pk


def _batches(numbers: Sequence[int]) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    for start in range(0, len(numbers), 1000):
        batch = numbers[start : start + 1000]
        yield batch[::2], batch[1::2]


def _hold(registration: Any, companies: set[str]) -> None:
    from core.db import insert_new
    from portfolio.models import Subject, SubjectState

    values = {"registration": registration, "state": SubjectState.MONITORED, "monitored_since": date(2026, 1, 1)}
    keys = ((duns, Subject.key(registration.pk, duns)) for duns in sorted(companies))
    insert_new(Subject, [Subject(id=key, company_id=duns, **values) for duns, key in keys])


def _client_of(unit: str) -> Any:
    from django.contrib.auth.models import Permission
    from django.test import Client

    from dnbmon_site.accounts.models import UnitMember, User

    user = User.objects.create_user(f"unit-{User.objects.count()}", is_staff=True, sees_all=False)
    user.user_permissions.set(Permission.objects.all())
    UnitMember.objects.create(unit_id=unit, user=user)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


if __name__ == "__main__":
    main()
