"""API keys in the admin: scopes to tick, and the key itself on one answer only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin.base import ModelAdmin, Secret, shown_once
from core.api.scopes import SCOPES, split_scopes
from core.markup import badge
from dnbmon_site.accounts.api_key_rights import RIGHT_TO_SPEND, held, may_hold, scopes_beyond, unknown_words
from dnbmon_site.accounts.audit import Audited
from dnbmon_site.accounts.models import ApiKey, User
from monitoring.alerts.admin.rule_form import TextBoxes

CHOSEN = ("scopes", "expires_at", "budget", "calls_per_minute")


def scope_choices() -> list[tuple[str, SafeString]]:
    return [(name, format_html("<code>{}</code> {}", name, sentence)) for name, sentence in SCOPES.items()]


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    # Who fills it in; set for each request.
    actor: Any
    scopes = TextBoxes(
        label=_("Scopes"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        choices=scope_choices,
        help_text=_("What the program may do. Tick no more than it needs."),
        error_messages={"required": _("Tick at least one: a key without a scope opens nothing.")},
    )

    class Meta:
        model = ApiKey
        fields = ("name", *CHOSEN)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["scopes"] = split_scopes(self.initial.get("scopes") or "")
        if self.instance.unknown_scopes:
            self.fields["scopes"].help_text = unknown_words(self.instance)

    def clean_scopes(self) -> str:
        scopes = str(self.cleaned_data["scopes"])
        if refused := scopes_beyond(self.actor, split_scopes(scopes)):
            raise forms.ValidationError(
                gettext("A key does no more than you may do yourself: not %(scopes)s. Ask somebody who may.")
                % {"scopes": ", ".join(f"“{name}”" for name in refused)}
            )
        return scopes

    def clean_budget(self) -> int:
        budget = int(self.cleaned_data["budget"])
        if budget and not self.actor.has_perm(RIGHT_TO_SPEND):
            raise forms.ValidationError(
                gettext("You may not confirm what is billed, so a key of yours has no budget. Ask somebody who may.")
            )
        return budget


@admin.register(ApiKey)
class ApiKeyAdmin(Audited, ModelAdmin):
    form = ApiKeyForm
    list_display = ("name", "prefix", "may", "issuer", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    readonly_fields = ("prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("rotate", "revoke")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key that was used belongs to the record; it is revoked, not removed."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_hold(request.user, obj))

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that knows who fills it in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    @admin.display(description=_("Scopes"), ordering="scopes")
    def may(self, key: ApiKey) -> SafeString | str:
        known = ", ".join(name for name in split_scopes(key.scopes) if name in SCOPES)
        if not key.unknown_scopes:
            return known
        return format_html("{} {}", known, badge(", ".join(key.unknown_scopes), "warn", unknown_words(key)))

    @admin.display(description=_("Issued by"), ordering="created_by")
    def issuer(self, key: ApiKey) -> SafeString | str:
        if not key.is_orphaned:
            return str(key.created_by)
        words = gettext("Whoever issued it may still have it. Rotate it: it then is another, issued by you.")
        return format_html("{} {}", key.created_by or "", badge(gettext("has left"), "warn", words))

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

    @admin.action(description=_("Rotate: a new key, the old one goes on for 7 days"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        issued, valid = [], list(ApiKey.objects.valid().filter(pk__in=[row.pk for row in queryset]))
        if len(own := list(held(request.user, valid))) < len(valid):
            messages.error(request, gettext("Keys that do more than you may do yourself are rotated by somebody else."))
        for key in own:
            issued.append(Secret(key.name, key.rotate(by=person(request))))
            self.audit(request, key, "rotated")
        return keys_shown(request, issued) if issued else None

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            key.revoke()
            self.audit(request, key, "revoked")


def person(request: HttpRequest) -> User:
    return User.objects.get(username=request.user.get_username())


def keys_shown(request: HttpRequest, issued: list[Secret]) -> HttpResponse:
    back = reverse("admin:accounts_apikey_changelist")
    note = gettext("It goes into each request: Authorization: Bearer dnbmon_…")
    return shown_once(request, issued, title=gettext("API key"), note=note, back=back)
