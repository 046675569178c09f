"""Deliveries: every call that may have taken something off D&B's queue, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import DaysFilter, choice_filter
from core.blobs import load_bytes
from core.markup import ago, badge, file_size
from core.text import moment_text
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
}
WORDS = {
    DeliveryState.CALLED: _("Called"),
    DeliveryState.RECEIVED: _("Received"),
    DeliveryState.INGESTED: _("Read"),
    DeliveryState.PUBLISHED: _("Published"),
    DeliveryState.REFUSED: _("Refused"),
    DeliveryState.IN_DOUBT: _("In doubt"),
    DeliveryState.RECOVERED: _("Recovered"),
}
SHOWN_BYTES = 200_000


def state_badge(row: Delivery) -> SafeString:
    state = DeliveryState(row.state)
    return badge(WORDS[state], TONES[state], state.label)


def what_next(row: Delivery) -> str:
    """What happens to this delivery by itself, or what a person has to do."""
    return _NEXT[DeliveryState(row.state)](row)


def _in_doubt(row: Delivery) -> str:
    recovery_delay = Contract.objects.get(pk=row.registration.contract_id).recovery_delay
    since = moment_text(row.replay_from) if row.replay_from else ""
    settled = moment_text(row.ended_at + recovery_delay) if row.ended_at else ""
    return " ".join(
        (
            gettext("D&B may have taken notifications off its queue that did not reach us."),
            gettext("A replay from %(moment)s on fetches them again;") % {"moment": since}
            if since
            else gettext("A replay fetches them again;"),
            gettext("the doubt is over when a replay begun after %(moment)s has reached its end.") % {"moment": settled}
            if settled
            else gettext("the doubt is over when a replay has reached its end."),
            gettext("Nothing has to be done."),
        )
    )


def _called(row: Delivery) -> str:
    if row.called_at is None:
        return gettext("The call is about to be made.")
    limit = moment_text(row.called_at + timedelta(minutes=2))
    return gettext(
        "The call is on its way. Should the process have died in it, the next pull after %(limit)s finds that out."
    ) % {"limit": limit}


def _received(row: Delivery) -> str:
    if row.registration.ingest_stopped_reason:
        return gettext(
            "The answer is safely stored. It is read when somebody resumes the reading of this registration."
        )
    return gettext("The answer is safely stored and is read within a minute.")


def _published(row: Delivery) -> str:
    bad = row.unreadable_count
    return (
        gettext("All is done; %(bad)s of its items could not be read and wait for a person.") % {"bad": bad}
        if bad
        else gettext("All is done.")
    )


_NEXT: dict[DeliveryState, Callable[[Delivery], str]] = {
    DeliveryState.CALLED: _called,
    DeliveryState.RECEIVED: _received,
    DeliveryState.INGESTED: lambda row: gettext("It is read, and is published within a minute."),
    DeliveryState.PUBLISHED: _published,
    DeliveryState.REFUSED: lambda row: gettext(
        "Nothing was taken off the queue, so nothing is lost. The pull is made again."
    ),
    DeliveryState.IN_DOUBT: _in_doubt,
    DeliveryState.RECOVERED: lambda row: gettext(
        "A replay has fetched all that this call may have taken. All is done."
    ),
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

    @admin.display(description=_("When"))
    def when(self, row: Delivery) -> SafeString | str:
        return ago(row.called_at or row.received_at) or "–"

    @admin.display(description=_("Registration"))
    def reference(self, row: Delivery) -> str:
        return row.registration.reference

    @admin.display(description=_("Source"))
    def what(self, row: Delivery) -> str:
        return row.get_source_display()

    @admin.display(description=_("State"))
    def status(self, row: Delivery) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("Items"))
    def items(self, row: Delivery) -> int | None:
        return row.notification_count

    @admin.display(description=_("New"))
    def new_items(self, row: Delivery) -> int | None:
        return row.new_count

    @admin.display(description=_("Unreadable"))
    def unreadable(self, row: Delivery) -> SafeString | str:
        return badge(row.unreadable_count, "warn") if row.unreadable_count else ""

    @admin.display(description=_("Size"))
    def size(self, row: Delivery) -> str:
        return file_size(row.byte_count)

    @admin.display(description=_("Error"))
    def last_error(self, row: Delivery) -> str:
        return row.error[:120]

    def page_context(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        with_registrations([row])
        content = load_bytes(row.pk)
        return {
            "title": gettext("%(source)s of %(reference)s")
            % {"source": row.get_source_display(), "reference": row.registration.reference},
            "badge": state_badge(row),
            "next": what_next(row),
            "publication": Publication.objects.filter(delivery=row).first(),
            "has_bytes": bool(content),
            "is_cut": len(content) > SHOWN_BYTES,
            "raw": pretty(content) if len(content) <= SHOWN_BYTES else content[:SHOWN_BYTES].decode("utf-8", "replace"),
        }


def as_download(content: bytes, name: str) -> HttpResponse:
    """Bytes of others: never shown by the browser as anything but a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
