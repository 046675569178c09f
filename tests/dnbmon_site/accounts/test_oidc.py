"""Signing in with the company's sign-in service: over real HTTP, with real tokens, true ones and false ones."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from axes.models import AccessLog
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from core.models import AuditEntry
from core.outbound import connections, http
from dnbmon_site.accounts import oidc, roles
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.oidc_settings import backends, read_roles, refuse_half_made
from tests.servers.openid_providers import Provider, begun

pytestmark = pytest.mark.django_db


def signed_in(client: Client | None = None) -> Client:
    client = client or Client()
    client.answer = client.get(begun(client))  # type: ignore[attr-defined]
    return client


def words(client: Client) -> str:
    return client.get("/login/").text


def is_in(client: Client) -> bool:
    return client.get("/portfolio/company/").status_code == 200


def test_a_new_person_comes_in_with_the_roles_of_her_groups(provider: Provider) -> None:
    provider.person |= {"email": "ann@example.com", "given_name": "Ann", "family_name": "Lee"}
    client = signed_in()
    assert client.answer["Location"] == "/portfolio/company/"  # type: ignore[attr-defined]
    assert is_in(client)
    ann = User.objects.get()
    assert (ann.username, ann.email, ann.get_full_name(), ann.is_staff, ann.is_superuser) == (
        "ann", "ann@example.com", "Ann Lee", True, False,
    )  # fmt: skip
    assert [role.name for role in ann.groups.all()] == [roles.ANALYST]
    assert not ann.has_usable_password()
    assert set(AuditEntry.objects.values_list("action", "actor")) == {
        ("person.added", "single sign-on"), ("person.roles", "single sign-on"),
    }  # fmt: skip


def test_groups_may_stand_in_the_token_alone(provider: Provider) -> None:
    del provider.person["groups"]
    provider.token_lies["groups"] = ["it"]
    provider.document_lies["userinfo_endpoint"] = None
    signed_in()
    assert [role.name for role in User.objects.get().groups.all()] == [roles.OPERATOR]


def test_roles_follow_the_groups_and_those_given_by_hand_stay(provider: Provider) -> None:
    signed_in()
    ann = User.objects.get()
    ann.groups.add(Group.objects.create(name="Night shift"))
    provider.person["groups"] = ["everybody"]
    signed_in()
    assert {role.name for role in ann.groups.all()} == {roles.VIEWER, "Night shift"}


def test_the_same_person_is_known_by_the_services_word_not_by_a_name(provider: Provider) -> None:
    signed_in()
    provider.person |= {"preferred_username": "someone", "email": "new@example.com"}
    signed_in()
    assert User.objects.get().username == "ann"
    provider.person |= {"sub": "ann-2", "preferred_username": "ann"}
    signed_in()
    assert set(User.objects.values_list("username", flat=True)) == {"ann", "ann-2"}


@pytest.mark.parametrize("verified", [True, False, None, "true"])
def test_who_was_here_before_is_found_by_a_verified_address_only(provider: Provider, verified: Any) -> None:
    before = User.objects.create_user("boss", "Ann@Example.com", "secret words")
    before.groups.add(Group.objects.get(name=roles.VIEWER))
    provider.person |= {"email": "ann@example.com", "email_verified": verified}
    signed_in()
    before.refresh_from_db()
    assert (before.oidc_subject is not None) == (verified is True)
    assert User.objects.count() == (1 if verified is True else 2)


@pytest.mark.parametrize("stronger", ["a superuser", "another role", "deactivated"])
def test_an_address_opens_no_account_that_is_stronger_or_deactivated(provider: Provider, stronger: str) -> None:
    before = User.objects.create_user("boss", "ann@example.com", "secret words")
    before.is_superuser, before.is_active = stronger == "a superuser", stronger != "deactivated"
    before.save()
    if stronger == "another role":
        before.groups.add(Group.objects.get(name=roles.OPERATOR))
    provider.person |= {"email": "ann@example.com", "email_verified": True}
    client = signed_in()
    before.refresh_from_db()
    assert before.oidc_subject is None and User.objects.count() == 1 and not is_in(client)
    assert ("is deactivated" if stronger == "deactivated" else "has more permissions") in words(client)


def test_a_superuser_is_found_by_an_address_when_a_group_grants_everything(provider: Provider, settings: Any) -> None:
    before = User.objects.create_superuser("boss", "ann@example.com", "secret words")
    settings.OIDC_ROLES = {"admins": roles.ADMINISTRATOR}
    provider.person |= {"email": "ann@example.com", "email_verified": True, "groups": ["admins"]}
    assert is_in(signed_in())
    before.refresh_from_db()
    assert before.oidc_subject is not None


def test_without_a_role_no_account_is_linked(provider: Provider) -> None:
    before = User.objects.create_user("boss", "ann@example.com", "secret words")
    provider.person |= {"email": "ann@example.com", "email_verified": True, "groups": []}
    assert "have no role" in words(signed_in())
    before.refresh_from_db()
    assert before.oidc_subject is None


def test_an_id_that_is_too_long_is_refused_in_words(provider: Provider) -> None:
    provider.person["sub"] = "x" * 600
    client = signed_in()
    assert not is_in(client) and not User.objects.exists()
    assert "is too long" in words(client)


MALFORMED: dict[str, dict[str, Any]] = {
    "a number for groups": {"userinfo_lies": {"groups": 7}},
    "objects for groups": {"userinfo_lies": {"groups": [{"name": "credit"}]}},
    "a list for an address": {"userinfo_lies": {"email": ["ann@example.com"], "email_verified": True, "groups": ["x"]}},
    "a number for a token address": {"document_lies": {"token_endpoint": 7}},
    "no keys": {"document_lies": {"jwks_uri": None}},
    "a list for keys": {"document_lies": {"jwks_uri": []}},
    "a text for an end": {"token_lies": {"exp": "soon"}},
    "a number without end": {"token_lies": {"exp": 1e400}},
    "an object for an ID": {"token_lies": {"sub": {"a": 1}}},
}


@pytest.mark.parametrize("lie", MALFORMED)
def test_an_answer_out_of_shape_ends_at_the_login_page(provider: Provider, lie: str) -> None:
    for name, value in MALFORMED[lie].items():
        setattr(provider, name, value)
    oidc._provider.cache_clear()
    client = signed_in()
    assert client.answer["Location"] == "/login/"  # type: ignore[attr-defined]
    assert not is_in(client) and not User.objects.exists()


def test_a_description_out_of_shape_ends_at_the_login_page(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provider, "document", lambda self: ["not", "an", "object"])
    oidc._provider.cache_clear()
    client = Client()
    assert client.get("/sign-in/")["Location"] == "/login/"
    assert "cannot be reached" in words(client)


@pytest.mark.every_engine
@pytest.mark.parametrize("address", [".*", ".*@example.com"])
def test_a_pattern_is_nobodys_address(provider: Provider, address: str) -> None:
    User.objects.create_superuser("boss", "ann@example.com", "secret words")
    provider.person |= {"email": address, "email_verified": True}
    signed_in()
    assert User.objects.get(username="boss").oidc_subject is None


def test_without_a_role_nobody_comes_in_or_is_written_down(provider: Provider) -> None:
    provider.person["groups"] = ["choir"]
    client = signed_in()
    assert not is_in(client) and not User.objects.exists()
    assert "have no role" in words(client)


def test_who_has_lost_all_roles_stays_outside(provider: Provider) -> None:
    signed_in()
    provider.person["groups"] = []
    assert not is_in(signed_in())
    ann = User.objects.get()
    assert not ann.is_staff and not ann.groups.exists()


def test_who_was_made_inactive_stays_outside_and_is_out_at_once(provider: Provider) -> None:
    before = signed_in()
    User.objects.update(is_active=False)
    assert not is_in(before) and not is_in(signed_in())


LIES: dict[str, dict[str, Any]] = {
    "another program's": {"token_lies": {"aud": "other"}},
    "several programs', not ours": {"token_lies": {"aud": ["a", "b"]}},
    "another service's": {"token_lies": {"iss": "https://elsewhere.example.com"}},
    "expired": {"token_lies": {"exp": int(time.time()) - 1}},
    "without an end": {"token_lies": {"exp": None}},
    "of another sign-in": {"token_lies": {"nonce": "x"}},
    "nobody's": {"token_lies": {"sub": None}},
    "signed by somebody else": {"signs_with": "another"},
    "unsigned": {"algorithm": "none"},
    "signed with the secret": {"algorithm": "HS256"},
    "contradicted": {"userinfo_lies": {"sub": "bob-1"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_token_lets_nobody_in(provider: Provider, lie: str) -> None:
    for name, value in LIES[lie].items():
        setattr(provider, name, value)
    client = signed_in()
    assert not is_in(client) and not User.objects.exists()
    assert "Login failed" in words(client)


def test_the_way_back_works_once_and_only_in_the_browser_that_began(provider: Provider) -> None:
    client = Client()
    back = begun(client)
    assert not is_in(signed_in_at(Client(), back))
    assert is_in(signed_in_at(client, back))
    assert not is_in(signed_in_at(Client(), back))


def signed_in_at(client: Client, back: str) -> Client:
    assert client.get(back).status_code == 302
    return client


def test_who_says_no_there_is_not_in_here(provider: Provider) -> None:
    client = Client()
    begun(client)
    assert client.get("/sign-in/back/?error=access_denied&state=x")["Location"] == "/login/"
    assert "Login failed" in words(client)


def test_a_link_to_elsewhere_is_not_followed(provider: Provider) -> None:
    client = Client()
    assert client.get(begun(client, "https://elsewhere.example.com/"))["Location"] == "/"


def test_a_service_that_is_away_is_said_so(settings: Any) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    oidc._provider.cache_clear()
    client = Client()
    assert client.get("/sign-in/")["Location"] == "/login/"
    assert "cannot be reached" in words(client)


def test_a_service_of_another_name_is_not_believed(provider: Provider) -> None:
    provider.document_lies["issuer"] = "https://elsewhere.example.com"
    assert Client().get("/sign-in/")["Location"] == "/login/"


def test_pages_ask_nothing_of_the_service(provider: Provider) -> None:
    client = signed_in()
    oidc._provider.cache_clear()
    provider.asked.clear()
    assert is_in(client) and provider.asked == []


def test_it_stands_among_the_sign_ins(provider: Provider, settings: Any) -> None:
    settings.AXES_ENABLED = True
    signed_in()
    assert AccessLog.objects.get().username == "ann"


def test_a_service_in_our_own_network_is_asked_when_a_setting_names_it(provider: Provider, settings: Any) -> None:
    settings.PRIVATE_HOSTS = []
    oidc._provider.cache_clear()
    assert Client().get("/sign-in/")["Location"] == "/login/"
    assert provider.asked == []
    settings.PRIVATE_HOSTS = ["127.0.0.1"]
    assert is_in(signed_in())


def test_every_question_to_the_service_goes_through_the_guarded_place(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    oidc._provider.cache_clear()
    connected: list[str] = []

    def connect(host: str, port: int) -> socket.socket:
        connected.append(host)
        return connections.connect(host, port)

    monkeypatch.setattr(http, "connect", connect)
    assert is_in(signed_in())
    asked = [path for path in provider.asked if path != "/begin"]
    assert sorted(set(asked)) == ["/.well-known/openid-configuration", "/keys", "/me", "/token"]
    assert len(connected) == len(asked)


# Without passwords


def test_passwords_can_be_switched_off(provider: Provider, settings: Any, client: Client) -> None:
    User.objects.create_superuser("boss", "boss@example.com", "secret words")
    settings.LOCAL_LOGIN = False
    settings.AUTHENTICATION_BACKENDS = backends(issuer=provider.issuer, local_login=False)
    page = client.get("/login/?next=/portfolio/company/").text
    assert "id_password" not in page and "/sign-in/?next=%2Fportfolio%2Fcompany%2F" in page
    client.post("/login/", {"username": "boss", "password": "secret words"})
    assert not is_in(client)
    assert client.get("/password_reset/").status_code == 404
    assert is_in(signed_in())


def test_without_a_service_there_is_no_button_and_no_address(client: Client) -> None:
    assert "/sign-in/" not in client.get("/login/").text
    assert client.get("/sign-in/").status_code == client.get("/sign-in/back/?code=a&state=b").status_code == 404


SOUND: dict[str, Any] = {
    "issuer": "https://id.example.com", "client_id": "a", "secret": "b", "roles": {"x": "Viewer"}, "local_login": False,
    "development": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": ""}, "no one can sign in"),
        ({"client_id": "", "secret": ""}, "OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        ({"roles": {}}, "OIDC_ROLES"),
        ({"roles": {"x": ""}}, "OIDC_ROLES"),
        ({"issuer": "http://id.example.com"}, "https://"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(changed: dict[str, Any], said: str) -> None:
    refuse_half_made(**SOUND)
    with pytest.raises(ImproperlyConfigured, match=said):
        refuse_half_made(**{**SOUND, **changed})


def test_roles_are_read_from_a_line() -> None:
    assert read_roles(" credit-team = Analyst, it=Operator,") == {"credit-team": "Analyst", "it": "Operator"}
