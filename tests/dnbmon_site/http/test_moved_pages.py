"""Addresses of before lead on, with all that follows them."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import resolve

from core.models import SavedFilter
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.http.moved_pages import MOVED

IMPORT = "/portfolio/subjectimport/01a22710-ad0c-7555-9a3f-556eacce9276"


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
        ("/portfolio/auditentry/?action=want&what=dispatch", "/core/auditentry/?action=request&what=outboxmessage"),
        ("/monitoring/dispatch/?state=parked&kind=webhook", "/monitoring/outboxmessage/?state=dead&kind=webhook"),
        ("/monitoring/dailycount/1/change/", "/monitoring/dailystat/1/change/"),
        ("/portfolio/subject/?state=refused&wanted=yes", "/portfolio/subject/?state=refused&requested=yes"),
        ("/portfolio/subject/?columns=duns,wanted&q=a%2Cb", "/portfolio/subject/?columns=duns,requested&q=a,b"),
        ("/monitoring/delivery/?state=doubtful", "/monitoring/delivery/?state=in_doubt"),
        ("/monitoring/replaypass/?purpose=repair", "/monitoring/replaypass/?purpose=recovery"),
        (f"{IMPORT}/change/?verdict=repaired", f"{IMPORT}/change/?validation=reformatted"),
        ("/health/help/use/roles.md", "/help/use/roles.md"),
        (f"{IMPORT}/verdicts.csv", f"{IMPORT}/validations.csv"),
        (f"{IMPORT}/verdicts.xlsx?x=1", f"{IMPORT}/validations.xlsx?x=1"),
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
    assert now == "help" or any(
        f"{model._meta.app_label}/{model._meta.model_name}".startswith(now) for model in admin.site._registry
    )


@pytest.mark.parametrize(
    "page",
    [
        "/portfolio/subject/?requested=yes&q=wanted",
        "/monitoring/delivery/?state=in_doubt&q=a%2Cb",
        "/portfolio/company/?wanted=yes",
        f"{IMPORT}/validations.csv?validation=requested",
    ],
)
def test_what_is_asked_for_by_its_name_of_now_stays(client: Client, page: str) -> None:
    assert client.get(page).status_code == 302, "to the sign-in"


def test_what_is_sent_is_not_sent_elsewhere(client: Client) -> None:
    assert client.post("/portfolio/subject/?wanted=yes").status_code == 302


@pytest.mark.django_db
def test_pages_that_stay_do_not_move(admin: Client) -> None:
    for page in ("/portfolio/", "/portfolio/company/", "/core/export/", "/accounts/user/"):
        assert admin.get(page).status_code == 200, page
    for model in (User, ApiKey, SavedFilter):
        page = f"/{model._meta.app_label}/{model._meta.model_name}"
        assert admin.get(page).headers["Location"] == f"{page}/", "a slash is added as before"
    assert admin.get("/dnbmon_site/user", follow=True).status_code == 200
