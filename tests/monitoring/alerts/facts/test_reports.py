"""What a publication brings to rules: once for a change, and again to rules of a registration that reports it later."""

from typing import Any

import pytest

from monitoring.models import Alert, AlertItem, AlertState, Change, ConsumerOffset, Grouping, OutboxMessage
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS
from tests.builders.notifications import a_notice, a_seed, news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db


def a_document(status: Any = ACTIVE, **later: float) -> dict[str, Any]:
    return a_seed(DUNS, delivered=now_stamp(**later), dunsControlStatus={"operatingStatus": status})


def a_notice_now(kind: str = "DELETE", **later: float) -> dict[str, Any]:
    return a_notice(kind, delivered=now_stamp(**later))


def alerts() -> dict[str, int]:
    """How many facts each rule has in alerts."""
    names = AlertItem.objects.order_by("rule_name").values_list("rule_name", flat=True)
    return {name: list(names).count(name) for name in names}


def three_rules(**fields: Any) -> None:
    a_registration("R1")
    a_registration("R2")
    a_rule("R1 only", registrations="R1", **fields)
    a_rule("R2 only", registrations="R2", **fields)
    a_rule("all", **fields)


@pytest.mark.parametrize("is_read_between", [True, False])
def test_a_rule_on_a_registration_takes_what_another_reported_long_before(is_read_between: bool) -> None:
    three_rules(elements=STATUS)
    item = news()
    delivered(item, registration=a_registration("R1"))
    if is_read_between:
        raised()
        assert alerts() == {"R1 only": 1, "all": 1}
    delivered(item, registration=a_registration("R2"))
    raised()
    assert alerts() == {"R1 only": 1, "R2 only": 1, "all": 1}
    assert Alert.objects.get(rule_name="R2 only").registration == a_registration("R2")


def test_a_second_report_of_the_same_registration_is_no_news() -> None:
    three_rules(elements=STATUS)
    item = news()
    for name in ("R1", "R2", "R2", "R1"):
        delivered(item, registration=a_registration(name))
    raised()
    ConsumerOffset.objects.update(position=0)
    raised()
    assert alerts() == {"R1 only": 1, "R2 only": 1, "all": 1}


@pytest.mark.parametrize("is_read_between", [True, False])
def test_a_document_that_shows_what_an_update_reported_is_a_report_of_it(is_read_between: bool) -> None:
    three_rules(elements=STATUS)
    r2 = a_registration("R2", full_product=True)
    delivered(a_document(hours=-30), registration=r2)
    delivered(news(hours=-20), registration=a_registration("R1"))
    if is_read_between:
        raised()
    delivered(a_document(OUT, hours=-10), registration=r2)
    raised()
    assert alerts() == {"R1 only": 1, "R2 only": 1, "all": 1}
    assert AlertItem.objects.values("change").distinct().count() == 1


@pytest.mark.parametrize("order", [("R1", "R2"), ("R2", "R1")])
@pytest.mark.parametrize("is_read_between", [True, False])
def test_a_deletion_that_two_registrations_report_is_one_fact(order: tuple[str, str], is_read_between: bool) -> None:
    three_rules(kinds="deleted")
    minutes = {"R1": 0, "R2": 1}
    for name in order:
        delivered(a_notice_now(minutes=minutes[name]), registration=a_registration(name))
        if is_read_between:
            raised()
    raised()
    assert alerts() == {"R1 only": 1, "R2 only": 1, "all": 1}


@pytest.mark.parametrize("order", [("R1", "R2"), ("R2", "R1")])
def test_leaving_two_registrations_is_two_facts(order: tuple[str, str]) -> None:
    three_rules(kinds="left")
    for name in order:
        delivered(a_notice_now("EXIT"), registration=a_registration(name))
    raised()
    assert alerts() == {"R1 only": 1, "R2 only": 1, "all": 2}


def test_a_deletion_reported_after_it_was_undone_opens_nothing_and_notifies_nobody() -> None:
    three_rules(kinds="deleted")
    a_channel(all_rules=True)
    delivered(a_notice_now(), registration=a_registration("R1"))
    delivered(a_notice_now("UNDELETE", minutes=30), registration=a_registration("R1"))
    raised()
    sent = OutboxMessage.objects.count()
    delivered(a_notice_now(minutes=10), registration=a_registration("R2"))
    raised()
    assert set(Alert.objects.values_list("state", flat=True)) == {AlertState.CLOSED}
    assert OutboxMessage.objects.count() == sent


def test_a_deletion_stamped_after_the_restoration_is_a_new_one() -> None:
    a_rule(kinds="deleted", grouping=Grouping.EACH)
    delivered(a_notice_now(), registration=a_registration("R1"))
    delivered(a_notice_now("UNDELETE", minutes=30), registration=a_registration("R1"))
    delivered(a_notice_now(minutes=40), registration=a_registration("R2"))
    raised()
    assert Alert.objects.count() == 2
    assert Alert.objects.filter(state=AlertState.NEW).exists()


def test_what_a_registration_shows_for_the_first_time_raises_nothing() -> None:
    registration = a_registration(full_product=True)
    a_rule()
    delivered(a_seed(delivered=now_stamp(hours=-3)), registration=registration)
    shown = a_seed(delivered=now_stamp(hours=-1), financials=[{"revenue": 5}], primaryName="Acme New")
    delivered(shown, registration=registration)
    raised()
    assert Change.objects.filter(element="organization.financials").exists()
    assert [item.element for item in AlertItem.objects.exclude(kind="baseline")] == ["organization.primaryName"]
