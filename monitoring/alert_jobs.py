"""What runs by itself for alerts: raising them, sending what is due, and digests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from core.jobs import ask_worker, repeat_when_locked
from monitoring import channels, report_sending, webhook_sending
from monitoring.alerting import raise_alerts
from monitoring.assigning import notify_assignees
from monitoring.digests import send_digests
from monitoring.dispatching import dispatch_due, due_targets
from monitoring.evidence import gather_evidence
from monitoring.portfolio_events import tell_of_portfolio
from monitoring.proposals import read_publications
from monitoring.telling import tell_notices
from monitoring.webhook_reading import queue_changes
from monitoring.webhooks import let_go_on

logger = logging.getLogger(__name__)
A_MINUTE = timedelta(seconds=55)
SEND = "monitoring.alert_jobs.send_due"
# What they bring: how each kind of target is reached.
SENDERS = (channels, webhook_sending, report_sending)


def wake() -> None:
    """Something was published: let its readers read it. What fails is done by the next scheduled run."""
    for step in (gather_evidence, read_publications, alert_published, queue_for_webhooks, have_it_sent):
        _at_the_boundary(step)


def _at_the_boundary(step: Callable[[], object]) -> None:
    try:
        repeat_when_locked(step)
    except Exception:
        logger.exception("%s failed", step.__name__)


def alert_published() -> int:
    """Raise alerts for what was published; returns how many publications were read."""
    return raise_alerts(timezone.now() + A_MINUTE)


def queue_for_webhooks() -> int:
    return queue_changes(timezone.now() + A_MINUTE)


def have_it_sent() -> bool:
    """By a worker: nobody who pulls waits for a mail server."""
    is_due = bool(due_targets())
    if is_due:
        ask_worker(SEND, task_name="Send what is due")
    return is_due


def send_due() -> int:
    """Send what is due to channels and webhooks; returns how many messages were sent."""
    tell_notices()
    notify_assignees()
    _at_the_boundary(tell_of_portfolio)
    let_go_on()
    return dispatch_due(timezone.now() + A_MINUTE)


def make_digests() -> int:
    """Send the digests whose time has come; returns how many."""
    count = send_digests()
    have_it_sent()
    return count


def make_reports() -> int:
    """Put the reports whose time has come into the queue; returns how many are new."""
    count = report_sending.queue_due()
    have_it_sent()
    return count
