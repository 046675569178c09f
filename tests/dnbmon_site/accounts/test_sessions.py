"""A session is one person's, for a while, on one connection; a new password ends all others."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from dnbmon_site.accounts.models import User
from tests.builders.pages import text_of
from tests.builders.settings import SAFE
from tests.support import manage

pytestmark = pytest.mark.django_db
NEW = "other words entirely"


@pytest.fixture
def ann() -> User:
    return User.objects.create_superuser("ann", "ann@example.com", "secret words")


def signed_in(password: str = "secret words") -> Client:
    client = Client()
    assert client.post("/login/", {"username": "ann", "password": password}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/user/").status_code == 200


def test_signing_in_makes_a_new_session(ann: User) -> None:
    """Whoever planted a session in somebody's browser would otherwise share it afterwards."""
    client = Client()
    session: Any = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    client.post("/login/", {"username": "ann", "password": "secret words"})
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != session.session_key


def test_a_new_password_signs_out_everywhere_else(ann: User) -> None:
    here, elsewhere = signed_in(), signed_in()
    form = {"old_password": "secret words", "new_password1": NEW, "new_password2": NEW}
    assert here.post("/password_change/", form).status_code == 302
    assert is_in(here) and not is_in(elsewhere)


def test_a_password_set_by_an_administrator_signs_out_everywhere(ann: User) -> None:
    person = signed_in()
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert boss.post(f"/accounts/user/{ann.pk}/password/", form).status_code == 302
    assert not is_in(person) and is_in(boss)


def test_who_is_no_longer_active_is_out_at_once(ann: User) -> None:
    person = signed_in()
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not is_in(person)


def test_signing_out_ends_the_session_on_the_server(ann: User) -> None:
    person = signed_in()
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = person.cookies[settings.SESSION_COOKIE_NAME].value
    assert is_in(stolen)
    person.post("/logout/")
    assert not is_in(stolen)


def test_scripts_cannot_read_the_session(ann: User) -> None:
    cookie = signed_in().cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_forms_from_elsewhere_are_refused_in_plain_words(ann: User) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "ann", "password": "secret words"})
    assert answer.status_code == 403
    assert "No changes were made" in answer.text


def test_in_production_cookies_are_secure_and_last_a_working_day() -> None:
    names = ("SESSION_COOKIE_AGE", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
    code = f"from django.conf import settings; print(*(getattr(settings, name) for name in {names}))"
    assert manage("shell", "--no-imports", "-c", code, env=SAFE).stdout.split() == ["43200", "True", "True", "31536000"]


def test_the_page_after_signing_out_leads_back(ann: User) -> None:
    page = text_of(signed_in().post("/logout/"))
    assert "You are signed out." in page and "Sign in again" in page and "quality time" not in page
