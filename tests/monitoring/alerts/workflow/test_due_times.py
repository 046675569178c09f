"""When alerts are due: working days by severity."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone

from monitoring.alerts.actions import close, reopen
from monitoring.alerts.workflow.due_times import due_dates, install_response_times
from monitoring.models import Alert, AlertKind, ResponseTime, Severity
from tests.builders.alerts import a_raised_alert, an_alert, raised
from tests.builders.deliveries import delivered
from tests.builders.elements import OUT, STATUS
from tests.builders.notifications import a_seed
from tests.builders.rules import a_rule

pytestmark = pytest.mark.django_db
THURSDAY, FRIDAY, SATURDAY = (datetime(2026, 1, day, 15, 30, tzinfo=UTC) for day in (8, 9, 10))
MONDAY, TUESDAY = datetime(2026, 1, 12, tzinfo=UTC), datetime(2026, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (THURSDAY, 1, FRIDAY),
        (FRIDAY, 1, MONDAY.replace(hour=15, minute=30)),
        (SATURDAY, 1, TUESDAY),
        (datetime(2026, 1, 11, 23, 59, tzinfo=UTC), 1, TUESDAY),
        (THURSDAY, 5, datetime(2026, 1, 15, 15, 30, tzinfo=UTC)),
        (MONDAY, 10, datetime(2026, 1, 26, tzinfo=UTC)),
    ],
)
def test_only_working_days_count(start: datetime, days: int, end: datetime) -> None:
    ResponseTime.objects.filter(severity=Severity.CRITICAL).update(working_days=days)
    assert due_dates(start)[Severity.CRITICAL] == end


def test_what_people_set_holds_and_stays() -> None:
    ResponseTime.objects.filter(severity=Severity.HIGH).update(working_days=None)
    ResponseTime.objects.filter(severity=Severity.CRITICAL).delete()
    install_response_times()
    assert set(due_dates()) == {Severity.CRITICAL}
    assert ResponseTime.objects.count() == len(Severity)


def test_an_alert_is_due_from_the_time_it_is_raised() -> None:
    with time_machine.travel(timezone.now(), tick=False):
        alert = a_raised_alert(severity=Severity.HIGH)
    assert alert.due_at == due_dates(alert.raised_at)[Severity.HIGH]
    assert Alert.objects.filter(pk=alert.pk, due_at__gt=timezone.now()).exists()


def test_severities_without_a_time_are_never_due() -> None:
    assert a_raised_alert(severity=Severity.LOW).due_at is None


def test_a_summary_of_new_companies_is_due_by_the_severity_of_what_it_found() -> None:
    a_rule(elements=STATUS, conditions="becomes 403", severity=Severity.CRITICAL)
    delivered(a_seed(dunsControlStatus={"operatingStatus": OUT}))
    raised()
    alert = Alert.objects.get(kind=AlertKind.BASELINE)
    assert alert.severity == Severity.CRITICAL and alert.due_at


def test_the_time_of_reopened_alerts_begins_again_by_their_severity() -> None:
    alerts = [an_alert(severity=severity, due_at=THURSDAY, escalated_at=THURSDAY) for severity in Severity]
    close([alert.pk for alert in alerts], by="ann")
    before = due_dates()
    reopen([alert.pk for alert in alerts], by="ann")
    after = due_dates()
    for row in Alert.objects.all():
        assert row.escalated_at is None
        if row.severity in before:
            assert row.due_at and before[row.severity] <= row.due_at <= after[row.severity]
        else:
            assert row.due_at is None
