"""A seeded world of companies, notifications, changes, alerts and messages, as large as a benchmark wants it.

It reaches over the same days however large it is, up to last midnight: a small world holds every hundredth
notification of the large one, say, and the rest can be added to it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

LARGEST, SECONDS = 1_000_000, 20
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = MIDNIGHT - timedelta(seconds=SECONDS * LARGEST)
A_DELIVERY, A_BATCH = 100, 20_000
# The company whose page is looked at: it has the same notifications in a small world and in a large one.
OWN, OWN_EVERY = "100000077", 5000
REFERENCES = ("ACME_SUPPLIERS", "ACME_CUSTOMERS", "ACME_BORROWERS")
SYLLABLES = ("ta", "ki", "no", "ra", "mel", "so", "vi", "du", "ber", "li", "go", "pan", "re", "su", "mo", "tel", "ix")
TRADES = ("Trading", "Holding", "Foods", "Logistics", "Forge", "Software", "Steel")
CITIES = ("Leeds", "Köln", "Malmö", "Lyon", "Porto", "Brno", "Graz", "Turku", "Ghent", "Bergen")
COUNTRIES = ("GB", "US", "DE", "FR", "IN", "CN", "BR", "JP")
PATHS = (
    ("organization.dnbAssessment.failureScore.scoreDate", 0),
    ("organization.corporateLinkage.branchesCount", 0),
    ("organization.dnbAssessment.failureScore.scoreDate", 0),
    ("organization.numberOfEmployees", 1),
    ("organization.telephone", 1),
    ("organization.primaryName", 2),
    ("organization.primaryAddress", 2),
    ("organization.dnbAssessment.failureScore.nationalPercentile", 3),
)
ALERT_STATES = ("new", "acknowledged", "acknowledged", *["closed"] * 97)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What chance says of a notification, the same in every table that tells of it."""

    kind: str
    type: str
    company: str
    registration: int
    element: str
    previous: str
    current: str
    severity: int
    alert_state: str


@lru_cache(maxsize=2 * A_BATCH)
def drawn(number: int) -> Drawn:
    chance = random.Random(number)
    kind, sent = chance.choices(
        (("element", "UPDATE"), ("baseline", "SEED"), ("deleted", "DELETE")), weights=(965, 25, 10)
    )[0]
    element, severity = chance.choice(PATHS) if kind == "element" else ("", 4 if kind == "deleted" else 0)
    before, after = chance.randrange(100), chance.randrange(100)
    company = OWN if number % OWN_EVERY == 0 else duns_of(chance.randrange(LARGEST * 3 // 10))
    state = chance.choice(ALERT_STATES)
    return Drawn(kind, sent, company, chance.randrange(3), element, str(before), str(after), severity, state)


def fill(count: int) -> None:
    """So many notifications of the world, each with a change, an alert and a message; at most a hundred a delivery.

    What is there stays: a world of 10,000 grows to one of 1,000,000.
    """
    _prepare()
    numbers = range(0, LARGEST, LARGEST // count)
    chances = sorted({drawn(number).company for number in numbers})
    _insert_companies(chances)
    for batch in _batches(numbers):
        _fill_batch(batch)
    count_everything()


def fill_companies(count: int) -> None:
    """Companies of which nothing was heard yet, requested and monitored as the others are."""
    from portfolio.models import Subject

    _prepare()
    for first in range(0, count, A_BATCH):
        every = [duns_of(number) for number in range(first, min(first + A_BATCH, count))]
        _insert_companies(every)
        subjects = [_subject(duns) for duns in every]
        known = _known(Subject, [row.pk for row in subjects])
        _insert(Subject, (row for row in subjects if row.pk not in known))


def _prepare() -> None:
    from monitoring.models import WebhookEndpoint
    from monitoring.webhooks.endpoints import create_endpoint
    from tests.builders.registrations import a_registration

    for reference in REFERENCES:
        a_registration(reference, last_pulled_at=MIDNIGHT)
    if not WebhookEndpoint.objects.exists():
        create_endpoint(made_by="bench", id=key_of(0, 6), name="CRM", url="https://crm.example.com/hook")


def _insert_companies(numbers: list[str]) -> None:
    from portfolio.companies.word_index import write_company_words
    from portfolio.models import Company

    known = _known(Company, numbers)
    rows = [_company(duns) for duns in numbers if duns not in known]
    write_company_words((row.duns, row.name, row.city) for row in rows)
    _insert(Company, rows)


def _batches(numbers: range) -> Iterator[list[int]]:
    rest = iter(numbers)
    while batch := list(islice(rest, A_BATCH)):
        yield batch


def _fill_batch(numbers: list[int]) -> None:
    from monitoring import models

    firsts = sorted({number // A_DELIVERY * A_DELIVERY for number in numbers})
    known = _known(models.Delivery, [key_of(first, 1) for first in firsts])
    firsts = [first for first in firsts if key_of(first, 1) not in known]
    _insert(models.Delivery, (_delivery(first) for first in firsts))
    _insert(models.Publication, (_publication(first) for first in firsts))
    there = _known(models.Notification, [key_of(number, 2) for number in numbers])
    numbers = [number for number in numbers if key_of(number, 2) not in there]
    _insert(models.Notification, map(_notification, numbers))
    _insert(models.Change, map(_change, numbers))
    _insert(models.Alert, map(_alert, numbers))
    _insert(models.AlertItem, map(_fact, numbers))
    _insert(models.OutboxMessage, map(_dispatch, numbers))


def _known(model: Any, keys: list[Any]) -> set[Any]:
    from core.db import in_batches

    found: set[Any] = set()
    for batch in in_batches(keys):
        found.update(model.objects.filter(pk__in=batch).values_list("pk", flat=True))
    return found


def _insert(model: Any, rows: Iterable[Any]) -> None:
    from django.db import transaction

    from core.bulk import insert_rows

    rest = iter(rows)
    while batch := list(islice(rest, 5000)):
        with transaction.atomic():
            insert_rows(model, batch)


def count_everything() -> None:
    """Roll-ups and cached counts of all that is there, as the jobs make them."""
    from core.cached_counts import update_counts
    from monitoring.models import ConsumerOffset
    from monitoring.stats.daily_counts import roll_up
    from monitoring.stats.latency import roll_up_delays

    ConsumerOffset.objects.update(position=0)
    roll_up()
    roll_up_delays()
    update_counts()


# Keys and times


def duns_of(number: int) -> str:
    return f"{100_000_000 + number}"


def at(number: int) -> datetime:
    return START + timedelta(seconds=number * SECONDS)


def key_of(number: int, space: int) -> uuid.UUID:
    """A key that begins with its time; `space` tells tables apart."""
    return uuid.UUID(int=int(at(number).timestamp() * 1000) << 80 | 8 << 76 | 2 << 62 | space << 40 | number)


@lru_cache
def _registration(index: int) -> uuid.UUID:
    from portfolio.models import Registration

    return Registration.key("default", REFERENCES[index])


# Rows


def _company(duns: str) -> Any:
    from portfolio.models import Company

    number = int(duns) - 100_000_000
    name, country = f"Name {number} {_word(number % 5000)} {TRADES[number % 7]} Ltd", COUNTRIES[number % len(COUNTRIES)]
    return Company(
        duns=duns,
        name=name,
        search_name=name.lower(),
        country=country,
        city=CITIES[number % len(CITIES)],
        changed_at=at(number * 3),
        **_figures(random.Random(number), number),
    )


def _word(number: int) -> str:
    """One of many: “Takino”."""
    return "".join(SYLLABLES[number // len(SYLLABLES) ** place % len(SYLLABLES)] for place in range(3)).title()


def _figures(chance: random.Random, number: int) -> dict[str, Any]:
    failure, delinquency = chance.randint(1, 100), chance.randint(1, 100)
    employees = int(10 ** (chance.random() * 4))
    if number % 10 == 0:
        return {"global_ultimate": duns_of(number)}
    return {
        "failure_percentile": failure,
        "failure_class": 5 - (failure - 1) // 20,
        "delinquency_percentile": delinquency,
        "delinquency_class": 5 - (delinquency - 1) // 20,
        "rating": f"{chance.randint(1, 5)}A{chance.randint(1, 4)}",
        "limit_amount": chance.randint(1, 1000) * 1000,
        "limit_currency": "EUR",
        "payment_index": chance.randint(0, 100),
        "industry_code": f"{chance.randint(1000, 1250)}",
        "industry": "Industry",
        "employees": employees,
        "size": ("micro", "small", "medium", "large")[(employees >= 10) + (employees >= 50) + (employees >= 250)],
        "operating_status": "Active" if chance.random() < 0.95 else "Out of business",
        "flags": chance.choice([0, 0, 0, 0, 0, 0, 0, 4, 16, 48, 1, 68]),
        "global_ultimate": duns_of(number // 10 * 10),
        "last_critical_at": at(number * 3) if number % 5 == 0 else None,
    }


def _subject(duns: str) -> Any:
    from portfolio.models import Subject, SubjectState

    registration = _registration(int(duns) % 3)
    return Subject(
        id=Subject.key(registration, duns),
        registration_id=registration,
        company_id=duns,
        requested=True,
        requested_by="bench",
        state=SubjectState.MONITORED,
        monitored_since=START.date(),
    )


def _delivery(first: int) -> Any:
    from monitoring.models import Delivery, DeliveryState, Source

    return Delivery(
        id=key_of(first, 1),
        registration_id=_registration(0),
        source=Source.PULL,
        state=DeliveryState.PUBLISHED,
        called_at=at(first),
        received_at=at(first),
        ingested_at=at(first),
        notification_count=A_DELIVERY,
        new_count=A_DELIVERY,
    )


def _publication(first: int) -> Any:
    from monitoring.models import Publication

    return Publication(
        sequence=first // A_DELIVERY + 1,
        delivery_id=key_of(first, 1),
        change_count=A_DELIVERY,
        entry_count=A_DELIVERY,
        published_at=at(first),
    )


def _notification(number: int) -> Any:
    from monitoring.models import Notification

    says = drawn(number)
    return Notification(
        id=key_of(number, 2),
        registration_id=_registration(says.registration),
        company_id=says.company,
        type=says.type,
        delivered_at=at(number),
        recorded_at=at(number),
        delivery_id=key_of(number // A_DELIVERY * A_DELIVERY, 1),
        position=number % A_DELIVERY,
        organization='{"primaryName": "Name"}' if says.type == "SEED" else "",
    )


def _change(number: int) -> Any:
    from monitoring.models import Change

    says = drawn(number)
    return Change(
        id=key_of(number, 3),
        company_id=says.company,
        kind=says.kind,
        element=says.element,
        previous=says.previous if says.element else None,
        current=says.current if says.element else None,
        changed_at=at(number),
        delivered_at=at(number),
        recorded_at=at(number),
        severity=says.severity,
        notification_id=key_of(number, 2),
        registration_id=_registration(says.registration),
        delivery_id=key_of(number // A_DELIVERY * A_DELIVERY, 1),
    )


def _alert(number: int) -> Any:
    """Of a hundred, one is new and two are acknowledged: people look after them."""
    from monitoring.models import Alert

    says = drawn(number)
    return Alert(
        id=key_of(number, 4),
        rule_name="Out of business",
        company_id=says.company,
        registration_id=_registration(says.registration),
        severity=says.severity,
        state=says.alert_state,
        title=f"Name of {says.company}: name before → after",
        reason="Watches the name.",
        happened_at=at(number),
        raised_at=at(number),
        rate_window=at(number).replace(minute=0, second=0),
        sequence=number // A_DELIVERY + 1,
        fact_count=1,
    )


def _fact(number: int) -> Any:
    from monitoring.models import AlertItem

    says = drawn(number)
    return AlertItem(
        id=key_of(number, 5),
        alert_id=key_of(number, 4),
        change=key_of(number, 3),
        company=says.company,
        kind=says.kind,
        element=says.element,
        text="name before → after",
        severity=says.severity,
        changed_at=at(number),
        sequence=number // A_DELIVERY + 1,
    )


def _dispatch(number: int) -> Any:
    from monitoring.models import OutboxMessage

    return OutboxMessage(
        id=key_of(number, 7),
        kind="webhook",
        target=key_of(0, 6),
        event=f"msg_{number}",
        event_type="change.published",
        company=drawn(number).company,
        sequence=number,
        payload='{"type": "change.published"}',
        state="dead" if number % 1000 == 0 else "sent",
        created_at=at(number),
    )
