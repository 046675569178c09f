"""Messages to channels and webhooks, and every try to send them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import ChoiceFilter, DaysFilter, choice_filter
from core.admin.row_actions import Outcome, RowActions
from core.audit import record
from core.markup import ago, badge, two_lines
from core.text import ago as ago_text
from core.text import counted
from monitoring.models import (
    MessageState,
    OutboxMessage,
    SendAttempt,
    TargetKind,
)
from monitoring.outbox.admin.content import alert_url, company_names, company_text, recipient_url
from monitoring.outbox.admin.recipients import RecipientFilter
from monitoring.outbox.failing import (
    HELD,
    RETRYING,
    UNDELIVERED,
    deleted_channels,
    deleted_text,
    disabled_text,
    disabled_webhooks,
    held_up,
    is_held,
    is_retrying,
    is_untried,
)
from monitoring.outbox.names import names_of
from monitoring.outbox.queue import send_again
from monitoring.webhooks.event_types import event_name

STATE_TONES = {"waiting": "info", "sent": "good", "dead": "bad", "cancelled": "calm"}

# Messages


def state_badge(row: OutboxMessage) -> SafeString:
    if is_retrying(row):
        return badge(gettext("Retrying"), "warn", f"{row.last_error}. {next_attempt_text(row)}")
    if is_held(row):
        return badge(
            gettext("On hold"), "warn", gettext("The webhook is disabled. Enable it, or discard its messages.")
        )
    return badge(row.get_state_display(), STATE_TONES[row.state], row.last_error)


def next_attempt_text(row: OutboxMessage) -> str:
    """Of a message that is retried; empty for the others."""
    return gettext("Next attempt: %(when)s") % {"when": _when(row)} if is_retrying(row) else ""


def _when(row: OutboxMessage) -> str:
    if row.next_try_at is None or row.next_try_at <= timezone.now():
        return gettext("within a minute")
    return ago_text(row.next_try_at)


def waiting_text(row: OutboxMessage, held: set[UUID]) -> str:
    """When a message that waits is sent; empty for the others."""
    if is_untried(row) and row.target in held:
        return gettext("After an earlier message to this receiver, which failed")
    return _when(row) if is_untried(row) or is_retrying(row) else ""


def attempts_of(rows: Iterable[OutboxMessage]) -> dict[UUID, int]:
    """How many the page of each message lists. A message that is resent counts its own again from 0."""
    tried = SendAttempt.objects.filter(message__in=[row.pk for row in rows]).order_by()
    return dict(tried.values_list("message").annotate(Count("id")))


def attempt_text(tried: SendAttempt) -> str:
    """How an attempt went, as a sentence."""
    facts = {"status": tried.status, "duration_ms": counted(tried.duration_ms), "error": tried.error.rstrip(".")}
    if tried.status is None:
        words = (
            gettext("%(error)s, after %(duration_ms)s ms.") if tried.error else gettext("Sent in %(duration_ms)s ms.")
        )
        return words % facts
    sentence = gettext("The receiver responded with status %(status)s after %(duration_ms)s ms.") % facts
    is_repeated = tried.error.endswith(str(tried.status))
    return sentence if is_repeated or not tried.error else f"{sentence} {facts['error']}."


def _resend(request: HttpRequest, row: OutboxMessage) -> Outcome:
    if deleted_channels([row]):
        return messages.WARNING, deleted_text()
    if disabled_webhooks([row]):
        return messages.WARNING, disabled_text()
    if not send_again(OutboxMessage.objects.filter(pk=row.pk)):
        return messages.WARNING, gettext("The message is waiting for its turn and will be sent automatically.")
    _record_resent(request, row)
    if row.state == MessageState.SENT:
        return gettext("The message was delivered before. It will be sent again within a minute, with the same ID.")
    return gettext("The message will be resent within a minute, with the same ID.")


def is_resendable(row: OutboxMessage) -> bool:
    return (row.state != MessageState.WAITING or is_retrying(row)) and not deleted_channels([row])


def _record_resent(request: HttpRequest, row: OutboxMessage) -> None:
    summary = gettext("Message %(name)s resent") % {"name": row}
    record(actor=request.user.get_username(), action="message.again", thing=row, summary=summary)


def _repeated_text(count: int) -> str:
    return ngettext(
        "%(count)s of them was delivered before and will be sent again.",
        "%(count)s of them were delivered before and will be sent again.",
        count,
    ) % {"count": counted(count)}


def _how_it_stands(row: OutboxMessage, tried: int, waiting: str) -> str:
    """How often it was tried, the last error, and what comes next; empty for what was delivered by one attempt."""
    attempts = ngettext("%(count)s attempt", "%(count)s attempts", tried) % {"count": counted(tried)}
    parts = [attempts] if tried > 1 or row.last_error else []
    if row.last_error:
        error = Truncator(row.last_error).chars(200).rstrip(".")
        parts.append(gettext("Last error: %(error)s") % {"error": error})
    parts += filter(None, (waiting, next_attempt_text(row)))
    return ". ".join(parts)


class StateFilter(ChoiceFilter):
    """The stored states, with the waiting messages that failed before as a state of their own, and both that failed."""

    title = _("status")
    parameter_name = field = "state"
    options = (
        ("undelivered", _("Not delivered, except tests (failed, retrying, waiting or on hold)")),
        (MessageState.WAITING, MessageState.WAITING.label),
        ("retrying", _("Retrying")),
        ("held", _("On hold (webhook disabled)")),
        *MessageState.choices[1:],
    )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        own = {"retrying": RETRYING, "undelivered": UNDELIVERED, "held": HELD}
        if self.value() in own:
            return queryset.filter(own[self.value()])
        found = super().queryset(request, queryset)
        untried = Q(attempts=0, next_try_at__isnull=False)
        return found.filter(untried) if self.value() == MessageState.WAITING else found


class CreatedFilter(DaysFilter):
    moment = "created_at"


def recipient_text(row: OutboxMessage, names: Mapping[UUID, str]) -> SafeString:
    return two_lines(names.get(row.target) or gettext("Deleted"), row.get_kind_display())


@admin.register(OutboxMessage)
class OutboxMessageAdmin(RowActions, ReadOnlyAdmin):
    row_actions = {"resend": _resend}
    list_display = ("when", "event_text", "recipient", "company_text", "status")
    list_filter = (
        StateFilter,
        choice_filter("kind", TargetKind.choices, _("recipient type")),
        RecipientFilter,
        CreatedFilter,
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

    def may_act(self, request: HttpRequest, row: OutboxMessage, action: str) -> bool:
        return self.has_resend_permission(request)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("monitoring.change_outboxmessage")

    @admin.action(description=_("Resend"), permissions=["resend"])
    def again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        chosen = list(queryset.only("kind", "target"))
        gone, off = deleted_channels(chosen), disabled_webhooks(chosen)
        queryset = queryset.exclude(target__in=gone | off)
        unsent = Q(state=MessageState.WAITING)
        rows = list(queryset.filter(~unsent | RETRYING).only("pk", "event_type", "event", "state"))
        if gone:
            messages.warning(request, gettext("Messages to deleted channels cannot be resent."))
        if off:
            messages.warning(request, disabled_text())
        if not rows and (gone or off):
            return
        if not rows:
            words = gettext("The selected messages are waiting for their turn and will be sent automatically.")
            messages.warning(request, words)
            return
        send_again(queryset.only("pk"))
        for row in rows:
            _record_resent(request, row)
        messages.success(
            request,
            ngettext(
                "%(count)s message will be resent within a minute, with the same ID.",
                "%(count)s messages will be resent within a minute, with the same IDs.",
                len(rows),
            )
            % {"count": counted(len(rows))},
        )
        if repeated := sum(row.state == MessageState.SENT for row in rows):
            messages.warning(request, _repeated_text(repeated))

    def complete_rows(self, rows: list[Any]) -> None:
        names, companies, held = names_of(rows), company_names(rows), held_up(rows)
        attempts = attempts_of(rows)
        for row in rows:
            row.tried = attempts.get(row.pk, row.attempts)
            row.waiting = waiting_text(row, held) if row.target in held and is_untried(row) else ""
            row.recipient, row.company_text = recipient_text(row, names), company_text(row, companies)

    @admin.display(description=_("Event"))
    def event_text(self, row: OutboxMessage) -> str:
        return event_name(row.event_type)

    @admin.display(description=_("Company"))
    def company_text(self, row: Any) -> SafeString | str:
        return row.company_text  # type: ignore[no-any-return]

    @admin.display(description=_("Recipient"))
    def recipient(self, row: Any) -> SafeString:
        return row.recipient  # type: ignore[no-any-return]

    @admin.display(description=_("Created"))
    def when(self, row: OutboxMessage) -> SafeString | str:
        return ago(row.created_at)

    @admin.display(description=_("Status and last error"))
    def status(self, row: Any) -> SafeString:
        """In one column, so that it is in sight beside the others on a small screen."""
        return two_lines(state_badge(row), _how_it_stands(row, row.tried, row.waiting))

    def page_context(self, request: HttpRequest, row: OutboxMessage) -> dict[str, Any]:
        tries = list(SendAttempt.objects.filter(message=row).order_by("-id")[:100])
        return {
            "title": gettext("Message “%(event)s”") % {"event": event_name(row.event_type)},
            "event": event_name(row.event_type),
            "company": company_names([row]).get(row.company, row.company),
            "alert_url": alert_url(row),
            "recipient_url": recipient_url(row),
            "badge": state_badge(row),
            "next_attempt": waiting_text(row, held_up([row])),
            "recipient": names_of([row]).get(row.target),
            "tries": [(one, attempt_text(one)) for one in tries],
            "response": next((one.response for one in tries[:1] if one.error), ""),
            "may_resend": self.has_resend_permission(request) and is_resendable(row),
        }
