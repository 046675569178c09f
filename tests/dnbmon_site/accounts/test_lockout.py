"""Whoever guesses passwords is stopped, by name, by address and by both; everybody else comes in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from core.models import AuditEntry
from dnbmon_site.accounts import roles
from dnbmon_site.accounts.jobs import forget_old_sign_ins
from dnbmon_site.accounts.lockout import address_of
from dnbmon_site.accounts.models import User
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted(settings: Any) -> None:
    settings.AXES_ENABLED = True


def tries(password: str, name: str = "ann", address: str = "192.0.2.7", **headers: str) -> Any:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/login/", form, **headers)  # type: ignore[arg-type]


def came_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302


def an_attempt(failed: int, name: str = "ann", address: str = "192.0.2.7", minutes: float = 1) -> AccessAttempt:
    row = AccessAttempt.objects.create(username=name, ip_address=address, failures_since_start=failed)
    AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=timezone.now() - timedelta(minutes=minutes))
    return row


@pytest.fixture
def ann() -> User:
    return User.objects.create_superuser("ann", "ann@example.com", "secret words")


def test_five_failures_lock_a_name_at_an_address_even_with_the_right_password(ann: User) -> None:
    answers = [tries("wrong") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    page = tries("secret words")
    assert page.status_code == 429 and page["Retry-After"] == "900"
    assert "Too many failed logins" in page.text and "15 minutes" in page.text
    assert came_in(tries("secret words", address="192.0.2.8")), "the person, elsewhere"
    assert came_in(tries("other words", "bob")) is False and tries("x", "bob").status_code == 200, "others there"


def test_another_browser_does_not_help(ann: User) -> None:
    codes = [tries("wrong", headers={"user-agent": f"browser {n}"}).status_code for n in range(5)]  # type: ignore[arg-type]
    assert codes[-1] == 429


def test_the_lock_ends_by_itself(ann: User) -> None:
    an_attempt(5, minutes=14)
    assert not came_in(tries("secret words"))
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert came_in(tries("secret words"))


def test_trying_on_makes_the_lock_no_longer(ann: User) -> None:
    row = an_attempt(5, minutes=14)
    before = AccessAttempt.objects.get(pk=row.pk).attempt_time
    tries("wrong")
    assert AccessAttempt.objects.get().attempt_time == before


def test_many_names_from_one_address_are_stopped(ann: User) -> None:
    for number in range(13):
        an_attempt(4, name=f"person {number}")
    assert tries("secret words").status_code == 429
    assert came_in(tries("secret words", address="192.0.2.8"))


def test_one_name_from_many_addresses_is_stopped(ann: User) -> None:
    for number in range(13):
        an_attempt(4, address=f"198.51.100.{number}")
    assert tries("secret words").status_code == 429


def test_who_comes_in_is_forgiven_and_nobody_else(ann: User) -> None:
    an_attempt(4)
    an_attempt(4, name="bob")
    an_attempt(4, address="192.0.2.8")
    assert came_in(tries("secret words"))
    assert set(AccessAttempt.objects.values_list("username", "ip_address")) == {
        ("bob", "192.0.2.7"),
        ("ann", "192.0.2.8"),
    }


def test_nothing_of_what_was_typed_is_kept(ann: User) -> None:
    for _ in range(2):
        tries("wrong words")
    row = AccessAttempt.objects.get()
    assert (row.get_data, row.post_data, row.failures_since_start) == ("", "", 2)


@pytest.mark.parametrize(
    ("behind", "told", "expected"),
    [
        (False, "203.0.113.9", "192.0.2.7"),
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "10.6.6.6, 203.0.113.9", "203.0.113.9"),
        (True, "nonsense", None),
        (True, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_only_the_proxys_own_word_counts(
    behind: bool, told: str, expected: str | None, rf: RequestFactory, settings: Any
) -> None:
    settings.BEHIND_PROXY = behind
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"x-forwarded-for": told})
    assert address_of(request) == expected


def test_an_administrator_sees_and_unlocks(ann: User, client: Client) -> None:
    row = an_attempt(5)
    an_attempt(2, name="carl")
    client.force_login(a_person(role=roles.ADMINISTRATOR))
    page = client.get("/axes/accessattempt/")
    assert "Blocked logins" in page.text and "Blocked" in page.text and "Not blocked" in page.text
    client.post("/axes/accessattempt/", {"action": "unlock", "_selected_action": [str(row.pk)]})
    assert came_in(tries("secret words"))
    entry = AuditEntry.objects.get(action="signin.unlocked")
    assert (entry.actor, entry.summary) == ("bob", "Login of ann from 192.0.2.7 unblocked")
    page = client.get("/axes/accesslog/")
    assert "ann" in page.text and "View blocked logins" in page.text


def test_a_wrong_password_is_named_without_djangos_words(ann: User, client: Client) -> None:
    text = client.post("/login/", {"username": "ann", "password": "other"}).text
    assert "The username or the password is wrong." in text and "staff" not in text


def test_what_is_over_is_forgotten(ann: User) -> None:
    assert came_in(tries("secret words"))
    an_attempt(5, name="bob", minutes=16)
    AccessLog.objects.update(attempt_time=timezone.now() - timedelta(days=91))
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert forget_old_sign_ins() == 1
    assert not AccessLog.objects.exists() and not AccessAttempt.objects.exists() and not Session.objects.exists()
