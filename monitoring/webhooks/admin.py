"""Webhooks and the messages for them: made, tested, switched off and on, sent again."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.actors import actor_of
from core.admin.base import PageAdmin, Secret, shown_once
from core.admin.row_actions import Outcome, RowActions, confirmation
from core.audit import record_edit
from core.markup import badge
from core.text import counted, moment_text
from monitoring.models import (
    MessageState,
    OutboxMessage,
    SendAttempt,
    WebhookEndpoint,
)
from monitoring.outbox.admin.messages import next_attempt_text, state_badge
from monitoring.outbox.failing import HELD, RETRYING, disabled_text, failing_since, is_retrying
from monitoring.outbox.queue import send_again
from monitoring.webhooks.endpoints import (
    changes_missed,
    create_endpoint,
    discard,
    edit_endpoint,
    resend,
    rotate_secret,
    switch_off,
    switch_on,
)
from monitoring.webhooks.event_types import EVENT_TYPES, name_of, split
from monitoring.webhooks.forms import FIELDS, NewWebhookForm, RangeForm, WebhookForm
from monitoring.webhooks.send import send_test
from monitoring.webhooks.undelivered import (
    SHOWN,
    last_error,
    undelivered_cell,
    undelivered_counts,
    undelivered_messages,
)

LAST = 20
BEGINNING = ("begin", "begin_at")


def status_badge(endpoint: WebhookEndpoint, since: datetime | None) -> SafeString:
    if endpoint.is_discarding:
        return badge(gettext("Disabled: events are not kept"), "calm")
    if not endpoint.is_active:
        words = gettext("Disabled: %(off_reason)s") if endpoint.off_reason else gettext("Disabled")
        return badge(words % {"off_reason": endpoint.off_reason}, "warn")
    if since:
        return badge(gettext("Failing since %(moment)s") % {"moment": moment_text(since)}, "bad")
    return badge(gettext("Enabled"), "good")


def _rotate(request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    words = gettext("Replace the secret of webhook %(name)s")
    asked = confirmation(
        request, title=words % {"name": endpoint}, warning=_what_a_new_secret_stops(endpoint),
        button=gettext("Replace secret"), back=_page_of(endpoint),
    )  # fmt: skip
    return asked or _rotated(request, endpoint)


def _what_a_new_secret_stops(endpoint: WebhookEndpoint) -> str:
    words = gettext(
        "Enter the new secret in the receiver's settings within 24 hours. After that, a receiver with the old secret "
        "rejects all messages."
    )
    if endpoint.old_secret_until and endpoint.old_secret_until > timezone.now():
        return f"{words} {gettext('The secret that was replaced earlier stops working immediately.')}"
    return words


def _rotated(request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    secret = rotate_secret(endpoint, by=request.user.get_username())
    note = gettext(
        "Enter the whole secret, with the prefix “whsec_”, in the receiver's settings. For 24 hours, messages are also "
        "signed with the old secret."
    )
    return secret_page(request, endpoint, secret, note)


def secret_page(request: HttpRequest, endpoint: WebhookEndpoint, secret: str, note: str) -> HttpResponse:
    shown = [Secret(endpoint.name, secret)]
    lead = gettext("This is the secret with which the receiver verifies signatures.")
    return shown_once(request, shown, title=gettext("Webhook secret"), lead=lead, note=note, back=_page_of(endpoint))


def _page_of(endpoint: WebhookEndpoint) -> str:
    return reverse("admin:monitoring_webhookendpoint_change", args=[endpoint.pk])


def _test(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    attempt = send_test(endpoint)
    if attempt.error:
        return messages.ERROR, _failed_test(attempt)
    return gettext("Test delivered: status %(status)s after %(duration_ms)s ms.") % {
        "status": attempt.status,
        "duration_ms": attempt.duration_ms,
    }


def _failed_test(attempt: SendAttempt) -> str:
    """With what the receiver answered, and what to look at next."""
    parts = [gettext("The test could not be delivered: %(error)s.") % {"error": attempt.error.rstrip(".")}]
    if attempt.response:
        parts.append(gettext("Response: “%(response)s”.") % {"response": attempt.response[:SHOWN]})
    return " ".join([*parts, _what_to_check(attempt.status)])


def _what_to_check(status: int | None) -> str:
    if status is None:
        return gettext("Check the address and the connection to the receiver, then send another test event.")
    if status == HTTPStatus.NOT_FOUND:
        return gettext("The receiver does not know this address. Correct the address, then send another test event.")
    return gettext("Check the receiver's log and its secret, then send another test event.")


def _off(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    by = actor_of(request)
    switch_off(endpoint, by=by, reason=gettext("by %(name)s") % {"name": by})
    return gettext("Webhook disabled. Events are kept and will be sent when you enable it again.")


def _on(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    if endpoint.is_discarding:
        return _from_now(request, endpoint)
    switch_on(endpoint, by=actor_of(request))
    return gettext("Webhook enabled. Waiting messages will be sent within a minute.")


def _from_now(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    switch_on(endpoint, by=actor_of(request), from_now=True)
    return gettext("Webhook enabled. Earlier events are skipped.")


def _discard(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    count = undelivered_messages(endpoint).filter(HELD).count()
    title = ngettext("Discard %(count)s message?", "Discard %(count)s messages?", count) % {"count": counted(count)}
    warning = gettext(
        "The messages are never sent to %(name)s. Events that happen while the webhook is disabled are not kept either."
    ) % {"name": endpoint}
    button, back = gettext("Discard messages"), _page_of(endpoint)
    if asked := confirmation(request, title=title, warning=warning, button=button, back=back):
        return asked
    count = discard(endpoint, by=actor_of(request))
    return ngettext("%(count)s message discarded.", "%(count)s messages discarded.", count) % {"count": counted(count)}


def _resend(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    if not endpoint.is_active:
        return messages.ERROR, disabled_text()
    form = RangeForm(request.POST)
    if not form.is_valid():
        return messages.ERROR, gettext("No messages were resent. %(why)s") % {
            "why": next(iter(form.errors.values()))[0]
        }
    count = resend(endpoint, by=request.user.get_username(), **form.cleaned_data)
    return ngettext(
        "%(count)s message will be resent within a minute, with the same ID.",
        "%(count)s messages will be resent within a minute, in the same order and with the same IDs.",
        count,
    ) % {"count": counted(count)}


def _again(request: HttpRequest, endpoint: WebhookEndpoint) -> Outcome:
    if not endpoint.is_active:
        return messages.ERROR, disabled_text()
    rows = undelivered_messages(endpoint)
    count = rows.count()
    send_again(rows.only("pk"))
    return ngettext(
        "%(count)s undelivered message will be sent within a minute, with the same ID.",
        "%(count)s undelivered messages will be sent from the next minute on, in order and with the same IDs.",
        count,
    ) % {"count": counted(count)}


ACTIONS = {
    **{"test": _test, "off": _off, "on": _on, "from-now": _from_now, "discard": _discard, "again": _again},
    **{"resend": _resend, "rotate": _rotate},
}


def latest_messages(endpoint: WebhookEndpoint) -> list[Any]:
    """What is retried first: many untried messages may be later than the one with the error."""
    rows = OutboxMessage.objects.filter(target=endpoint.pk).defer("payload")
    retried: list[Any] = list(rows.filter(RETRYING).order_by("-sequence", "-id")[:LAST])
    latest = [one for one in rows.order_by("-created_at")[:LAST] if not is_retrying(one)]
    shown = [*retried, *latest][:LAST]
    for one in shown:
        one.badge, one.next_attempt = state_badge(one), next_attempt_text(one)
    return shown


@admin.register(WebhookEndpoint)
class WebhookAdmin(RowActions, PageAdmin):
    form = WebhookForm
    list_display = ("what", "status", "undelivered", "events")
    list_display_links = ("what",)
    row_actions = ACTIONS
    ordering = ("name",)
    sortable_by = ()
    change_form_template = "monitoring/webhooks/webhook.html"
    empty_title = _("No webhooks yet")
    empty_text = _(
        "A webhook notifies another system of changes, alerts and portfolio events as they happen. Add one to start."
    )
    fieldsets = (
        (None, {"fields": FIELDS[:4]}),
        (_("Change filters"), {"fields": FIELDS[4:]}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> bool:
        """It is switched off: its messages stay explained."""
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = self.form if change else NewWebhookForm
        return super().get_form(request, obj, change, **{**kwargs, "form": form})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        beginning = (_("Start"), {"fields": BEGINNING})
        return self.fieldsets if obj else (*self.fieldsets, beginning)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        columns = {name: form.cleaned_data[name] for name in FIELDS}
        if change:
            edit_endpoint(WebhookEndpoint.objects.get(pk=obj.pk), by=actor_of(request), **columns)
            record_edit(request, obj, form, is_change=True)
            return
        endpoint, secret = create_endpoint(made_by=actor_of(request), begin=form.beginning(), **columns)
        obj.pk = endpoint.pk
        obj.refresh_from_db()
        obj.plain = secret

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return secret_page(
            request,
            obj,
            obj.plain,
            gettext("Enter the whole secret, with the prefix “whsec_”, in the receiver's settings."),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        return super().add_view(request, form_url, {**(extra_context or {}), "event_list": EVENT_TYPES.values()})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {**(extra_context or {}), **self.page_context(request, object_id)}
        return super().change_view(request, object_id, form_url, context)

    def page_context(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        row = self.object_or_404(request, object_id)
        since = failing_since([row.pk]).get(row.pk) if row.is_active else None
        sent, undelivered = latest_messages(row), undelivered_messages(row)
        count, retried = undelivered.count(), undelivered.filter(RETRYING).count()
        failed = undelivered.filter(state=MessageState.DEAD).count()
        may_act = self.has_change_permission(request)
        return {
            "sent": sent,
            "badge": status_badge(row, since),
            "is_failing": since is not None,
            "undelivered": count,
            "retried": retried,
            "failed": failed,
            # They have not been tried: those before them come first.
            "behind": count - retried - failed,
            "last_error": last_error(undelivered),
            "may_act": may_act,
            "event_list": EVENT_TYPES.values(),
            "changes_missed": changes_missed(row),
            "range": RangeForm(),
        }

    @display(description=_("Webhook"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def what(self, row: WebhookEndpoint) -> tuple[str, str]:
        return row.name, row.url

    @admin.display(description=_("Events"))
    def events(self, row: WebhookEndpoint) -> SafeString:
        chips = ((badge(name_of(pattern), "calm", pattern),) for pattern in split(row.event_types))
        return format_html('<span class="dm-badges">{}</span>', format_html_join("", "{}", chips))

    def complete_rows(self, rows: list[Any]) -> None:
        since = failing_since(row.pk for row in rows if row.is_active)
        counts = undelivered_counts(rows)
        for row in rows:
            row.failing_since, row.counts = since.get(row.pk), counts.get(row.pk, {})

    @admin.display(description=_("State"))
    def status(self, row: Any) -> SafeString:
        return status_badge(row, row.failing_since)

    @admin.display(description=_("Undelivered messages"))
    def undelivered(self, row: Any) -> SafeString | str:
        return undelivered_cell(row, row.counts)
