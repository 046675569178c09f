"""Every list of the admin, asked all that can be asked of it, so that an engine that cannot answer a query says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.contrib import admin
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from dnbmon_site.accounts.models import User
from tests.builders.rows import a_row_of_each_model

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
# The codes of 250 countries are alike.
MOST = 12
TYPED = "2026-01-15"


def test_every_list_is_filtered_sorted_and_searched(rf: RequestFactory) -> None:
    a_row_of_each_model()
    ann = User.objects.create_superuser("ann")
    wrong = []
    for model, page in admin.site._registry.items():
        for query in queries_of(page, a_request(rf, ann)):
            try:
                list(page.get_changelist_instance(a_request(rf, ann, query)).result_list)
            except Exception as error:  # noqa: BLE001
                wrong.append(f"{model._meta.label}?{urlencode(query)}: {error!r}")
    assert wrong == [], "\n".join(wrong)


def a_request(rf: RequestFactory, user: User, query: dict[str, str] | None = None) -> Any:
    request: Any = rf.get("/", query or {})
    request.user, request.session = user, SessionStore()
    return request


def queries_of(page: Any, request: Any) -> Iterator[dict[str, str]]:
    changes = page.get_changelist_instance(request)
    yield {"q": "acme"}
    yield from ({"o": f"{sign}{number}"} for number in range(len(changes.list_display) + 1) for sign in ("", "-"))
    for found in changes.filter_specs:
        for choice in found.choices(changes):
            yield from chosen(choice)


def chosen(choice: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What a filter offers as a link, or as the fields of a form."""
    if "query_string" in choice:
        yield dict(parse_qsl(choice["query_string"].lstrip("?")))
    for name, field in choice["form"].fields.items() if "form" in choice else ():
        values = [str(value) for value, _ in getattr(field, "choices", [(TYPED, "")])]
        yield from ({name: value} for value in values[:MOST] if value)
