"""The account at D&B in the admin. Registrations and companies are shown in `monitoring`, with what D&B says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import PageAdmin
from core.admin.exports import ExportedList
from core.audit import record_edit
from core.fields import with_default
from core.text import counted
from portfolio.billing.admin.contract_year import ContractYearPage
from portfolio.dnb_client import may_see_account, setting
from portfolio.models import Contract

# What retention has left, for who wants to look back.
KEPT = ("bytes_kept_from", "history_kept_from")
# In days; what is longer is for ever, and before the calendar begins.
KEEPING, LONGEST_KEPT = ("keep_bytes", "keep_history"), 36_500


class ContractForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    def clean_base_url(self) -> str:
        address = str(self.cleaned_data["base_url"])
        if address and not may_see_account(address):
            raise ValidationError(
                gettext(
                    "Enter an address at dnb.com, such as https://plus.dnb.com: D&B's key and secret are sent there. "
                    "Other addresses must be set in the environment."
                )
            )
        return address


@admin.register(Contract)
class ContractAdmin(ContractYearPage, ExportedList, PageAdmin):
    form = ContractForm
    list_display = ("name", "prefix", "base_url", "calls_per_second", "anniversary", "contracted", "addition_limit")
    ordering = ("name",)
    fieldsets = (
        (_("Account"), {"fields": ("name", "prefix", "base_url", "calls_per_second")}),
        (_("Contract year"), {"fields": ("anniversary", "contracted_number")}),
        (_("Limits for one user"), {"fields": ("cap", "removal_share")}),
        (_("Sending to D&B"), {"fields": ("batch_threshold",)}),
        (_("Family trees"), {"fields": ("chain_refreshes",)}),
        (_("Recovery"), {"fields": ("overlap", "recovery_delay")}),
        (_("Data retention"), {"fields": ("keep_bytes", "keep_history", *KEPT)}),
    )

    @admin.display(description=_("Contracted number"))
    def contracted(self, row: Contract) -> str:
        return "–" if row.contracted_number is None else counted(row.contracted_number)

    @admin.display(description=_("Addition limit for one user"))
    def addition_limit(self, row: Contract) -> str:
        return counted(row.cap)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "base_url":
            kwargs["assume_scheme"] = "https"
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.help_text = with_default(db_field, str(field.help_text))
        if field and db_field.name in KEEPING:
            field.validators.append(MaxValueValidator(LONGEST_KEPT))
        return field

    def get_form(self, request: HttpRequest, obj: Contract | None = None, change: bool = False, **kwargs: Any) -> Any:
        """What the environment has set goes before the row, which has to be seen here."""
        form = super().get_form(request, obj, change, **kwargs)
        pace = setting(obj, "CALLS_PER_SECOND") if obj else ""
        if obj and pace and (field := form.base_fields.get("calls_per_second")):
            words = gettext("%(name)s in the environment is set to %(pace)s and overrides this value.")
            field.help_text = words % {"name": f"{obj.prefix}_CALLS_PER_SECOND", "pace": pace}
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Contract | None = None) -> tuple[str, ...]:
        """The name is the key that everything else refers to."""
        return ("name", *KEPT) if obj else KEPT

    def has_delete_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Contract, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        record_edit(request, obj, form, is_change=change)
