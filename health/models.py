"""What health remembers over time: signs of life, what D&B said last, how every minute was, and what went wrong."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id

KEYS = uuid.UUID("1a6f4f5b-5d0e-5c3a-9f1e-7f1c2f6f3b60")
JOBS, RESULTS, OUTSIDE = "jobs", "results", "outside"


class State(models.IntegerChoices):
    """How a check stands; the worst is the largest."""

    OK = 0, _("OK")
    UNKNOWN = 1, _("Unknown")
    WARNING = 2, _("Warning")
    CRITICAL = 3, _("Critical")


class Heartbeat(models.Model):
    """The last sign of life of a part of the program: “jobs” is written by a job, and so shows that jobs run;
    “results” by the process that writes down how they ended."""

    id = CompactUUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(help_text=_("Database time."))
    last_error = models.TextField(blank=True, help_text=_("Reason for the failure of the last attempt."))

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"

    @staticmethod
    def key(name: str) -> uuid.UUID:
        return uuid.uuid5(KEYS, name)


class Probe(models.Model):
    """What D&B answered last when a contract's key asked it what it may use."""

    contract = models.CharField(primary_key=True, max_length=64)
    called_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, help_text=_("Last successful response."))
    failing_since = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False, help_text=_("D&B responded and did not accept the API key."))
    reason = models.TextField(blank=True)
    # Of the key that was tested: another one is not tested yet.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    seconds = models.FloatField(default=0)
    token_until = models.DateTimeField(null=True, help_text=_("Time at which the current access token expires."))
    clock_offset = models.FloatField(default=0, help_text=_("Seconds by which D&B's clock is ahead of this machine's."))

    def __str__(self) -> str:
        return f"{self.contract}: {self.reason or 'answers'}"


class Span(models.TextChoices):
    MINUTE = "minute", _("Minute")
    DAY = "day", _("Day (UTC)")


class Sample(models.Model):
    """How it was in a minute, or over a day. Days are made of minutes, which go after some days."""

    id = CompactUUIDField(primary_key=True, editable=False)
    span = models.CharField(max_length=8, choices=Span.choices)
    at = models.DateTimeField(help_text=_("Start of the period."))
    state = models.SmallIntegerField(choices=State.choices, default=State.OK, help_text=_("Worst check result."))
    seen = models.PositiveIntegerField(default=1, help_text=_("Minutes checked."))
    critical = models.PositiveIntegerField(default=0, help_text=_("Minutes with a critical problem."))
    warning = models.PositiveIntegerField(default=0, help_text=_("Minutes with a warning."))
    expected = models.PositiveIntegerField(default=1, help_text=_("Minutes expected."))
    numbers = models.TextField(default="{}", help_text=_("Measurements, as JSON."))

    class Meta:
        indexes = [models.Index(fields=["span", "at"], name="sample_by_time")]
        verbose_name = _("sample")
        verbose_name_plural = _("samples")

    def __str__(self) -> str:
        return f"{self.get_span_display()} from {self.at:%Y-%m-%d %H:%M}"

    @staticmethod
    def key(span: str, at: datetime) -> uuid.UUID:
        return uuid.uuid5(KEYS, f"{span}\n{at.isoformat()}")


class Incident(models.Model):
    """Something that went wrong, from its beginning to its end. Its key comes from the one before it with the
    same `dedup_key`, so that two processes that see the same failure open it once."""

    id = CompactUUIDField(primary_key=True, editable=False)
    dedup_key = models.CharField(max_length=200, help_text=_("Check and object."))
    title = models.TextField()
    cause = models.TextField(help_text=_("Check result when the incident started."))
    latest_detail = models.TextField(blank=True, help_text=_("Latest check result."))
    runbook = models.TextField(blank=True)
    state = models.SmallIntegerField(choices=State.choices, help_text=_("Highest severity reached."))
    notify = models.BooleanField(default=False, help_text=_("Channels are notified."))
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["dedup_key", "started_at"], name="incident_by_matter"),
            models.Index(fields=["ended_at", "started_at"], name="incident_by_end"),
            models.Index(fields=["started_at", "id"], name="incident_by_start"),
        ]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def key(dedup_key: str, before: uuid.UUID | None) -> uuid.UUID:
        return uuid.uuid5(KEYS, f"incident\n{dedup_key}\n{before or ''}")


class IncidentNote(models.Model):
    """What a person wrote down about an incident. Never changed."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE)
    author = models.TextField()
    at = models.DateTimeField()
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:80]
