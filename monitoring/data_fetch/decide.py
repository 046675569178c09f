"""A person accepts fetched documents, or discards them. Accepted, they are read like all that D&B sends."""

from __future__ import annotations

import uuid
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


# These companies, or all, of which the number was shown.
Chosen = Sequence[str] | int


class NumberChanged(Exception):
    """Not as many companies wait as were shown to whoever decides on all of them."""

    def __init__(self, count: int) -> None:
        words = gettext("No action taken: the number of companies has changed. It is now %(companies)s.")
        super().__init__(words % {"companies": plurals.companies(count)})


def accept(fetch: DataFetch, chosen: Chosen, *, by: Actor) -> int:
    """Returns how many it was; raises NumberChanged."""
    return _decide(fetch, FetchedState.READY, chosen, FetchedState.ACCEPTED, by)


def discard(fetch: DataFetch, chosen: Chosen, *, by: Actor) -> int:
    """They change nothing, and stay stored as long as other responses do."""
    return _decide(fetch, FetchedState.READY, chosen, FetchedState.DISCARDED, by)


def give_up(fetch: DataFetch, chosen: Chosen, *, by: Actor) -> int:
    """Discard what has failed, so that no valid response is waited for."""
    return _decide(fetch, FetchedState.FAILED, chosen, FetchedState.DISCARDED, by)


def _decide(fetch: DataFetch, before: FetchedState, chosen: Chosen, state: FetchedState, by: Actor) -> int:
    count = _note(_waiting(fetch, before, chosen), before, state, by)
    if count:
        words = {"state": state.label, "companies": plurals.companies(count), "name": fetch}
        summary = gettext("%(name)s: %(state)s: %(companies)s") % words
        after = None if isinstance(chosen, int) else {"companies": list(chosen)[:AT_ONCE]}
        record(actor=by, action=f"data_fetch.{state}", thing=fetch, summary=summary, after=after)
    _carry_out(_undone().filter(fetch=fetch)[:MOST_AT_ONCE])
    if _undone().filter(fetch=fetch).exists():
        ask_worker(CONTINUE, task_name="Continue data fetches")
    finish(fetch, by=by)
    return count


def _waiting(fetch: DataFetch, before: FetchedState, chosen: Chosen) -> list[uuid.UUID]:
    rows = FetchedCompany.objects.filter(fetch=fetch, state=before)
    if not isinstance(chosen, int):
        return list(rows.filter(company__in=chosen).values_list("pk", flat=True))
    found = list(rows.values_list("pk", flat=True))
    if len(found) != chosen:
        raise NumberChanged(len(found))
    return found


def _note(keys: Sequence[uuid.UUID], before: FetchedState, state: FetchedState, by: Actor) -> int:
    """Of two who decide, one does."""
    decided = {"state": state, "decided_by": clean_text(by, 200), "decided_at": timezone.now(), "is_carried_out": False}
    return sum(FetchedCompany.objects.filter(pk=key, state=before).update(**decided) for key in keys)


def _undone() -> QuerySet[FetchedCompany]:
    return FetchedCompany.objects.filter(UNDONE).order_by("id")


def carry_out_decisions(until: datetime) -> int:
    """Those that nobody has carried out; returns how many."""
    done = 0
    while timezone.now() < until and (batch := list(_undone()[:AT_ONCE])):
        done += len(batch)
        _carry_out(batch)
        deciders = {item.fetch_id: item.decided_by for item in batch}
        for fetch in DataFetch.objects.select_related("registration").filter(pk__in=deciders):
            finish(fetch, by=deciders[fetch.pk])
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
