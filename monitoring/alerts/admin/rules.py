"""Alert rules: made and changed in a form, tried on the past, switched on, reset to their defaults."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action

from core.admin.base import PageAdmin
from core.admin.deletion import Part
from core.admin.filters import choice_filter
from core.admin.removal import WatchedRemoval
from core.admin.row_actions import RowActions, demand
from core.audit import record
from core.markup import badge, two_lines
from core.outbound.mail_server import mail_server_context
from core.text import counted
from monitoring.alerts.admin.effectiveness import EffectivenessPages, with_outcomes
from monitoring.alerts.admin.filters import ChoosesUsers, notifiable
from monitoring.alerts.admin.reach import (
    below_severity_texts,
    recipients_cell,
    recipients_context,
    recipients_of,
    waiting_texts,
)
from monitoring.alerts.admin.rule_changes import changes_of, content_of
from monitoring.alerts.admin.rule_filters import OriginFilter, visible_rules
from monitoring.alerts.admin.rule_form import LABELS, RuleForm, set_channels
from monitoring.alerts.admin.rule_starts import StartsFromDefaults
from monitoring.alerts.admin.unmatchable import unmatchable_texts
from monitoring.alerts.default_rules import is_changed, reset, restore_default_rules
from monitoring.alerts.reach import Reach, count_unnotified, people_of
from monitoring.alerts.rule_preview import try_rule, with_exposure
from monitoring.alerts.rules import rule_text, scope_text
from monitoring.elements.paths import Mistake
from monitoring.models import AlertRule, Severity
from monitoring.outbox.admin.channels import visible_channels

TRY = "save_and_try"
# What unfold calls that button.
TRY_BUTTON = f"monitoring_alertrule_{TRY}"
SHORT = ("companies", "tags", "description")


def _switch_on(request: HttpRequest, row: AlertRule) -> str:
    switch([row], on=True, by=name_of(request))
    return gettext("Rule “%(name)s” enabled.") % {"name": row.name}


def _switch_off(request: HttpRequest, row: AlertRule) -> str:
    switch([row], on=False, by=name_of(request))
    return gettext("Rule “%(name)s” disabled.") % {"name": row.name}


def _reset(request: HttpRequest, row: AlertRule) -> str:
    reset_rule(row, by=name_of(request))
    return gettext("Rule “%(name)s” reset to default.") % {"name": row.name}


@admin.register(AlertRule)
class AlertRuleAdmin(StartsFromDefaults, EffectivenessPages, ChoosesUsers, RowActions, WatchedRemoval, PageAdmin):
    form = RuleForm
    list_display = ("what", "severity_badge", "status", "scope", "notified", "not_relevant")
    list_display_links = ("what",)
    list_filter = (
        OriginFilter,
        choice_filter("severity", Severity.choices[::-1], _("severity")),
        choice_filter("active", [("True", _("Enabled")), ("False", _("Disabled"))], _("state")),
    )
    ordering = ("-severity", "name")
    sortable_by = ()
    row_actions = {"on": _switch_on, "off": _switch_off, "reset": _reset}
    actions = ("switch_selected_on", "switch_selected_off", "reset_selected")
    actions_submit_line = (TRY,)
    list_before_template = "monitoring/alerts/rules_intro.html"
    change_form_template = "monitoring/alerts/rule.html"
    empty_title = _("No rules yet")
    deleted_with = {"monitoring.rulechannel": Part(_("Selection of channels"), "channel")}
    kept_text = (_("Alerts that the rule raised"), _("The channels and users that it notified"))
    empty_template = "monitoring/alerts/rules_empty.html"
    fieldsets = (
        (None, {"fields": ("name", "description", "severity")}),
        (_("Changes"), {"fields": ("kinds", "elements", "combination", "conditions")}),
        (
            _("Companies"),
            {"fields": ("unit", "registrations", "companies", "tags", "countries", "min_exposure", "group_only")},
        ),
        (
            _("Notifications"),
            {
                "fields": (
                    *("grouping", "notify_owner", "notify_users", "channels", "escalate_to"),
                    *("quiet_from", "quiet_until", "quiet_zone"),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("restore/", view(require_POST(self.restore)), name="monitoring_alertrule_restore"),
            path("<uuid:key>/try/", view(self.try_on_the_past), name="monitoring_alertrule_try"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        return visible_rules(request, super().get_queryset(request))

    # The list
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), **mail_server_context()})

    def complete_rows(self, rows: list[Any]) -> None:
        reach, people = Reach.read(), people_of(rows)
        with_outcomes(rows)
        for row in rows:
            row.channels = reach.channels_of(row)
            row.recipients = recipients_of(row, reach, people.get(row.pk, []))

    @admin.display(description=_("Rule"))
    def what(self, row: AlertRule) -> SafeString:
        return two_lines(row.name, rule_text(row))

    @admin.display(description=_("Severity"))
    def severity_badge(self, row: AlertRule) -> SafeString:
        severity = Severity(row.severity)
        return badge(severity.label, severity.name.lower())

    @admin.display(description=_("State"))
    def status(self, row: AlertRule) -> SafeString:
        return badge(gettext("Enabled"), "good") if row.active else badge(gettext("Disabled"), "calm")

    @admin.display(description=_("Companies"))
    def scope(self, row: AlertRule) -> str:
        return scope_text(row)

    @admin.display(description=_("Notifications"))
    def notified(self, row: Any) -> SafeString | str:
        return recipients_cell(row)

    @admin.action(description=_("Enable"), permissions=["change"])
    def switch_selected_on(self, request: HttpRequest, queryset: QuerySet[AlertRule]) -> None:
        count = switch(list(queryset), on=True, by=name_of(request))
        text = ngettext("%(count)s rule enabled.", "%(count)s rules enabled.", count)
        messages.success(request, text % {"count": counted(count)})

    @admin.action(description=_("Disable"), permissions=["change"])
    def switch_selected_off(self, request: HttpRequest, queryset: QuerySet[AlertRule]) -> None:
        count = switch(list(queryset), on=False, by=name_of(request))
        messages.success(
            request,
            ngettext("%(count)s rule disabled.", "%(count)s rules disabled.", count) % {"count": counted(count)},
        )

    @admin.action(description=_("Reset to default"), permissions=["change"])
    def reset_selected(self, request: HttpRequest, queryset: QuerySet[AlertRule]) -> None:
        count = sum(reset_rule(row, by=name_of(request)) for row in queryset)
        messages.success(
            request, ngettext("%(count)s rule reset.", "%(count)s rules reset.", count) % {"count": counted(count)}
        )

    # The form
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without money for those who may not see it."""
        found = super().get_fieldsets(request, obj)
        if request.user.has_perm("portfolio.view_exposure"):
            return found
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name != "min_exposure")})
            for title, options in found
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"usable": visible_channels(request), **notifiable(request.user)})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("quiet_from", "quiet_until"):
            kwargs["widget"] = forms.TimeInput({"type": "time", "class": "dm-input"}, format="%H:%M")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.Field) and db_field.name in LABELS:
            field.label, field.help_text = LABELS[db_field.name]
        if field and db_field.name in SHORT:
            field.widget.attrs["rows"] = 2
        return field

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        told = _form_context(row) if row else {}
        may_act = self.has_change_permission(request)
        context = {**context, **told, "may_act": may_act, "show_history": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: AlertRule, form: forms.ModelForm[Any], change: bool) -> None:
        obj.changed_at = timezone.now()
        obj.created_by = obj.created_by or name_of(request)
        super().save_model(request, obj, form, change)
        set_channels(obj, form.cleaned_data["channels"], visible_channels(request))
        if not change or form.changed_data:
            before, after = changes_of(form, is_change=change)
            note(obj, "changed" if change else "made", by=name_of(request), before=before, after=after)
        for words in [*unmatchable_texts(obj), *below_severity_texts(obj, Reach.read().below_severity(obj))]:
            messages.warning(request, words)
        count_unnotified()

    def before_removal(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            form = self.get_form(request, row, change=True)(instance=row)
            note(row, "deleted", by=name_of(request), before=content_of(form), after={})

    def after_removal(self) -> None:
        count_unnotified()

    @action(description=_("Save and test on history"))  # type: ignore[untyped-decorator]  # unfold's
    def save_and_try(self, request: HttpRequest, obj: AlertRule) -> None:
        """Saving is all that is to be done; the answer leads to the page."""

    def response_add(self, request: HttpRequest, obj: AlertRule, post_url_continue: str | None = None) -> HttpResponse:
        return self._to_trial(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: AlertRule) -> HttpResponse:
        return self._to_trial(request, obj) or super().response_change(request, obj)

    def _to_trial(self, request: HttpRequest, obj: AlertRule) -> HttpResponse | None:
        """After making one, too: it is off until somebody has seen what it would raise."""
        is_new = request.resolver_match is not None and request.resolver_match.url_name == "monitoring_alertrule_add"
        if TRY_BUTTON in request.POST or (
            is_new and "_addanother" not in request.POST and "_continue" not in request.POST
        ):
            return HttpResponseRedirect(reverse("admin:monitoring_alertrule_try", args=[obj.pk]))
        return None

    # What people do
    def try_on_the_past(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        row = self.object_or_404(request, str(key))
        try:
            trial, mistake = try_rule(row), ""
            trial = with_exposure(trial) if request.user.has_perm("portfolio.view_exposure") else trial
        except Mistake as error:
            trial, mistake = None, gettext("Character %(at)s: %(error)s") % {"at": error.at, "error": error}
        context = {"row": row, "trial": trial, "mistake": mistake, "words": rule_text(row), "scope": scope_text(row)}
        context |= {
            "warnings": unmatchable_texts(row),
            "proposed": request.GET.urlencode(),
            **recipients_context(row, Reach.read()),
        }
        may_act = self.has_change_permission(request, row)
        title = gettext("Test on history: %(name)s") % {"name": row.name}
        return self.page(request, "monitoring/alerts/rule_preview.html", title=title, may_act=may_act, **context)

    def restore(self, request: HttpRequest) -> HttpResponse:
        demand(self.has_add_permission(request))
        count = restore_default_rules()
        count_unnotified()
        messages.success(
            request,
            ngettext("%(count)s default rule restored.", "%(count)s default rules restored.", count)
            % {"count": counted(count)}
            if count
            else gettext("All default rules are already present."),
        )
        return HttpResponseRedirect(reverse("admin:monitoring_alertrule_changelist"))


def name_of(request: HttpRequest) -> str:
    return request.user.get_username()


def _form_context(row: AlertRule) -> dict[str, Any]:
    """What stands above the form."""
    reach = Reach.read()
    return {
        **recipients_context(row, reach),
        "words": rule_text(row),
        "scope": scope_text(row),
        "is_changed": is_changed(row),
        "warnings": [
            *unmatchable_texts(row),
            *waiting_texts(reach.waiting_of(row), reach),
            *below_severity_texts(row, reach.below_severity(row)),
        ],
    }


def switch(rows: list[AlertRule], *, on: bool, by: str) -> int:
    changing = [row for row in rows if row.active != on]
    for row in changing:
        AlertRule.objects.filter(pk=row.pk).update(active=on, changed_at=timezone.now())
        note(row, "on" if on else "off", by=by)
    count_unnotified()
    return len(changing)


def reset_rule(row: AlertRule, *, by: str) -> bool:
    done = reset(row)
    if done:
        note(row, "reset", by=by)
        count_unnotified()
    return done


# As the audit tells it, by what was done.
DONE: dict[str, str | Promise] = {
    "made": _("Alert rule %(name)s created"),
    "changed": _("Alert rule %(name)s changed"),
    "on": _("Alert rule %(name)s enabled"),
    "off": _("Alert rule %(name)s disabled"),
    "reset": _("Alert rule %(name)s reset to default"),
    "deleted": _("Alert rule %(name)s deleted"),
}


def note(row: AlertRule, deed: str, *, by: str, **sides: dict[str, Any]) -> None:
    """`sides` are what was before and after."""
    record(actor=by, action=f"rule.{deed}", thing=row, summary=str(DONE[deed]) % {"name": row.name}, **sides)
