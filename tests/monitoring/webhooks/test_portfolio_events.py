"""What happens in the portfolio, for webhooks: told once, whoever did it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from monitoring.models import OutboxMessage, WebhookEndpoint
from monitoring.webhooks import endpoints, portfolio_events
from monitoring.webhooks.endpoints import create_endpoint, switch_off
from monitoring.webhooks.event_types import EVENT_TYPES
from monitoring.webhooks.portfolio_events import enqueue_portfolio_events
from portfolio.imports.apply import apply_import
from portfolio.imports.confirm import confirm_import
from portfolio.imports.upload import create_import, read_import
from portfolio.models import Registration, Subject, SubjectImport, SubjectState
from portfolio.subjects.requests import SubjectEntry, request_subjects, withdraw_subjects
from tests.builders.companies import DUNS, OTHER
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def registration(db: None) -> Registration:
    return a_registration()


@pytest.fixture(autouse=True)
def endpoint(db: None) -> Iterator[Any]:
    yield create_endpoint(made_by="ann", name="CRM", url="http://127.0.0.1:9/", event_types="subject.*, import.*")
    for body in bodies():
        Draft202012Validator(EVENT_TYPES[body["type"]].schema).validate(body)


def an_import(registration: Registration, content: bytes) -> SubjectImport:
    return create_import(
        registration=registration, content=content, file_name="a.csv", mode="add", source="api", requested_by="ann"
    )


def bodies() -> list[dict[str, Any]]:
    payloads = OutboxMessage.objects.order_by("sequence").values_list("payload", flat=True)
    return [json.loads(payload) for payload in payloads]


def told() -> list[tuple[str, str]]:
    enqueue_portfolio_events()
    return [(body["type"], body["data"].get("duns", "")) for body in bodies()]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("subject.requested", "msg_bb5f2813082a5f98a67bc0eb4b95ad44"),
        ("subject.withdrawn", "msg_564f4b65e19b51a0864d25791577fc3b"),
        ("subject.monitored", "msg_dc5be79a15745401b120c1b07c648b06"),
        ("change.published", "msg_56a81120ce74575b99c07f79c9472484"),
    ],
)
def test_ids_that_receivers_know_stay_when_an_event_gets_another_name(name: str, key: str) -> None:
    assert endpoints.message_id(name, "0191 804735132") == key


def test_what_is_wanted_and_no_longer(registration: Registration) -> None:
    told()
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS), SubjectEntry(OTHER)], requested_by="ann")
    withdraw_subjects(registration=registration, duns=[DUNS], requested_by="bob")
    expected = [("subject.requested", DUNS), ("subject.requested", OTHER), ("subject.withdrawn", DUNS)]
    assert told() == expected
    assert told() == expected, "the next run reads a little of it again and tells nothing twice"
    assert bodies()[2]["data"]["by"] == "bob"


def test_imports(registration: Registration) -> None:
    told()
    an_import(registration, b"duns\n1\n")
    assert told() == [("import.uploaded", "")]
    assert bodies()[0]["data"]["registration"] == "ACME_LOD_01"


def test_how_an_import_goes_on(registration: Registration) -> None:
    told()
    import_ = an_import(registration, b"duns\n804735132\n")
    read_import(import_)
    told()
    confirm_import(import_=import_, number=1, confirmed_by=an_actor("ann"), may_confirm=True)
    apply_import(import_)
    told()
    expected = ["import.uploaded", "import.read", "import.confirmed", "subject.requested", "import.applied"]
    assert [name for name, _ in told()] == expected
    assert bodies()[1]["data"]["summary"] == "a.csv waits for confirmation: 1 new billable company, 0 removals"
    assert bodies()[-1]["data"]["by"] == "ann"


def test_an_import_that_cannot_be_read(registration: Registration) -> None:
    told()
    read_import(an_import(registration, b""))
    assert [name for name, _ in told()] == ["import.uploaded", "import.failed"]
    assert bodies()[1]["data"]["summary"].startswith("a.csv could not be read: ")


def test_for_who_is_switched_off_they_wait(registration: Registration, endpoint: Any) -> None:
    told()
    switch_off(endpoint[0], by="ann", reason="moving house")
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS)], requested_by="ann")
    assert told() == [("subject.requested", DUNS)]
    assert OutboxMessage.objects.get().next_try_at is None


@pytest.mark.parametrize(
    ("state", "columns", "expected"),
    [
        (SubjectState.MONITORED, {"monitored_since": 0}, "subject.monitored"),
        (SubjectState.MONITORED, {"monitored_since": 100}, None),
        (SubjectState.REMOVED, {"monitored_until": 0}, "subject.removed"),
        (SubjectState.REMOVED, {"monitored_until": 100}, None),
        (SubjectState.REFUSED, {}, "subject.refused"),
        (SubjectState.PENDING_ADD, {}, None),
    ],
)
def test_what_dnb_says(
    registration: Registration, state: SubjectState, columns: dict[str, int], expected: str | None
) -> None:
    """Of what is checked again after a long time, nothing is news."""
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS)], requested_by="ann")
    with time_machine.travel(timezone.now() + timedelta(hours=1)) as clock:
        told()
        days = {name: (timezone.now() - timedelta(days=ago)).date() for name, ago in columns.items()}
        Subject.objects.update(state=state, checked_at=timezone.now(), code="40003", replacement=OTHER, **days)
        clock.shift(timedelta(seconds=30))
        OutboxMessage.objects.all().delete()
        found = [one for one in told() if one[0] not in ("subject.requested",)]
        assert found == ([(expected, DUNS)] if expected else [])
        Subject.objects.update(checked_at=timezone.now())
        assert [one for one in told() if one[0] != "subject.requested"] == found


def test_who_dies_after_telling_tells_nothing_twice(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS)], requested_by="ann")

    def killed(batch: Any) -> int:
        emit(batch)
        raise KeyboardInterrupt

    emit = endpoints.emit_events
    with monkeypatch.context() as patched:
        patched.setattr(portfolio_events, "emit_events", killed)
        with pytest.raises(KeyboardInterrupt):
            enqueue_portfolio_events()
    assert told() == [("subject.requested", DUNS)]


def test_a_webhook_that_is_made_later_hears_nothing_of_before(registration: Registration) -> None:
    told()
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS), SubjectEntry(OTHER)], requested_by="ann")
    WebhookEndpoint.objects.all().delete()
    create_endpoint(made_by="ann", name="new", url="http://127.0.0.1:9/", event_types="*")
    today = timezone.now().date()
    Subject.objects.update(state=SubjectState.MONITORED, checked_at=timezone.now(), monitored_since=today)
    assert told() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one writer")
def test_nothing_is_written_behind_an_open_read(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would refuse it at once, without waiting, when another process has written since."""
    told()
    count = portfolio_events.BATCH + 1
    request_subjects(
        registration=registration, entries=[SubjectEntry(f"{n:09}") for n in range(count)], requested_by="ann"
    )
    Subject.objects.update(state=SubjectState.REFUSED, checked_at=timezone.now(), code="40003")
    emit = endpoints.emit_events

    def emit_after_others(batch: Any) -> int:
        other = Thread(target=_write_elsewhere)
        other.start()
        other.join()
        return emit(batch)

    monkeypatch.setattr(portfolio_events, "emit_events", emit_after_others)
    enqueue_portfolio_events()
    assert OutboxMessage.objects.filter(event_type="subject.refused").count() == count


def _write_elsewhere() -> None:
    WebhookEndpoint.objects.update(name="renamed")
    connection.close()


def test_nothing_is_read_for_nobody(registration: Registration, django_assert_max_num_queries: Any) -> None:
    WebhookEndpoint.objects.update(event_types="change.published")
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS)], requested_by="ann")
    told()
    with django_assert_max_num_queries(6):
        assert enqueue_portfolio_events() == 0
    assert bodies() == []
