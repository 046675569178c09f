"""Making D&B's list equal to what is requested: send the difference, follow each number to its end, go on after any end
of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import update_counts
from core.leases import Hold, holding
from core.models import Lease
from direct_plus.client import LARGEST_BATCH, DirectPlus
from direct_plus.errors import DirectPlusError
from portfolio.dnb_client import NotConfigured, client_for, is_real, longest_call, subject_path
from portfolio.models import Registration, SyncRun, SyncState
from portfolio.sync import progress
from portfolio.sync.calls import send_batch, send_singly
from portfolio.sync.context import Stopped, Work
from portfolio.sync.diff import Verb, unanswered, unsent
from portfolio.sync.errors import explain_error, forget_refused_token
from portfolio.sync.verify import check_calls_in_doubt


class CannotSend(Exception):
    """Why nothing may be sent for a registration; the message says what to do."""


def why_not_to_send(registration: Registration) -> str:
    """A sentence that says what to do, or nothing when sending is safe."""
    if not registration.adopted:
        return gettext(
            "%(registration)s is not adopted yet. Adopt D&B's list first, so that nothing is added or removed by "
            "mistake."
        ) % {"registration": registration}
    if is_real(registration.contract) and settings.ENVIRONMENT != "production" and not settings.DNB_PULL:
        return gettext(
            "This installation is not in production and would change the real list. To allow it, set DNB_PULL=yes."
        )
    return ""


def sync(
    registration: Registration,
    *,
    requested_by: str = progress.THE_JOB,
    everything: bool = False,
    client: DirectPlus | None = None,
    until: datetime | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> SyncRun | None:
    """Send what is requested and not there, and the other way round; follow what was sent. None: nothing to do, or
    somebody else is at it. A person says `everything`: also what was cancelled once, and without waiting."""
    if reason := why_not_to_send(registration):
        raise CannotSend(reason)
    with holding(hold_of(registration), longest_call()) as hold:
        if hold is None:
            return None
        run = progress.run_to_work_at(registration, requested_by, everything=everything)
        if run is None:
            return None
        if run.state == SyncState.RUNNING:
            _work(registration, run, hold, client, until, report)
        run.refresh_from_db()
        return run


def hold_of(registration: Registration) -> str:
    return f"sync/{registration.pk}"


def _work(
    registration: Registration,
    run: SyncRun,
    hold: Hold[Lease],
    client: DirectPlus | None,
    until: datetime | None,
    report: Callable[[str], None],
) -> None:
    before = progress_of(run)
    try:
        work = Work(registration, client or client_for(registration.contract), run, hold, until, report)
    except NotConfigured as error:
        progress.fail_run(run, str(error), retry_at=timezone.now() + timedelta(minutes=10), report=True)
        return
    try:
        send_all(work)
        if not check_calls_in_doubt(work):
            progress.end_run(run)
    except Stopped:
        pass
    except (DirectPlusError, NotConfigured) as error:
        forget_refused_token(work.client, error)
        words, retry_at, notify_people = explain_error(error)
        progress.fail_run(run, words, retry_at=retry_at, report=notify_people)
    finally:
        work.write_down(run.started_by)
        progress.update_counts(run)
        # A sync that only waits for D&B looks every minute, and counts no companies for it.
        if progress_of(run) != before:
            update_counts("held")


def progress_of(run: SyncRun) -> tuple[int, ...]:
    run.refresh_from_db()
    return run.sent, run.refused, run.accepted, run.pending


def send_all(work: Work) -> None:
    """Additions first, then removals, until nothing is left that may be sent; raises what made it impossible."""
    _adjust_totals(work)
    for verb in Verb:
        while rest := _rest(work, verb, work.registration.contract.batch_threshold + 1):
            if rest > work.registration.contract.batch_threshold:
                send_batch(work, verb)
                update_counts("held")
            elif not send_singly(work, verb):
                break
    if work.trouble and any(unanswered(work.registration, verb).exists() for verb in Verb):
        raise work.trouble


def _rest(work: Work, verb: Verb, most: int) -> int:
    fresh = unsent(work.registration, verb, work.run.requests_after)[:most].count()
    return fresh + unanswered(work.registration, verb, work.run.requests_after)[:most].count()


def _adjust_totals(work: Work) -> None:
    """People made further requests since the run began."""
    run = work.run
    run.refresh_from_db()
    adds = unsent(work.registration, Verb.ADD, run.requests_after).count()
    removes = unsent(work.registration, Verb.REMOVE, run.requests_after).count()
    more = run.sent + adds + removes - run.to_add - run.to_remove
    if more > 0:
        progress.count(run, **({"to_add": more} if adds else {"to_remove": more}))


def planned_calls(registration: Registration) -> Iterator[str]:
    """The calls that a sync would make now, in words; nothing is sent."""
    family = subject_path(registration.contract)
    base = f"/v1/monitoring/registrations/{registration.reference}"
    after = progress.only_after(registration)
    for verb in Verb:
        rows = unsent(registration, verb, after) | unanswered(registration, verb, after)
        total = rows.count()
        if total <= registration.contract.batch_threshold:
            method = "POST" if verb == Verb.ADD else "DELETE"
            for number in rows.order_by("pk").values_list("company_id", flat=True):
                yield f"{method} {base}/{family}/{number}"
            continue
        for start in range(0, total, LARGEST_BATCH):
            count = min(LARGEST_BATCH, total - start)
            where = f"{base}/duns/{verb}" if family == "duns" else f"{base}/subjects ({verb}SubjectIDs)"
            yield f"PATCH {where}: {count:,} numbers in one file"
