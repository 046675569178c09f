"""Ctrl-K finds pages, actions and companies: by the words that people type, and only what they may use."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.builders.companies import a_company
from tests.builders.pages import text_of
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db


def found(client: Client, text: str) -> list[tuple[str, str]]:
    answer = client.get("/search/", {"s": text, "extended": "1"})
    return [(one.title, one.link) for one in answer.context["results"]] if answer.content else []


def titles(client: Client, text: str) -> list[str]:
    return [title for title, _ in found(client, text)]


@pytest.mark.parametrize(
    ("text", "title", "link"),
    [
        ("parsing", "Parsing errors", "/monitoring/deadletter/"),
        ("IMPORT D", "Add companies", "/portfolio/subjectimport/upload/"),
        ("create rule", "Create alert rule", "/monitoring/alertrule/add/"),
        ("new webhook", "Add webhook", "/monitoring/webhookendpoint/add/"),
        ("quiet hours", "My notifications", "/my/notifications/"),
        ("time zone", "Time zone and language", "/my/"),
        ("profile", "Time zone and language", "/my/"),
        ("help", "Help", "/help/"),
        ("investigate", "Investigate an alert", "/help/use/investigate-an-alert.md"),
        ("glossary", "Glossary", "/help/use/glossary.md"),
        ("pause", "Registrations", "/portfolio/registration/"),
        ("pause", "Schedules", "/django_q/schedule/"),
        ("second approval", "Imports", "/portfolio/subjectimport/"),
        ("undelivered", "Outgoing messages", "/monitoring/outboxmessage/"),
        ("webhook not delivered", "Webhooks", "/monitoring/webhookendpoint/"),
        ("email server", "Status", "/health/"),
        ("get started", "Overview", "/"),
        ("backup", "Status", "/health/"),
        ("backup", "Making backups", "/help/operate/backup.md#making-backups"),
        ("limits of", "Limits of one user", "/help/use/roles.md#limits-of-one-user"),
        ("sign in", "Change password", "/password_change/"),
        ("unblock", "Blocked logins", "/axes/accessattempt/"),
        ("sign-in", "Blocked logins", "/axes/accessattempt/"),
        ("sign-in", "Login history", "/axes/accesslog/"),
        ("password", "Change password", "/password_change/"),
        ("under review", "under review", "/help/use/glossary.md#under-review"),
        ("left monitored", "left the monitored set", "/help/use/glossary.md#left"),
        ("seed", "SEED", "/help/use/glossary.md#seed"),
        ("limit exceeded", "Companies above their limit", "/portfolio/company/?exposure=over_limit"),
        ("refused", "Refused decisions", "/monitoring/decision/?state=refused"),
        ("overdue reviews", "Companies with an overdue review", "/portfolio/company/?review=overdue"),
        ("companies without exposure", "Companies without known exposure", "/portfolio/company/?exposure=unknown"),
        ("overdue alerts", "Overdue alerts", "/monitoring/alert/?due=overdue"),
        ("my alerts", "Alerts assigned to me", "/monitoring/alert/?assignee=me"),
        ("awaiting confirmation", "Decisions to confirm", "/monitoring/decision/?state=proposed"),
        ("stop", "Stop monitoring companies", "/portfolio/subjectimport/upload/?mode=remove"),
        ("add company", "Add companies", "/portfolio/subjectimport/upload/"),
    ],
)
def test_pages_and_actions_are_found_by_words_that_begin_so(admin: Client, text: str, title: str, link: str) -> None:
    assert (title, link) in found(admin, text)


def test_companies_are_found_by_name_and_number(admin: Client) -> None:
    a_company(city="Bath", country="GB")
    assert titles(admin, "acme") == titles(admin, "80473") == ["Acme Ltd"]
    assert "804735132, Bath, United Kingdom" in admin.get("/search/", {"s": "acme"}).content.decode()


def test_one_letter_finds_pages_and_no_companies(admin: Client) -> None:
    a_company()
    assert "Acme Ltd" not in titles(admin, "a") and "Alert rules" not in titles(admin, "zz")


@pytest.mark.parametrize(
    ("role", "text", "title", "is_found"),
    [
        ("Portfolio manager", "import", "Add companies", True),
        ("Viewer", "import", "Add companies", False),
        ("Analyst", "create", "Create alert rule", True),
        ("Portfolio manager", "create", "Create alert rule", False),
        ("Operator", "queue", "Queue", True),
        ("Operator", "troubleshooting", "Troubleshooting", True),
        ("Viewer", "troubleshooting", "Troubleshooting", False),
        ("Viewer", "queue", "Queue", False),
        ("Administrator", "users", "Users", True),
        ("Operator", "users", "Users", False),
        ("Approver", "limit exceeded", "Companies above their limit", False),
    ],
)
def test_only_what_the_reader_may_use_is_found(
    client: Client, role: str, text: str, title: str, is_found: bool
) -> None:
    client.force_login(a_person(role=role))
    assert (title in titles(client, text)) is is_found


def test_companies_are_for_those_who_may_see_them(client: Client) -> None:
    a_company()
    client.force_login(a_person("view_alert"))
    assert titles(client, "acme") == []


def test_what_is_found_opens(admin: Client) -> None:
    for text in ("a", "c", "i", "o", "s", "t"):
        for title, link in found(admin, text):
            assert admin.get(link).status_code in (200, 503), title


def test_nothing_typed_finds_nothing_and_nothing_found_says_so(admin: Client) -> None:
    assert found(admin, " ") == []
    assert "Add company 804735132" in admin.get("/search/", {"s": "80-473-5132"}).content.decode()
    assert "No page, action or company matches “qqq”" in admin.get("/search/", {"s": "qqq"}).content.decode()


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/portfolio/subjectimport/upload/", "Portfolio manager, Administrator"),
        ("/monitoring/alertrule/add/", "Analyst, Administrator"),
        ("/accounts/user/", "Administrator"),
    ],
)
def test_a_refusal_names_the_roles_that_permit_it(client: Client, path: str, role: str) -> None:
    client.force_login(a_person(role="Viewer"))
    answer = client.get(path)
    assert answer.status_code == 403 and f"permit{'s' * (',' not in role)} it: {role}." in text_of(answer)


def test_the_badge_of_a_test_installation_leads_to_what_production_needs(admin: Client) -> None:
    page = admin.get("/").content.decode()
    assert 'href="/help/operate/configuration.md#requirements-in-production"' in page
