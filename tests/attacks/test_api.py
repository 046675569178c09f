"""Attacks on the API and its keys, each of which got through once."""

import re
import secrets
from typing import Any, NamedTuple

import pytest
import requests

from tests.attacks.production import Browser, Production

PREPARE = """
from django.contrib.auth import get_user_model
from dnbmon_site.accounts.models import ApiKey
admin = get_user_model().objects.get(username="api-admin")
_, plain = ApiKey.issue(name="attacked", scopes="read,write:references", created_by=admin)
old, before = ApiKey.issue(name="from before", scopes="read", created_by=admin)
ApiKey.objects.filter(pk=old.pk).update(scopes="read, write, everything")
print(plain, before)
"""
SHOWN = re.compile(r"dnbmon_[0-9a-f]{8}_[0-9a-f]{64}")
FORM = {"budget": 0, "calls_per_minute": 600}


class Attacked(NamedTuple):
    """An administrator, the key of a program, and a key from when scopes were free text."""

    admin: Browser
    key: str
    key_from_before: str


@pytest.fixture(scope="module")
def attacked(production: Production) -> Attacked:
    admin = production.person("api-admin", superuser=True)
    key, before = production.inside(PREPARE).split()[-2:]
    return Attacked(admin, key, before)


def ask(production: Production, method: str, path: str, key: str = "", **options: Any) -> requests.Response:
    browser = production.stranger()
    if key:
        browser.headers["Authorization"] = f"Bearer {key}"
    return browser.ask(path, method, **options)


def test_scopes_are_ticked_from_a_list(attacked: Attacked) -> None:
    for scopes in (["read", "write"], ["*"], ["read,pull"]):
        answer = attacked.admin.submit("/accounts/apikey/add/", {"name": "free", "scopes": scopes, **FORM})
        assert answer.status_code == 200 and not SHOWN.search(answer.text)


def test_a_scope_from_before_that_does_not_exist_opens_nothing(production: Production, attacked: Attacked) -> None:
    key = attacked.key_from_before
    assert ask(production, "GET", "/api/v1/companies/", key).status_code == 200
    answer = ask(production, "PUT", "/api/v1/references/", key, json={})
    assert answer.status_code == 403 and "write:references" in answer.json()["detail"]
    assert "has no effect" in attacked.admin.ask("/").text, "whoever issues keys sees it"


def test_a_key_is_in_no_cookie(production: Production, attacked: Attacked) -> None:
    data: dict[str, object] = {"name": "once", "scopes": ["read"], **FORM}
    answer = attacked.admin.submit("/accounts/apikey/add/", data)
    assert "messages" not in answer.headers.get("Set-Cookie", ""), "whose text anybody may decode"
    (key,) = set(SHOWN.findall(answer.text))
    assert "no-store" in answer.headers["Cache-Control"]
    assert ask(production, "GET", "/api/v1/companies/", key).status_code == 200
    assert not SHOWN.search(attacked.admin.ask("/accounts/apikey/").text), "and is never shown again"


def test_no_answer_is_given_again_after_the_scope_was_taken_away(production: Production, attacked: Attacked) -> None:
    body = {"references": [{"duns": "804735132", "system": "crm", "id": "attacked"}]}
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    first = ask(production, "PUT", "/api/v1/references/", attacked.key, json=body, headers=headers)
    assert first.status_code == 200, first.text
    production.inside(
        "from dnbmon_site.accounts.models import ApiKey; ApiKey.objects.filter(name='attacked').update(scopes='read')"
    )
    again = ask(production, "PUT", "/api/v1/references/", attacked.key, json=body, headers=headers)
    assert again.status_code == 403, again.text


def test_no_answer_is_kept_on_the_way(production: Production, attacked: Attacked) -> None:
    for path in ("v1/companies/", "v1/registrations/NONE/", "v1/nothing/", "v1/alerts/", "schema/"):
        answer = ask(production, "GET", f"/api/{path}", attacked.key)
        assert answer.headers["Cache-Control"] == "no-store", path


def test_strangers_do_not_see_what_there_is(production: Production, attacked: Attacked) -> None:
    for path in ("/api/schema/", "/api/docs/", "/api/docs/?script=", "/api/schema", "/api/docs"):
        for key in ("", "dnbmon_00000000_" + "0" * 64):
            answer = ask(production, "GET", path, key)
            assert answer.status_code in (302, 401) and "/api/v1/" not in answer.text, path
        assert ask(production, "GET", path, attacked.key).status_code == 200
        assert attacked.admin.ask(path).status_code == 200
