"""Alerts that are taken back: only when all their facts are, and opened again when that no longer holds."""

from typing import Any

import pytest
from django.utils import timezone

from monitoring.alerts.auto_resolve import PROGRAM, review_all_reversals, review_reversals
from monitoring.alerts.facts.reports import About
from monitoring.models import (
    Alert,
    AlertItem,
    AlertKind,
    AlertState,
    Change,
    Delivery,
    DeliveryState,
    Kind,
    Observation,
    Source,
    Verb,
)
from monitoring.publications.sequence import publish
from tests.builders.alerts import raised
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import BANKRUPTCY, STATUS
from tests.builders.notifications import a_notice, news
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db
LIENS = "organization.legalEvents.hasLiens"


def the_alert() -> Alert:
    return Alert.objects.get(kind=AlertKind.CHANGE)


def only_a_verb(verb: Verb, element: str) -> None:
    """A publication that brings nothing but this about a change."""
    change, now = Change.objects.filter(element=element).earliest("changed_at"), timezone.now()
    Change.objects.filter(pk=change.pk).update(superseded=verb == Verb.WITHDRAWN)
    delivery = Delivery.objects.create(
        registration=a_registration(), source=Source.RETRY, state=DeliveryState.INGESTED, ingested_at=now
    )
    Observation.objects.create(
        change=change, company_id=DUNS, registration=a_registration(), verb=verb, delivery=delivery, observed_at=now,
        recorded_at=now, id=delivery.pk,
    )  # fmt: skip
    publish(delivery)
    raised()


def test_an_alert_with_two_facts_is_taken_back_when_both_are() -> None:
    a_rule(conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True), news(LIENS, False, True))
    raised()
    delivered(news(BANKRUPTCY, True, False, hours=1))
    raised()
    assert (the_alert().state, the_alert().reversal) == (AlertState.NEW, "")
    delivered(news(LIENS, True, False, hours=1))
    raised()
    alert = the_alert()
    assert (alert.state, alert.closed_by) == (AlertState.CLOSED, PROGRAM)
    assert alert.reversed_by in Change.objects.filter(element=LIENS, current="false").values_list("pk", flat=True)


def test_a_publication_that_only_withdraws_takes_back_and_one_that_reinstates_opens_again() -> None:
    a_rule(conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    raised()
    only_a_verb(Verb.WITHDRAWN, BANKRUPTCY)
    assert the_alert().state == AlertState.CLOSED
    assert the_alert().reversal.endswith("this change did not happen.")
    only_a_verb(Verb.REINSTATED, BANKRUPTCY)
    assert (the_alert().state, the_alert().reversal, the_alert().closed_by) == (AlertState.NEW, "", "")


def test_what_is_reinstated_after_it_was_overlooked_raises_its_alert() -> None:
    a_rule(conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    Change.objects.update(superseded=True)
    raised()
    assert not Alert.objects.exists()
    only_a_verb(Verb.REINSTATED, BANKRUPTCY)
    assert the_alert().state == AlertState.NEW


def test_a_reversal_that_is_withdrawn_opens_the_alert_again() -> None:
    a_rule(conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    delivered(news(BANKRUPTCY, True, False, hours=1))
    raised()
    assert the_alert().state == AlertState.CLOSED
    Change.objects.filter(current="false").update(superseded=True)
    review_all_reversals()
    assert the_alert().state == AlertState.NEW


def test_a_fact_that_was_replaced_is_not_taken_back_but_what_undoes_the_other_undoes_it() -> None:
    a_rule(kinds="deleted")
    delivered(a_notice(delivered=now_stamp()), registration=a_registration("R1"))
    raised()
    fact = AlertItem.objects.get()
    delivered(a_notice(delivered=now_stamp(minutes=-5)), registration=a_registration("R2"))
    raised()
    # As it was where the fact could not move.
    AlertItem.objects.update(change=fact.change)
    review_all_reversals()
    assert (the_alert().state, the_alert().reversal) == (AlertState.NEW, "")
    delivered(a_notice("UNDELETE", delivered=now_stamp(minutes=5)), registration=a_registration("R2"))
    raised()
    assert the_alert().state == AlertState.CLOSED


def test_only_what_can_undo_the_facts_is_read(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: AtMost
) -> None:
    a_rule(elements=BANKRUPTCY, conditions="becomes true")
    delivered(*[news(STATUS, {"dnbCode": 1}, {"dnbCode": 2}, hours=-n) for n in range(1, 9)])
    delivered(news(BANKRUPTCY, False, True))
    raised()
    delivered(*[news(STATUS, {"dnbCode": 2}, {"dnbCode": 1}, hours=n) for n in range(1, 9)])
    read: list[Any] = []
    from_db = Change.from_db

    def noting(cls: type[Change], *values: Any) -> Change:
        read.append(values)
        return from_db(*values)

    monkeypatch.setattr(Change, "from_db", classmethod(noting))
    with django_assert_max_num_queries(1):
        review_reversals([About(DUNS, Kind.ELEMENT, STATUS)])
    assert not read
    with django_assert_max_num_queries(8):
        review_reversals([About(DUNS, Kind.ELEMENT, BANKRUPTCY)])
    # The fact's own change, by its key and as one that touches its element.
    assert len(read) == 2
