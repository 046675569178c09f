"""Rows that are deleted on their page or from the list: what both ways have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.base import KeyedAdmin
from core.audit import record_removal

if TYPE_CHECKING:
    Base = KeyedAdmin
else:
    Base = object


class WatchedRemoval(Base):
    """For an admin that does something before or after rows go (before other bases)."""

    def before_removal(self, request: HttpRequest, rows: Sequence[Any]) -> None: ...

    def after_removal(self) -> None: ...

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.before_removal(request, [obj])
        super().delete_model(request, obj)
        self.after_removal()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.before_removal(request, list(queryset))
        super().delete_queryset(request, queryset)
        self.after_removal()


class RecordedRemoval(WatchedRemoval):
    """Into the audit, by name and key."""

    def before_removal(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        record_removal(request, rows)
