"""Alerts by the API."""

import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from monitoring.models import AlertComment, AlertState, Severity
from tests.builders.alerts import an_alert
from tests.builders.programs import Program, a_signed_in_person

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
    shown = desk.post(f"alerts/{alert.pk}/close/").json()
    assert (shown["state"], shown["closed_by"]) == ("closed", shown["acknowledged_by"])
    assert desk.post(f"alerts/{alert.pk}/acknowledge/").json() == shown, "what is closed stays so"
    shown = desk.post(f"alerts/{alert.pk}/reopen/").json()
    assert (shown["state"], shown["acknowledged_by"], shown["closed_at"]) == ("new", "", None)
    assert desk.post(f"alerts/{alert.pk}/reopen/").json() == shown


def test_closing_with_a_reason(desk: Program) -> None:
    alert = an_alert()
    shown = desk.post(f"alerts/{alert.pk}/close/", {"reason": "noise", "comment": "A branch."}).json()
    assert (shown["state"], shown["close_reason"]) == ("closed", "noise")
    assert AlertComment.objects.get().text == "A branch."
    again = desk.post(f"alerts/{alert.pk}/close/", {"reason": "known"}).json()
    assert again["close_reason"] == "noise", "what is closed stays so"
    assert desk.post(f"alerts/{alert.pk}/reopen/").json()["close_reason"] == ""
    assert desk.post(f"alerts/{alert.pk}/close/", {"reason": "x"}).status_code == 400
    assert desk.post(f"alerts/{alert.pk}/close/", ["x"]).status_code == 400


def test_a_person_with_the_right(db: None) -> None:
    alert = an_alert()
    assert a_signed_in_person("monitoring.view_alert").post(f"alerts/{alert.pk}/acknowledge/").status_code == 403
    ann = a_signed_in_person("monitoring.acknowledge_alert", name="bob")
    assert ann.post(f"alerts/{alert.pk}/acknowledge/").json()["acknowledged_by"] == "bob"


def test_an_unknown_alert(desk: Program) -> None:
    for path in ("", "acknowledge/", "close/", "reopen/"):
        address = f"alerts/{uuid.uuid4()}/{path}"
        assert (desk.post(address) if path else desk.get(address)).status_code == 404
