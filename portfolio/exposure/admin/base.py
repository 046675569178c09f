"""Who may see money, and who may change it, is the same on all pages about it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core.admin.base import ReadOnlyAdmin
from portfolio.exposure.days import BadDay, read_day

VIEW = "portfolio.view_exposure"
CHANGE = "portfolio.change_exposure"


class ExposureAdmin(ReadOnlyAdmin):
    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(VIEW)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may_change(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE)


class WithDay:
    """A form with the day from which amounts count, as people and files write it."""

    cleaned_data: dict[str, Any]

    def clean_as_of(self) -> date:
        try:
            return read_day(self.cleaned_data["as_of"])
        except BadDay as error:
            raise ValidationError(str(error)) from error
