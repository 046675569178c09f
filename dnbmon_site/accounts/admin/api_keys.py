"""API keys in the admin: scopes to select, and the key itself on one answer only."""

from __future__ import annotations

from collections.abc import Iterable
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

from core.admin.base import PageAdmin, Secret, shown_once
from core.admin.boxes import TextBoxes
from core.admin.row_actions import Outcome, RowActions, confirmation
from core.api.scopes import SCOPES, split_scopes
from core.markup import ago, badge, exact
from core.text import ago as ago_text
from core.text import counted, moment_text
from dnbmon_site.accounts.api_key_rights import RIGHT_TO_SPEND, held, may_hold, scopes_beyond, unknown_words
from dnbmon_site.accounts.audit import Audited, audit
from dnbmon_site.accounts.models import ApiKey, User
from portfolio.billing.api_budget import Purse
from portfolio.models import Contract

WHAT_STOPS = _("Systems that use these keys lose access to the API immediately. You cannot undo this.")
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
        help_text=_("Select only the scopes that the system needs."),
        error_messages={"required": _("Select at least one scope. A key without scopes has no access.")},
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
                gettext("You lack the permissions behind %(scopes)s. Clear them, or ask another administrator.")
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


def _revoke(request: HttpRequest, key: ApiKey) -> Outcome:
    asked = asked_to_revoke(request, [key], back=reverse("admin:accounts_apikey_change", args=[key.pk]))
    if asked:
        return asked
    key.revoke()
    audit(request, key, "revoked")
    return gettext("The API key was revoked.")


def asked_to_revoke(request: HttpRequest, keys: Iterable[ApiKey], *, back: str) -> HttpResponse | None:
    rows = [_with_last_use(key) for key in keys]
    title, button = gettext("Revoke API keys"), gettext("Revoke keys")
    if len(rows) == 1:
        title, button = gettext("Revoke API key"), gettext("Revoke key")
    return confirmation(request, title=title, warning=WHAT_STOPS, button=button, back=back, rows=rows)


@admin.register(ApiKey)
class ApiKeyAdmin(RowActions, Audited, PageAdmin):
    row_actions = {"revoke": _revoke}
    change_form_template = "dnbmon_site/accounts/api_key.html"
    form = ApiKeyForm
    list_display = ("name", "prefix", "may", "issuer", "state", "created", "expires", "used")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    empty_title = _("No API keys yet")
    empty_text = _("Add a key for each system that uses the API. The key is shown once.")
    readonly_fields = ("prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("rotate", "revoke")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Used keys stay on record; they are revoked, not deleted."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_hold(request.user, obj))

    def may_act(self, request: HttpRequest, row: ApiKey, action: str) -> bool:
        """As in the list: a key with more rights than one's own may be revoked all the same."""
        return self.has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        key = self.object_or_404(request, object_id)
        may_revoke = self.may_act(request, key, "revoke") and not key.revoked_at
        context = {"badge": state_badge(key), "budget_lines": budget_lines(key), "may_revoke": may_revoke}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

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
        issued, valid = [], list(ApiKey.objects.valid().filter(pk__in=[row.pk for row in queryset]))
        if len(own := list(held(request.user, valid))) < len(valid):
            messages.error(
                request,
                gettext("Some keys have scopes beyond your permissions. Ask another administrator to rotate them."),
            )
        for key in own:
            issued.append(Secret(key.name, key.rotate(by=person(request))))
            self.audit(request, key, "rotated")
        return keys_shown(request, issued) if issued else None

    @admin.action(description=_("Revoke keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        asked = asked_to_revoke(request, queryset, back=reverse("admin:accounts_apikey_changelist"))
        if asked:
            return asked
        for key in queryset:
            key.revoke()
            self.audit(request, key, "revoked")
        text = ngettext("%(count)s API key was revoked.", "%(count)s API keys were revoked.", len(queryset))
        messages.success(request, text % {"count": counted(len(queryset))})
        return None


def _with_last_use(key: ApiKey) -> str:
    used = ago_text(key.last_used_at) if key.last_used_at else gettext("Never")
    return gettext("%(name)s, last used: %(used)s") % {"name": key, "used": used}


def person(request: HttpRequest) -> User:
    return User.objects.get(username=request.user.get_username())


def keys_shown(request: HttpRequest, issued: list[Secret]) -> HttpResponse:
    back = reverse("admin:accounts_apikey_changelist")
    note = gettext("Send it with each request in the header “Authorization: Bearer dnbmon_…”.")
    lead = ngettext("This is the API key.", "These are the API keys.", len(issued))
    return shown_once(request, issued, title=gettext("New API key"), lead=lead, note=note, back=back)
