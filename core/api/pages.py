"""A page of a list in the API, and the cursor of the next: by key, or by the time that users know the rows by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from core.api.parameters import read_place
from core.lists.pagination import beyond, cut, read_key, write_token

Row = TypeVar("Row", bound=Model)


class PageSerializer(serializers.Serializer[Any]):
    """Beside the `results` of a list."""

    next = serializers.CharField(
        allow_null=True, help_text="Pass it as `after` for the next page; null on the last page."
    )


def page_by_key(
    rows: QuerySet[Row], asked: Mapping[str, Any], *, newest_first: bool = False
) -> tuple[list[Row], str | None]:
    rows = rows.order_by("-id" if newest_first else "id")
    if "after" in asked:
        rows = beyond(rows, ("id",), [read_key(asked["after"])], newest_first=newest_first)
    found, has_more = cut(rows, asked["limit"])
    return found, write_token([found[-1].pk.hex]) if has_more else None


def page_by_time(rows: QuerySet[Row], asked: Mapping[str, Any], field: str) -> tuple[list[Row], str | None]:
    """Latest first."""
    rows = rows.order_by(f"-{field}", "-id")
    if "after" in asked:
        rows = beyond(rows, (field, "id"), read_place(asked["after"]), newest_first=True)
    found, has_more = cut(rows, asked["limit"])
    return found, write_token([getattr(found[-1], field).isoformat(), found[-1].pk.hex]) if has_more else None
