"""Channels: where alerts are sent, tested with a button, left with a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from unfold.widgets import UnfoldAdminTextareaWidget

from core.actors import person_text
from core.admin.base import PageAdmin
from core.admin.deletion import Part
from core.admin.removal import RecordedRemoval
from core.admin.row_actions import Outcome, RowActions
from core.markup import ago, badge, two_lines
from core.outbound.mail_server import has_mail_server, no_server_text
from monitoring.alerts.admin.reach import offered, received_text, severity_from, status_of, waiting_text
from monitoring.alerts.digests import next_digest
from monitoring.alerts.reach import Reach, count_unnotified
from monitoring.models import Channel, DigestItem, Frequency, OutboxMessage
from monitoring.outbox.addresses import address_of, check_address, set_address
from monitoring.outbox.admin.channel_actions import ask, ask_again, note, subscribe, take_all, test
from monitoring.outbox.admin.messages import state_badge
from monitoring.outbox.admin.removed_addresses import removal_warnings, removed_from, rules_left_without
from monitoring.outbox.admin.unsubscribe import confirm_address, unsubscribe_channel
from monitoring.outbox.failing import cancel_messages
from monitoring.outbox.permitted_addresses import why_not_there, without_server
from monitoring.webhooks.event_types import event_name
from portfolio.models.registrations import check_timezone

LAST = 10


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    # Who fills it in: whose the channel is where the form does not ask.
    editor: Any = None
    address = forms.CharField(
        label=_("Address"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter an address for the messages.")},
        help_text=_(
            "Email addresses separated by commas, or the address of a chat service. The list below shows examples. "
            "The address is stored encrypted. Keys and passwords in it are not shown again."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.encrypted:
            self.fields["address"].required = False
            kept = gettext("Stored address: %(address)s. Enter another address to replace it.")
            self.fields["address"].widget.attrs["placeholder"] = kept % {"address": self.instance.display_address}
            self.fields["address"].help_text = gettext(
                "Leave empty to keep the stored address, %(address)s. It is stored encrypted; keys and passwords in it "
                "are not shown again."
            ) % {"address": self.instance.display_address}

    class Meta:
        model = Channel
        fields = (
            *("name", "address", "person", "unit", "active", "all_rules", "min_severity", "notices"),
            *("frequency", "digest_time", "digest_day", "zone"),
        )

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_address(self) -> str:
        text = str(self.cleaned_data["address"]).strip()
        if text:
            check_address(text)
        return text

    def clean(self) -> dict[str, Any]:
        """Held to what may be, unless it only is switched off."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        person = cleaned.get("person") if "person" in self.fields else self.editor
        address = cleaned.get("address") or address_of(self.instance)
        is_used = bool(cleaned.get("address") or cleaned.get("active"))
        if is_used and not self.has_error("address") and (why := why_not_there(address, person)):
            self.add_error("address", why)
        return cleaned

    def clean_zone(self) -> str:
        zone = str(self.cleaned_data["zone"]).strip()
        if zone:
            check_timezone(zone)
        return zone


def _show_supported_addresses(form: forms.BaseForm, context: dict[str, Any]) -> None:
    """Beside the field, where they are needed; open where an address was refused."""
    if field := form.fields.get("address"):
        shown = {"may_share": context["may_share"], "is_open": bool(form.errors.get("address"))}
        supported = render_to_string("monitoring/outbox/supported_addresses.html", shown)
        field.help_text = format_html("{}{}", field.help_text, supported)


@admin.register(Channel)
class ChannelAdmin(RowActions, RecordedRemoval, PageAdmin):
    form = ChannelForm
    list_display = ("what", "whose", "frequency_text", "status", "last_sent")
    list_display_links = ("what",)
    row_actions = {"test": test, "ask": ask_again, "subscribe": subscribe, "take-all": take_all}
    ordering = ("name", "id")
    sortable_by = ()
    list_before_template = "monitoring/outbox/channels_intro.html"
    change_form_template = "monitoring/outbox/channel.html"
    conditional_fields = {"digest_time": "frequency != 'at_once'", "digest_day": "frequency == 'weekly'"}
    empty_title = _("No channels yet")
    deleted_with = {
        "monitoring.rulechannel": Part(_("Selection in rules"), "rule"),
        "monitoring.digestitem": Part(_("Entries of its digests, also those not sent yet"), is_counted=True),
    }
    kept_text = (_("The alerts"), _("The rules. Check that each still notifies someone."))
    empty_text = _(
        "Alerts always appear under Alerts. Add a channel to receive them "
        "by email, Slack, Microsoft Teams or another service."
    )
    fieldsets = (
        (None, {"fields": ("name", "address", "person", "unit", "active")}),
        (_("Receives"), {"fields": ("all_rules", "min_severity", "notices")}),
        (_("Frequency"), {"fields": ("frequency", "digest_time", "digest_day", "zone")}),
    )

    def get_urls(self) -> list[URLPattern]:
        return [
            # Whoever holds the link may leave, without a login; mail programs post to it themselves.
            path("confirm/<str:token>/", csrf_exempt(confirm_address), name="monitoring_channel_confirm"),
            path("unsubscribe/<str:token>/", csrf_exempt(unsubscribe_channel), name="monitoring_channel_unsubscribe"),
            *super().get_urls(),
        ]

    # Rights: everybody who sees alerts has channels of their own; shared ones need the right to change channels.
    def may_share(self, request: HttpRequest) -> bool:
        return request.user.has_perm("monitoring.change_channel")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        return request.user.has_perm("monitoring.view_alert") or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        return self.may_share(request) or (obj is not None and obj.person_id == request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("person")
        return rows if self.may_share(request) else rows.filter(Q(person=None) | Q(person=request.user.pk))

    # The list
    @admin.display(description=_("Channel"))
    def what(self, row: Channel) -> SafeString:
        return two_lines(row.name, row.display_address)

    @admin.display(description=_("Owner"))
    def whose(self, row: Channel) -> str:
        return person_text(row.person) if row.person else gettext("Shared")

    @admin.display(description=_("Frequency"))
    def frequency_text(self, row: Channel) -> str:
        return str(Frequency(row.frequency).label)

    def complete_rows(self, rows: list[Any]) -> None:
        reach = Reach.read()
        for row in rows:
            row.taken, row.reach = reach.rules_of(row), reach

    @admin.display(description=_("State"))
    def status(self, row: Any) -> SafeString:
        return badge(*status_of(row, row.taken, row.reach))

    @admin.display(description=_("Last sent"))
    def last_sent(self, row: Channel) -> SafeString | str:
        return ago(row.last_sent_at) or gettext("Never")

    # The page
    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """A shared channel is for whatever people should know."""
        return {"notices": self.may_share(request), **super().get_changeform_initial_data(request)}

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        """Whose it is is a question only to those who may make shared ones."""
        if self.may_share(request):
            return self.fieldsets
        return ((None, {"fields": ("name", "address", "active")}), *self.fieldsets[1:])

    def get_form(self, request: HttpRequest, obj: Channel | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"editor": request.user})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "digest_time":
            kwargs["widget"] = forms.TimeInput({"type": "time", "class": "dm-input"}, format="%H:%M")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in LABELS:
            field.label, field.help_text = LABELS[db_field.name]
        return field

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        told = self._page_context(request, row) if row else {}
        context = {**context, **told, "show_history": False, "may_share": self.may_share(request)}
        context |= {"has_mail_server": has_mail_server(), "no_server": no_server_text()}
        _show_supported_addresses(context["adminform"].form, context)
        return super().render_change_form(request, context, *args, **kwargs)

    def _page_context(self, request: HttpRequest, row: Channel) -> dict[str, Any]:
        reach = Reach.read()
        taken = reach.rules_of(row)
        word, tone, why = status_of(row, taken, reach)
        sent: list[Any] = list(OutboxMessage.objects.filter(target=row.pk).order_by("-created_at")[:LAST])
        for one in sent:
            one.badge, one.event_text = state_badge(one), event_name(one.event_type)
        waiting = DigestItem.objects.filter(channel=row, digest=None).count() if row.next_digest_at else 0
        return {
            **{"word": word, "tone": tone, "why": why, "sent": sent},
            "may_act": self.has_change_permission(request, row),
            "is_awaited": row.pk in reach.asked,
            "is_muted": row.pk in reach.muted,
            "taken": received_text(row, taken),
            "is_fresh": tone in ("good", "info") and bool(taken) and not sent,
            "offered": [] if taken else offered(reach, row),
            "severity": severity_from(row.min_severity),
            "waiting": waiting_text(waiting),
        }

    def save_model(self, request: HttpRequest, obj: Channel, form: forms.ModelForm[Any], change: bool) -> None:
        if not self.may_share(request):
            obj.person_id = request.user.pk
        self._warn(request, obj, form)
        if form.cleaned_data["address"]:
            set_address(obj, form.cleaned_data["address"])
        obj.created_at = obj.created_at or timezone.now()
        obj.next_digest_at = next_digest(obj, timezone.now())
        super().save_model(request, obj, form, change)
        verb = "changed" if change else "made"
        words = (
            gettext("Channel %(name)s changed. Address: %(address)s")
            if change
            else gettext("Channel %(name)s created: %(address)s")
        )
        note(request, obj, f"channel.{verb}", words % {"name": obj, "address": obj.display_address})
        count_unnotified()
        ask(request, obj)

    def response_add(self, request: HttpRequest, obj: Channel, post_url_continue: str | None = None) -> HttpResponse:
        """To its page, where a test is one click away. Where nothing can be sent, only the warning is true."""
        if IS_POPUP_VAR in request.POST or "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        if not without_server([obj]):
            messages.success(request, gettext("Channel “%(name)s” added.") % {"name": obj})
        return HttpResponseRedirect(reverse("admin:monitoring_channel_change", args=[obj.pk]))

    def _warn(self, request: HttpRequest, row: Channel, form: forms.ModelForm[Any]) -> None:
        """Of what is no longer delivered; before it is saved."""
        address = form.cleaned_data["address"]
        found = list(removal_warnings(row, removed_from(row, address))) if address else []
        if "active" in form.changed_data and not row.active:
            found += rules_left_without([row.pk])
        for warning in found:
            messages.warning(request, warning)

    def before_removal(self, request: HttpRequest, rows: Sequence[Channel]) -> None:
        super().before_removal(request, rows)
        for warning in rules_left_without([row.pk for row in rows]):
            messages.warning(request, warning)
        cancel_messages(row.pk for row in rows)

    def after_removal(self) -> None:
        count_unnotified()

    def act(self, request: HttpRequest, row: Channel, action: str) -> Outcome:
        outcome = super().act(request, row, action)
        count_unnotified()
        return outcome


LABELS: dict[str, tuple[Any, Any]] = {
    "person": (_("Owner"), _("Leave empty to share the channel with all users.")),
    "all_rules": (
        _("All rules"),
        _(
            "If this option is off, the channel receives only alerts from rules in which the channel is "
            "selected. A personal channel always receives its owner's assigned alerts and alerts about "
            "companies they own."
        ),
    ),
    "notices": (
        _("Problems of D&B Monitoring, and portfolio notices"),
        _("Problems of D&B Monitoring, reminders of contract anniversaries and other notices."),
    ),
    "min_severity": (
        _("Minimum severity"),
        _(
            "Alerts of lower severity are not sent and appear only under Alerts. Problems of D&B Monitoring "
            "and portfolio notices are not filtered."
        ),
    ),
    "digest_time": (_("Digest time"), _("Leave empty for 08:00.")),
    "digest_day": (_("Digest day"), ""),
}


def visible_channels(request: HttpRequest) -> QuerySet[Channel]:
    """Those that a person may use in a rule: shared ones and their own."""
    return Channel.objects.filter(Q(person=None) | Q(person=request.user.pk)).order_by("name", "id")
