"""A fetch begins, stops and continues: each time after somebody has confirmed the calls that are made now."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text, insert_new
from core.ids import time_first_id
from core.jobs import ask_worker
from monitoring.data_fetch.plan import UNFINISHED, GapInWork, Plan, calls_to_resume, open_fetch_of
from monitoring.models import DataFetch, FetchedCompany, FetchedState, FetchState
from portfolio.call_budgets.calls import confirm_calls, require_calls
from portfolio.models import CallKind

RUN = "monitoring.data_fetch.work.run_one"


def known_fetch(key: uuid.UUID | None) -> DataFetch | None:
    """What the same request has become before."""
    return DataFetch.objects.filter(pk=key).first() if key else None


def request_fetch(
    plan: Plan, confirmed: Mapping[CallKind, int], *, by: Actor, key: uuid.UUID | None = None
) -> DataFetch:
    """Raises CallsChanged, BudgetUsedUp or GapInWork; then nothing is fetched. The same `key` again is the same data
    fetch, and makes no further calls."""
    if known := known_fetch(key):
        return known
    confirm_calls(plan.calls, confirmed)
    require_calls(plan.contract, plan.calls)
    fetch = _fetch_of(plan, by, key or time_first_id())
    if not insert_new(DataFetch, [fetch]):
        return DataFetch.objects.get(pk=fetch.pk)
    _note_companies(fetch, plan)
    fetch = DataFetch.objects.select_related("contract", "registration").get(pk=fetch.pk)
    _demand_only_one(fetch)
    summary = gettext("%(name)s requested: %(companies)s")
    summary %= {"name": fetch, "companies": plurals.companies(len(plan.companies))}
    record(actor=by, action="data_fetch.request", thing=fetch, summary=summary, after={"calls": plan.calls})
    _start(fetch)
    return fetch


def _fetch_of(plan: Plan, by: Actor, key: uuid.UUID) -> DataFetch:
    check, gap = plan.check, plan.gap
    return DataFetch(
        id=key,
        contract=plan.contract,
        registration=gap,
        gap_from=gap.gap_from if gap else None,
        gap_until=gap.gap_until if gap else None,
        check_since=check.since if check else None,
        product_id=check.product_id if check else "",
        version_id=check.version_id if check else "",
        block_ids=",".join(plan.blocks),
        # Until all its companies are there, nobody begins with some.
        state=FetchState.STOPPED,
        reason=gettext("The request was interrupted before any call was made."),
        confirmed_calls=plan.calls[CallKind.DATA_BLOCKS],
        requested_by=clean_text(by, 200),
        requested_at=timezone.now(),
    )


def _note_companies(fetch: DataFetch, plan: Plan) -> None:
    insert_new(
        FetchedCompany,
        [
            FetchedCompany(
                id=FetchedCompany.key(fetch.pk, duns), fetch=fetch, company_id=duns, registration_id=registration
            )
            for duns, registration in plan.companies.items()
        ],
    )
    DataFetch.objects.filter(pk=fetch.pk).update(moved_at=timezone.now())


def _demand_only_one(fetch: DataFetch) -> None:
    """Of two who request the same gap at one moment, at most one goes on: each looks after its own is written."""
    other = open_fetch_of(fetch.registration, beside=fetch) if fetch.registration else None
    if other:
        FetchedCompany.objects.filter(fetch=fetch).delete()
        DataFetch.objects.filter(pk=fetch.pk).delete()
        raise GapInWork(other)


def stop_fetch(fetch: DataFetch, *, by: Actor) -> bool:
    """After the call that is being made; False where it did not run any more."""
    running = DataFetch.objects.filter(pk=fetch.pk, state=FetchState.RUNNING)
    reason = gettext("Stopped by %(user)s.") % {"user": by}
    if not running.update(state=FetchState.STOPPED, reason=clean_text(reason)):
        return False
    record(actor=by, action="data_fetch.stop", thing=fetch, summary=gettext("%(name)s stopped") % {"name": fetch})
    return True


def stop_all_fetches(reason: str, *, whole_before: datetime) -> int:
    """After a backup was put back: calls that were made since are not known here, and would be made once more. Those
    requested while it was made may lack companies, and are not continued."""
    running = DataFetch.objects.filter(state=FetchState.RUNNING)
    stopped = running.update(state=FetchState.STOPPED, reason=reason, lease_owner=None, lease_until=None)
    late = DataFetch.objects.filter(requested_at__gte=whole_before).exclude(state=FetchState.DONE)
    late.update(state=FetchState.STOPPED, reason=reason, moved_at=None)
    return stopped


def resume_fetch(fetch: DataFetch, confirmed: Mapping[CallKind, int], *, by: Actor) -> None:
    """Go on with what is left; calls that had no answer are made again, which is why they are confirmed again."""
    planned = calls_to_resume(fetch)
    confirm_calls(planned, confirmed)
    require_calls(fetch.contract, planned)
    again = {"state": FetchedState.WAITING, "message": "", "delivery_key": None, "turn": 0}
    FetchedCompany.objects.filter(fetch=fetch, state=FetchedState.FAILED).update(**again)
    called = FetchedCompany.objects.filter(fetch=fetch, turn__gt=0).count()
    fetch.confirmed_calls = called + planned[CallKind.DATA_BLOCKS]
    summary = gettext("%(name)s continued") % {"name": fetch}
    record(actor=by, action="data_fetch.resume", thing=fetch, summary=summary, after={"calls": planned})
    _start(fetch)


def may_resume(fetch: DataFetch) -> bool:
    """Also with a call that a process which died has left: it is looked up without another call."""
    left = FetchedCompany.objects.filter(fetch=fetch, state__in=(*UNFINISHED, FetchedState.CALLED))
    return fetch.moved_at is not None and fetch.state != FetchState.RUNNING and left.exists()


def _start(fetch: DataFetch) -> None:
    """By a worker; a job continues it where this is lost."""
    fetch.state, fetch.reason, fetch.moved_at = FetchState.RUNNING, "", timezone.now()
    fetch.save(update_fields=["state", "reason", "moved_at", "confirmed_calls"])
    ask_worker(RUN, str(fetch.pk), task_name=f"Data fetch {fetch.pk}")
