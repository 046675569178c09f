"""The menu by role, tabs in place of entries, the way to a page, and the numbers of what waits."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.cached_counts import keep_recent
from dnbmon_site.dashboard.menu import address
from dnbmon_site.dashboard.navigation import GROUPS
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule

pytestmark = pytest.mark.django_db

ALL = ["Overview", "Alerts", "Companies", "Changes", "Reports"]
VIEWER = [*ALL, "Risk", "Monitored companies", "Contract", "Channels", "Exports", "Audit log"]
RULES = ["Alert rules", "Channels", "Exports", "Audit log"]
ANALYST = [*ALL, "Risk", "Monitored companies", "Exposure", "Contract", *RULES]
PORTFOLIO = ["Risk", "Registrations", "Monitored companies", "Imports", "Contract"]
WITH_MONEY = [*PORTFOLIO[:-1], "Exposure", PORTFOLIO[-1]]
MANAGER = [*ALL, *WITH_MONEY, "Channels", "Exports", "Audit log"]
SYSTEM = ["Health", "Data pipeline", "Audit log"]
OPERATOR = [*ALL, *PORTFOLIO, "Channels", "Exports", "Integrations", *SYSTEM]
ADMINISTRATOR = [*ALL, *WITH_MONEY, "Alert rules", "Channels", "Exports", "Integrations", *SYSTEM, "Users"]
SUBJECTS = ["Companies", "Proposals", "Data fetches", "Family trees", "Scheduled removals"]
CONTRACT = [
    "Contract year",
    "Review",
    "Settings",
    "Entitlements",
    "Call budgets",
    "Calls",
    "Reference data",
    "Portfolio notices",
]
HEALTH = ["Status", "Incidents", "Schedules", "Queue", "Failed jobs", "Finished jobs"]
PIPELINE = ["Ingestion log", "Delivered files", "Parsing errors", "Replays", "Event feed log", "Daily statistics"]


def signed_in(client: Client, role: str) -> Client:
    client.force_login(a_person(role=role))
    return client


def entries(answer: Any) -> dict[str, dict[str, Any]]:
    groups = answer.context["sidebar_navigation"]
    return {str(entry["title"]): entry for group in groups for entry in group["items"]}


def tabs(answer: Any) -> list[str]:
    return [str(tab["title"]) for tab in answer.context["place_tabs"]]


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("Viewer", VIEWER),
        ("Analyst", ANALYST),
        ("Portfolio manager", MANAGER),
        ("Operator", OPERATOR),
        ("Administrator", ADMINISTRATOR),
        ("Approver", [*ALL, "Risk", "Monitored companies", "Imports", "Contract", "Channels", "Exports", "Audit log"]),
    ],
)
def test_each_role_has_the_entries_of_its_tasks(client: Client, role: str, names: list[str]) -> None:
    found = entries(signed_in(client, role).get("/core/notice/"))
    assert list(found) == names
    assert len(names) <= 20


def test_every_entry_and_every_tab_opens(admin: Client) -> None:
    for entry in (entry for group in GROUPS for entry in group.entries):
        for page in entry.pages:
            answer = admin.get(address(page))
            # Nothing that health looks for works here.
            assert answer.status_code == 200 or page.address == "/health/", address(page)


@pytest.mark.parametrize(
    ("path", "names", "active"),
    [
        ("/health/incident/", HEALTH, "Incidents"),
        ("/django_q/failure/", HEALTH, "Failed jobs"),
        ("/monitoring/deadletter/", PIPELINE, "Parsing errors"),
        ("/accounts/apikey/", ["API keys", "Webhooks", "Outgoing messages", "API docs"], "API keys"),
        ("/accounts/user/", ["Users", "Roles", "Business units", "Blocked logins"], "Users"),
        ("/axes/accesslog/", ["Audit log", "Login history"], "Login history"),
        ("/monitoring/reportschedule/report/", ["Report", "Schedules"], "Report"),
        ("/monitoring/alert/?assignee=me", ["Mine", "Unassigned", "All", "Overdue", "Snoozed"], "Mine"),
        ("/monitoring/alert/?state=all", ["Mine", "Unassigned", "All", "Overdue", "Snoozed"], "All"),
        ("/portfolio/subject/?planned=yes", SUBJECTS, "Scheduled removals"),
        ("/portfolio/subject/?planned=no", SUBJECTS, "Companies"),
        (
            "/core/notice/",
            CONTRACT,
            "Portfolio notices",
        ),
    ],
)
def test_siblings_are_tabs(admin: Client, path: str, names: list[str], active: str) -> None:
    answer = admin.get(path)
    assert tabs(answer) == names
    assert [str(tab["title"]) for tab in answer.context["place_tabs"] if tab["active"]] == [active]


def test_the_settings_of_a_contract_have_its_tabs(admin: Client) -> None:
    contract = a_contract()
    answer = admin.get(f"/portfolio/contract/{contract.pk}/change/")
    assert tabs(answer) == [
        "Contract year",
        "Review",
        "Settings",
        "Entitlements",
        "Call budgets",
        "Calls",
        "Reference data",
        "Portfolio notices",
    ]
    assert [str(tab["title"]) for tab in answer.context["place_tabs"] if tab["active"]] == ["Settings"]
    assert "Contract settings" in text_of(answer)


def test_tabs_of_one_list_keep_its_other_filters(admin: Client) -> None:
    found = admin.get("/monitoring/alert/?assignee=me&kind=flood&severity=4&p=1").context["place_tabs"]
    assert [tab["link"] for tab in found] == [
        "/monitoring/alert/?kind=flood&severity=4&assignee=me",
        "/monitoring/alert/?kind=flood&severity=4&assignee=nobody",
        "/monitoring/alert/?kind=flood&severity=4",
        "/monitoring/alert/?kind=flood&severity=4&due=overdue",
        "/monitoring/alert/?kind=flood&severity=4&state=snoozed",
    ]


def test_health_s_page_has_its_tabs(admin: Client) -> None:
    assert tabs(admin.get("/health/")) == HEALTH


@pytest.mark.parametrize(
    ("role", "path", "names"),
    [
        ("Viewer", "/core/export/", ["My files", "Scheduled exports"]),
        ("Operator", "/core/export/", ["My files", "Scheduled exports", "File servers"]),
        ("Operator", "/monitoring/webhookendpoint/", ["Webhooks", "Outgoing messages", "API docs"]),
        ("Viewer", "/core/auditentry/", []),
        # No task of theirs: the page opens by its address, without the entry's tabs.
        ("Viewer", "/monitoring/delivery/", []),
    ],
)
def test_a_tab_is_only_for_those_who_may_see_it(client: Client, role: str, path: str, names: list[str]) -> None:
    assert tabs(signed_in(client, role).get(path)) == names


def test_the_menu_names_the_place_of_a_page_as_its_title_does(admin: Client) -> None:
    page = admin.get("/monitoring/deadletter/")
    assert entries(page)["Data pipeline"]["active"] and not entries(page)["Health"]["active"]
    assert "<title> Parsing errors | D&amp;B Monitoring" in " ".join(page.content.decode().split())
    assert [str(name) for name, _ in page.context["place_trail"]] == ["Data pipeline"]


def test_a_page_of_one_thing_leads_back_to_its_list_and_has_no_tabs(admin: Client) -> None:
    rule = a_rule(name="Bankruptcies")
    page = admin.get(reverse("admin:monitoring_alertrule_change", args=[rule.pk]))
    assert page.context["place_trail"] == [("Alert rules", "/monitoring/alertrule/")]
    assert page.context["place_tabs"] == []


def test_the_report_is_not_taken_for_one_of_its_schedules(admin: Client) -> None:
    assert str(admin.get("/monitoring/reportschedule/report/").context["place"].title) == "Report"
    assert str(admin.get("/monitoring/reportschedule/").context["place"].title) == "Report schedules"


def test_what_waits_is_counted_beside_the_entry_and_its_tab(client: Client) -> None:
    keep_recent({"proposals": {"open": 2, "awaiting_approval": 1}, "imports": {"read": 4}})
    page = signed_in(client, "Portfolio manager").get("/portfolio/subject/")
    assert entries(page)["Monitored companies"]["badge"] == "3"
    assert entries(page)["Imports"]["badge"] == "4"
    assert [tab["badge"] for tab in page.context["place_tabs"]] == ["", "3", "", "", ""]
    assert "Monitored companies 3 (Open proposals: 3)" in text_of(page)


def test_an_entry_counts_what_waits_on_all_its_pages(client: Client) -> None:
    keep_recent({"reviews": {"due": 2}, "decisions": {"proposed": 1}})
    page = signed_in(client, "Approver").get("/portfolio/company/")
    assert entries(page)["Companies"]["badge_words"] == "Decisions to confirm: 1"
    assert entries(page)["Companies"]["badge"] == "1", "of decisions alone, whose confirmation is the approver's"


def test_nothing_is_counted_for_those_whom_it_does_not_concern(client: Client) -> None:
    keep_recent({"proposals": {"open": 2}, "imports": {}})
    client.force_login(a_person("view_alert"))
    assert {entry["badge"] for entry in entries(client.get("/monitoring/alert/")).values()} == {""}


def test_someone_without_a_role_has_no_menu_but_the_overview(client: Client) -> None:
    a_registration()
    client.force_login(a_person())
    assert list(entries(client.get("/"))) == ["Overview"]
