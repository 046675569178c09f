"""A person accepts fetched documents, or discards them. Accepted, they are read like all that D&B sends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text
from core.jobs import ask_worker, run_step
from monitoring.data_fetch.finish import finish
from monitoring.models import UNDONE, DataFetch, Delivery, DeliveryState, FetchedCompany, FetchedState
from monitoring.pipeline.ingest import ingest

AT_ONCE = 100
# As many a person waits for; a worker carries out the others.
MOST_AT_ONCE = 20
PUBLISHED = "monitoring.jobs.process_published"
CONTINUE = "monitoring.data_fetch.work.continue_fetches"
LEADS_TO = {FetchedState.ACCEPTED: DeliveryState.RECEIVED, FetchedState.DISCARDED: DeliveryState.DISCARDED}


def accept(fetch: DataFetch, companies: Sequence[str] | None = None, *, by: Actor) -> int:
    """All that wait for a decision, or these; returns how many it was."""
    return _decide(fetch, companies, FetchedState.ACCEPTED, by)


def discard(fetch: DataFetch, companies: Sequence[str] | None = None, *, by: Actor) -> int:
    """They change nothing, and stay stored as long as other responses do."""
    return _decide(fetch, companies, FetchedState.DISCARDED, by)


def _decide(fetch: DataFetch, companies: Sequence[str] | None, state: FetchedState, by: Actor) -> int:
    ready = FetchedCompany.objects.filter(fetch=fetch, state=FetchedState.READY)
    if companies is not None:
        ready = ready.filter(company__in=companies)
    decided = {"state": state, "decided_by": clean_text(by, 200), "decided_at": timezone.now(), "is_carried_out": False}
    count = 0
    for key in list(ready.values_list("pk", flat=True)):
        # Of two who decide, one does.
        count += FetchedCompany.objects.filter(pk=key, state=FetchedState.READY).update(**decided)
    if count:
        words = {"state": state.label, "companies": plurals.companies(count), "name": fetch}
        summary = gettext("%(name)s: %(state)s: %(companies)s") % words
        after = None if companies is None else {"companies": list(companies)[:AT_ONCE]}
        record(actor=by, action=f"data_fetch.{state}", thing=fetch, summary=summary, after=after)
    _carry_out(_undone().filter(fetch=fetch)[:MOST_AT_ONCE])
    if _undone().filter(fetch=fetch).exists():
        ask_worker(CONTINUE, task_name="Continue data fetches")
    finish(fetch, by=by)
    return count


def _undone() -> QuerySet[FetchedCompany]:
    return FetchedCompany.objects.filter(UNDONE).order_by("id")


def carry_out_decisions(until: datetime) -> int:
    """Those that nobody has carried out; returns how many."""
    done = 0
    while timezone.now() < until and (batch := list(_undone()[:AT_ONCE])):
        done += len(batch)
        _carry_out(batch)
    return done


def _carry_out(items: QuerySet[FetchedCompany] | Sequence[FetchedCompany]) -> None:
    read = [item for item in items if _carried_out(item)]
    if read:
        ask_worker(PUBLISHED, task_name="Process published changes")


def _carried_out(item: FetchedCompany) -> bool:
    """Whether there is something to publish. What fails to be read here is read again by the job that does so."""
    state, delivery = LEADS_TO[FetchedState(item.state)], item.delivery
    if delivery is not None:
        Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.HELD).update(state=state)
        delivery.refresh_from_db(fields=["state"])
        if delivery.state == DeliveryState.RECEIVED:
            run_step(ingest, delivery)
    FetchedCompany.objects.filter(pk=item.pk).update(is_carried_out=True)
    return state == DeliveryState.RECEIVED
