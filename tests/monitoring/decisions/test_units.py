"""Decisions and reviews as a business unit sees them: those on companies that it holds, with the alerts it sees."""

import json
from datetime import date

import pytest
from django.test import Client

from core.visibility import EVERYTHING
from dnbmon_site.accounts.models import ApiKey, User
from monitoring.decisions import known
from monitoring.decisions.comparison import compared_with_today
from monitoring.decisions.known import known_in_short, known_to
from monitoring.models import Decision, Review, Severity
from portfolio.models import Company
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER
from tests.builders.decisions import a_decision, a_tiered_company, review_settings_of
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.programs import Program
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
LISTS = ("duereview", "decision", "review")
SINCE = date(2026, 1, 1)


@pytest.fixture
def bob(client: Client) -> User:
    """Of a unit that holds one company, with another unit; a third company is the other one's alone."""
    user = a_person(role="Analyst")
    for duns, registrations in ((DUNS, (one(), two())), (OTHER, (two(),))):
        a_tiered_company(duns, name=f"Company {duns}", set_days_ago=400)
        for registration in registrations:
            a_subject(duns, registration, monitored_since=SINCE)
        for registration in registrations:
            an_alert(title=f"Of {registration.reference}", company_id=duns, registration=registration)
    a_unit("Credit", one(), people=[user])
    a_unit("Buying", two())
    client.force_login(user)
    user.refresh_from_db()
    return user


def test_lists_and_pages_show_what_was_decided_on_companies_that_the_unit_holds(client: Client, bob: User) -> None:
    theirs, ours = a_decision(duns=OTHER), a_decision()
    Company.objects.update(next_review_on=SINCE)
    for name in LISTS:
        shown = text_of(client.get(f"/monitoring/{name}/"))
        assert DUNS in shown and OTHER not in shown, name
    addresses = (
        "/monitoring/decision/{0}/change/",
        "/monitoring/review/{1}/change/",
        "/monitoring/decision/decide/{2}/",
    )
    for row, status in ((ours, {200, 302}), (theirs, {404})):
        keys = (row.pk, Review.objects.get(decision=row).pk, row.company_id)
        assert {client.get(address.format(*keys)).status_code for address in addresses} <= status
    assert "1 company to review" in text_of(client.get("/"))


def test_they_decide_on_their_companies_only(client: Client, bob: User) -> None:
    given = {"kind": "hold", "reason": "Pays late.", "seen": "0"}
    assert client.post(f"/monitoring/decision/decide/{OTHER}/", given).status_code == 404
    client.post(f"/monitoring/decision/decide/{DUNS}/", given)
    assert Decision.objects.get().company_id == DUNS


def test_of_what_a_decision_froze_a_unit_sees_its_alerts(client: Client, bob: User) -> None:
    row, company = a_decision(), Company.objects.get(pk=DUNS)
    assert len(json.loads(row.known)["alerts"]) == 2, "whoever decides, all is kept"
    of_one = f"Of {one().reference}"
    found = known_to(bob, [row])[0]
    assert ([alert["title"] for alert in found["alerts"]], found["alert_count"]) == ([of_one], 1)
    assert dict(known_in_short(company, with_exposure=False, actor=bob))["Open alerts"] == "1"
    shown = text_of(client.get(f"/monitoring/decision/{row.pk}/change/"))
    assert of_one in shown and f"Of {two().reference}" not in shown
    assert known_to(seen_by(), [row])[0]["alerts"] == []


def test_no_alert_of_a_unit_is_compared_where_those_of_others_leave_it_out(
    bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the most severe alerts are kept: more of others are no sign that the unit's own was closed."""
    review_settings_of(second_for_important=True)
    Company.objects.filter(pk=DUNS).update(tier="important")
    monkeypatch.setattr(known, "MOST_ALERTS", 2)
    row = a_decision()
    names = {one.name for one in compared_with_today(row, with_exposure=False, actor=bob)}
    assert "open_alerts" in names
    for number in range(3):
        an_alert(title=f"Other {number}", company_id=DUNS, registration=two(), severity=Severity.CRITICAL)
    compared = compared_with_today(row, with_exposure=False, actor=bob)
    assert not [one for one in compared if "alert" in one.name]
    assert [one for one in compared_with_today(row, with_exposure=False, actor=EVERYTHING) if one.name == "open_alerts"]


def test_a_key_of_a_unit_reads_and_decides_on_its_companies(bob: User) -> None:
    theirs = a_decision(duns=OTHER)
    crm = Program.with_key(scopes="read:decisions, write:decisions")
    a_unit("Credit", one(), keys=[ApiKey.objects.get()])
    given = {"kind": "hold", "reason": "Pays late.", "after": 0}
    made = crm.post("decisions/", {**given, "duns": DUNS})
    assert [alert["title"] for alert in made.json()["known"]["alerts"]] == [f"Of {one().reference}"]
    assert [row["id"] for row in crm.read("decisions/")["results"]] == [made.json()["id"]]
    assert crm.get(f"decisions/{theirs.pk}/").status_code == 404
    refused = [crm.post("decisions/", {**given, "duns": duns}) for duns in (OTHER, "317384925")]
    assert [answer.status_code for answer in refused] == [400, 400]
    assert refused[0].json()["errors"] == refused[1].json()["errors"]
    assert crm.put("tiers/", {"tiers": [{"duns": DUNS, "tier": "normal"}]}).status_code == 403
