"""API keys in the admin: scopes to select, and the key itself on one answer only."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin.base import PageAdmin, Secret
from core.admin.boxes import TextBoxes
from core.admin.row_actions import RowActions
from core.api.scopes import SCOPES, split_scopes
from core.audit import entries_about
from core.markup import ago, badge, exact
from core.models import BusinessUnit
from core.text import counted, moment_text
from dnbmon_site.accounts.admin.api_key_actions import (
    asked_to_revoke,
    asked_to_rotate,
    end_old_key,
    keys_shown,
    old_key_text,
    person,
    revoke_key,
    revoked,
    rotate_key,
    rotated,
)
from dnbmon_site.accounts.api_key_rights import RIGHT_TO_SPEND, held, may_hold, scopes_beyond, unknown_words
from dnbmon_site.accounts.audit import Audited
from dnbmon_site.accounts.models import ApiKey, masked
from portfolio.billing.api_budget import Purse
from portfolio.models import Contract

MAY_AUDIT = "core.view_auditentry"
KEYS_IN_UNITS = _(
    "A new key returns no data until you select it in a business unit or give it access under “Business units”."
)
KEYS_SEE_ALL = _(
    "The key sees all registrations. To limit it to some of them, create a business unit under “Business units”."
)
CHOSEN = ("scopes", "expires_at", "budget", "calls_per_minute")


def scope_choices() -> list[tuple[str, SafeString]]:
    return [(name, format_html("<code>{}</code> {}", name, sentence)) for name, sentence in SCOPES.items()]


class DayOrMomentField(forms.SplitDateTimeField):
    """A day without a time lasts until its end, for who enters it."""

    def compress(self, data_list: Any) -> Any:
        if data_list and data_list[0] and data_list[1] in self.empty_values:
            data_list = (data_list[0], time(23, 59))
        return super().compress(data_list)


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    # Who fills it in; set for each request.
    actor: Any
    scopes = TextBoxes(
        label=_("Scopes"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        choices=scope_choices,
        help_text=_("Select only the scopes that the system needs."),
        error_messages={"required": _("Select at least one scope. A key without scopes has no access.")},
    )

    class Meta:
        model = ApiKey
        fields = ("name", *CHOSEN)
        field_classes = {"expires_at": DayOrMomentField}
        help_texts = {
            "expires_at": _(
                "Leave empty for a key that does not expire. Without a time, it expires at the end of the day."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["scopes"] = split_scopes(self.initial.get("scopes") or "")
        if not self.instance.pk:
            reach = KEYS_IN_UNITS if BusinessUnit.objects.exists() else KEYS_SEE_ALL
            self.fields["scopes"].help_text = f"{self.fields['scopes'].help_text} {reach}"
        if self.instance.unknown_scopes:
            self.fields["scopes"].help_text = unknown_words(self.instance)

    def clean_scopes(self) -> str:
        scopes = str(self.cleaned_data["scopes"])
        if refused := scopes_beyond(self.actor, split_scopes(scopes)):
            raise forms.ValidationError(
                gettext(
                    "You do not have the permissions that these scopes require: %(scopes)s. Clear the "
                    "scopes, or ask another administrator."
                )
                % {"scopes": ", ".join(f"“{name}”" for name in refused)}
            )
        return scopes

    def clean_budget(self) -> int:
        budget = int(self.cleaned_data["budget"])
        if budget and not self.actor.has_perm(RIGHT_TO_SPEND):
            raise forms.ValidationError(
                gettext("A budget requires the permission to confirm imports. Enter 0, or ask another administrator.")
            )
        return budget


def state_badge(key: ApiKey) -> SafeString:
    if key.revoked_at:
        return badge(gettext("Revoked"), "calm", moment_text(key.revoked_at))
    if key.expires_at and key.expires_at <= timezone.now():
        return badge(gettext("Expired"), "warn", moment_text(key.expires_at))
    return badge(gettext("Active"), "good")


def budget_lines(key: ApiKey) -> list[str]:
    """How much of the budget is used in each contract's present year."""
    contracts = list(Contract.objects.order_by("pk"))
    words = gettext("%(used)s of %(budget)s used this contract year")
    lines = []
    for contract in contracts:
        used = Purse(key.pk, key.budget, contract).used()
        line = words % {"used": counted(used), "budget": counted(key.budget)}
        lines.append(line if len(contracts) == 1 else f"{contract}: {line}")
    return lines


@admin.register(ApiKey)
class ApiKeyAdmin(RowActions, Audited, PageAdmin):
    row_actions = {"rotate": rotate_key, "end-old-key": end_old_key, "revoke": revoke_key}
    change_form_template = "dnbmon_site/accounts/api_key.html"
    form = ApiKeyForm
    list_display = ("name", "shown_key", "may", "issuer", "state", "created", "expires", "used")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    empty_title = _("No API keys yet")
    empty_text = _("Add a key for each system that uses the API. The key is shown once.")
    readonly_fields = ("shown_key", "created_by", "created_at", "used", "revoked_at")
    actions = ("rotate", "revoke")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Used keys stay on record; they are revoked, not deleted."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A revoked key stays as it was: nothing in it has an effect any more."""
        may_change = obj is None or (not obj.revoked_at and may_hold(request.user, obj))
        return super().has_change_permission(request, obj) and may_change

    def may_act(self, request: HttpRequest, row: ApiKey, action: str) -> bool:
        """As in the list: a key with more rights than one's own may be ended all the same, but not shown."""
        if action == "rotate":
            return row.is_valid and self.has_change_permission(request, row)
        return not row.revoked_at and self.has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return tuple(name for name in self.readonly_fields if name != "revoked_at" or obj.revoked_at)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        key = self.object_or_404(request, object_id)
        context = {
            "badge": state_badge(key),
            "budget_lines": budget_lines(key),
            "old_key": old_key_text(key),
            "may_rotate": self.may_act(request, key, "rotate"),
            "may_revoke": self.may_act(request, key, "revoke"),
            "entries": entries_about(key) if request.user.has_perm(MAY_AUDIT) else [],
            "show_history": False,
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that knows who fills it in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    @admin.display(description=_("Beginning of the key"), ordering="prefix")
    def shown_key(self, key: ApiKey) -> SafeString:
        old = old_key_text(key)
        return format_html("<code>{}</code>{}", masked(key.prefix), format_html("<br>{}", old) if old else "")

    @admin.display(description=_("Scopes"), ordering="scopes")
    def may(self, key: ApiKey) -> SafeString | str:
        known = [name for name in split_scopes(key.scopes) if name in SCOPES]
        shown = gettext("All scopes") if len(known) == len(SCOPES) else ", ".join(known)
        if not key.unknown_scopes:
            return shown
        return format_html("{} {}", shown, badge(", ".join(key.unknown_scopes), "warn", unknown_words(key)))

    @admin.display(description=_("Issued by"), ordering="created_by")
    def issuer(self, key: ApiKey) -> SafeString | str:
        if not key.is_orphaned:
            return str(key.created_by)
        words = gettext("This user may still have a copy of the key. Rotate the key to replace it with a new one.")
        return format_html(
            "{} {}", key.created_by or gettext("Deleted user"), badge(gettext("Deactivated"), "warn", words)
        )

    @admin.display(description=_("State"))
    def state(self, key: ApiKey) -> SafeString:
        return state_badge(key)

    @admin.display(description=_("Created"), ordering="created_at")
    def created(self, key: ApiKey) -> SafeString | str:
        return ago(key.created_at)

    @admin.display(description=_("Expires"), ordering="expires_at")
    def expires(self, key: ApiKey) -> SafeString | str:
        return exact(key.expires_at) or gettext("Never")

    @admin.display(description=_("Last used"), ordering="last_used_at")
    def used(self, key: ApiKey) -> SafeString | str:
        return ago(key.last_used_at) or gettext("Never")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        chosen = {name: getattr(obj, name) for name in CHOSEN}
        row, plain = ApiKey.issue(name=obj.name, created_by=person(request), **chosen)
        obj.pk = row.pk
        obj.refresh_from_db()
        obj.plain = plain

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return keys_shown(request, [Secret(obj.name, obj.plain)])

    @admin.action(description=_("Rotate keys (old keys stay valid for 7 days)"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        valid = list(ApiKey.objects.valid().filter(pk__in=[row.pk for row in queryset]))
        if len(own := list(held(request.user, valid))) < len(valid):
            messages.error(
                request,
                gettext("Some keys have scopes beyond your permissions. Ask another administrator to rotate them."),
            )
        if not own:
            return None
        asked = asked_to_rotate(request, own, back=reverse("admin:accounts_apikey_changelist"))
        return asked or keys_shown(request, [rotated(request, key) for key in own])

    @admin.action(description=_("Revoke keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        keys = list(queryset)
        asked = asked_to_revoke(request, keys, back=reverse("admin:accounts_apikey_changelist"))
        if asked:
            return asked
        for key in keys:
            revoked(request, key)
        text = ngettext("%(count)s API key was revoked.", "%(count)s API keys were revoked.", len(keys))
        messages.success(request, text % {"count": counted(len(keys))})
        return None
