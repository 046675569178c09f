"""Addresses of before lead on, with all that follows them."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import resolve

from core.models import SavedFilter
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.http.moved_pages import MOVED


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("/portfolio/export/", "/core/export/"),
        ("/portfolio/export/0191/download/", "/core/export/0191/download/"),
        ("/portfolio/auditentry/?actor=ann&q=a%26b", "/core/auditentry/?actor=ann&q=a%26b"),
        ("/portfolio/auditentry/export/?format=csv", "/core/auditentry/export/?format=csv"),
        ("/portfolio/savedfilter/a%3Fc%25/change/?x=/portfolio/savedfilter/", None),
        ("/portfolio/notice/1/change/", "/core/notice/1/change/"),
        ("/dnbmon_site/user/add/?_popup=1", "/accounts/user/add/?_popup=1"),
        ("/dnbmon_site/apikey/", "/accounts/apikey/"),
        ("/dnbmon_site/", "/accounts/"),
    ],
)
def test_leads_on(client: Client, before: str, now: str | None) -> None:
    """Nobody needs to be signed in for that: who is not is asked at the page of now."""
    answer = client.get(before)
    assert answer.status_code == 301
    assert answer.headers["Location"] == (now or before.replace("portfolio", "core", 1))


@pytest.mark.parametrize("now", MOVED.values())
def test_leads_to_a_page_that_there_is(now: str) -> None:
    assert resolve(f"/{now}/").func.__name__ != "catch_all_view"
    assert any(f"{model._meta.app_label}/{model._meta.model_name}".startswith(now) for model in admin.site._registry)


@pytest.mark.django_db
def test_pages_that_stay_do_not_move(admin: Client) -> None:
    for page in ("/portfolio/", "/portfolio/company/", "/core/export/", "/accounts/user/"):
        assert admin.get(page).status_code == 200, page
    for model in (User, ApiKey, SavedFilter):
        page = f"/{model._meta.app_label}/{model._meta.model_name}"
        assert admin.get(page).headers["Location"] == f"{page}/", "a slash is added as before"
    assert admin.get("/dnbmon_site/user", follow=True).status_code == 200
