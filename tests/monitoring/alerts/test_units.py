"""Alerts as business units see them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.visibility import visible_to
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.audiences import intern
from monitoring.models import Alert, AlertItem, AlertKind, Audience, Change, Kind
from tests.builders.alerts import an_alert, raised
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import an_update
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp, stamp
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
MOMENT = timezone.now() - timedelta(hours=1)
BANKRUPT = an_element("organization.legalEvents.hasOpenBankruptcy", False, True, stamp(MOMENT))
GONE = an_element(STATUS, ACTIVE, OUT, stamp(MOMENT))


def reports(registration: Any, *elements: Any, **later: float) -> None:
    delivered(an_update(*elements, duns=DUNS, delivered=now_stamp(**later)), registration=registration)
    raised()


def alerts_of(unit: Any) -> list[Alert]:
    return list(visible_to(seen_by(unit), Alert.objects.all()))


def test_an_alert_is_seen_by_units_that_were_notified_of_its_change() -> None:
    a_rule(elements=STATUS)
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    reports(one(), GONE)
    assert (len(alerts_of(credit)), len(alerts_of(buying))) == (1, 0)
    reports(two(), GONE)
    assert (len(alerts_of(credit)), len(alerts_of(buying))) == (1, 1)


def test_of_an_alert_with_several_changes_a_unit_sees_its_own() -> None:
    a_rule(elements=f"{STATUS}\norganization.legalEvents.hasOpenBankruptcy")
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    reports(one(), GONE)
    reports(two(), BANKRUPT)
    alert = Alert.objects.get()
    assert Audience.objects.get(pk=str(alert.audience)).members == {one().pk, two().pk}
    assert AlertItem.objects.filter(alert=alert).count() == 2
    for unit, registration in ((credit, one()), (buying, two())):
        [shown] = alerts_of(unit)
        as_seen_by(seen_by(unit), [shown])
        [item] = visible_to(seen_by(unit), AlertItem.objects.filter(alert=alert))
        assert (shown.title, shown.fact_count) == (item.text, 1)
        assert registration.pk == item_registration(item)


def item_registration(item: AlertItem) -> Any:
    return Change.objects.get(pk=item.change).registration_id


def test_a_rule_of_a_unit_takes_what_its_registrations_report() -> None:
    buying = a_unit("Buying", two())
    a_rule(elements=STATUS, unit=buying)
    reports(one(), GONE)
    assert not Alert.objects.exists()
    reports(two(), GONE)
    assert Alert.objects.get().unit == buying.pk


def test_alerts_of_another_units_rule_are_not_seen() -> None:
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    a_rule(elements=STATUS, unit=buying)
    reports(one(), GONE)
    reports(two(), GONE)
    assert (len(alerts_of(credit)), len(alerts_of(buying))) == (0, 1)


def test_a_rule_of_a_unit_without_registrations_takes_nothing() -> None:
    a_rule(elements=STATUS, unit=a_unit("Empty"))
    reports(one(), GONE)
    assert not Alert.objects.exists()


def test_of_a_summary_of_anothers_new_companies_a_unit_sees_its_own(client: Client) -> None:
    """Not how many were added, nor to which registration."""
    amy = a_person("view_alert", username="amy")
    credit, buying = a_unit("Credit", one(), people=[amy]), a_unit("Buying", two())
    reports(one(), GONE)
    reports(two(), BANKRUPT)
    own, others = (Change.objects.get(registration=registration) for registration in (one(), two()))
    told: dict[str, Any] = {"kind": AlertKind.BASELINE, "rule_name": "New companies", "company_id": None}
    told |= {"title": "7 companies added to TWO", "total": 7, "fact_count": 2, "registration": two()}
    intern([frozenset({one().pk, two().pk})])
    alert = an_alert(**told, audience=Audience.objects.get().pk)
    for change, rule in ((own, "Gone"), (others, "Bankrupt")):
        item: dict[str, Any] = {"kind": Kind.BASELINE, "text": rule, "severity": 3, "changed_at": MOMENT, "sequence": 1}
        AlertItem.objects.create(id=change.pk, alert=alert, rule_name=rule, change=change.pk, company=DUNS, **item)
    for unit, title, total in ((credit, "New companies", 1), (buying, "7 companies added to TWO", 7)):
        shown = Alert.objects.get(pk=alert.pk)
        as_seen_by(seen_by(unit), [shown])
        assert (shown.title, shown.total) == (title, total)
    client.force_login(amy)
    page = client.get(f"/monitoring/alert/{alert.pk}/change/")
    assert page.context["by_rule"] == {"Gone": 1} and page.context["more_companies"] == 0
