"""Alerts that are put off until a day or until they get worse. They stay open, but are not in the inbox until then."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from core.db import in_batches
from core.text import moment_text
from monitoring.alerts.actions import comment_on
from monitoring.alerts.own_alerts import count_own_alerts_of
from monitoring.alerts.workflow.due_times import due_again
from monitoring.alerts.workflow.inbox import OPEN, snoozed
from monitoring.models import AWAKE, Alert, AlertComment

# An alert that does not get worse returns after this time, so that none is forgotten.
LONGEST_SNOOZE = timedelta(days=366)


class CannotSnooze(ValueError):
    """Its text is a sentence for the reader."""


def end_of_snooze(until: datetime | None, *, wakes_if_worse: bool) -> datetime:
    """Checked; raises CannotSnooze."""
    now = timezone.now()
    if until is None and not wakes_if_worse:
        raise CannotSnooze(gettext("Enter a day, or select that the alert returns if the situation gets worse."))
    end = until or now + LONGEST_SNOOZE
    if not now < end <= now + LONGEST_SNOOZE:
        raise CannotSnooze(gettext("Enter a day in the future, within the next 12 months."))
    return end


def snooze(
    alerts: Sequence[uuid.UUID], *, by: str, until: datetime | None, wakes_if_worse: bool, text: str = ""
) -> list[uuid.UUID]:
    """Returns those that are open. Their time for a response begins when they return. Raises CannotSnooze.

    The comments come first, so that whoever is killed in between leaves none that is snoozed without a word.
    """
    end = end_of_snooze(until, wakes_if_worse=wakes_if_worse)
    changed = {"snoozed_until": end, "snoozed_by": by, "wakes_if_worse": wakes_if_worse}
    again = due_again(end)
    words = gettext("Snoozed %(until)s.") % {"until": until_text(end, wakes_if_worse)}
    done: list[uuid.UUID] = []
    for batch in in_batches(alerts):
        rows = Alert.objects.filter(pk__in=batch, state__in=OPEN)
        asked = list(rows.values_list("pk", flat=True))
        comments = comment_on(asked, by=by, text=f"{words} {text.strip()}".strip(), snoozed_until=end)
        count = rows.filter(pk__in=asked).update(**changed, **again)
        if count < len(asked):
            asked = list(rows.filter(pk__in=asked, **changed).values_list("pk", flat=True))
            _take_back([one.pk for one in comments if one.alert_id not in set(asked)])
        done += asked
    count_own_alerts_of(done)
    return done


def _take_back(comments: Sequence[uuid.UUID]) -> None:
    """On what was closed in between."""
    if comments:
        AlertComment.objects.filter(pk__in=list(comments)).delete()


def snooze_text(row: Alert) -> str:
    words = gettext("Snoozed %(until)s")
    return words % {"until": until_text(row.snoozed_until, row.wakes_if_worse)} if row.snoozed_until else ""


def until_text(end: datetime, wakes_if_worse: bool) -> str:
    words = (
        gettext("until %(moment)s or until the situation gets worse") if wakes_if_worse else gettext("until %(moment)s")
    )
    return words % {"moment": moment_text(end)}


def wake(alerts: Sequence[uuid.UUID], *, by: str) -> list[uuid.UUID]:
    """Back in the inbox now; returns those that were snoozed."""
    again = due_again()
    done: list[uuid.UUID] = []
    for batch in in_batches(alerts):
        rows = Alert.objects.filter(snoozed(), pk__in=batch)
        done += rows.values_list("pk", flat=True)
        rows.update(**AWAKE, **again)
    comment_on(done, by=by, text=gettext("Snooze ended."))
    count_own_alerts_of(done)
    return done
