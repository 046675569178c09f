"""Tier rules: what each would change is shown, and confirmed by its number, before it is enabled or disabled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.actors import actor_of
from core.admin.base import PageAdmin
from core.admin.row_actions import Outcome, RowActions
from core.audit import record_edit, record_removal
from core.markup import badge
from monitoring.decisions.admin.company import SET_TIER
from monitoring.decisions.current import TIER_TONES
from monitoring.decisions.rules import conditions_text, summary_of, switch_rule, would_change
from monitoring.decisions.tiers import tier_text
from monitoring.models import TierRule
from portfolio.companies.columns import SEE_EXPOSURE
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

SHOWN = 50
FIELDS = ("name", "tier", "exposure_from", "failure_class_from", "country", "tag")


class TierRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    class Meta:
        model = TierRule
        fields = FIELDS

    def clean_country(self) -> str:
        code = str(self.cleaned_data["country"]).strip().upper()
        if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise ValidationError(gettext("Enter a two-letter country code, such as DE."))
        return code


def _switch(request: HttpRequest, row: TierRule, *, enabled: bool) -> Outcome:
    number = request.POST.get("confirmed", "")
    try:
        confirmed = int(number) if number.isdecimal() and len(number) < 9 else -1
        changed = switch_rule(row, enabled=enabled, confirmed=confirmed, by=actor_of(request))
    except Refused as error:
        return messages.ERROR, str(error)
    words = gettext("Rule enabled. Tier changed for %(companies)s.")
    if not enabled:
        words = gettext("Rule disabled. Tier changed for %(companies)s.")
    return words % {"companies": plurals.companies(changed)}


def _changed(rule: TierRule, form: forms.ModelForm[Any]) -> int:
    """What the form asks for, while the rule is disabled: whoever enabled it confirmed it as it was."""
    values = {name: getattr(rule, name) for name in form.fields}
    return TierRule.objects.filter(pk=rule.pk, is_enabled=False).update(**values)


@admin.register(TierRule)
class TierRuleAdmin(RowActions, PageAdmin):
    form = TierRuleForm
    row_actions = {
        "enable": lambda request, row: _switch(request, row, enabled=True),
        "disable": lambda request, row: _switch(request, row, enabled=False),
    }
    list_display = ("name", "shown_tier", "conditions", "status")
    ordering = ("name",)
    sortable_by = ()
    change_form_outer_after_template = "monitoring/decisions/rule_changes.html"
    kept_text = (_("The companies, and tiers set by users"),)
    empty_title = _("No tier rules yet")
    empty_text = _("A tier rule sets the tier of companies by exposure, failure score class, country or tag.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """A limit of exposure, and who is above it, is for those who may see money."""
        rows = super().get_queryset(request)
        return rows if request.user.has_perm(SEE_EXPOSURE) else rows.filter(exposure_from=None)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in FIELDS if name != "exposure_from" or request.user.has_perm(SEE_EXPOSURE)]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rule that is enabled stays as it was confirmed."""
        return super().has_change_permission(request, obj) and not (obj and obj.is_enabled)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_enabled)

    def get_actions(self, request: HttpRequest) -> Any:
        """Several would be deleted without a look at which are enabled."""
        return {}

    def may_act(self, request: HttpRequest, row: TierRule, action: str) -> bool:
        return request.user.has_perms(("monitoring.change_tierrule", SET_TIER))

    @admin.display(description=_("Tier"))
    def shown_tier(self, row: TierRule) -> SafeString:
        return badge(row.get_tier_display(), TIER_TONES[Tier(row.tier)])

    @admin.display(description=_("Conditions"))
    def conditions(self, row: TierRule) -> str:
        return conditions_text(row)

    @admin.display(description=_("State"))
    def status(self, row: TierRule) -> SafeString:
        return badge(gettext("Enabled"), "good") if row.is_enabled else badge(gettext("Disabled"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, object_id)
        context = self._changes(request, row) if row and request.method == "GET" else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _changes(self, request: HttpRequest, row: TierRule) -> dict[str, Any]:
        found = would_change(row, enabled=not row.is_enabled)
        names = Company.objects.in_bulk([one.duns for one in found[:SHOWN]])
        return {
            "rule": row,
            "changes": [
                (names.get(one.duns) or Company(duns=one.duns), tier_text(one.before), tier_text(one.after))
                for one in found[:SHOWN]
            ],
            "count": len(found),
            "more": max(len(found) - SHOWN, 0),
            "sums": summary_of(found),
            "may_switch": self.may_act(request, row, ""),
        }

    def save_model(self, request: HttpRequest, obj: TierRule, form: forms.ModelForm[Any], change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
        elif not _changed(obj, form):
            raise PermissionDenied(
                gettext(
                    "Your changes were not saved: another user has changed this rule since you opened "
                    "the page. Reload the page."
                )
            )
        record_edit(request, obj, form, is_change=change)

    def delete_model(self, request: HttpRequest, obj: TierRule) -> None:
        record_removal(request, [obj])
        super().delete_model(request, obj)
