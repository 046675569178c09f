"""What the caller of the API sees: the rows of their business units, or all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from core.visibility import Scope, scope_of, visible_to

M = TypeVar("M", bound=Model)


def scope_for(request: Request) -> Scope:
    """Of the key, else of the user who is signed in."""
    return scope_of(request.auth or request.user)


def seen_by(request: Request, rows: QuerySet[M]) -> QuerySet[M]:
    return visible_to(scope_for(request), rows)


def seen_in(context: Mapping[str, Any], rows: QuerySet[M]) -> QuerySet[M]:
    """For the fields of parameters: without a request, what is read belongs to the site itself."""
    request = context.get("request")
    return rows if request is None else seen_by(request, rows)
