"""What pages may load: nothing from elsewhere, no script inside a page, and more than the strict policy only where a
library needs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.test import Client

from core.uploads import is_too_large
from dnbmon_site.accounts.models import ApiKey, User
from monitoring.outbox.addresses import unsubscribe_link
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.support import PROGRAM, ROOT

pytestmark = pytest.mark.django_db
FENCES = {"base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "object-src 'none'"}
STRICT = {"default-src 'none'", "style-src 'self'", "img-src 'self'", *FENCES}
UNFOLD = {"default-src 'self'", "script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'", *FENCES}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE)


def policy(path: str, client: Client | None = None) -> set[str]:
    answer = (client or Client()).get(path)
    return set(answer["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize(
    "path",
    ["/health/live", "/health/ready", "/metrics", "/nowhere/", "/api/nowhere/", "/api/v1/companies/",
     "/api/docs/problems/", "/static/dnbmon/plain.css", "/api/schema/", "/password_reset/", "/password_reset/done/",
     "/reset/a/b/", "/reset/done/"],
)  # fmt: skip
def test_what_unfold_does_not_draw_is_strict(path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    assert policy(path, client) == STRICT


def test_the_page_behind_a_link_in_mail_is_strict() -> None:
    path = unsubscribe_link(a_channel()).removeprefix("http://localhost:8000")
    assert policy(path) == STRICT


@pytest.mark.parametrize("path", ["/login/"])
def test_unfolds_pages_get_the_two_words_it_needs(path: str) -> None:
    assert policy(path) == UNFOLD


@pytest.mark.parametrize(
    "path", ["/", "/portfolio/company/", "/portfolio/contract/year/", "/accounts/user/add/", "/health/"]
)
def test_so_do_the_pages_of_the_admin(path: str, admin_client: Client) -> None:
    assert policy(path, admin_client) == UNFOLD


def test_the_api_page_runs_no_script_of_its_own(admin_client: Client) -> None:
    assert policy("/api/docs/", admin_client) == UNFOLD
    page = admin_client.get("/api/docs/").text
    assert "dnbmon/api.js" in page
    assert not INLINE.search(page.partition("<main")[2].partition("</main>")[0] or page.partition("dm-page")[2])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(Http404("There is no such thing."), 404, "no such thing"), (RuntimeError("the inside"), 500, "went wrong")],
)
def test_error_pages_are_strict_and_plain(
    error: Exception, code: int, words: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr("monitoring.outbox.admin.unsubscribe.channel_of_token", broken)
    client.raise_request_exception = False
    answer = client.get("/monitoring/channel/unsubscribe/a-token/")
    assert answer.status_code == code and words in answer.text and "the inside" not in answer.text
    assert set(answer["Content-Security-Policy"].split("; ")) == STRICT


def test_what_dnb_and_people_write_is_text(admin_client: Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    a_registration(last_error=evil)
    delivered(a_seed(primaryName=evil), an_update(an_element(current=evil)))
    a_channel(name=evil)
    for path in ("/", f"/portfolio/company/{DUNS}/change/", "/portfolio/company/", "/monitoring/change/",
                 "/portfolio/registration/", "/monitoring/channel/", "/health/"):  # fmt: skip
        page = admin_client.get(path).text
        assert "<img src=x" not in page, path


def test_a_body_above_the_limit_is_not_read(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    _, key = ApiKey.issue(name="x", scopes="read")
    body = {"duns": ["804735132"] * 1000}
    answer = client.post(
        "/api/v1/companies/lookup/", body, "application/json", headers={"authorization": f"Bearer {key}"}
    )
    assert answer.status_code in (400, 413)
    assert client.post("/login/", {"username": "x" * 2000, "password": "y"}).status_code in (400, 413)


@pytest.mark.parametrize("signed_in", [False, True])
def test_strangers_upload_nothing(client: Client, admin_client: Client, signed_in: bool) -> None:
    """On any page: the form is read before a view is asked."""
    who = admin_client if signed_in else client
    file = SimpleUploadedFile("list.txt", b"804735132")
    request = who.post("/login/", {"file": file, "username": "ann"}).wsgi_request
    assert request.POST["username"] == "ann"
    assert ("file" in request.FILES, is_too_large(request)) == (signed_in, not signed_in)


def test_no_page_of_ours_has_a_script_inside() -> None:
    """The browser would not run it; the tests say so earlier."""
    ours = [*(ROOT / "templates").rglob("*.html"), *python_files()]
    found = {str(path.relative_to(ROOT)): INLINE.findall(path.read_text()) for path in ours}
    assert {path: words for path, words in found.items() if words} == {}


def python_files() -> list[Path]:
    return [path for folder in PROGRAM for path in (ROOT / folder).rglob("*.py")]
