"""Tell somebody outside that it works, and only when it does: who watches there notices a worker that died."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text
from core.jobs import Schedule, Task
from core.outbound.connections import NotReached
from core.outbound.http import ask
from health.checks.result import Result, worst
from health.heartbeats import note_outside
from health.models import State

PULL_LOOP = "monitoring.jobs.pull_due"
RECENT = timedelta(minutes=5)
TIMEOUT = 10


def send_heartbeat(results: Iterable[Result]) -> bool:
    """By a job, so queue and worker work; and only when the pull loop has just ended well and nothing is critical."""
    if not settings.HEARTBEAT_URL or not pull_loop_is_done() or worst(results) == State.CRITICAL:
        return False
    last_error = _call(settings.HEARTBEAT_URL)
    note_outside(timezone.now(), last_error)
    return not last_error


def pull_loop_is_done() -> bool:
    """Its last runs are looked at, not the one under way."""
    names = Schedule.objects.filter(func=PULL_LOOP).exclude(repeats=0)
    since = timezone.now() - RECENT
    is_done = Task.objects.filter(func=PULL_LOOP, success=True, stopped__gte=since)
    return bool(names.exists() and is_done.exists())


def _call(url: str) -> str:
    """Why it failed, or nothing. The address may hold a secret, so it is not repeated."""
    try:
        answer = ask("GET", url, timeout=TIMEOUT)
    except NotReached as error:
        return clean_text(gettext("The heartbeat could not be sent: %(error)s.") % {"error": error})
    except requests.RequestException as error:
        return clean_text(gettext("The heartbeat could not be sent: %(error)s.") % {"error": type(error).__name__})
    return "" if answer.ok else gettext("The receiver returned HTTP %(status)s.") % {"status": answer.status_code}
