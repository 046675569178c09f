"""A change that another one replaces: the alert goes on with that one, and nobody is notified twice."""

from collections.abc import Sequence
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from monitoring.alerts import evaluate
from monitoring.alerts.facts.reports import brought_by
from monitoring.models import (
    Alert,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    ConsumerOffset,
    Grouping,
    OutboxMessage,
    Publication,
)
from monitoring.rebuild.rebuild import rebuild
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS
from tests.builders.notifications import a_notice, a_seed, news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp
from tests.interleaving import cut_after, cut_before, interleave, orders_with_two_switches, some_of

pytestmark = pytest.mark.django_db
# MongoDB's stand-in is slow.


def a_document(status: Any = ACTIVE, duns: str = DUNS, **later: float) -> dict[str, Any]:
    return a_seed(duns, delivered=now_stamp(**later), dunsControlStatus={"operatingStatus": status})


def a_difference(duns: str = DUNS) -> None:
    registration = a_registration("R1", full_product=True)
    delivered(a_document(duns=duns, hours=-30), registration=registration)
    delivered(a_document(OUT, duns, hours=-10), registration=registration)


def its_update(duns: str = DUNS) -> None:
    delivered(news(duns=duns, hours=-20), registration=a_registration("R2"))


def reads_on_with_its_update(duns: str) -> None:
    its_update(duns)
    raised()


def a_watching_rule(**fields: Any) -> AlertRule:
    rule = a_rule(elements=STATUS, conditions="becomes 403", **fields)
    a_channel(rule)
    return rule


def the_alert() -> Alert:
    return Alert.objects.get(kind=AlertKind.CHANGE)


@pytest.mark.parametrize("grouping", Grouping.values)
@pytest.mark.parametrize("is_read_between", [True, False])
@pytest.mark.parametrize("order", list(permutations([a_difference, its_update])))
def test_a_difference_and_its_update_are_one_alert_and_one_message(
    order: Any, is_read_between: bool, grouping: str
) -> None:
    a_watching_rule(grouping=grouping)
    for bring in order:
        bring()
        if is_read_between:
            raised()
    raised()
    update = Change.objects.get(derived_from="", element=STATUS)
    fact = AlertItem.objects.get()
    assert (fact.change, fact.place, fact.alert_id) == (update.pk, update.place, the_alert().pk)
    assert the_alert().fact_count == 1
    assert OutboxMessage.objects.count() == 1


def test_the_update_in_the_same_publication_as_the_difference() -> None:
    a_watching_rule()
    registration = a_registration("R1", full_product=True)
    delivered(a_document(hours=-30), registration=registration)
    delivered(a_document(OUT, hours=-10), news(hours=-20), registration=registration)
    raised()
    assert AlertItem.objects.count() == OutboxMessage.objects.count() == 1


def test_the_alert_tells_what_the_replacing_change_tells() -> None:
    a_watching_rule()
    a_difference()
    raised()
    before = the_alert()
    its_update()
    raised()
    alert, update = the_alert(), Change.objects.get(derived_from="", element=STATUS)
    assert (alert.pk, alert.state, alert.raised_at) == (before.pk, before.state, before.raised_at)
    assert (alert.happened_at, alert.title) == (update.changed_at, AlertItem.objects.get().text)


def test_a_person_who_has_it_keeps_it() -> None:
    a_watching_rule()
    a_difference()
    raised()
    Alert.objects.update(state=AlertState.ACKNOWLEDGED)
    its_update()
    raised()
    alert = the_alert()
    assert (alert.state, alert.reversal, alert.fact_count) == (AlertState.ACKNOWLEDGED, "", 1)


def test_read_again_nothing_is_raised_or_sent_anew() -> None:
    a_watching_rule(grouping=Grouping.EACH)
    a_difference()
    raised()
    its_update()
    raised()
    before = set(AlertItem.objects.values_list("pk", "alert_id"))
    ConsumerOffset.objects.update(position=0)
    raised()
    assert set(AlertItem.objects.values_list("pk", "alert_id")) == before
    assert Alert.objects.filter(kind=AlertKind.CHANGE).count() == OutboxMessage.objects.count() == 1


def test_whoever_reads_late_what_others_have_moved_leaves_one_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    a_watching_rule(grouping=Grouping.EACH)
    a_difference()
    last = Publication.objects.latest("sequence")

    def overtaken(publications: Sequence[Publication], may_matter: Any) -> Any:
        brought = brought_by(publications, may_matter)
        if last in publications:
            monkeypatch.setattr(evaluate, "brought_by", brought_by)
            raised()
            its_update()
            raised()
        return brought

    monkeypatch.setattr(evaluate, "brought_by", overtaken)
    raised()
    raised()
    assert [fact.change for fact in AlertItem.objects.all()] == [Change.objects.get(derived_from="", element=STATUS).pk]


@pytest.mark.parametrize("grouping", Grouping.values)
def test_two_processes_that_read_the_same_publications_raise_one_alert(
    grouping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has read a difference while nothing explained it; the other reads on when its update has come."""
    a_watching_rule(grouping=grouping)
    cut_after(monkeypatch, (evaluate, "brought_by"), (evaluate, "find_matches"), (evaluate, "insert_new"))
    cut_before(monkeypatch, (evaluate, "_follow_replacements"), (evaluate, "notify"))
    for number, order in enumerate(some_of(orders_with_two_switches(7, 8), 5)):
        duns = f"3{number:08}"
        a_difference(duns)
        interleave(order, raised, partial(reads_on_with_its_update, duns))
        raised()
        fact = AlertItem.objects.get(company=duns)
        assert fact.change == Change.objects.get(company=duns, derived_from="", element=STATUS).pk, order
        alert = Alert.objects.get(company=duns)
        assert (alert.pk, alert.fact_count) == (fact.alert_id, 1), order
        assert OutboxMessage.objects.count() == number + 1, order


@pytest.mark.parametrize("grouping", Grouping.values)
def test_a_deletion_that_turns_out_to_be_older_moves_and_raises_nothing(grouping: str) -> None:
    a_channel(a_rule(kinds="deleted", grouping=grouping))
    for minutes, name in ((0, "R1"), (-5, "R2"), (-9, "R3")):
        delivered(a_notice(delivered=now_stamp(minutes=minutes)), registration=a_registration(name))
        raised()
    (live,) = Change.objects.filter(superseded=False)
    assert AlertItem.objects.get().change == live.pk
    assert Alert.objects.count() == OutboxMessage.objects.count() == 1


def test_a_rebuild_leaves_moved_facts_as_they_are() -> None:
    a_watching_rule()
    a_difference()
    its_update()
    raised()
    before = set(AlertItem.objects.values_list("pk", "alert_id", "change"))
    rebuild()
    raised()
    assert set(AlertItem.objects.values_list("pk", "alert_id", "change")) == before
    assert OutboxMessage.objects.count() == 1


def test_a_rebuild_moves_facts_that_nobody_moved() -> None:
    a_watching_rule()
    a_difference()
    raised()
    Alert.objects.update(state=AlertState.ACKNOWLEDGED)
    its_update()
    rebuild()
    assert AlertItem.objects.get().change == Change.objects.get(derived_from="", element=STATUS).pk
    assert the_alert().reversal == ""
