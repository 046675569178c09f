"""A small world for the tests of reports: nine days of news about a few companies, and alerts that were handled."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import time_machine

from monitoring.content_ids import content_id
from monitoring.jobs import count_days
from monitoring.models import (
    Alert,
    AlertKind,
    AlertState,
    Change,
    Delivery,
    DeliveryState,
    Kind,
    Notification,
    Publication,
    Source,
    content_key,
)
from monitoring.reports.periods import Period, period_of
from portfolio.models import Registration
from tests.builders.companies import a_company
from tests.builders.contracts import a_contract
from tests.builders.elements import ACTIVE, BANKRUPTCY, OUT, STATUS
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

WEEK: Period = period_of("week", date(2026, 3, 4))
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
DAYS = 9
NAMES = {
    "001234567": "Zażółć Gęślą S.A.",
    "012345678": "Ελληνικά Νέα Α.Ε.",
    "104735132": "华为技术有限公司",
    "804735132": "=Acme & Søns <Ltd>",
}
# Kind, element, before, after, weight
NEWS: tuple[tuple[str, str, Any, Any, int], ...] = (
    (Kind.ELEMENT, "organization.primaryName", "A", "B", 2),
    (Kind.ELEMENT, "organization.telephone", [], [{"telephoneNumber": "1"}], 1),
    (Kind.ELEMENT, "organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-02-01", 0),
    (Kind.ELEMENT, BANKRUPTCY, False, True, 4),
    (Kind.ELEMENT, STATUS, ACTIVE, OUT, 4),
    (Kind.BASELINE, "", None, None, 1),
    (Kind.LEFT, "", None, None, 3),
    (Kind.DELETED, "", None, None, 4),
)


def a_world() -> None:
    """From the Sunday before the week to the Monday behind it."""
    contract = a_contract(anniversary=date(2025, 6, 1), contracted_number=10)
    registrations = [a_registration(name, contract=contract, adopted=True) for name in ("FIRST", "SECOND")]
    for sequence, (duns, name) in enumerate(NAMES.items()):
        a_company(duns, name, country=("PL", "GR", "CN", "")[sequence])
        a_subject(duns, registrations[sequence % 2])
    a_subject("001234567", registrations[1])
    _news(random.Random(11), registrations)
    Alert.objects.bulk_create(_alerts(Change.objects.filter(severity__gte=3).order_by("pk")))
    with time_machine.travel(START + timedelta(days=DAYS)):
        Registration.objects.update(last_pulled_at=START + timedelta(days=DAYS, minutes=-5))
        count_days()


def _news(chance: random.Random, registrations: list[Registration]) -> None:
    """Two deliveries a day, each of a registration."""
    rows: tuple[list[Any], ...] = ([], [], [], [])
    for sequence in range(DAYS * 2):
        at = START + timedelta(days=sequence // 2, minutes=chance.randrange(900))
        registration = registrations[sequence % 2]
        source, state = Source.PULL, DeliveryState.PUBLISHED
        delivery = Delivery(registration=registration, source=source, state=state, received_at=at, published_at=at)
        rows[0].append(delivery)
        rows[1].append(Publication(sequence=sequence + 1, delivery=delivery, change_count=4, published_at=at))
        for notification, change in _told(chance, at, delivery):
            rows[2].append(notification)
            rows[3].append(change)
    for model, found in zip((Delivery, Publication, Notification, Change), rows, strict=True):
        model.objects.bulk_create(found)  # type: ignore[attr-defined]


def _told(chance: random.Random, at: datetime, delivery: Delivery) -> Iterator[tuple[Notification, Change]]:
    for position, duns in enumerate(NAMES):
        kind, element, previous, current, severity = chance.choice(NEWS)
        handed = at - timedelta(seconds=chance.randrange(5))
        changed = at - timedelta(seconds=chance.choice((20, 700, 5_000, 90_000)), milliseconds=chance.randrange(999))
        key = content_id(changed, str(delivery.pk), duns)
        shared: dict[str, Any] = {"id": key, "company_id": duns, "registration": delivery.registration}
        shared |= {"delivery": delivery, "delivered_at": handed, "recorded_at": at, "position": position}
        notification = Notification(type="UPDATE", **shared)
        said = {"previous": json.dumps(previous), "current": json.dumps(current), "severity": severity}
        told = {"kind": kind, "element": element, "changed_at": changed, "notification": notification}
        yield notification, Change(**shared, **said, **told)


def _alerts(changes: Any) -> Iterator[Alert]:
    """Some are acknowledged, some closed by a person or by the program, some wait; one is late news."""
    for sequence, change in enumerate(changes):
        raised_at = change.recorded_at + timedelta(seconds=1)
        later = raised_at + timedelta(hours=sequence, seconds=sequence * 7)
        state, handled = (
            (AlertState.ACKNOWLEDGED, {"acknowledged_at": later, "acknowledged_by": "ann"}),
            (AlertState.CLOSED, {"closed_at": later, "closed_by": "ann"}),
            (AlertState.NEW, {}),
            (AlertState.CLOSED, {"closed_at": later, "closed_by": "the program"}),
        )[sequence % 4]
        yield Alert(
            id=content_key("test", sequence),
            kind=AlertKind.CHANGE,
            rule_name="Anything heavy",
            company_id=change.company_id,
            registration_id=change.registration_id,
            severity=change.severity,
            state=state,
            title=f"{change.company_id}: {change.element or change.kind}",
            is_late=sequence == 5,
            happened_at=change.changed_at,
            raised_at=raised_at,
            rate_window=raised_at,
            sequence=1,
            **handled,
        )
