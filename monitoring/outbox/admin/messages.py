"""Messages to channels and webhooks, and every try to send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.audit import record
from core.markup import ago, badge, two_lines
from core.text import counted
from monitoring.models import (
    MessageState,
    OutboxMessage,
    SendAttempt,
    TargetKind,
)
from monitoring.outbox.admin.recipients import RecipientFilter, names_of
from monitoring.outbox.queue import send_again

STATE_TONES = {"waiting": "info", "sent": "good", "dead": "bad", "cancelled": "calm"}

# Messages


def state_badge(row: OutboxMessage) -> SafeString:
    return badge(row.get_state_display(), STATE_TONES[row.state], row.last_error)


def recipient_text(row: OutboxMessage, names: Mapping[UUID, str]) -> SafeString:
    return two_lines(names.get(row.target) or gettext("Deleted"), row.get_kind_display())


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("when", "event_type", "recipient", "company", "status", "attempts", "trouble")
    list_filter = (
        choice_filter("state", MessageState.choices, _("state")),
        choice_filter("kind", TargetKind.choices, _("recipient type")),
        RecipientFilter,
    )
    ordering = ("-created_at",)
    sortable_by = ()
    actions = ("again",)
    page_template = "monitoring/outbox/outbox_message.html"
    empty_title = _("No outgoing messages yet")
    empty_text = _(
        "Messages to channels and webhooks appear here, with every attempt. Add a channel or a webhook to send some. "
        "Test messages of channels are not listed."
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("payload")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("monitoring.change_outboxmessage")

    @admin.action(description=_("Resend"), permissions=["resend"])
    def again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        rows = list(queryset.exclude(state=MessageState.WAITING).only("pk", "event_type", "event"))
        if not rows:
            messages.warning(request, gettext("The selected messages are waiting for their next attempt already."))
            return
        count = send_again(queryset.only("pk"))
        for row in rows:
            summary = gettext("Message %(name)s resent") % {"name": row}
            record(actor=request.user.get_username(), action="message.again", thing=row, summary=summary)
        messages.success(
            request,
            ngettext(
                "%(count)s message will be resent within a minute, with the same ID.",
                "%(count)s messages will be resent within a minute, with the same IDs.",
                count,
            )
            % {"count": counted(count)},
        )

    def complete_rows(self, rows: list[Any]) -> None:
        names = names_of(rows)
        for row in rows:
            row.recipient = recipient_text(row, names)

    @admin.display(description=_("Recipient"))
    def recipient(self, row: Any) -> SafeString:
        return row.recipient  # type: ignore[no-any-return]

    @admin.display(description=_("Created"))
    def when(self, row: OutboxMessage) -> SafeString | str:
        return ago(row.created_at)

    @admin.display(description=_("State"))
    def status(self, row: OutboxMessage) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("Last error"))
    def trouble(self, row: OutboxMessage) -> str:
        return row.last_error[:120]

    def page_context(self, request: HttpRequest, row: OutboxMessage) -> dict[str, Any]:
        tries = SendAttempt.objects.filter(message=row).order_by("-id")[:100]
        name = names_of([row]).get(row.target)
        return {"title": row.event_type, "badge": state_badge(row), "recipient": name, "tries": tries}
