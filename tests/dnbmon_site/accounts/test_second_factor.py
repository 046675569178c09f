"""Two-step verification: a password alone does not open, a code opens once, and roles can require it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pyotp
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from core.encryption import encrypted
from core.models import AuditEntry
from dnbmon_site.accounts.admin.user_forms import give_roles
from dnbmon_site.accounts.models import RecoveryCode, RolePolicy, SecondFactor, SecondFactorState, User
from dnbmon_site.accounts.oidc_settings import SINGLE_SIGN_ON, backends
from dnbmon_site.accounts.roles import ADMINISTRATOR, VIEWER
from dnbmon_site.accounts.second_factor.codes import PURPOSE, STEP_SECONDS, check, new_recovery_codes, set_up, turn_off
from dnbmon_site.accounts.second_factor.page import OFFERED
from dnbmon_site.accounts.second_factor.requirement import require
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAGE = "/my/two-step-verification/"


@pytest.fixture(autouse=True)
def one_moment() -> Iterator[None]:
    """Codes change every half minute, which is no test's business unless it says so."""
    with time_machine.travel(time.time(), tick=False):
        yield


@pytest.fixture
def ann() -> User:
    return User.objects.create_superuser("ann", "ann@example.com", "secret words")


@pytest.fixture
def codes(ann: User) -> list[str]:
    """Her recovery codes; the app's first code was used to set it up."""
    found = set_up(ann, SECRET, code_of_app(-1))
    assert found is not None
    return found


def code_of_app(steps: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(int(time.time()) + steps * STEP_SECONDS)


def a_login(client: Client, password: str = "secret words", **fields: str) -> Any:
    return client.post("/login/", {"username": "ann", "password": password, **fields})


def enter(client: Client, code: str) -> Any:
    return client.post("/login/code/", {"code": code})


@pytest.fixture
def inside(client: Client, codes: list[str]) -> Client:
    """Hers, after a code; the next one opens again."""
    a_login(client)
    enter(client, code_of_app())
    return client


def is_in(client: Client) -> bool:
    return bool(client.get("/my/").status_code == 200)


def role_of(name: str) -> Any:
    from django.contrib.auth.models import Group

    return Group.objects.get(name=name)


# Logging in


def test_the_password_alone_lets_nobody_in_who_has_set_it_up(client: Client, codes: list[str]) -> None:
    answer = a_login(client)
    assert answer.status_code == 302 and answer.url == "/login/code/"
    assert not is_in(client)
    assert "authenticator app" in client.get("/login/code/").text


def test_the_code_after_the_password_leads_where_the_login_was_to_lead(client: Client, codes: list[str]) -> None:
    a_login(client, next="/health/")
    answer = enter(client, code_of_app())
    assert answer.status_code == 302 and answer.url == "/health/"
    assert is_in(client)


def test_a_login_leads_to_no_other_site(client: Client, codes: list[str]) -> None:
    a_login(client, next="https://example.org/")
    assert enter(client, code_of_app()).url == "/"


def test_a_code_without_a_password_leads_back_to_the_login(client: Client, codes: list[str]) -> None:
    assert enter(client, code_of_app()).url == "/login/"
    assert not is_in(client)


def test_a_wrong_password_asks_for_no_code(client: Client, codes: list[str]) -> None:
    assert a_login(client, password="wrong").status_code == 200
    assert enter(client, code_of_app()).url == "/login/"


def test_a_wrong_code_lets_nobody_in(client: Client, codes: list[str]) -> None:
    a_login(client)
    answer = enter(client, "000000")
    assert answer.status_code == 200 and "wrong or was used before" in answer.text
    assert not is_in(client)


def test_wrong_codes_are_counted_like_wrong_passwords(client: Client, codes: list[str], settings: Any) -> None:
    settings.AXES_ENABLED = True
    a_login(client)
    answers = [enter(client, "000000").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert enter(client, code_of_app()).status_code == 429, "the right one, too"
    assert a_login(client).status_code == 429
    assert not is_in(client)


def test_the_right_password_does_not_forgive_wrong_codes(client: Client, codes: list[str], settings: Any) -> None:
    settings.AXES_ENABLED = True
    for _ in range(4):
        a_login(client)
        enter(client, "000000")
    a_login(client)
    assert enter(client, "000000").status_code == 429


def test_a_code_is_awaited_for_ten_minutes(client: Client, codes: list[str]) -> None:
    a_login(client)
    with time_machine.travel(time.time() + 601):
        assert enter(client, code_of_app()).url == "/login/"


def test_a_password_changed_in_between_has_to_be_entered(client: Client, codes: list[str], ann: User) -> None:
    a_login(client)
    ann.set_password("other words")
    ann.save()
    assert enter(client, code_of_app()).url == "/login/"


def test_a_deactivated_user_gets_no_further(client: Client, codes: list[str], ann: User) -> None:
    a_login(client)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert enter(client, code_of_app()).url == "/login/"


def test_a_session_without_a_code_ends_once_its_user_has_set_it_up(ann: User) -> None:
    """Somebody else may have opened it with a stolen password."""
    thief, owner = Client(), Client()
    a_login(thief)
    a_login(owner)
    session = owner.session
    session[OFFERED] = encrypted(SECRET, PURPOSE)
    session.save()
    owner.post(PAGE, {"act": "turn_on", "code": code_of_app()})
    assert is_in(owner)
    assert thief.get("/api/v1/companies/").status_code in (401, 403)
    assert not is_in(thief)


def test_a_login_asks_for_the_code_whatever_the_copy_on_the_users_row_says(
    client: Client, codes: list[str], ann: User
) -> None:
    User.objects.filter(pk=ann.pk).update(second_factor=SecondFactorState.OFF)
    assert a_login(client).url == "/login/code/"
    assert not is_in(client)


# Codes


def test_no_code_opens_twice(ann: User, codes: list[str]) -> None:
    code = code_of_app()
    assert check(ann, code)
    assert not check(ann, code)


def test_a_code_from_before_the_last_one_does_not_open(ann: User, codes: list[str]) -> None:
    earlier = code_of_app()
    assert check(ann, code_of_app(1))
    assert not check(ann, earlier)


@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(ann: User, codes: list[str], steps: int, opens: bool) -> None:
    assert check(ann, code_of_app(steps)) is opens


def test_codes_may_be_typed_with_a_blank(ann: User, codes: list[str]) -> None:
    code = code_of_app()
    assert check(ann, f" {code[:3]} {code[3:]}")


def test_a_recovery_code_opens_once(client: Client, ann: User, codes: list[str]) -> None:
    a_login(client)
    assert enter(client, codes[0].upper()).status_code == 302 and is_in(client)
    assert not check(ann, codes[0])
    assert check(ann, codes[1].replace("-", " "))
    assert AuditEntry.objects.filter(action="person.recovery_code_used").count() == 2


def test_two_at_once_do_not_open_with_one_code(ann: User, codes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has used it between our look and our write."""
    from dnbmon_site.accounts.second_factor import codes as module

    matching = module._matching_step

    def overtaken(secret: str, code: str, *, after: int) -> int | None:
        step = matching(secret, code, after=after)
        SecondFactor.objects.filter(user=ann).update(used_step=step)
        return step

    monkeypatch.setattr(module, "_matching_step", overtaken)
    assert not check(ann, code_of_app())


def test_the_secret_and_the_codes_are_not_readable_in_the_database(ann: User, codes: list[str]) -> None:
    assert SECRET not in SecondFactor.objects.get().secret
    stored = set(RecoveryCode.objects.values_list("hashed", flat=True))
    assert not stored & {code.replace("-", "") for code in codes}


def test_new_recovery_codes_take_the_place_of_the_old(ann: User, codes: list[str]) -> None:
    new = new_recovery_codes(ann)
    assert not check(ann, codes[0])
    assert check(ann, new[0])


def test_another_secret_key_closes_the_app_and_leaves_the_recovery_codes(
    ann: User, codes: list[str], settings: Any
) -> None:
    settings.SECRET_KEY = "another one, of a restored copy, 0123456789"
    assert not check(ann, code_of_app())
    assert check(ann, codes[0])


# Each user's own page


@pytest.fixture
def signed_in(ann: User) -> Client:
    client = Client()
    a_login(client)
    return client


def test_it_is_set_up_by_scanning_and_entering_a_code(signed_in: Client, ann: User) -> None:
    page = signed_in.get(PAGE)
    assert "<svg" in page.text and page["Cache-Control"].startswith("max-age=0")
    session = signed_in.session
    session[OFFERED] = encrypted(SECRET, PURPOSE)
    session.save()
    assert " ".join(SECRET[at : at + 4] for at in range(0, 32, 4)) in signed_in.get(PAGE).text
    shown = signed_in.post(PAGE, {"act": "turn_on", "code": code_of_app()})
    assert "Recovery codes" in shown.text and RecoveryCode.objects.count() == 10
    ann.refresh_from_db()
    assert ann.second_factor == SecondFactorState.ON
    assert AuditEntry.objects.filter(action="person.second_factor_on").count() == 1
    assert "10 recovery codes left" in signed_in.get(PAGE).text


def test_a_wrong_code_sets_up_nothing(signed_in: Client) -> None:
    signed_in.get(PAGE)
    answer = signed_in.post(PAGE, {"act": "turn_on", "code": "000000"}, follow=True)
    assert "not the one that the app shows" in answer.text
    assert not SecondFactor.objects.exists()


def test_setting_it_up_in_two_tabs_keeps_the_first(ann: User, codes: list[str]) -> None:
    other = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
    assert set_up(ann, other, pyotp.TOTP(other).now()) is None
    assert check(ann, code_of_app())


def test_turning_it_off_needs_a_code(inside: Client, ann: User) -> None:
    inside.post(PAGE, {"act": "turn_off", "code": "000000"})
    assert SecondFactor.objects.exists()
    inside.post(PAGE, {"act": "turn_off", "code": code_of_app(1)})
    assert not SecondFactor.objects.exists() and not RecoveryCode.objects.exists()
    ann.refresh_from_db()
    assert ann.second_factor == SecondFactorState.OFF


def test_new_recovery_codes_need_a_code(inside: Client, ann: User, codes: list[str]) -> None:
    inside.post(PAGE, {"act": "renew_codes", "code": "000000"})
    assert RecoveryCode.objects.filter(used_at=None).count() == 10
    assert "Recovery codes" in inside.post(PAGE, {"act": "renew_codes", "code": code_of_app(1)}).text
    assert not check(ann, codes[1])


def test_codes_on_ones_own_page_cannot_be_guessed_for_ever(inside: Client, settings: Any) -> None:
    settings.AXES_ENABLED = True
    answers = [inside.post(PAGE, {"act": "turn_off", "code": "000000"}).status_code for _ in range(6)]
    assert answers[:4] == [302] * 4 and answers[5] == 429
    inside.post(PAGE, {"act": "turn_off", "code": code_of_app(1)})
    assert SecondFactor.objects.exists()


def test_users_of_an_identity_provider_have_no_such_page(client: Client, ann: User) -> None:
    ann.set_unusable_password()
    ann.save()
    client.force_login(ann)
    assert client.get(PAGE).status_code == 404


# Required by a role


@pytest.fixture
def bob() -> User:
    bob = a_person(role=VIEWER)
    bob.set_password("secret words")
    bob.save()
    return bob


def session_of(user: User, password: str = "secret words") -> Client:
    client = Client()
    client.post("/login/", {"username": user.username, "password": password})
    return client


def test_who_has_to_set_it_up_reaches_nothing_else(bob: User) -> None:
    client = session_of(bob)
    assert client.get("/").status_code == 200
    require(role_of(VIEWER), needs_second_factor=True)
    answer: Any = client.get("/")
    assert answer.status_code == 302 and answer.url == PAGE, "in a session of before, too"
    assert "requires two-step verification" in client.get(PAGE).text
    refused = client.get("/api/v1/companies/")
    assert refused.status_code == 403 and "two-step verification" in refused.json()["detail"]
    assert client.post("/logout/").status_code in (200, 302)


def test_who_has_set_it_up_goes_on(bob: User) -> None:
    require(role_of(VIEWER), needs_second_factor=True)
    client = session_of(bob)
    session = client.session
    session[OFFERED] = encrypted(SECRET, PURPOSE)
    session.save()
    client.post(PAGE, {"act": "turn_on", "code": code_of_app()})
    assert client.get("/").status_code == 200
    client.post(PAGE, {"act": "turn_off", "code": code_of_app(1)})
    assert SecondFactor.objects.exists(), "a role requires it"


def test_a_role_given_later_requires_it_too(bob: User) -> None:
    require(role_of(ADMINISTRATOR), needs_second_factor=True)
    client = session_of(bob)
    assert client.get("/").status_code == 200
    give_roles(bob, [role_of(VIEWER), role_of(ADMINISTRATOR)])
    answer: Any = client.get("/")
    assert answer.url == PAGE
    give_roles(bob, [role_of(VIEWER)])
    assert client.get("/").status_code == 200


def test_a_role_that_no_longer_requires_it_frees_its_users(bob: User) -> None:
    require(role_of(VIEWER), needs_second_factor=True)
    require(role_of(VIEWER), needs_second_factor=False)
    assert session_of(bob).get("/").status_code == 200


def test_a_deleted_role_requires_nothing(bob: User) -> None:
    require(role_of(VIEWER), needs_second_factor=True)
    client = session_of(bob)
    assert client.get("/my/").status_code == 302
    role_of(VIEWER).delete()
    bob.refresh_from_db()
    assert bob.second_factor == SecondFactorState.OFF


def test_a_login_at_the_identity_provider_is_left_to_it(bob: User, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = backends(issuer="https://id.example.com", local_login=True)
    require(role_of(VIEWER), needs_second_factor=True)
    client = Client()
    client.force_login(bob, backend=SINGLE_SIGN_ON)
    assert client.get("/").status_code == 200


# Users and roles in the admin


def test_a_role_is_made_to_require_it_on_its_page(admin: Client, bob: User) -> None:
    viewer = role_of(VIEWER)
    permissions = list(viewer.permissions.values_list("pk", flat=True))
    fields = {"name": VIEWER, "permissions": permissions, "needs_second_factor": "on"}
    assert admin.post(f"/auth/group/{viewer.pk}/change/", fields).status_code == 302
    assert RolePolicy.objects.get().needs_second_factor
    bob.refresh_from_db()
    assert bob.second_factor == SecondFactorState.DUE
    assert "checked" in admin.get(f"/auth/group/{viewer.pk}/change/").text
    assert "two-step" in AuditEntry.objects.filter(action="group.changed").get().summary.lower()


def test_an_administrator_resets_it_for_who_has_lost_the_app(admin: Client, bob: User) -> None:
    assert set_up(bob, SECRET, code_of_app())
    assert "Reset two-step verification" in admin.get(f"/accounts/user/{bob.pk}/change/").text
    admin.post(f"/accounts/user/{bob.pk}/reset-two-step/")
    assert session_of(bob).get("/").status_code == 200
    assert AuditEntry.objects.filter(action="person.second_factor_off").count() == 1


def test_nobody_resets_it_for_who_may_do_more(client: Client, ann: User, codes: list[str]) -> None:
    client.force_login(a_person("view_user", "change_user"))
    assert client.post(f"/accounts/user/{ann.pk}/reset-two-step/").status_code == 403
    assert SecondFactor.objects.exists()


def test_nobody_resets_their_own_without_a_code(ann: User, inside: Client) -> None:
    assert "Reset two-step verification" not in inside.get(f"/accounts/user/{ann.pk}/change/").text
    assert inside.post(f"/accounts/user/{ann.pk}/reset-two-step/").status_code == 403
    assert SecondFactor.objects.exists()


def test_after_a_reset_a_role_that_requires_it_asks_for_a_new_one(admin: Client, bob: User) -> None:
    require(role_of(VIEWER), needs_second_factor=True)
    assert set_up(bob, SECRET, code_of_app())
    page = admin.post(f"/accounts/user/{bob.pk}/reset-two-step/", follow=True)
    assert "must set up two-step verification again" in page.text


def test_the_list_of_users_shows_who_has_it(admin: Client, bob: User) -> None:
    a_person(username="dora")
    assert set_up(bob, SECRET, code_of_app())
    shown = admin.get("/accounts/user/?second_factor__exact=on").text
    assert "bob" in shown and "dora" not in shown


def test_the_command_resets_it(ann: User, codes: list[str]) -> None:
    out = StringIO()
    call_command("reset_second_factor", "ann", stdout=out)
    assert "was reset" in out.getvalue() and not SecondFactor.objects.exists()
    with pytest.raises(CommandError, match="User “bea” was not found"):
        call_command("reset_second_factor", "bea")


def test_turning_it_off_where_a_role_requires_it_makes_it_due_again(bob: User) -> None:
    require(role_of(VIEWER), needs_second_factor=True)
    assert set_up(bob, SECRET, code_of_app())
    turn_off(bob, by="ann")
    bob.refresh_from_db()
    assert bob.second_factor == SecondFactorState.DUE
