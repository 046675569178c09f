"""Alerts by the API."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from dnbmon_site.accounts.models import ApiKey
from monitoring.models import AlertComment, AlertState, Severity
from tests.builders.alerts import an_alert
from tests.builders.people import a_person
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import one, two
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
DUNS = "804735132"


@pytest.fixture
def desk(a_program: Callable[..., Program]) -> Program:
    return a_program(name="desk", scopes="alerts")


def test_lists_filters_and_pages(desk: Program) -> None:
    an_alert(0)
    an_alert(1, state=AlertState.CLOSED, severity=Severity.LOW)
    an_alert(2, company_id="150483782", severity=Severity.HIGH)
    an_alert(3, company_id=None)

    def found(**filters: str) -> list[str]:
        return [one["title"][-1] for one in desk.walk("alerts/", limit=1, **filters)]

    assert found() == ["0", "1", "2", "3"]
    assert found(state="new") == ["0", "2", "3"]
    assert found(state="new,closed", severity="high") == ["0", "2", "3"]
    assert found(company="15-048-3782") == ["2"]
    assert desk.get("alerts/", after="x").status_code == 400
    assert desk.walk("alerts/")[3]["company"] is None


def test_many_of_one_time_are_each_shown_once(desk: Program) -> None:
    moment = timezone.now()
    for number in range(7):
        an_alert(number, raised_at=moment)
    assert len({one["id"] for one in desk.walk("alerts/", limit=2)}) == 7


def test_acknowledging_and_closing(desk: Program) -> None:
    alert = an_alert()
    shown = desk.post(f"alerts/{alert.pk}/acknowledge/").json()
    assert shown["state"] == "acknowledged"
    assert shown["acknowledged_by"].startswith("desk (dnbmon_")
    assert shown == desk.read(f"alerts/{alert.pk}/")
    shown = desk.post(f"alerts/{alert.pk}/close/", {"reason": "acted", "comment": "Orders stopped."}).json()
    assert (shown["state"], shown["closed_by"]) == ("closed", shown["acknowledged_by"])
    assert desk.post(f"alerts/{alert.pk}/acknowledge/").json() == shown, "what is closed stays so"
    shown = desk.post(f"alerts/{alert.pk}/reopen/").json()
    assert (shown["state"], shown["acknowledged_by"], shown["closed_at"]) == ("new", "", None)
    assert desk.post(f"alerts/{alert.pk}/reopen/").json() == shown


def test_closing_with_a_reason(desk: Program) -> None:
    alert = an_alert()
    shown = desk.post(f"alerts/{alert.pk}/close/", {"reason": "noise", "comment": "A branch."}).json()
    assert (shown["state"], shown["close_reason"]) == ("closed", "noise")
    assert AlertComment.objects.get().text == "Closed: Not relevant. A branch."
    again = desk.post(f"alerts/{alert.pk}/close/", {"reason": "known", "comment": "Again."}).json()
    assert again["close_reason"] == "noise", "what is closed stays so"
    assert AlertComment.objects.filter(text="Again.").exists()
    assert desk.post(f"alerts/{alert.pk}/reopen/").json()["close_reason"] == ""
    for body in ({"reason": "x", "comment": "A."}, {"reason": "known"}, {"comment": "A."}, {}):
        assert desk.post(f"alerts/{alert.pk}/close/", body).status_code == 400
    assert desk.post(f"alerts/{alert.pk}/close/", ["x"]).status_code == 400


def test_snoozing_and_ending_it(desk: Program) -> None:
    alert = an_alert()
    until = timezone.now() + timedelta(days=7)
    shown = desk.post(f"alerts/{alert.pk}/snooze/", {"until": until.date().isoformat(), "comment": "Paid."}).json()
    assert shown["snoozed_until"] == f"{until.date()}T00:00:00Z"
    assert (shown["state"], shown["wakes_if_worse"], shown["snoozed_by"][:4]) == ("new", True, "desk")
    assert AlertComment.objects.get().text.endswith("Paid.")
    assert [len(desk.walk("alerts/", snoozed=one)) for one in ("true", "false")] == [1, 0]
    shown = desk.post(f"alerts/{alert.pk}/wake/").json()
    assert (shown["snoozed_until"], shown["snoozed_by"]) == (None, "")
    assert [len(desk.walk("alerts/", snoozed=one)) for one in ("true", "false")] == [0, 1]
    for body in ({"until": "2020-01-01"}, {"wakes_if_worse": False}, {"until": "x"}, {"until": "2999-01-01"}):
        assert desk.post(f"alerts/{alert.pk}/snooze/", body).status_code == 400, body


def test_assigning(desk: Program) -> None:
    alert, bob = an_alert(), a_person("view_alert", "acknowledge_alert")
    assert desk.post(f"alerts/{alert.pk}/assign/", {"assignee": "bob"}).json()["assignee"] == "bob"
    alert.refresh_from_db()
    assert (alert.assignee, alert.assigned_by[:4]) == (bob, "desk")
    assert desk.post(f"alerts/{alert.pk}/assign/", {"assignee": None}).json()["assignee"] == ""
    a_person(username="carl")
    a_person("view_alert", username="eve")
    for name in ("carl", "dora", "eve", ""):
        assert desk.post(f"alerts/{alert.pk}/assign/", {"assignee": name}).status_code == 400


def test_nobody_is_assigned_an_alert_that_they_do_not_see(a_program: Callable[..., Program]) -> None:
    bob, carl = (
        a_person("view_alert", "acknowledge_alert"),
        a_person("view_alert", "acknowledge_alert", username="carl"),
    )
    a_unit("Credit", one(), people=[bob])
    a_unit("Buying", two(), people=[carl])
    desk = a_program(name="all", scopes="alerts")
    ApiKey.objects.update(sees_all=True)
    alert = an_alert(0, registration=one())
    answer = desk.post(f"alerts/{alert.pk}/assign/", {"assignee": "carl"})
    assert answer.status_code == 400 and "carl cannot see" in answer.text
    many = {"action": "assign", "alerts": [str(alert.pk)], "assignee": "carl"}
    assert desk.post("alerts/bulk/", many).status_code == 400
    alert.refresh_from_db()
    assert alert.assignee is None
    assert desk.post("alerts/bulk/", {**many, "assignee": "bob"}).json() == {"changed": 1, "unchanged": 0}


def test_overdue_alerts(desk: Program) -> None:
    an_alert(0, due_at=timezone.now() - timedelta(hours=1))
    an_alert(1, due_at=timezone.now() + timedelta(hours=1))
    an_alert(2)
    assert [one["title"] for one in desk.walk("alerts/", overdue="true")] == ["alert 0"]
    assert [one["title"] for one in desk.walk("alerts/", overdue="false")] == ["alert 1", "alert 2"]


BULK: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "assign": {"assignee": None},
    "snooze": {"wakes_if_worse": True},
    "wake": {},
    "close": {"reason": "noise", "comment": "A branch."},
    "reopen": {},
}


def test_the_same_to_many(desk: Program) -> None:
    keys = [str(an_alert(number).pk) for number in range(3)]
    person = a_person("view_alert", "acknowledge_alert")
    body = {"alerts": [*keys, str(uuid.uuid4())]}
    for action, more in BULK.items():
        more = {"assignee": person.username} if action == "assign" else more
        shown = desk.post("alerts/bulk/", {"action": action, **body, **more})
        assert shown.json() == {"changed": 3, "unchanged": 1}, action
        again = desk.post("alerts/bulk/", {"action": action, **body, **more}).json()
        assert again["changed"] == (3 if action == "snooze" else 0), action
    assert {one["state"] for one in desk.walk("alerts/")} == {"new"}


@pytest.mark.parametrize(
    "body",
    [
        {"action": "close"},
        {"action": "close", "reason": "noise"},
        {"action": "sell"},
        {"action": "snooze", "until": "2020-01-01"},
        {"action": "acknowledge", "alerts": []},
        {"action": "acknowledge", "alerts": ["x"]},
        {"action": "acknowledge", "alerts": [str(uuid.uuid4())] * 1001},
        {"action": "assign", "assignee": "nobody"},
        {"action": "assign"},
    ],
)
def test_what_many_are_not_done(desk: Program, body: dict[str, Any]) -> None:
    alert = an_alert()
    assert desk.post("alerts/bulk/", {"alerts": [str(alert.pk)], **body}).status_code == 400
    alert.refresh_from_db()
    assert alert.state == AlertState.NEW


def test_a_person_with_the_right(db: None) -> None:
    alert = an_alert()
    assert a_signed_in_person("monitoring.view_alert").post(f"alerts/{alert.pk}/acknowledge/").status_code == 403
    ann = a_signed_in_person("monitoring.acknowledge_alert", name="bob")
    assert ann.post(f"alerts/{alert.pk}/acknowledge/").json()["acknowledged_by"] == "bob"


def test_an_unknown_alert(desk: Program) -> None:
    assert desk.get(f"alerts/{uuid.uuid4()}/").status_code == 404
    for action, body in BULK.items():
        assert desk.post(f"alerts/{uuid.uuid4()}/{action}/", body).status_code == 404, action
