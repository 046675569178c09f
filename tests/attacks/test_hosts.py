"""What a request says about its host leads nobody elsewhere, and a page beside the program sends it no forms."""

import re
from http import HTTPStatus

import pytest

from tests.attacks.production import HOST, PASSWORD, Browser, Production

ELSEWHERE = "evil.example.org"


@pytest.fixture(scope="module")
def victim(production: Production) -> Browser:
    return production.person("host-victim", "Viewer")


@pytest.mark.parametrize("host", [ELSEWHERE, f"{HOST}:4444", f"{HOST}."])
def test_the_link_for_a_new_password_leads_to_the_site(host: str, production: Production, victim: Browser) -> None:
    stranger, before = production.stranger(), production.mails()
    headers = {"Host": host, "X-Forwarded-Host": ELSEWHERE, "Referer": f"https://{host}/password_reset/"}
    stranger.ask("/password_reset/", headers=headers)
    answer = stranger.submit("/password_reset/", {"email": "host-victim@example.com"}, headers=headers)
    assert answer.status_code == HTTPStatus.FOUND, answer.text
    (link,) = re.findall(r"\S+/reset/\S+", production.mails().removeprefix(before))
    assert link.startswith(f"https://{HOST}/reset/")
    assert ELSEWHERE not in production.mails() and ":4444" not in production.mails()


def test_a_page_below_an_allowed_domain_sends_no_form(production: Production, victim: Browser) -> None:
    """It may set a cookie for the whole domain, so the token alone proves nothing."""
    for sent in ({"Origin": f"https://{ELSEWHERE}"}, {"Referer": f"https://{ELSEWHERE}/"}):
        assert victim.submit("/my/", {"timezone": "UTC", "language": "en-gb"}, headers=sent).status_code == 403
    # By a name of its own it is the same program still.
    guest = production.stranger()
    headers = {"Host": "other.example.org", "Origin": "https://other.example.org"}
    guest.ask("/login/", headers=headers)
    answer = guest.submit("/login/", {"username": "host-victim", "password": PASSWORD}, headers=headers)
    assert answer.status_code == HTTPStatus.FOUND


def test_an_unknown_host_gets_a_page_that_leads_to_the_site(production: Production) -> None:
    page = production.stranger().ask("/login/", headers={"Host": "203.0.113.7<script>"})
    assert page.status_code == HTTPStatus.BAD_REQUEST
    assert f'href="https://{HOST}/"' in page.text and "ALLOWED_HOSTS" in page.text and "<script>" not in page.text
    said = production.stranger().ask("/api/v1/changes/", headers={"Host": ELSEWHERE[5:] + ".net"}).json()
    assert "ALLOWED_HOSTS" in said["detail"]
    assert production.stranger().ask("/health/live", headers={"Host": "10.1.2.3:8000"}).text == "alive\n"
