"""What the pages of a registration show of it: its latest deliveries, D&B's settings and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.markup import badge, exact
from core.text import counted
from monitoring.deliveries.admin import state_badge
from monitoring.models import Delivery
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.status import TOLD_WORDS, countdown, loss_sentence, loss_tone

SETTINGS = {
    "notificationType": _("Content"),
    "deliveryTrigger": _("Delivery"),
    "deliveryFrequency": _("D&B frequency"),
    "productId": _("Product code"),
    "email": _("Email to"),
    "createdDate": _("Created at D&B"),
    "lastUpdatedDate": _("Changed at D&B"),
}


def recent_deliveries(row: Registration) -> list[Any]:
    rows: list[Any] = list(Delivery.objects.filter(registration=row).order_by("-id")[:8])
    for delivery in rows:
        delivery.badge = state_badge(delivery)
    return rows


def settings_at_dnb(told: dict[str, Any]) -> Iterable[tuple[str | Promise, Any]]:
    """D&B's own words about a registration in ours."""
    for name, words in SETTINGS.items():
        if told.get(name):
            yield words, _in_our_words(told[name])


def _in_our_words(value: Any) -> Any:
    """D&B's codes and times as the page shows others."""
    if words := TOLD_WORDS.get(str(value)):
        return words
    try:
        moment = parse_datetime(str(value))
    except ValueError:
        moment = None
    if moment is None:
        return value.replace(",", ", ") if isinstance(value, str) else value
    return exact(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def problems_of(row: Registration, calls_in_doubt: int, *, pulls_paused: bool) -> Iterable[tuple[str, str, str]]:
    """Everything about a registration that a reader of the list should notice, as `marks_of` has it."""
    if left := countdown(row, pulls_paused=pulls_paused):
        yield gettext("Data loss %(when)s") % {"when": left}, loss_tone(row), loss_sentence(row)
    yield from marks_of(row)
    if calls_in_doubt:
        words = ngettext("%(count)s call in doubt", "%(count)s calls in doubt", calls_in_doubt)
        why = gettext("The responses to these calls may be lost. A replay recovers them automatically.")
        yield words % {"count": counted(calls_in_doubt)}, "warn", why


def marks_of(row: Registration) -> Iterable[tuple[str, str, str]]:
    """Words, tone and reason of each mark that waits for a person."""
    if row.gap_from:
        yield gettext("Data gap"), "warn", row.gap_reason
    if row.ingest_stopped_reason:
        yield gettext("Processing stopped"), "bad", row.ingest_stopped_reason
    if row.replay_mark:
        yield gettext("Replay incomplete"), "warn", row.replay_mark
    if row.state == RegistrationState.ACTIVE and row.last_error:
        yield gettext("Error"), "warn", row.last_error


def about_list(row: Any) -> SafeString | str:
    """No fault of the registration: it moves no row to the top."""
    if not row.has_lists or (row.adopted and row.is_list_complete):
        return ""
    page = reverse("admin:portfolio_syncrun_adopt", args=[row.pk])
    state, act, link = (
        (gettext("List incomplete"), gettext("Upload D&B's export file"), f"{page}#export-file")
        if row.adopted
        else (gettext("List not adopted"), gettext("Adopt list"), page)
    )
    chip = badge(state, "calm", gettext("Billing numbers are not exact."))
    return format_html('{}<br><a class="dm-more" href="{}">{}</a>', chip, link, act)
