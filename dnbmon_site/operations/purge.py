"""What tells how the program worked goes after RECORDS_KEEP_DAYS: messages, notices, incidents, failed jobs, syncs.

History and D&B's answers are the contract's to keep (monitoring/retention/); the audit, alerts and daily counts stay.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone

from core.jobs import Failure
from core.models import Blob, Notice
from health.models import Incident
from monitoring.models import (
    DeliveredFile,
    Delivery,
    DeliveryState,
    DigestItem,
    MessageState,
    OutboxMessage,
    PersonalEvent,
    SendAttempt,
)
from portfolio.models import CompanySearch, MembershipCheck, SearchState, SyncRun

LEAST_DAYS = 30
AT_ONCE = 500
SENT_OR_NOT = (MessageState.SENT, MessageState.DEAD, MessageState.CANCELLED)

UNDECIDED = (SearchState.WAITING, SearchState.CALLED, SearchState.FOUND)


def forget_old_records() -> str:
    """What the job does once a day; says what went."""
    if not settings.RECORDS_KEEP_DAYS:
        return "Nothing to do: records are kept without limit (RECORDS_KEEP_DAYS is 0)."
    before = timezone.now() - timedelta(days=max(settings.RECORDS_KEEP_DAYS, LEAST_DAYS))
    return f"{sum(_remove(rows) for rows in _old(before)):,} records removed"


def _old(before: datetime) -> Iterator[QuerySet[Model]]:
    """Only what is over: nothing that waits, is open or is in doubt."""
    yield DigestItem.objects.filter(created_at__lt=before).exclude(digest=None)
    yield PersonalEvent.objects.filter(created_at__lt=before)
    yield OutboxMessage.objects.filter(state__in=SENT_OR_NOT, created_at__lt=before)
    yield Notice.objects.filter(created_at__lt=before)
    yield Incident.objects.filter(ended_at__lt=before)
    yield Failure.objects.filter(stopped__lt=before)
    yield SyncRun.objects.filter(ended_at__lt=before).exclude(pk__in=_last_syncs())
    # Those of an import stay with it.
    yield CompanySearch.objects.filter(subject_import=None, requested_at__lt=before).exclude(state__in=UNDECIDED)
    yield MembershipCheck.objects.filter(ended_at__lt=before)
    yield DeliveredFile.objects.filter(ended_at__lt=before)
    yield Delivery.objects.filter(state=DeliveryState.REFUSED, called_at__lt=before)


def _last_syncs() -> list[uuid.UUID]:
    """The last of a registration says what the next one sends."""
    last = dict(SyncRun.objects.order_by("id").values_list("registration_id", "id"))
    return list(last.values())


def _remove(rows: QuerySet[Model]) -> int:
    """In steps, with what hangs on them."""
    done = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        if rows.model is OutboxMessage:
            SendAttempt.objects.filter(message__in=keys).delete()
        if rows.model in (Delivery, MembershipCheck):
            Blob.objects.filter(owner__in=keys).delete()
        rows.model._default_manager.filter(pk__in=keys).delete()
        done += len(keys)
    return done
