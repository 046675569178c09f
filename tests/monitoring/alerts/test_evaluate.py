"""Alerts: once for a rule and a fact, in order, whoever dies in between; taken back, summed up, never a flood."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.alerts import evaluate, routing
from monitoring.alerts.channel_messages import message_of
from monitoring.alerts.facts import groups
from monitoring.alerts.facts.matches import Rules
from monitoring.alerts.message_templates import alert_message
from monitoring.models import (
    Alert,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    Channel,
    ConsumerOffset,
    DigestItem,
    Frequency,
    Grouping,
    OutboxMessage,
    Publication,
    Severity,
)
from monitoring.rebuild.rebuild import rebuild
from portfolio.models import Subject, SubjectState
from tests.builders.alerts import a_raised_alert, raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, BANKRUPTCY, OUT, STATUS, an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update, news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp, stamp

pytestmark = pytest.mark.django_db


def ids() -> dict[str, set[Any]]:
    return {
        model.__name__: set(model.objects.values_list("pk", flat=True)) for model in (Alert, AlertItem, OutboxMessage)
    }


def a_notice_now(kind: str = "DELETE", duns: str = DUNS, **later: float) -> dict[str, Any]:
    return a_notice(kind, duns, delivered=now_stamp(**later))


# Raising


def test_a_change_that_a_rule_takes_becomes_an_alert() -> None:
    rule = a_rule(elements=STATUS, conditions="becomes 403")
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)), news(STATUS, ACTIVE, OUT))
    raised()
    alert = Alert.objects.get(kind=AlertKind.CHANGE)
    assert (alert.rule, alert.company_id, alert.severity, alert.state) == (rule, DUNS, Severity.CRITICAL, "new")
    assert alert.title == "Acme Ltd, 804735132: operating status Active → Out of business"
    assert alert.reason == "Operating status: Active → Out of business (changes to Out of business)"
    assert alert.fact_count == 1


def test_what_no_rule_takes_and_what_is_switched_off_raises_nothing() -> None:
    a_rule(elements=STATUS, conditions="becomes 403", active=False)
    a_rule("Name", elements="primaryName")
    delivered(news())
    assert raised() == 1
    assert not Alert.objects.exists()


def test_the_mark_moves_over_what_was_read() -> None:
    a_rule()
    delivered(news())
    delivered(news(current=ACTIVE, previous=OUT, hours=1))
    assert raised() == 2
    assert raised() == 0
    assert evaluate.CONSUMER.position() == Publication.objects.latest("sequence").sequence


def test_a_rule_that_cannot_be_read_stops_no_other() -> None:
    a_rule()
    AlertRule.objects.create(name="Broken", active=True, elements="..")
    delivered(news())
    raised()
    assert Alert.objects.count() == 1


def test_the_same_fact_through_two_registrations_is_one_alert() -> None:
    a_rule()
    item = news()
    delivered(item, registration=a_registration("A"))
    delivered(item, registration=a_registration("B"))
    raised()
    assert AlertItem.objects.count() == 1


@pytest.mark.parametrize(("grouping", "alerts"), [(Grouping.COMPANY_DAY, 2), (Grouping.EACH, 3)])
def test_grouping_by_company_and_day_or_not_at_all(grouping: str, alerts: int) -> None:
    a_rule(grouping=grouping)
    delivered(news(), news("organization.primaryName", "A", "B"), news(duns=OTHER))
    raised()
    assert Alert.objects.count() == alerts
    assert sum(Alert.objects.values_list("fact_count", flat=True)) == 3


def test_an_alert_that_grows_after_it_was_closed_is_open_again() -> None:
    a_rule()
    delivered(news())
    raised()
    closed = {"state": AlertState.CLOSED, "closed_by": "ann", "closed_at": timezone.now()}
    Alert.objects.update(**closed)
    delivered(news("organization.primaryName", "A", "B"))
    raised()
    alert = Alert.objects.get()
    assert (alert.state, alert.fact_count, alert.closed_at) == (AlertState.NEW, 2, None)


def test_one_that_was_closed_stays_closed_when_the_publication_is_read_again() -> None:
    a_rule()
    delivered(news())
    raised()
    Alert.objects.update(state=AlertState.CLOSED, closed_at=timezone.now())
    ConsumerOffset.objects.update(position=0)
    raised()
    assert Alert.objects.get().state == AlertState.CLOSED


def test_scope_holds_companies_out() -> None:
    registration = a_registration()
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)), a_seed(OTHER, countryISOAlpha2Code="DE"))
    Subject.objects.create(
        id=Subject.key(registration.pk, OTHER), registration=registration, company_id=OTHER, tags="key"
    )
    a_rule(countries="DE", tags="Key", elements=STATUS)
    delivered(news(), news(duns=OTHER))
    raised()
    assert Alert.objects.get().company_id == OTHER


# Known already, and taken back


def test_a_company_already_deleted_is_not_deleted_again() -> None:
    a_rule(kinds="deleted,transferred")
    delivered(a_notice_now(), registration=a_registration("A"))
    delivered(a_notice_now(minutes=1), registration=a_registration("B"))
    delivered(a_notice_now(minutes=-1), registration=a_registration("C"))
    raised()
    assert AlertItem.objects.count() == 1


def test_deleted_in_one_delivery_twice_is_one_fact() -> None:
    a_rule(kinds="deleted")
    delivered(a_notice_now(), a_notice_now(minutes=1))
    raised()
    assert AlertItem.objects.count() == 1


def test_deleted_restored_and_deleted_is_news_each_time() -> None:
    a_rule(kinds="deleted,restored", grouping=Grouping.EACH)
    for minute, kind in enumerate(("DELETE", "UNDELETE", "DELETE")):
        delivered(a_notice_now(kind, minutes=minute))
    raised()
    assert Alert.objects.count() == 3


def test_merged_into_another_one_than_known_is_news() -> None:
    a_rule(kinds="transferred", grouping=Grouping.EACH)
    for minute, to in enumerate(("150483782", "150483782", "804735133")):
        delivered(a_transfer(to=to, delivered=now_stamp(minutes=minute)), registration=a_registration(f"R{minute}"))
    raised()
    assert Alert.objects.count() == 2


def test_leaving_two_lists_is_two_facts() -> None:
    a_rule(kinds="left", grouping=Grouping.EACH)
    for name in ("A", "B"):
        delivered(a_notice_now("EXIT"), registration=a_registration(name))
    delivered(a_notice_now("EXIT", minutes=2), registration=a_registration("A"))
    raised()
    assert Alert.objects.count() == 2


def test_a_new_alert_that_is_taken_back_is_closed_with_a_note() -> None:
    a_rule(kinds="deleted")
    delivered(a_notice_now())
    raised()
    delivered(a_notice_now("UNDELETE", hours=1))
    raised()
    alert = Alert.objects.get()
    assert (alert.state, alert.closed_by) == (AlertState.CLOSED, "the program")
    assert alert.reversal.startswith("Reversed on ")
    assert "restored at D&B" in alert.reversal


def test_one_that_somebody_has_taken_up_gets_the_note_only() -> None:
    a_rule(elements=BANKRUPTCY, conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    raised()
    Alert.objects.update(state=AlertState.ACKNOWLEDGED)
    delivered(news(BANKRUPTCY, True, False, hours=1))
    raised()
    alert = Alert.objects.get()
    assert alert.state == AlertState.ACKNOWLEDGED
    assert "open bankruptcy yes → no" in alert.reversal


@pytest.mark.parametrize(
    ("element", "previous", "current"),
    [
        (STATUS, OUT, ACTIVE),
        ("organization.dunsControlStatus", {"operatingStatus": OUT}, {"operatingStatus": ACTIVE}),
    ],
)
def test_a_value_that_is_again_what_it_was_takes_back_as_leaf_or_container(
    element: str, previous: Any, current: Any
) -> None:
    a_rule(elements=STATUS, conditions="becomes 403")
    delivered(news())
    raised()
    delivered(news(element, previous, current, hours=1))
    raised()
    assert Alert.objects.get().reversal


def test_other_changes_take_nothing_back() -> None:
    a_rule(elements=BANKRUPTCY, conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    raised()
    delivered(news("organization.legalEvents.hasLiens", True, False, hours=1))
    delivered(news(BANKRUPTCY, True, False, duns=OTHER, hours=1))
    delivered(news(BANKRUPTCY, True, False, hours=-5))
    raised()
    assert not Alert.objects.get().reversal


def test_what_its_own_delivery_takes_back_is_told_to_nobody() -> None:
    a_channel(a_rule(elements=BANKRUPTCY, conditions="becomes true"))
    delivered(news(BANKRUPTCY, False, True), news(BANKRUPTCY, True, False, minutes=1))
    raised()
    assert Alert.objects.get().state == AlertState.CLOSED
    assert not OutboxMessage.objects.exists()


# No floods


def test_old_news_goes_to_the_inbox_and_to_digests_only() -> None:
    rule = a_rule()
    a_channel(rule)
    digest = a_channel(rule, name="Digest", frequency=Frequency.DAILY)
    delivered(an_update(an_element(STATUS, ACTIVE, OUT, now_stamp(days=-8)), delivered=now_stamp()))
    raised()
    assert Alert.objects.get().is_late
    assert not OutboxMessage.objects.exists()
    assert DigestItem.objects.get().channel == digest


def test_more_than_the_limit_in_an_hour_become_one_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_AN_HOUR", 3)
    a_channel(a_rule())
    delivered(*[news(duns=f"10000000{sequence}") for sequence in range(2)])
    delivered(*[news(duns=f"10000001{sequence}") for sequence in range(3)])
    delivered(*[news(duns=f"10000002{sequence}") for sequence in range(2)])
    raised()
    assert Alert.objects.filter(kind=AlertKind.CHANGE).count() == 3
    flood = Alert.objects.get(kind=AlertKind.FLOOD)
    assert flood.fact_count == 4
    assert OutboxMessage.objects.count() == 4


def test_an_alert_from_before_the_flood_still_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_AN_HOUR", 1)
    a_rule()
    delivered(news())
    delivered(news("organization.primaryName", "A", "B"), news(duns=OTHER))
    raised()
    assert Alert.objects.get(company=DUNS).fact_count == 2
    assert Alert.objects.get(kind=AlertKind.FLOOD).fact_count == 1


def test_the_hour_after_a_flood_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_AN_HOUR", 1)
    a_rule()
    delivered(news(), news(duns=OTHER))
    raised()
    delivered(news(duns="150483783"))
    last = Publication.objects.latest("sequence")
    Publication.objects.filter(pk=last.pk).update(published_at=last.published_at + timedelta(hours=1))
    raised()
    assert Alert.objects.filter(kind=AlertKind.CHANGE).count() == 2


def test_new_companies_raise_one_summary_a_registration() -> None:
    a_rule("Out of business", elements=STATUS, conditions="becomes 403")
    rule = AlertRule.objects.create(
        name="Bankrupt", active=True, elements=BANKRUPTCY, conditions="becomes true", severity=4
    )
    a_channel(rule)
    delivered(a_seed("100000001"), a_seed("100000002", dunsControlStatus={"operatingStatus": OUT}))
    delivered(a_seed("100000003"), a_seed("100000004", dunsControlStatus={"operatingStatus": OUT}))
    delivered(a_seed("100000005", legalEvents={"hasOpenBankruptcy": True}))
    raised()
    alert = Alert.objects.get()
    assert alert.title == "5 new companies in ACME_LOD_01: 2 × Out of business, 1 × Bankrupt"
    assert (alert.kind, alert.total, alert.fact_count, alert.state) == (AlertKind.BASELINE, 5, 3, AlertState.NEW)
    last = AlertItem.objects.get(company="100000005")
    assert last.text.endswith("Open bankruptcy: yes (newly reported as yes)"), "nothing has changed"
    assert OutboxMessage.objects.get().event == f"alert:{alert.pk}"
    ConsumerOffset.objects.update(position=0)
    raised()
    assert Alert.objects.get().total == 5


def test_new_companies_with_nothing_to_note_bother_nobody() -> None:
    """Not even the rules that wait for it, where they are about other companies."""
    a_channel(a_rule(elements=STATUS, conditions="becomes 403", countries="FR"))
    delivered(a_seed("100000001"), a_seed("100000002", dunsControlStatus={"operatingStatus": OUT}))
    raised()
    alert = Alert.objects.get()
    assert (alert.state, alert.title) == (AlertState.CLOSED, "2 new companies in ACME_LOD_01, no findings")
    assert not OutboxMessage.objects.exists()


def test_a_later_baseline_of_a_known_company_is_no_addition() -> None:
    a_rule(elements=STATUS, conditions="becomes 403")
    delivered(a_seed(delivered=stamp(days=1)))
    delivered(a_seed(delivered=stamp(days=2), dunsControlStatus={"operatingStatus": OUT}))
    raised()
    assert Alert.objects.get().total == 1


def test_a_rebuild_raises_none() -> None:
    a_rule()
    delivered(news(), a_notice_now())
    raised()
    before = ids()
    Change.objects.all().delete()
    rebuild()
    raised()
    assert ids() == before


# Who dies in between


STEPS = ["_bring_up_to_date", "review_reversals", "note_baselines", "notify", "emit_events", "_move"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_nothing_is_lost_or_doubled(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(a_rule(elements=STATUS, conditions="becomes 403"))
    delivered(news(), news(duns=OTHER), a_seed("100000002", dunsControlStatus={"operatingStatus": OUT}))
    with monkeypatch.context() as patched:
        patched.setattr(evaluate, step, _dying)
        with pytest.raises(Killed):
            raised()
    raised()
    after = ids()
    assert {name: len(found) for name, found in after.items()} == {"Alert": 3, "AlertItem": 3, "OutboxMessage": 3}
    ConsumerOffset.objects.update(position=0)
    raised()
    assert ids() == after


@pytest.mark.parametrize("place", ["insert_new", "enqueue"])
def test_killed_between_rows_of_one_step(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(a_rule(elements=STATUS))
    delivered(news(), news(duns=OTHER))
    module = evaluate if place == "insert_new" else routing
    with monkeypatch.context() as patched:
        patched.setattr(module, place, _dying_after_the_first(getattr(module, place)))
        with pytest.raises(Killed):
            raised()
    raised()
    assert {name: len(found) for name, found in ids().items()} == {"Alert": 2, "AlertItem": 2, "OutboxMessage": 2}
    assert set(Alert.objects.values_list("fact_count", flat=True)) == {1}


class Killed(Exception):
    pass


def _dying(*args: object, **kwargs: object) -> object:
    raise Killed


def _dying_after_the_first(real: Callable[..., Any]) -> Callable[..., Any]:
    """Whatever it was to write, it writes one row and dies."""

    def dying(*args: Any) -> Any:
        real(*args[:-1], list(args[-1])[:1])
        raise Killed

    return dying


def test_two_that_read_at_once_raise_the_same() -> None:
    a_channel(a_rule())
    delivered(news(), news(duns=OTHER))
    rules, publication = Rules.active(), Publication.objects.get()
    first = evaluate.raise_from([publication], rules)
    second = evaluate.raise_from([publication], rules)
    assert [alert.pk for alert in first] == [alert.pk for alert in second]
    assert {name: len(found) for name, found in ids().items()} == {"Alert": 2, "AlertItem": 2, "OutboxMessage": 2}


def test_the_message_of_an_alert_names_the_alert_and_the_publication() -> None:
    channel = a_channel(a_rule())
    delivered(news())
    raised()
    alert, message = Alert.objects.get(), OutboxMessage.objects.get()
    assert message.event == f"alert:{alert.pk}:{alert.sequence}"
    assert message.pk == OutboxMessage.key(channel.pk, message.event)
    assert json.loads(message.payload) == {"alert": str(alert.pk), "sequence": alert.sequence}


# Rules about groups


TOP = "900000000"


def of_one_group(*numbers: str) -> None:
    """As D&B's documents of yesterday say."""
    linkage = {"globalUltimate": {"duns": TOP}}
    delivered(*(a_seed(duns, delivered=now_stamp(days=-1), corporateLinkage=linkage) for duns in numbers))


def monitored(*numbers: str, owner: str = "") -> None:
    registration = a_registration(adopted=True)
    for duns in numbers:
        a_subject(duns, registration, owner=owner)


def test_a_rule_about_groups_takes_changes_of_companies_with_others_of_their_group() -> None:
    a_rule("Group", elements=STATUS, group_only=True)
    of_one_group(DUNS, "123456789", "012345678")
    delivered(a_seed(OTHER, delivered=now_stamp(days=-1)))
    monitored(DUNS, OTHER, "123456789", "012345678")
    delivered(news(), news(duns=OTHER))
    raised()
    alert = Alert.objects.get()
    assert alert.company_id == DUNS
    assert (
        alert.reason
        == "Operating status: Active → Out of business. 3 of your companies belong to this company's group."
    )


@pytest.mark.parametrize(("group_only", "messages"), [(True, 1), (False, 0)])
def test_a_rule_about_groups_notifies_the_owners_of_the_other_companies(group_only: bool, messages: int) -> None:
    a_rule("Group", elements=STATUS, group_only=group_only)
    of_one_group(DUNS, "123456789")
    monitored(DUNS)
    monitored("123456789", owner="sister@example.com")
    delivered(news())
    raised()
    assert OutboxMessage.objects.count() == messages
    for row in OutboxMessage.objects.all():
        message = message_of(Channel.objects.get(pk=row.target), row)
        assert message and message.subject.startswith("[Critical] Group member ")


@pytest.mark.parametrize(
    ("own", "alerts"), [(Severity.CRITICAL, 1), (Severity.MEDIUM, 2)], ids=["the company's own", "a less severe one"]
)
def test_one_event_is_one_alert_that_notifies_the_group_too(own: Severity, alerts: int) -> None:
    a_rule("Group", elements=STATUS, group_only=True, severity=Severity.HIGH)
    a_rule("Status", elements=STATUS, severity=own, notify_owner=False)
    of_one_group(DUNS, "123456789")
    monitored(DUNS)
    monitored("123456789", owner="sister@example.com")
    delivered(news())
    raised()
    assert Alert.objects.count() == alerts and OutboxMessage.objects.count() == 1
    reasons = [
        row.reason for row in Alert.objects.all() if "2 of your companies belong to this company's group." in row.reason
    ]
    assert len(reasons) == 1


def test_a_company_whose_group_is_not_monitored_raises_nothing() -> None:
    """The other one was monitored once."""
    a_rule("Group", elements=STATUS, group_only=True)
    of_one_group(DUNS, OTHER)
    monitored(DUNS, OTHER)
    Subject.objects.filter(company=OTHER).update(state=SubjectState.REMOVED, requested=False)
    delivered(news())
    raised()
    assert not Alert.objects.exists()


def test_a_message_names_the_severity_of_a_change_where_its_alert_has_another() -> None:
    alert = a_raised_alert(severity=Severity.MEDIUM)
    channel = a_channel(*AlertRule.objects.all())
    assert alert_message(channel, [alert], None).entries[0].severity == "Critical-severity change"
    Alert.objects.update(severity=Severity.CRITICAL)
    alert.refresh_from_db()
    assert alert_message(channel, [alert], None).entries[0].severity == "Critical"
