"""What tells how the program worked goes after its time; what is open, waits or is told of D&B stays."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import Failure, Task

from core.audit import record
from core.blobs import store_bytes
from core.models import AuditEntry, Blob, Notice
from dnbmon_site.operations.purge import forget_old_records
from health.models import Incident, State
from monitoring.models import Delivery, DeliveryState, MessageState, OutboxMessage, SendAttempt
from portfolio.imports.upload import create_import
from portfolio.models import CompanySearch, SearchState, SyncRun, SyncState
from tests.builders.company_searches import a_search
from tests.builders.deliveries import a_call
from tests.builders.messages import a_message
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
OLD, NEW = timedelta(days=500), timedelta(days=300)


def ago(span: timedelta) -> Any:
    return timezone.now() - span


def everything(age: timedelta) -> None:
    """One of each, of that age."""
    number = age.days
    message = a_message(number, state=MessageState.SENT, created_at=ago(age))
    SendAttempt.objects.create(message=message, at=ago(age))
    a_message(number + 1, state=MessageState.WAITING, created_at=ago(age))
    Notice.objects.create(kind="health.well", subject="x", text="x", created_at=ago(age))
    for ended in (ago(age), None):
        fields = {"id": uuid.uuid4(), "dedup_key": "disk", "title": "Disk", "cause": "", "state": State.CRITICAL}
        Incident.objects.create(**fields, started_at=ago(age), ended_at=ended)
    fields = {"id": uuid.uuid4().hex, "name": "n", "func": "x.y", "success": False}
    Task.objects.create(**fields, started=ago(age), stopped=ago(age))
    store_bytes(a_call(DeliveryState.REFUSED, called_at=ago(age)).pk, b"refused")
    a_call(DeliveryState.PUBLISHED, called_at=ago(age))
    a_call(DeliveryState.IN_DOUBT, called_at=ago(age))


def counts() -> dict[str, int]:
    models = (OutboxMessage, SendAttempt, Notice, Incident, Failure, Delivery, Blob)
    return {model.__name__: model.objects.count() for model in models}


def test_what_is_over_goes_and_what_waits_stays() -> None:
    everything(NEW)
    young = counts()
    everything(OLD)
    forget_old_records()
    # An open incident, a message that waits, and two deliveries of the old ones.
    kept = {"OutboxMessage": 1, "Incident": 1, "Delivery": 2}
    assert counts() == {name: count + kept.get(name, 0) for name, count in young.items()}
    assert not Incident.objects.filter(ended_at__lt=ago(NEW + timedelta(days=1))).exists()


def test_searches_for_single_companies_go_and_those_of_imports_stay_with_them() -> None:
    registration = a_registration()
    given: dict[str, Any] = {"file_name": "", "mode": "add", "source": "upload", "requested_by": "ann"}
    import_ = create_import(registration=registration, content=b"Name,Country\nAcme,US\n", **given)
    for state in (SearchState.NOTHING, SearchState.CHOSEN, SearchState.REJECTED, SearchState.FAILED):
        a_search(registration.contract, requested_at=ago(OLD), state=state)
    kept = [a_search(registration.contract, requested_at=ago(NEW))]
    kept += [a_search(registration.contract, subject_import=import_, requested_at=ago(OLD))]
    for state in (SearchState.WAITING, SearchState.CALLED, SearchState.FOUND):
        kept.append(a_search(registration.contract, requested_at=ago(OLD), state=state))
    forget_old_records()
    assert set(CompanySearch.objects.all()) == set(kept)


def test_a_registrations_last_sync_stays() -> None:
    """It says what the next one sends."""
    row = a_registration()
    for age in (OLD + NEW, OLD):
        SyncRun.objects.create(registration=row, state=SyncState.CANCELLED, started_at=ago(age), ended_at=ago(age))
    last = SyncRun.objects.order_by("-id").first()
    forget_old_records()
    assert list(SyncRun.objects.all()) == [last]


def test_for_ever_and_never_less_than_thirty_days(settings: Any) -> None:
    everything(OLD)
    settings.RECORDS_KEEP_DAYS = 0
    assert "records are kept without limit" in forget_old_records()
    Notice.objects.create(kind="health.well", subject="x", text="x", created_at=ago(timedelta(days=20)))
    settings.RECORDS_KEEP_DAYS = 1
    forget_old_records()
    assert Notice.objects.count() == 1


def test_the_audit_stays() -> None:
    record(actor="ann", action="x", thing=a_registration(), summary="x")
    AuditEntry.objects.update(at=ago(OLD))
    forget_old_records()
    assert AuditEntry.objects.count() == 1
