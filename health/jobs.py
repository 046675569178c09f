"""What runs by itself for health."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from core.jobs import Success
from health import heartbeats
from health.checks import dnb_probe
from health.checks.registry import SLOW, summary
from health.history.samples import take_sample
from health.incidents.heartbeat_url import send_heartbeat
from health.incidents.lifecycle import open_problems

SUCCESSES_KEPT = timedelta(days=2)


def beat() -> None:
    """The canary, which the watchdog puts into the queue when it has seen no sign of life."""
    heartbeats.beat()


def look_after() -> str:
    """Every minute: show that jobs run, look at everything, tell the outside, ask D&B. Says how it stands."""
    heartbeats.beat_with_a_task()
    # D&B's clock may be another than ours, and freshness goes by it.
    dnb_probe.probe_new()
    look, results = take_sample()
    send_heartbeat(results)
    # Last, as D&B may keep us waiting; the next look shows what it said.
    dnb_probe.probe_due(look)
    return summary(results, left_out=None if look.is_full else open_problems(SLOW))


def forget_finished() -> int:
    """Tasks that went well are of no interest after a while; returns how many went."""
    return int(Success.objects.filter(stopped__lt=timezone.now() - SUCCESSES_KEPT).delete()[0])
