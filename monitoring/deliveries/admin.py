"""Deliveries: every call that may have taken something off D&B's queue, and what became of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import DaysFilter, choice_filter
from core.blobs import load_bytes
from core.markup import ago, badge, clock, file_size, two_lines
from core.text import counted, moment_text
from monitoring.feed.admin import with_registrations
from monitoring.ingest.raw_item import pretty
from monitoring.models import Delivery, DeliveryState, Publication, Source
from portfolio.models import Contract
from portfolio.registrations.filters import RegistrationFilter

TONES = {
    DeliveryState.CALLED: "info",
    DeliveryState.RECEIVED: "info",
    DeliveryState.INGESTED: "info",
    DeliveryState.PUBLISHED: "good",
    DeliveryState.REFUSED: "warn",
    DeliveryState.IN_DOUBT: "bad",
    DeliveryState.RECOVERED: "good",
    DeliveryState.HELD: "warn",
    DeliveryState.DISCARDED: "calm",
}
WORDS = {
    DeliveryState.CALLED: _("Called"),
    DeliveryState.RECEIVED: _("Received"),
    DeliveryState.INGESTED: _("Processed"),
    DeliveryState.PUBLISHED: _("Published"),
    DeliveryState.REFUSED: _("Refused"),
    DeliveryState.IN_DOUBT: _("In doubt"),
    DeliveryState.RECOVERED: _("Recovered"),
    DeliveryState.HELD: _("To be decided"),
    DeliveryState.DISCARDED: _("Discarded"),
}
SHOWN_BYTES = 200_000


def state_badge(row: Delivery) -> SafeString:
    state = DeliveryState(row.state)
    return badge(WORDS[state], TONES[state], state.label)


def what_next(row: Delivery) -> str:
    """What happens to this delivery automatically, or what a person has to do."""
    return _NEXT[DeliveryState(row.state)](row)


def _in_doubt(row: Delivery) -> str:
    if not (row.replay_from and row.ended_at):
        return gettext(
            "D&B may have removed notifications from its queue that were not received. A replay recovers them "
            "automatically; you do not need to do anything."
        )
    recovery_delay = Contract.objects.get(pk=row.registration.contract_id).recovery_delay
    moments = {"start": moment_text(row.replay_from), "settled": moment_text(row.ended_at + recovery_delay)}
    text = gettext(
        "D&B may have removed notifications from its queue that were not received. A replay from %(start)s, started "
        "after %(settled)s, recovers them automatically; you do not need to do anything."
    )
    return text % moments


def _called(row: Delivery) -> str:
    if row.called_at is None:
        return gettext("The call is about to be sent.")
    limit = moment_text(row.called_at + timedelta(minutes=2))
    return gettext(
        "Waiting for D&B's response. If the process has ended, the next pull after %(limit)s detects it."
    ) % {"limit": limit}


def _received(row: Delivery) -> str:
    if row.registration.ingest_stopped_reason:
        return gettext(
            "The response is stored. It is processed once a user resumes processing on the registration's page."
        )
    return gettext("The response is stored and will be processed within a minute.")


def _published(row: Delivery) -> str:
    bad = row.unreadable_count
    return (
        ngettext(
            "Complete. %(count)s item could not be parsed: review it under “Parsing errors”.",
            "Complete. %(count)s items could not be parsed: review them under “Parsing errors”.",
            bad,
        )
        % {"count": counted(bad)}
        if bad
        else gettext("Complete: all items in the response are processed and published.")
    )


_NEXT: dict[DeliveryState, Callable[[Delivery], str]] = {
    DeliveryState.CALLED: _called,
    DeliveryState.RECEIVED: _received,
    DeliveryState.INGESTED: lambda row: gettext("Processed. It will be published within a minute."),
    DeliveryState.PUBLISHED: _published,
    DeliveryState.REFUSED: lambda row: gettext(
        "D&B removed nothing from its queue, so no notifications are lost. The pull is retried automatically."
    ),
    DeliveryState.IN_DOUBT: _in_doubt,
    DeliveryState.RECOVERED: lambda row: gettext(
        "Complete. A replay received all notifications that this call may have removed from D&B's queue."
    ),
    DeliveryState.HELD: lambda row: gettext("A user accepts or discards this document on the page of its data fetch."),
    DeliveryState.DISCARDED: lambda row: gettext("Not accepted: the document changed nothing. It is kept as received."),
}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("when", "reference", "what", "status", "items", "new_items", "unreadable", "size", "last_error")
    list_filter = (
        choice_filter("state", DeliveryState.choices, _("state")),
        choice_filter("source", Source.choices, _("source")),
        RegistrationFilter,
        DaysFilter,
    )
    ordering = ("-id",)
    sortable_by = ()
    list_before_template = "monitoring/deliveries/intro.html"
    page_template = "monitoring/deliveries/delivery.html"
    empty_title = _("No deliveries yet")
    empty_template = "monitoring/pull/deliveries_empty.html"

    def get_urls(self) -> list[URLPattern]:
        raw = path("<uuid:key>/raw/", self.admin_site.admin_view(self.raw), name="monitoring_delivery_raw")
        return [raw, *super().get_urls()]

    def raw(self, request: HttpRequest, key: Any) -> HttpResponse:
        row = self.object_or_404(request, str(key))
        return as_download(load_bytes(row.pk), f"delivery-{row.pk}.json")

    def complete_rows(self, rows: list[Delivery]) -> None:
        with_registrations(rows)
        numbers = page_numbers(rows)
        for row in rows:
            row.page_number = numbers.get(row.pk)  # type: ignore[attr-defined]

    @admin.display(description=_("Date"))
    def when(self, row: Delivery) -> SafeString | str:
        return ago(row.called_at or row.received_at) or "–"

    @admin.display(description=_("Registration"))
    def reference(self, row: Delivery) -> str:
        return row.registration.reference

    @admin.display(description=_("Source"))
    def what(self, row: Any) -> SafeString | str:
        """A replay is many rows within seconds, one for each page; and pages overlap, so two may hold the same. A
        requested pull names the user."""
        if row.requested_by:
            return two_lines(row.get_source_display(), requested_text(row))
        if row.source != Source.REPLAY or row.called_at is None:
            return str(row.get_source_display())
        words = gettext("page %(number)s, read at %(time)s") if row.page_number else gettext("page read at %(time)s")
        number = counted(row.page_number or 0)
        return two_lines(row.get_source_display(), words % {"number": number, "time": clock(row.called_at)})

    @admin.display(description=_("State"))
    def status(self, row: Delivery) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("Items"))
    def items(self, row: Delivery) -> int | None:
        return row.notification_count

    @admin.display(description=_("New"))
    def new_items(self, row: Delivery) -> int | None:
        return row.new_count

    @admin.display(description=_("Parsing errors"))
    def unreadable(self, row: Delivery) -> SafeString | str:
        return badge(row.unreadable_count, "warn") if row.unreadable_count else ""

    @admin.display(description=_("Size"))
    def size(self, row: Delivery) -> str:
        return file_size(row.byte_count)

    @admin.display(description=_("Error"))
    def last_error(self, row: Delivery) -> SafeString | str:
        return two_lines(row.error[:120], "") if row.error else ""

    def page_context(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        self.complete_rows([row])
        content = load_bytes(row.pk)
        return {
            "title": title_of(row),
            "page_number": row.page_number,  # type: ignore[attr-defined]
            "badge": state_badge(row),
            "next": what_next(row),
            "publication": Publication.objects.filter(delivery=row).first(),
            "has_bytes": bool(content),
            "is_cut": len(content) > SHOWN_BYTES,
            "raw": pretty(content) if len(content) <= SHOWN_BYTES else content[:SHOWN_BYTES].decode("utf-8", "replace"),
        }


def title_of(row: Any) -> str:
    names = {"source": row.get_source_display(), "reference": row.registration.reference}
    if row.page_number:
        words = gettext("%(source)s of %(reference)s, page %(number)s")
        return words % {**names, "number": counted(row.page_number)}
    return gettext("%(source)s of %(reference)s") % names


def page_numbers(rows: Iterable[Delivery]) -> dict[uuid.UUID, int]:
    """Of the pages of replays among these: their place within their replay, in one query."""
    passes = {row.replay_pass_id for row in rows if row.source == Source.REPLAY and row.replay_pass_id}
    if not passes:
        return {}
    pages = Delivery.objects.filter(replay_pass__in=passes, source=Source.REPLAY).order_by("turn", "id")
    numbers: dict[uuid.UUID, int] = {}
    read: Counter[uuid.UUID] = Counter()
    for key, replay_pass in pages.values_list("pk", "replay_pass_id"):
        read[replay_pass] += 1
        numbers[key] = read[replay_pass]
    return numbers


def requested_text(row: Delivery) -> str:
    return gettext("requested by %(user)s") % {"user": row.requested_by} if row.requested_by else ""


def as_download(content: bytes, name: str) -> HttpResponse:
    """Bytes of others: never shown by the browser as anything but a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
