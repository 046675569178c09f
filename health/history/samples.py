"""A look each minute, kept: what was wrong then, and whether anybody looked at all. Days are made of minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.db import insert_new
from core.text import counted, days_and_hours, moment_text
from health.checks.context import Look, begin_look
from health.checks.registry import SLOW, checks_of
from health.checks.result import Result, worst
from health.incidents.lifecycle import follow, record_past
from health.metrics.pipeline import measure
from health.models import Incident, Sample, Span, State
from monitoring.models import PassState, Purpose, ReplayPass
from monitoring.open_counts import in_use_since

A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)
MINUTES_KEPT, DAYS_KEPT = timedelta(days=3), timedelta(days=400)
# A worker that is started again is away for less.
SILENCE = timedelta(minutes=5)
DAYS_EVERY = 10
# What changes slowly is looked at less often, so that an idle worker asks little.
FULL_EVERY = 5


def take_sample() -> tuple[Look, list[Result]]:
    """Look at everything, write down how it is, and let incidents follow."""
    now = timezone.now()
    look = begin_look(is_full=now.minute % FULL_EVERY == 0)
    results = checks_of(look)
    before = Sample.objects.filter(span=Span.MINUTE).order_by("-at").first()
    store_sample(results, now)
    if before:
        _note_silence(before.at, now)
    follow(results, _troubles_of(before, now), left_out=() if look.is_full else SLOW)
    if now.minute % DAYS_EVERY == 0 or before is None or before.at.date() != now.astimezone(UTC).date():
        look_back(now)
    return look, results


def store_sample(results: Sequence[Result], now: datetime) -> None:
    """One row a minute, however many look; the worst look counts."""
    minute = floor(now)
    state = worst(results)
    troubles = [result.dedup_key for result in results if result.state >= State.WARNING]
    row = Sample(
        id=Sample.key(Span.MINUTE, minute),
        span=Span.MINUTE,
        at=minute,
        state=state,
        critical=int(state == State.CRITICAL),
        warning=int(state == State.WARNING),
        numbers=json.dumps({"troubles": troubles}),
    )
    if not _inserted(row):
        worse = Sample.objects.filter(pk=row.pk, state__lt=state)
        worse.update(state=state, critical=row.critical, warning=row.warning, numbers=row.numbers)


def _inserted(row: Sample) -> bool:
    """Nearly always it is the first of its minute, so nobody looks before."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _troubles_of(sample: Sample | None, now: datetime) -> list[str]:
    """What was wrong in the look before, if that was a short while ago."""
    if sample is None or now - sample.at > SILENCE:
        return []
    return list(json.loads(sample.numbers).get("troubles", []))


def _note_silence(last: datetime, now: datetime) -> None:
    if now - last <= SILENCE or _watchdog_reported(last):
        return
    cause = gettext(
        "No jobs ran for %(span)s from %(moment)s: the worker was not running, or the database could not be reached."
    ) % {"moment": moment_text(last), "span": days_and_hours(now - last)}
    record_past(dedup_key="silence", title=gettext("Jobs stalled"), cause=cause, started_at=last, ended_at=now)


def _watchdog_reported(since: datetime) -> bool:
    """It has written the same down: when it started the jobs again, or when the database was back."""
    restarted = Q(dedup_key="jobs", ended_at=None, started_at__gte=since)
    return Incident.objects.filter(restarted | Q(dedup_key="database", ended_at__gte=since)).exists()


def look_back(now: datetime) -> None:
    """Days from minutes, what audits found, and away with old rows. Each may be done any number of times."""
    make_days(now)
    note_what_audits_found(now)
    Sample.objects.filter(span=Span.MINUTE, at__lt=now - MINUTES_KEPT).delete()
    Sample.objects.filter(span=Span.DAY, at__lt=now - DAYS_KEPT).delete()


def note_what_audits_found(now: datetime) -> None:
    """An audit that found something shows that something had been lost: that must not pass unnoticed."""
    audits = ReplayPass.objects.filter(purpose=Purpose.AUDIT, found__gt=0, state=PassState.ENDED)
    for one in audits.filter(ended_at__gte=now - A_DAY).select_related("registration"):
        reference = one.registration.reference
        cause = ngettext(
            "The nightly replay of %(reference)s found %(count)s notification that no pull had received. It is now "
            "processed. Check the calls of that day in the ingestion log.",
            "The nightly replay of %(reference)s found %(count)s notifications that no pull had received. They are now "
            "processed. Check the calls of that day in the ingestion log.",
            one.found,
        ) % {"reference": reference, "count": counted(one.found)}
        record_past(
            dedup_key=f"found:{one.pk}",
            title=gettext("Missed notifications in %(reference)s") % {"reference": reference},
            cause=cause,
            started_at=one.replay_from,
            ended_at=one.ended_at or now,
        )


# Days


def make_days(now: datetime) -> None:
    """Count again every day of which there are minutes, and those between them. Before the first data the program is
    being set up: that is no time in which it should have worked."""
    in_use = in_use_since()
    minutes = Sample.objects.filter(span=Span.MINUTE, at__gte=floor(in_use)) if in_use else Sample.objects.none()
    first = minutes.order_by("at").values_list("at", flat=True).first()
    if first is None:
        return
    known = Sample.objects.filter(span=Span.DAY).order_by("-at").values_list("at", flat=True).first()
    # From the newest day that is known: until its midnight it was not over, and days before it are.
    for day in _days(known or first, now):
        _make_day(day, first, now, is_first=known is None)


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start_of(start.astimezone(UTC).date())
    while day <= end:
        yield day
        day += A_DAY


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _make_day(day: datetime, first: datetime, now: datetime, *, is_first: bool) -> None:
    earlier = Sample.objects.filter(pk=Sample.key(Span.DAY, day)).first()
    begin = _begin_of(day, first, earlier, is_first=is_first)
    minutes = Sample.objects.filter(span=Span.MINUTE, at__gte=begin, at__lt=day + A_DAY)
    counts = dict(minutes.order_by().values_list("state").annotate(Count("id")))
    end = min(floor(now) + A_MINUTE, day + A_DAY)
    expected = max(0, int((end - begin) / A_MINUTE))
    fields: dict[str, Any] = {
        "state": max(counts, default=State.OK),
        "seen": sum(counts.values()),
        "critical": counts.get(State.CRITICAL, 0),
        "warning": counts.get(State.WARNING, 0),
        "expected": max(expected, sum(counts.values())),
        "numbers": json.dumps({**measure(day, min(now, day + A_DAY)).as_numbers(), "begin": begin.isoformat()}),
    }
    if earlier is None:
        insert_new(Sample, [Sample(id=Sample.key(Span.DAY, day), span=Span.DAY, at=day, **fields)])
    elif earlier.seen <= fields["seen"]:
        Sample.objects.filter(pk=earlier.pk).update(**fields)


def _begin_of(day: datetime, first: datetime, earlier: Sample | None, *, is_first: bool) -> datetime:
    """The day's beginning; on the very first day, the first look since the program is in use."""
    if earlier is not None:
        return datetime.fromisoformat(json.loads(earlier.numbers)["begin"])
    return max(day, first) if is_first else day
