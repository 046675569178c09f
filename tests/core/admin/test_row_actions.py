"""The buttons of every page that has some: known to the admin, posted to, and only for those who may."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import UUIDField
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from core.admin.base import PageAdmin
from core.admin.row_actions import Outcome, RowActions, demand, keys_of
from portfolio.models import Company

ADMINS: list[Any] = [one for one in admin.site._registry.values() if isinstance(one, RowActions)]


@pytest.fixture(params=ADMINS, ids=lambda one: one.opts.model_name)
def page(request: pytest.FixtureRequest) -> Any:
    return request.param


def address(page: Any, action: str) -> str:
    key = uuid.uuid4() if isinstance(page.opts.pk, UUIDField) else "000000000"
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_do", args=[key, action])


def test_each_page_says_what_its_buttons_do(page: Any) -> None:
    assert page.row_actions


def test_no_button_is_a_link(page: Any, admin_client: Client) -> None:
    for action in page.row_actions:
        assert admin_client.get(address(page, action)).status_code == 405


def test_no_button_works_without_its_row(page: Any, admin_client: Client) -> None:
    for action in page.row_actions:
        assert admin_client.post(address(page, action)).status_code == 404


class SomeAdmin(RowActions, PageAdmin):
    """Of any table, with buttons that say what they were given."""

    may = True

    def may_act(self, request: Any, row: Any, action: str) -> bool:
        return self.may

    def object_or_404(self, request: Any, object_id: str) -> Any:
        return Company(duns="804735132")


def pressed(action: str, outcome: Outcome, *, may: bool = True) -> tuple[Any, list[tuple[int, str]]]:
    page, told = SomeAdmin(Company, admin.site), []
    page.row_actions, page.may = {"press": lambda request, row: outcome}, may
    request: Any = RequestFactory().post("/")
    request.user = User()

    class Messages:
        def add(self, level: int, message: str, extra_tags: str) -> None:
            told.append((level, message))

    request._messages = Messages()
    return page.do(request, "804735132", action), told


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("Done.", [(messages.SUCCESS, "Done.")]),
        ((messages.WARNING, "Not yet."), [(messages.WARNING, "Not yet.")]),
    ],
)
def test_tells_how_it_went_and_shows_the_row_again(outcome: Outcome, told: list[Any]) -> None:
    answer, said = pressed("press", outcome)
    assert (answer.url, said) == (reverse("admin:portfolio_company_change", args=["804735132"]), told)


def test_an_answer_of_its_own_is_given_as_it_is() -> None:
    own = HttpResponse("a secret, once")
    assert pressed("press", own) == (own, [])


def test_nothing_is_done_without_the_right_or_by_another_word() -> None:
    with pytest.raises(PermissionDenied):
        pressed("press", "Done.", may=False)
    with pytest.raises(Http404):
        pressed("pull", "Done.")
    with pytest.raises(PermissionDenied):
        demand(False)


def test_keys_are_read_or_not_there() -> None:
    key = uuid.uuid4()
    assert keys_of([str(key)]) == [key]
    with pytest.raises(Http404):
        keys_of([str(key), "no key"])
