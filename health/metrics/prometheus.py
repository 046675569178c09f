"""What Prometheus reads: the numbers of the checks, each under a name of its own, and every check's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.db.models import Max
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from health.checks.registry import all_checks
from health.checks.result import Result, worst
from health.metrics.pipeline import measure
from health.models import Incident, State
from monitoring.models import Publication

CONTENT_TYPE = CONTENT_TYPE_LATEST
RECENT = timedelta(hours=1)

# Check, name of the metric, what it is, label for its subject, factor from the check's unit
NUMBERS: tuple[tuple[str, str, str, str, float], ...] = (
    ("fresh", "dnbmon_registration_age_seconds", "Time since D&B's queue was last empty.", "registration", 3600.0),
    ("pulling", "dnbmon_registrations_failing", "Registrations with three or more failed pulls in a row.", "", 1.0),
    ("in-doubt", "dnbmon_calls_in_doubt", "Calls that may have lost notifications.", "", 1.0),
    ("unread", "dnbmon_deliveries_unread", "Deliveries waiting to be processed.", "", 1.0),
    ("unpublished", "dnbmon_deliveries_unpublished", "Deliveries waiting to be published.", "", 1.0),
    ("dead-letters", "dnbmon_dead_letters", "Items that could not be parsed.", "", 1.0),
    ("messages", "dnbmon_dispatches_overdue", "Overdue messages.", "", 1.0),
    ("dead-messages", "dnbmon_dispatches_parked", "Messages not delivered in the last 7 days.", "", 1.0),
    ("sync", "dnbmon_syncs_failed", "Failed syncs that are retried.", "", 1.0),
    ("database", "dnbmon_migrations_waiting", "Pending migrations.", "", 1.0),
    ("disk", "dnbmon_disk_free_bytes", "Free disk space in the data folder of this machine.", "", 1e9),
    ("backup", "dnbmon_backup_age_seconds", "Time since the latest backup.", "", 3600.0),
    ("jobs", "dnbmon_heartbeat_age_seconds", "Time since a job last ran.", "", 1.0),
    ("schedules", "dnbmon_jobs_overdue", "Overdue jobs.", "", 1.0),
    ("paused", "dnbmon_jobs_paused", "Paused jobs.", "", 1.0),
    ("queue", "dnbmon_queue_tasks", "Tasks waiting for a worker.", "", 1.0),
    ("failed", "dnbmon_jobs_failed", "Jobs that failed in the last hour.", "", 1.0),
    ("dnb", "dnbmon_dnb_answer_seconds", "Duration of D&B's last response.", "contract", 1.0),
    ("clock", "dnbmon_clock_difference_seconds", "Difference between D&B's clock and ours.", "contract", 1.0),
    ("entitlements", "dnbmon_dnb_contract_days_left", "Days until D&B's contract ends.", "contract", 1.0),
    ("throttle", "dnbmon_throttle_wait_seconds", "Time the next call waits for the rate limit.", "", 1.0),
    ("quota", "dnbmon_registrations_without_quota", "Registrations stopped by D&B's call quota.", "", 1.0),
)
SPEEDS = (
    ("pull", "dnbmon_pull_seconds", "Duration of pulls that received notifications, over the last hour."),
    ("visible", "dnbmon_visible_seconds", "Time from received to visible, over the last hour."),
)
QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}


def exposition() -> bytes:
    registry = CollectorRegistry()
    registry.register(HealthCollector(all_checks()))
    return generate_latest(registry)


class HealthCollector:
    """Of one look; nothing is kept in this process, so any number of web processes say the same."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = results

    def collect(self) -> Iterator[Metric]:
        yield from self._states()
        for check, name, words, label, factor in NUMBERS:
            yield self._number(check, name, words, label, factor)
        yield from self._incidents()
        yield from self._speeds()
        last = Publication.objects.aggregate(last=Max("sequence"))["last"] or 0
        yield CounterMetricFamily("dnbmon_publications", "Deliveries published in total.", value=last)

    def _states(self) -> Iterator[Metric]:
        words = "0 OK, 1 unknown, 2 warning, 3 critical."
        yield GaugeMetricFamily("dnbmon_health_state", f"Worst check: {words}", value=int(worst(self.results)))
        family = GaugeMetricFamily("dnbmon_check_state", f"Each check: {words}", labels=["check", "subject"])
        for result in self.results:
            family.add_metric([result.check, result.subject], int(result.state))
        yield family

    def _number(self, check: str, name: str, words: str, label: str, factor: float) -> Metric:
        family = GaugeMetricFamily(name, words, labels=[label] if label else [])
        for result in self.results:
            if result.check == check and result.number is not None:
                family.add_metric([result.subject] if label else [], result.number * factor)
        return family

    def _incidents(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("dnbmon_incidents_open", "Open incidents.", labels=["state"])
        states = list(Incident.objects.filter(ended_at=None).values_list("state", flat=True)[:1000])
        for state in (State.WARNING, State.CRITICAL):
            family.add_metric([state.name.lower()], states.count(state))
        yield family

    def _speeds(self) -> Iterator[Metric]:
        now = timezone.now()
        measured = measure(now - RECENT, now)
        for what, name, words in SPEEDS:
            family = GaugeMetricFamily(name, words, labels=["quantile"])
            for share, seconds in (getattr(measured, what) or {}).items():
                family.add_metric([QUANTILES[share]], seconds)
            yield family
        yield GaugeMetricFamily(
            "dnbmon_notifications_read", "Received in the last hour, by pull.", value=measured.notifications
        )
