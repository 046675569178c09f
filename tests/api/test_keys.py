"""Who gets in: programs by a valid key with the scope for it, people who are signed in as staff."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dnbmon_site.models import ApiKey, User
from tests.api.programs import Program

pytestmark = pytest.mark.django_db
PATHS = [
    "companies/",
    "companies/804735132/",
    "companies/804735132/changes/",
    "companies/804735132/profile/",
    "notifications/",
    "changes/",
]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_comes_in_without_a_key(stranger: Program, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer dnbmon_12345678_abc",
        "Bearer dnbmon_\0_abc",
        "Bearer dnbmon_é_abc",
        "Basic YTpi",
        "Token x",
        "Bearer a b",
    ],
)
def test_what_is_no_key_does_not_open(header: str) -> None:
    answer = Client().get("/api/v1/changes/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer


def test_a_key_opens_until_it_is_revoked(key: tuple[ApiKey, str]) -> None:
    row, plain = key
    headers = {"Authorization": f"bearer {plain}"}
    assert Client().get("/api/v1/changes/", headers=headers).status_code == 200
    row.revoke()
    answer = Client().get("/api/v1/changes/", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_key_opens_until_it_expires(a_program: Callable[..., Program]) -> None:
    now = timezone.now()
    assert a_program(expires_at=now + timedelta(hours=1)).get("changes/").status_code == 200
    assert a_program(expires_at=now - timedelta(seconds=1)).get("changes/").status_code == 401


@pytest.mark.parametrize(
    ("scopes", "status"), [("read", 200), ("write, read", 200), ("write", 403), ("", 403), ("reader", 403)]
)
def test_reading_takes_the_scope_read(a_program: Callable[..., Program], scopes: str, status: int) -> None:
    assert a_program(scopes=scopes).get("changes/").status_code == status


def test_a_key_is_no_person(program: Program) -> None:
    assert program.client.get("/", headers=program.headers).status_code == 302


def test_staff_who_are_signed_in_come_in(client: Client) -> None:
    user = User.objects.create_user("ann", is_staff=True)
    client.force_login(user)
    assert client.get("/api/v1/changes/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_staff=False)
    assert client.get("/api/v1/changes/").status_code == 403
    User.objects.filter(pk=user.pk).update(is_staff=True, is_active=False)
    assert client.get("/api/v1/changes/").status_code == 401


def test_a_wrong_key_is_refused_even_for_staff(client: Client) -> None:
    client.force_login(User.objects.create_user("ann", is_staff=True))
    assert client.get("/api/v1/changes/", headers={"Authorization": "Bearer x"}).status_code == 401
