"""Who may see money, and who may change it, is the same on all pages about it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from core.admin.base import ReadOnlyAdmin

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
