"""Alerts as business units see them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from core.visibility import EVERYTHING, visible_to
from dnbmon_site.accounts.models import User
from monitoring.alerts.actions import assign, comment
from monitoring.alerts.admin.search import find_alerts
from monitoring.alerts.channel_messages import message_of
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.alerts.own_alerts import own_alerts
from monitoring.audiences import intern
from monitoring.company_page.risk import open_alerts
from monitoring.follows.mentions import notify_mentioned
from monitoring.models import Alert, AlertItem, AlertKind, AlertState, Audience, Change, Channel, Kind, OutboxMessage
from monitoring.open_counts import waiting_alerts
from monitoring.outbox.queue import send_due_messages
from tests.builders.alerts import an_alert, raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.follows import a_follower
from tests.builders.notifications import an_update
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp, soon, stamp
from tests.builders.units import a_unit, seen_by
from tests.builders.webhooks import an_endpoint

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


# Who is told


def messages_to(target: Any) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(target=target.pk).order_by("sequence", "created_at"))


def told(channel: Channel) -> list[str]:
    """What the texts say: each message once."""
    shown = (message_of(Channel.objects.get(pk=channel.pk), row) for row in messages_to(channel))
    return [message.subject if message else "" for message in shown]


def said(endpoint: Any) -> list[dict[str, Any]]:
    return [json.loads(row.payload)["data"] for row in messages_to(endpoint)]


def test_a_unit_is_told_of_an_alert_when_its_registration_reports_the_change_after_another() -> None:
    a_rule(elements=STATUS)
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    first, later = (
        a_channel(all_rules=True, unit=credit),
        a_channel(all_rules=True, address="b@example.com", unit=buying),
    )
    hook, _ = an_endpoint(None, event_types="alert.*", unit=buying)
    everyone, _ = an_endpoint(None, name="All", event_types="alert.*")
    for_all = a_channel(all_rules=True, address="all@example.com")
    reports(one(), GONE)
    assert (len(told(first)), len(told(later)), said(hook)) == (1, 0, [])
    for _ in range(2):
        reports(two(), GONE)
        assert (len(told(first)), len(told(for_all)), len(said(everyone))) == (1, 1, 1)
        assert told(later) == told(first)
        assert said(hook) == said(everyone)


def test_a_unit_of_both_registrations_is_told_once() -> None:
    a_rule(elements=STATUS)
    both = a_unit("Both", one(), two())
    channel, (hook, _) = a_channel(all_rules=True, unit=both), an_endpoint(None, event_types="alert.*", unit=both)
    reports(one(), GONE)
    OutboxMessage.objects.filter(target=channel.pk).delete()
    reports(two(), GONE)
    assert (len(told(channel)), len(said(hook))) == (0, 1)


def test_a_unit_that_is_told_later_is_told_once_of_alerts_about_the_same_change() -> None:
    a_rule(elements=STATUS)
    a_rule("Also", elements=STATUS)
    a_unit("Credit", one())
    channel = a_channel(all_rules=True, unit=a_unit("Buying", two()))
    reports(one(), GONE)
    reports(two(), GONE)
    assert len(told(channel)) == 1


def test_a_webhook_of_a_unit_is_told_of_an_alert_that_its_registration_adds_to_and_of_no_other_change() -> None:
    a_rule(elements=f"{STATUS}\norganization.legalEvents.hasOpenBankruptcy")
    a_unit("Credit", one())
    hook, _ = an_endpoint(None, event_types="alert.*", unit=a_unit("Buying", two()))
    everyone, _ = an_endpoint(None, name="All", event_types="alert.*")
    reports(one(), GONE)
    reports(two(), BANKRUPT)
    [ours], [theirs] = said(hook), said(everyone)
    assert ours["id"] == theirs["id"]
    own = AlertItem.objects.get(text=ours["title"])
    assert item_registration(own) == two().pk
    assert theirs["title"] != ours["title"]


# What is shown of an alert


def a_shared_alert(*, people: Any = ()) -> tuple[Any, Alert]:
    """Credit was notified of the first change, which gives the alert its title, and Buying of the second."""
    a_rule(elements=f"{STATUS}\norganization.legalEvents.hasOpenBankruptcy")
    a_unit("Credit", one())
    buying = a_unit("Buying", two(), people=people)
    reports(one(), GONE)
    reports(two(), BANKRUPT)
    return buying, Alert.objects.get()


def a_buyer() -> Any:
    return a_person("view_alert", "view_company", "view_change", username="bob", role="Viewer")


def test_what_a_person_is_assigned_has_the_title_that_the_person_sees() -> None:
    bob = a_buyer()
    _, alert = a_shared_alert(people=[bob])
    assign([alert.pk], to=bob, by="ann")
    [item] = own_alerts(User.objects.get(pk=bob.pk))["newest"]
    assert item["title"] != alert.title
    assert item["title"] == waiting_alerts(User.objects.get(pk=bob.pk).read_scope())["newest"][0]["title"]


def test_the_company_page_and_the_search_show_the_title_that_a_person_sees() -> None:
    bob = a_buyer()
    _, alert = a_shared_alert(people=[bob])
    scope = User.objects.get(pk=bob.pk).read_scope()
    [shown] = open_alerts(DUNS, scope, as_seen_by).shown
    assert "bankruptcy" in shown.title.casefold() and "Out of business" not in shown.title
    for word, count in (("bankruptcy", 1), ("Operating", 0)):
        assert find_alerts(visible_to(scope, Alert.objects.all()), word, scope).count() == count
        assert find_alerts(Alert.objects.all(), "Operating", EVERYTHING).count() == 1


def test_a_mention_says_what_the_person_sees_of_the_alert() -> None:
    bob = a_follower()
    _, alert = a_shared_alert(people=[bob])
    comment(alert.pk, by="ann", text="@bob look")
    notify_mentioned()
    send_due_messages(soon(), at_once=1)
    [message] = mail.outbox
    assert "bankruptcy" in message.subject.casefold() and "perating status" not in message.subject


def test_a_reversal_is_shown_to_units_that_were_notified_of_it() -> None:
    a_rule(elements=STATUS, conditions="becomes 403")
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    reports(one(), GONE)
    reports(two(), GONE)
    reports(two(), an_element(STATUS, OUT, ACTIVE, stamp(MOMENT, minutes=5)))
    assert reversals(credit) == [""] and reversals(buying) != [""]
    reports(one(), an_element(STATUS, OUT, ACTIVE, stamp(MOMENT, minutes=5)))
    assert reversals(credit) == reversals(buying) != [""]


def reversals(unit: Any) -> list[str]:
    shown = alerts_of(unit)
    as_seen_by(seen_by(unit), shown)
    return [alert.reversal for alert in shown]


def test_an_alert_of_a_units_rule_is_reversed_by_what_the_unit_was_notified_of() -> None:
    credit = a_unit("Credit", one())
    a_unit("Buying", two())
    a_rule(elements=STATUS, conditions="becomes 403", unit=credit)
    reports(one(), GONE)
    back = an_element(STATUS, OUT, ACTIVE, stamp(MOMENT, minutes=5))
    reports(two(), back)
    assert Alert.objects.get().state == AlertState.NEW
    reports(one(), back)
    assert Alert.objects.get().state == AlertState.CLOSED


def test_users_who_do_not_see_an_alert_cannot_be_chosen_as_its_assignee(client: Client) -> None:
    a_rule(elements=STATUS)
    zoe, bob, eve = (a_person(username=name, role="Analyst") for name in ("zoe", "bob", "eve"))
    a_unit("Credit", one(), people=[bob])
    a_unit("Buying", two(), people=[eve, a_person(username="vic", role="Viewer")])
    a_unit("Credit", one(), people=[bob, a_person(username="ida", role="Viewer")])
    User.objects.filter(pk=zoe.pk).update(sees_all=True)
    reports(one(), GONE)
    client.force_login(zoe)
    page = client.get(f"/monitoring/alert/{Alert.objects.get().pk}/change/").text
    assert f'<option value="{eve.pk}" disabled>eve (not permitted to see this alert)' in page
    assert f'<option value="{bob.pk}">bob' in page
    assert "roles do not permit work on alerts: ida." in page
