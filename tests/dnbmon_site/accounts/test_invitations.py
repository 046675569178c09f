"""New users are invited by email and choose their own password; the list and their page show their state in a word."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from dnbmon_site.accounts import roles
from dnbmon_site.accounts.models import User
from monitoring.models import ReportRecipient, ReportSchedule
from tests.builders.channels import a_channel
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one
from tests.builders.subjects import a_subject
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
NEW = "other words entirely"
LINK = re.compile(r"http://\S+/reset/\S+")


def filled(**changed: Any) -> dict[str, Any]:
    role = Group.objects.get(name=roles.VIEWER)
    return {"first_name": "Bob", "last_name": "Lee", "email": "bob@example.com", "roles": [role.pk]} | changed


def invited(client: Client, **changed: Any) -> Any:
    return client.post("/accounts/user/add/", filled(**changed))


def choose(link: str) -> Client:
    client = Client()
    form = client.get(link.removeprefix("http://localhost:8000"))
    if form.status_code == 302:
        client.post(form["Location"], {"new_password1": NEW, "new_password2": NEW})
    return client


def can_sign_in(name: str = "bob@example.com") -> bool:
    return Client().post("/login/", {"username": name, "password": NEW}).status_code == 302


def test_a_user_is_invited_by_name_email_and_roles(admin_client: Client, mailoutbox: list[EmailMessage]) -> None:
    assert invited(admin_client)["Location"] == "/accounts/user/"
    bob = User.objects.get(email="bob@example.com")
    assert (bob.username, bob.get_full_name(), bob.is_staff, bob.has_usable_password()) == (
        "bob@example.com", "Bob Lee", True, False,
    )  # fmt: skip
    assert [role.name for role in bob.groups.all()] == [roles.VIEWER]
    (mail,) = mailoutbox
    assert mail.to == ["bob@example.com"] and "expires in 3 days" in str(mail.body)
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"user.added", "user.invited"}
    assert not any("/reset/" in entry.after + entry.summary for entry in AuditEntry.objects.all())


def test_the_form_invites_instead_of_saving(admin_client: Client) -> None:
    page = admin_client.get("/accounts/user/add/").text
    assert re.search(r'name="_save"[^>]*>\s*Invite user\s*<', page)
    assert not re.search(r'name="_save"[^>]*>\s*Save\s*<', page)
    bob = a_person("bob")
    assert re.search(r'name="_save"[^>]*>\s*Save\s*<', admin_client.get(f"/accounts/user/{bob.pk}/change/").text)


def test_the_form_states_what_the_user_will_see(admin_client: Client) -> None:
    """While there are business units nothing, and the administrator reads it before inviting."""
    page = "/accounts/user/add/"
    assert "The user sees the data of all registrations, as far as the roles permit." in text_of(admin_client.get(page))
    a_unit("Credit", one())
    text = text_of(admin_client.get(page))
    assert "The user sees no companies, changes or alerts at first." in text and "View business units" in text
    assert "all registrations, as far as" not in text


def test_the_link_works_once(admin_client: Client, mailoutbox: list[EmailMessage]) -> None:
    invited(admin_client)
    (link,) = LINK.findall(str(mailoutbox[0].body))
    assert "Invited" in admin_client.get("/accounts/user/?q=bob").text
    choose(link)
    assert can_sign_in()
    assert "Invited" not in admin_client.get("/accounts/user/?q=bob").text
    bob = User.objects.get(email="bob@example.com")
    bob.set_unusable_password()
    bob.save()
    choose(link)
    assert not can_sign_in()


def test_the_username_is_filled_in_after_the_password_was_chosen(
    admin_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    invited(admin_client)
    page = choose(LINK.findall(str(mailoutbox[0].body))[0]).get("/login/").text
    assert re.search(r'<input[^>]*name="username"[^>]*value="bob@example.com"', page)
    assert "bob@example.com" not in Client().get("/login/").text


def test_the_link_expires(admin_client: Client, mailoutbox: list[EmailMessage], settings: Any) -> None:
    invited(admin_client)
    settings.PASSWORD_RESET_TIMEOUT = -1
    choose(LINK.findall(str(mailoutbox[0].body))[0])
    assert not can_sign_in()


def test_the_link_of_a_deactivated_user_is_no_longer_valid(
    admin_client: Client, mailoutbox: list[EmailMessage], client: Client
) -> None:
    invited(admin_client)
    path = LINK.findall(str(mailoutbox[0].body))[0].removeprefix("http://localhost:8000")
    form = client.get(path)["Location"]
    User.objects.filter(email="bob@example.com").update(is_active=False)
    assert "This link is no longer valid" in client.get(path).text
    answer = client.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert "This link is no longer valid" in answer.text
    assert not User.objects.get(email="bob@example.com").has_usable_password()


def test_it_is_sent_again_until_the_user_has_signed_in(admin_client: Client, mailoutbox: list[EmailMessage]) -> None:
    invited(admin_client)
    bob = User.objects.get(email="bob@example.com")
    again = f"/accounts/user/{bob.pk}/invite/"
    page = admin_client.get(f"/accounts/user/{bob.pk}/change/").text
    assert again in page and "Resend invitation" in page
    admin_client.post(again)
    assert len(mailoutbox) == 2
    choose(LINK.findall(str(mailoutbox[1].body))[0])
    assert can_sign_in()
    assert "Resend invitation" not in admin_client.get(f"/accounts/user/{bob.pk}/change/").text
    assert "can be invited" in admin_client.post(again, follow=True).text
    assert len(mailoutbox) == 2 and admin_client.get(again).status_code == 405


def test_an_email_address_alone_makes_no_one_invited(admin_client: Client, mailoutbox: list[EmailMessage]) -> None:
    bob = a_person("bob")
    page = f"/accounts/user/{bob.pk}/change/"
    form = {"username": "bob", "email": "bob@example.com", "timezone": "UTC", "is_active": "on"}
    assert admin_client.post(page, form).status_code == 302
    shown = admin_client.get(page).text
    assert ">Active</span>" in shown and "Invited" not in shown and "Send invitation" in shown
    admin_client.post(f"/accounts/user/{bob.pk}/invite/")
    shown = admin_client.get(page).text
    assert ">Invited</span>" in shown and "Resend invitation" in shown and len(mailoutbox) == 1


def edited(client: Client, user: User, email: str) -> str:
    form = {"username": user.username, "email": email, "timezone": "UTC", "is_active": "on"}
    return text_of(client.post(f"/accounts/user/{user.pk}/change/", form, follow=True))


def test_taking_the_email_address_of_a_user_away_names_what_no_longer_arrives(admin_client: Client) -> None:
    bob = User.objects.create_user("bob", "bob@example.com", "x")
    a_channel(address="bob@example.com", name="Bob's channel", person=bob)
    a_subject(owner="bob@example.com")
    schedule = ReportSchedule.objects.create(name="Monthly")
    ReportRecipient.objects.create(schedule=schedule, person=bob)
    assert "no email address" not in edited(admin_client, bob, "BOB@example.com")
    text = edited(admin_client, bob, "")
    assert "bob has no email address" in text and "no longer sent to bob: Monthly." in text
    assert "The channel “Bob's channel” still leads to BOB@example.com" in text
    assert "no email address" not in edited(admin_client, bob, "bob@example.com"), "nothing was taken away"
    text = edited(admin_client, bob, "rob@example.com")
    assert "Companies with the owner bob@example.com are no longer assigned to bob." in text
    assert "has no email address" not in text and "Monthly" not in text


def test_without_a_mail_server_the_link_is_shown_once(admin_client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    page = admin_client.get("/accounts/user/add/").text
    assert "No email server is set up" in page and "We send the invitation" not in page
    answer = invited(admin_client)
    assert "no-store" in answer["Cache-Control"] and "No email server is set up" in answer.text
    assert "The link opens only on this computer." in answer.text
    (secret,) = answer.context["secrets"]
    choose(secret.text)
    assert can_sign_in()


def test_a_link_that_other_computers_open_is_shown_without_a_warning(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    monkeypatch.setenv("SITE_URL", "https://monitoring.example.com")
    assert "opens only on this computer" not in invited(admin_client).text


def test_a_mail_server_that_refuses_is_named_and_the_link_is_shown(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: EmailMessage, fail_silently: bool = False) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", refuse)
    answer = invited(admin_client)
    assert "The email server did not accept the invitation" in answer.text
    assert answer.context["secrets"][0].text.startswith("http://localhost:8000/reset/")


def test_without_passwords_the_invitation_leads_to_the_login_page(
    admin_client: Client, mailoutbox: list[EmailMessage], settings: Any
) -> None:
    settings.LOCAL_LOGIN = False
    invited(admin_client)
    assert "http://localhost:8000/login/" in str(mailoutbox[0].body) and "password" not in str(mailoutbox[0].body)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"email": "ADMIN@example.com"}, "already exists"),
        ({"email": ""}, "required"),
        ({"first_name": ""}, "required"),
        ({"roles": []}, "Select at least one role"),
        ({"username": "admin"}, "already exists"),
    ],
)
def test_what_is_missing_or_there_already_is_refused(
    admin_client: Client, mailoutbox: list[EmailMessage], changed: dict[str, Any], text: str
) -> None:
    count = User.objects.count()
    assert text in invited(admin_client, **changed).text
    assert User.objects.count() == count and not mailoutbox


def test_no_one_invites_beyond_their_own_permissions(client: Client, mailoutbox: list[EmailMessage]) -> None:
    clerk = a_person("view_user", "add_user", "change_user")
    client.force_login(clerk)
    answer = invited(client, roles=[Group.objects.get(name=roles.ADMINISTRATOR).pk])
    assert "you do not have: “Administrator”" in answer.text and not mailoutbox
    boss = User.objects.create_superuser("boss", "boss@example.com")
    assert client.post(f"/accounts/user/{boss.pk}/invite/").status_code == 403


def test_states_are_words(admin_client: Client, django_assert_max_num_queries: Any) -> None:
    now = timezone.now()
    for name in ("carl", "dora", "emil"):
        User.objects.create_user(name, f"{name}@example.com", "x", last_login=now)
    User.objects.filter(username="carl").update(is_active=False)
    attempt = {"ip_address": "203.0.113.9", "user_agent": "", "path_info": "", "get_data": "", "post_data": ""}
    AccessAttempt.objects.create(username="dora", failures_since_start=5, attempt_time=now, **attempt)
    old = AccessAttempt.objects.create(username="emil", failures_since_start=5, attempt_time=now, **attempt)
    AccessAttempt.objects.filter(pk=old.pk).update(attempt_time=now - timedelta(hours=1))
    for name, state in {"carl": "Deactivated", "dora": "Blocked", "emil": "Active"}.items():
        page = admin_client.get(f"/accounts/user/?q={name}").text
        assert f">{state}</span>" in page and page.count("dm-badge") == 1
    with django_assert_max_num_queries(16):
        admin_client.get("/accounts/user/")


def test_the_page_shows_no_hash(admin_client: Client) -> None:
    user = User.objects.create_user("carl", "carl@example.com", "secret words")
    page = admin_client.get(f"/accounts/user/{user.pk}/change/").text
    assert "pbkdf2" not in page and user.password[-12:] not in page and "Set password" in page
