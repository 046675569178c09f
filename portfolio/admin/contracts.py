"""The account at D&B in the admin. Registrations and companies are shown in `monitoring`, with what D&B says."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portfolio.models import Contract
from portfolio.pages import ModelAdmin


@admin.register(Contract)
class ContractAdmin(ModelAdmin):
    list_display = ("name", "prefix", "base_url", "calls_per_second", "anniversary", "contracted_number")
    fieldsets = (
        ("Account", {"fields": ("name", "prefix", "base_url", "calls_per_second")}),
        ("Contract year", {"fields": ("anniversary", "contracted_number")}),
        ("Repair", {"fields": ("overlap", "settle")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "base_url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Contract | None = None) -> tuple[str, ...]:
        """The name is the key that everything else refers to."""
        return ("name",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return False
