"""What came from D&B: the bodies of its answers, and rows that came through the real pipeline."""

import json
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from core.blobs import store_bytes
from monitoring.jobs import count_days, ingest_now
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.pipeline.ingest import ingest
from monitoring.pull.puller import PullResult, pull
from monitoring.story_order import next_turn
from portfolio.models import Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import ago, stamp

_transactions = count(1)


def an_answer(*items: Any, at: str | None = None) -> bytes:
    """The body of a pull; an item given as text or bytes goes in as it is."""
    texts = [as_bytes(item) for item in items]
    head = {"transactionID": f"rrt-{next(_transactions)}", "transactionTimestamp": at or stamp(days=1)}
    return (
        b'{"transactionDetail":' + as_json(head) + b',"inquiryDetail":{"reference":"ACME_LOD_01"},'
        b'"notifications":[' + b",".join(texts) + b"]}"
    )


def as_bytes(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    return item.encode() if isinstance(item, str) else as_json(item)


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def a_delivery(
    *items: Any, registration: Registration | None = None, source: str = Source.PULL, at: str | None = None
) -> Delivery:
    """A stored answer that nobody has read yet, of the registration's next call."""
    registration = registration or a_registration()
    turn = next_turn(registration)
    delivery = Delivery(
        registration=registration,
        source=source,
        turn=turn,
        stands_for=turn,
        state=DeliveryState.RECEIVED,
        called_at=timezone.now(),
        ended_at=timezone.now(),
        received_at=timezone.now(),
        answer_stamp=at or stamp(days=1),
        notification_count=len(items),
        http_status=200,
    )
    is_file = source == Source.FILE
    store_bytes(delivery.pk, b"\n".join(map(as_bytes, items)) if is_file else an_answer(*items, at=at))
    delivery.save(force_insert=True)
    return delivery


def delivered(*items: Any, registration: Registration | None = None, at: str | None = None) -> Delivery:
    """A delivery that was read and published."""
    delivery = a_delivery(*items, registration=registration, at=at)
    ingest(delivery)
    delivery.refresh_from_db()
    return delivery


def pull_now(registration: Registration) -> PullResult:
    return pull(registration, keep=ingest_now)


def a_call(state: str, registration: Registration | None = None, **fields: Any) -> Delivery:
    """A delivery in any state, without content."""
    values = {"source": Source.PULL, "called_at": timezone.now(), **fields}
    return Delivery.objects.create(registration=registration or a_registration(), state=state, **values)


def a_published_call(*, took: float, visible: float, count: int = 10) -> Delivery:
    asked = ago(minutes=5)
    ended = asked + timedelta(seconds=took)
    return a_call(
        DeliveryState.PUBLISHED,
        called_at=asked,
        ended_at=ended,
        received_at=ended,
        ingested_at=ended + timedelta(seconds=visible / 2),
        published_at=ended + timedelta(seconds=visible),
        notification_count=count,
    )


def publication_of(delivery: Delivery) -> Any:
    return delivery.publication


def some_news() -> Delivery:
    """Two companies, a status that ends, a merger, noise, and an item that nobody can read."""
    place = {"primaryAddress": {"addressLocality": {"name": "Leeds"}}}
    return delivered(
        a_seed(DUNS, delivered=stamp(), **place),
        a_seed(OTHER, delivered=stamp(), primaryName="Örsted Papier AG", countryISOAlpha2Code="CH"),
        an_update(an_element(STATUS, ACTIVE, OUT, stamp(days=1)), delivered=stamp(days=2)),
        an_update(an_element("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-01-02")),
        a_transfer(OTHER, to=DUNS, delivered=stamp(days=3)),
        '{"type":"UPDATE","organization":{"duns":"12"},"elements":[]}',
    )


def delivered_news(name: str = "Acme Ltd", hours: float = 2) -> None:
    now = timezone.now()
    delivered(
        a_seed(delivered=stamp(now, days=-3), primaryName=name),
        an_update(an_element(STATUS, ACTIVE, OUT, stamp(now, hours=-hours)), delivered=stamp(now)),
        at=stamp(now),
    )
    count_days()
