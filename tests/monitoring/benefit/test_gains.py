"""What monitoring brought in the contract year."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.benefit.gains import gains_of
from monitoring.benefit.year import year_so_far
from monitoring.models import Alert, AlertKind, AlertState, Axis, DailyTotal, Severity
from portfolio.models import Contract
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, a_company
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
NOW = timezone.now()
A_DAY = timedelta(days=1)


def changes_on(days: int, severity: Severity, count: int) -> None:
    day = (NOW - days * A_DAY).date()
    columns = {"day": day, "registration": a_registration(), "axis": Axis.DAY, "severity": severity, "count": count}
    DailyTotal.objects.create(id=uuid4(), **columns)


def a_critical_alert(number: int = 0, *, hours: float | None = None) -> Alert:
    """Of two days ago, acknowledged after so many hours."""
    happened = NOW - 2 * A_DAY
    row = an_alert(number, kind=AlertKind.CHANGE, company_id=DUNS, severity=Severity.CRITICAL, happened_at=happened)
    if hours is not None:
        acknowledged = {"acknowledged_at": happened + timedelta(hours=hours), "state": AlertState.ACKNOWLEDGED}
        Alert.objects.filter(pk=row.pk).update(**acknowledged)
    return row


def test_the_contract_year_begins_at_the_last_anniversary() -> None:
    a_registration()
    Contract.objects.update(anniversary=(NOW + 40 * A_DAY).date())
    year = year_so_far()
    assert year.anniversary == (NOW + 40 * A_DAY).date()
    assert 320 < (year.end - year.start).days < 330


def test_without_an_anniversary_it_is_the_last_365_days() -> None:
    year = year_so_far()
    assert (year.anniversary, (year.end - year.start).days) == (None, 365)


def test_changes_are_counted_by_severity_without_noise() -> None:
    changes_on(3, Severity.HIGH, 4)
    changes_on(9, Severity.HIGH, 2)
    changes_on(3, Severity.NOISE, 90)
    changes_on(400, Severity.CRITICAL, 7)
    gains = gains_of(year_so_far())
    assert dict(gains.changes) == {Severity.HIGH: 6} and gains.change_count == 6


def test_the_median_runs_from_the_change_to_its_acknowledgement() -> None:
    a_company()
    for number, hours in enumerate((1, 3, 20)):
        a_critical_alert(number, hours=hours)
    a_critical_alert(9)
    handled = gains_of(year_so_far()).handled
    assert (handled.raised, handled.acknowledged, handled.since_change.median) == (4, 3, 3 * 3600)


def test_a_critical_event_that_two_rules_take_is_listed_once() -> None:
    a_company()
    a_critical_alert()
    a_critical_alert(1)
    Alert.objects.update(title="Out of business")
    (event,) = gains_of(year_so_far()).events
    assert (event.duns, event.title, event.exposure) == (DUNS, "Out of business", None)


def test_the_page_names_all_of_it(admin: Client) -> None:
    a_company(name="Steel Ltd")
    a_critical_alert(hours=2)
    changes_on(3, Severity.HIGH, 4)
    page = admin.get("/portfolio/review/")
    assert all(words in text_of(page) for words in ("Contract review", "Critical alerts", "2 hours", "Steel Ltd"))
    changes = f"/monitoring/change/?day_from={year_so_far().start}&amp;severity={Severity.HIGH}"
    assert f'<a href="{changes}">High 4</a>' in page.content.decode()


def test_alerts_are_those_of_the_inbox(admin: Client) -> None:
    """Late ones and those of several companies are among them."""
    a_company()
    a_critical_alert()
    an_alert(3, kind=AlertKind.CHANGE, is_late=True, severity=Severity.HIGH)
    an_alert(4, kind=AlertKind.FLOOD, company_id=None, severity=Severity.HIGH)
    an_alert(400, kind=AlertKind.CHANGE)
    year = year_so_far()
    handled = gains_of(year).handled
    assert (handled.raised, handled.critical) == (3, 1)
    inbox = {"state": "all", "raised_from": year.start.isoformat()}
    for more, count in (({}, handled.raised), ({"severity": "4"}, handled.critical)):
        listed = admin.get("/monitoring/alert/", {**inbox, **more})
        assert listed.context["cl"].result_count == count
