"""What runs by itself: each job is a few small steps over rows, works for a minute at most, and may run twice."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.cached_counts import update_counts
from core.jobs import ask_worker, async_task, run_step
from core.leases import HoldLost
from core.text import counted
from direct_plus.errors import DirectPlusError, ServerTrouble, TooManyCalls, Unreachable, Unreadable
from monitoring.alerts.assignment_notices import notify_assignees
from monitoring.alerts.digests import send_digests
from monitoring.alerts.evaluate import raise_alerts
from monitoring.alerts.own_alerts import count_all_own_alerts
from monitoring.alerts.routing import send_notices
from monitoring.alerts.workflow.escalation import escalate_overdue
from monitoring.benefit.review import count as count_review
from monitoring.consumers.membership import gather_evidence
from monitoring.consumers.proposals import propose_for_requested, read_publications
from monitoring.deliveries.lease import leased
from monitoring.figures.consumer import update_figures
from monitoring.figures.records import make_checkpoints
from monitoring.file_intake import intake
from monitoring.follows.already_sent import give_back_undelivered
from monitoring.follows.consumer import notify_followers
from monitoring.follows.mentions import notify_mentioned
from monitoring.log_context import in_the_log
from monitoring.models import Delivery, DeliveryState, PassState, ReplayPass
from monitoring.outbox.queue import due_targets, send_due_messages
from monitoring.pipeline.apart import publish_left_behind
from monitoring.pipeline.ingest import ingest, ingest_together, waiting_together
from monitoring.pull.puller import Outcome, PullResult, pull
from monitoring.pull.rejections import PROBE
from monitoring.rebuild.verification import verify
from monitoring.replay.passes import audit, audit_is_due, recover, recovery_is_due
from monitoring.reports import schedule
from monitoring.stats.daily_counts import roll_up
from monitoring.stats.latency import roll_up_delays
from monitoring.webhooks.endpoints import let_go_on
from monitoring.webhooks.enqueue import queue_changes
from monitoring.webhooks.portfolio_events import enqueue_portfolio_events
from portfolio.dnb_client import NotConfigured, client_for
from portfolio.models import Registration, RegistrationState
from portfolio.proposals.apply import carry_out_left_behind
from portfolio.proposals.create import propose_replacements
from portfolio.proposals.withdraw import withdraw_not_requested
from portfolio.registrations.discover import read_details, resume_what_is_over, start_pulling

logger = logging.getLogger(__name__)
A_MINUTE = timedelta(seconds=55)
A_DAY = timedelta(days=1)
# Of each consumer, in a job that lets them all read.
A_TURN = timedelta(seconds=12)
PROCESS = "monitoring.jobs.process_published"
SEND = "monitoring.jobs.send_due"
# The job comes once a minute: what is due between two runs would otherwise wait for a whole one.
HALF_A_MINUTE = timedelta(seconds=30)
# Less than after a refused pull, by as much as health leaves between two questions: it takes this for no new stop.
ASKED_AGAIN = PROBE - timedelta(minutes=5)
# D&B has not refused again, it has not answered the question.
SAYS_NOTHING = (Unreachable, Unreadable, TooManyCalls, ServerTrouble)


def wake() -> None:
    """Something was published: a worker lets its consumers read it, so nobody who pulls waits for them. What fails here
    is made good by the scheduled run of each."""
    run_step(_ask_for_consumers)


def _ask_for_consumers() -> None:
    ask_worker(PROCESS, task_name="Process published changes")


def process_published(turn: timedelta = A_TURN) -> None:
    """Let each consumer read on for a while; whoever has not caught up by then goes on as another job."""
    steps = (raise_alerts, notify_followers, queue_changes, update_figures, gather_evidence, read_publications)
    has_caught_up = [_takes_turn(step, turn) for step in steps]
    if not all(has_caught_up):
        wake()
    run_step(have_it_sent)


def _takes_turn(step: Callable[[datetime], int], turn: timedelta) -> bool:
    """False where its time was over first. What fails is done by the next scheduled run."""
    until = timezone.now() + turn
    run_step(step, until)
    return timezone.now() < until


def propose_for_adopted(registration: str) -> None:
    """A list was adopted: what D&B has merged or deleted before is proposed as what comes later is."""
    propose_for_requested(uuid.UUID(registration))


def alert_published() -> int:
    """Raise alerts for what was published; returns how many publications were read."""
    return raise_alerts(timezone.now() + A_MINUTE)


def queue_for_webhooks() -> int:
    return queue_changes(timezone.now() + A_MINUTE)


def have_it_sent() -> bool:
    """By a worker: nobody who pulls waits for a mail server."""
    if is_due := bool(due_targets()):
        ask_worker(SEND, task_name="Send messages")
    return is_due


def send_due() -> int:
    """Send what is due to channels and webhooks; returns how many messages were sent."""
    send_notices()
    escalate_overdue()
    notify_assignees()
    notify_mentioned()
    run_step(enqueue_portfolio_events)
    let_go_on()
    return send_due_messages(timezone.now() + A_MINUTE)


def make_digests() -> int:
    """Send the digests whose time has come; returns how many."""
    give_back_undelivered()
    count = send_digests()
    have_it_sent()
    return count


def make_reports() -> int:
    """Put the reports whose time has come into the queue; returns how many are new."""
    count = schedule.queue_due()
    have_it_sent()
    return count


def ingest_now(delivery: Delivery) -> None:
    """Read a stored delivery at once. What fails here is stored already and is read again by a later job."""
    rows = Delivery.objects.filter(pk=delivery.pk)
    with in_the_log(delivery):
        if run_step(ingest, delivery, note=lambda last_error: rows.update(error=last_error)):
            wake()


def pull_due() -> int:
    """Pull every registration that is due, those that waited longest first; returns how many were."""
    until = timezone.now() + A_MINUTE
    resume_what_is_over()
    done = 0
    for key in _due(timezone.now()):
        if timezone.now() >= until:
            break
        done += _at_the_boundary(pull_one, key, until)
    return _counted(done)


def _counted(done: int) -> int:
    """The Overview shows what was pulled as soon as its alerts."""
    if done:
        run_step(count_days)
    return done


def _due(now: datetime) -> list[uuid.UUID]:
    soon = now + HALF_A_MINUTE
    active = Registration.objects.filter(state=RegistrationState.ACTIVE, next_pull_at__lte=soon)
    return list(active.order_by("next_pull_at").values_list("pk", flat=True))


def pull_one(key: uuid.UUID, until: datetime, requested_by: str = "") -> PullResult:
    registration = Registration.objects.select_related("contract").get(pk=key)
    return pull(registration, keep=ingest_now, until=until, requested_by=requested_by)


def _at_the_boundary(step: Callable[[uuid.UUID, datetime], object], key: uuid.UUID, until: datetime) -> bool:
    """One registration's trouble holds up no other."""

    def put_off(last_error: str) -> None:
        later = timezone.now() + timedelta(minutes=1)
        Registration.objects.filter(pk=key).update(last_error=last_error, next_pull_at=later)

    return run_step(step, key, until, note=put_off)


def recover_due() -> int:
    """Repair what is in doubt; returns how many registrations were looked at."""
    until = timezone.now() + A_MINUTE
    in_doubt = Delivery.objects.filter(state=DeliveryState.IN_DOUBT).values_list("registration_id", flat=True)
    unfinished = ReplayPass.objects.exclude(state=PassState.ENDED).values_list("registration_id", flat=True)
    return sum(_at_the_boundary(recover_one, key, until) for key in sorted({*in_doubt, *unfinished}))


def recover_one(key: uuid.UUID, until: datetime) -> None:
    _replay(key, until, due=lambda registration: recovery_is_due(registration), run=recover)


def audit_due() -> int:
    """Replay the last day of each active registration once a day; returns how many were looked at."""
    until = timezone.now() + A_MINUTE
    active = Registration.objects.filter(state=RegistrationState.ACTIVE).values_list("pk", flat=True)
    return sum(_at_the_boundary(audit_one, key, until) for key in list(active))


def audit_one(key: uuid.UUID, until: datetime) -> None:
    _replay(key, until, due=lambda registration: audit_is_due(registration, timezone.now()), run=audit)


def _replay(
    key: uuid.UUID, until: datetime, *, due: Callable[[Registration], bool], run: Callable[..., object]
) -> None:
    registration = Registration.objects.select_related("contract").get(pk=key)
    if not due(registration) or registration.dnb_time is None:
        return
    with leased(key) as lease:
        if lease is None:
            return
        try:
            run(registration, lease, client_for(registration.contract), keep=ingest_now, until=until)
        except HoldLost:
            logger.warning("another process took over registration %s", registration)


def probe_stopped() -> int:
    """Ask once an hour whether D&B lets a stopped registration go on; it starts by itself when it does."""
    stopped = Registration.objects.filter(state=RegistrationState.STOPPED, next_pull_at__lte=timezone.now())
    return sum(_probe(registration) for registration in stopped.select_related("contract"))


def _probe(registration: Registration) -> bool:
    later = timezone.now() + ASKED_AGAIN
    Registration.objects.filter(pk=registration.pk).update(next_pull_at=later)
    try:
        read_details(registration, client_for(registration.contract))
    except SAYS_NOTHING as error:
        Registration.objects.filter(pk=registration.pk).update(next_pull_at=timezone.now())
        logger.info("registration %s stays stopped until it is asked again soon: %s", registration, error)
        return False
    except (DirectPlusError, NotConfigured) as error:
        logger.info("registration %s stays stopped: %s", registration, error)
        return False
    start_pulling(registration)
    return True


def ingest_received() -> int:
    """Read what was received and not read, as trouble or a killed process leaves it; returns how many were tried."""
    until, done = timezone.now() + A_MINUTE, 0
    for deliveries in waiting_together():
        if timezone.now() >= until:
            break
        _ingest_all(deliveries)
        done += len(deliveries)
    return done


def import_delivered_files() -> int:
    """Import what D&B has delivered as files; returns how many came to their end. Goes on as another job."""
    until = timezone.now() + A_MINUTE
    done = intake.take_files(ingest_now, until)
    if timezone.now() >= until:
        intake.have_files_imported()
    return done


def _ingest_all(deliveries: list[Delivery]) -> None:
    """Together if possible; one that fails holds up no other."""
    waiting = deliveries
    if len(deliveries) > 1:
        run_step(ingest_together, deliveries)
        left = Delivery.objects.filter(pk__in=[one.pk for one in deliveries], state=DeliveryState.RECEIVED)
        waiting = list(left.select_related("registration").order_by("id"))
    for delivery in waiting:
        ingest_now(delivery)
    if len(waiting) < len(deliveries):
        wake()


def publish_read() -> int:
    return publish_left_behind()


def count_days() -> int:
    """Bring the daily counts and delays up to date; returns how many days were counted again."""
    until = timezone.now() + A_MINUTE
    return roll_up(until) + roll_up_delays(until)


def verify_stored_data() -> str:
    """Compare recent publications, and some companies, with what is stored for them; says what was corrected."""
    return str(verify(timezone.now() + A_MINUTE))


def update_company_figures() -> int:
    """Bring scores, sizes and the other figures of companies up to date; returns how many publications were read."""
    return update_figures(timezone.now() + A_MINUTE)


def update_contract_review(key: str = "") -> int:
    """Returns how many companies it names; with a key, the one that somebody waits for."""
    return count_review(key)


def prepare_figures() -> int:
    """Figures of all companies at the beginning of each month, ready to be read; returns how many months there are."""
    return make_checkpoints(timezone.now() + A_MINUTE)


def update_all_counts() -> int:
    """Count what stands at the moment, for the front page; returns how many kinds of numbers that are."""
    count_all_own_alerts()
    return update_counts()


def make_proposals() -> int:
    """Propose what published changes and refusals suggest; returns how many publications were read."""
    read = read_publications(timezone.now() + A_MINUTE)
    propose_replacements()
    withdraw_not_requested()
    carry_out_left_behind()
    return read


PULLED: dict[Outcome, str | Promise] = {
    Outcome.DRAINED: _("Pulled"),
    Outcome.OUT_OF_TIME: _("Partly pulled, continues automatically"),
    Outcome.BUSY: _("Not pulled: another process is pulling this registration"),
    Outcome.NOT_ASKED: _("Not pulled"),
    Outcome.REFUSED: _("Refused by D&B"),
    Outcome.FAILED: _("Failed"),
}


def pull_now(key: str, by: str = "") -> str:
    """Pull one registration because a person wants it now, even while it is paused; says how it went."""
    result = pull_one(uuid.UUID(key), timezone.now() + A_MINUTE, by)
    _counted(result.notifications)
    if result.outcome == Outcome.OUT_OF_TIME:
        async_task("monitoring.jobs.pull_now", key, by)
    notifications = ngettext("%(count)s notification", "%(count)s notifications", result.notifications)
    counts = notifications % {"count": counted(result.notifications)}
    return f"{PULLED[result.outcome]}: {counts}. {result.reason}".strip()
