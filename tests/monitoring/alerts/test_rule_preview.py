"""A rule tried on the past: counts for each window, examples, and the bound said where it is reached."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.cached_counts import update_counts
from monitoring.alerts import rule_preview
from monitoring.alerts.rule_preview import try_rule
from monitoring.elements.paths import Mistake
from monitoring.models import Alert, AlertKind, AlertRule, Grouping, OutboxMessage, Severity
from tests.builders.alerts import raised
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, BANKRUPTCY, OUT, STATUS, an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db


def happened(days: int, element: str = STATUS, previous: Any = ACTIVE, current: Any = OUT, duns: str = DUNS) -> Any:
    at = now_stamp(days=-days)
    return an_update(an_element(element, previous, current, at), duns=duns, delivered=at)


def a_past() -> None:
    delivered(
        a_seed(DUNS, delivered=now_stamp(days=-400)),
        happened(10),
        happened(60, previous=OUT, current=ACTIVE),
        happened(70),
        happened(200, duns=OTHER),
        happened(380, duns=OTHER),
        happened(5, "organization.primaryName", "A", "B"),
    )


def counts(**fields: Any) -> list[int]:
    rule = AlertRule(name="Tried", grouping=Grouping.EACH, **fields)
    return [window.alerts for window in try_rule(rule).windows]


def test_counts_what_would_have_been_raised_in_each_window() -> None:
    a_past()
    assert counts(elements=STATUS, conditions="becomes 403") == [1, 2, 3]
    assert counts(elements="primaryName") == [1, 1, 1]
    assert counts(elements="dunsControlStatus.*") == [1, 3, 4]
    assert counts() == [2, 4, 5]
    assert counts(elements=BANKRUPTCY) == [0, 0, 0]


def test_scope_counts_too() -> None:
    a_past()
    assert counts(elements=STATUS, companies=OTHER) == [0, 0, 1]
    assert counts(elements=STATUS, countries="GB") == [1, 3, 3]


def test_grouping_counts_alerts_not_changes() -> None:
    delivered(happened(1), happened(2, "organization.primaryName", "A", "B"), happened(3, duns=OTHER))
    trial = try_rule(AlertRule(name="Tried", grouping=Grouping.COMPANY_DAY))
    assert (trial.windows[0].alerts, trial.windows[0].companies) == (2, 2)


def test_notices_that_repeat_the_one_before_are_counted_once() -> None:
    for number, registration in enumerate(("A", "B")):
        item = a_notice("DELETE", delivered=now_stamp(days=-3, minutes=number))
        delivered(item, registration=a_registration(registration))
    assert counts(kinds="deleted") == [1, 1, 1]


def test_examples_are_the_newest_in_words() -> None:
    a_past()
    trial = try_rule(AlertRule(name="Tried", elements=STATUS, conditions="becomes 403", grouping=Grouping.EACH))
    assert [str(example.line) for example in trial.examples] == ["operating status Active → Out of business"] * 3
    assert trial.examples[0].line.change.changed_at > timezone.now() - timedelta(days=11)
    assert trial.examples[0].reason == "Operating status: Active → Out of business (changes to Out of business)"
    assert trial.examples[0].line.change.company.name == "B"


def test_as_many_alerts_are_listed_as_the_number_says() -> None:
    a_past()
    trial = try_rule(AlertRule(name="Tried", elements=STATUS, grouping=Grouping.COMPANY_DAY))
    assert len(trial.examples) == trial.windows[-1].alerts == 2
    assert sum(1 + example.more for example in trial.examples) == 4 and not trial.is_cut


def test_what_lies_beyond_the_bound_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    a_past()
    monkeypatch.setattr(rule_preview, "SCAN", 2)
    trial = try_rule(AlertRule(name="Tried", elements=STATUS))
    assert [window.is_all for window in trial.windows] == [True, False, False]
    assert not trial.is_all
    assert trial.looked_at == 2


def test_nothing_is_raised_or_sent() -> None:
    a_past()
    try_rule(AlertRule(name="Tried"))
    assert not Alert.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_rule_with_a_mistake_is_not_tried() -> None:
    with pytest.raises(Mistake):
        try_rule(AlertRule(name="Tried", elements=".."))


def test_few_queries_however_much_there_is(django_assert_max_num_queries: AtMost) -> None:
    a_past()
    with django_assert_max_num_queries(6):
        try_rule(AlertRule(name="Tried", elements=STATUS, conditions="becomes 403"))


def test_a_rule_limited_to_registrations_counts_what_these_have_reported() -> None:
    item = happened(1)
    for reference in ("A", "B"):
        delivered(item, registration=a_registration(reference))
    delivered(happened(2, "organization.primaryName", "A", "B"), registration=a_registration("A"))
    assert counts() == [2, 2, 2]
    assert counts(registrations="A") == [2, 2, 2]
    assert counts(registrations="B") == [1, 1, 1]


def test_a_document_that_shows_what_an_update_reported_counts_for_its_registration_once() -> None:
    full = a_registration("B", full_product=True)
    before: dict[str, Any] = {"dunsControlStatus": {"operatingStatus": ACTIVE}}
    delivered(a_seed(delivered=now_stamp(days=-3), **before), registration=full)
    delivered(happened(2), registration=a_registration("A"))
    after: dict[str, Any] = {"dunsControlStatus": {"operatingStatus": OUT}, "financials": [{"revenue": 5}]}
    delivered(a_seed(delivered=now_stamp(days=-1), **after), registration=full)
    assert counts() == [1, 1, 1]
    assert counts(registrations="B") == [1, 1, 1]


def test_leaving_two_registrations_counts_twice_and_leaving_again_once_more() -> None:
    for reference in ("A", "B"):
        for number, kind in enumerate(("EXIT", "EXIT", "ENTER", "EXIT")):
            item = a_notice(kind, delivered=now_stamp(days=-3, minutes=number))
            delivered(item, registration=a_registration(reference))
    assert counts(kinds="left") == [4, 4, 4]
    assert counts(kinds="left", registrations="B") == [2, 2, 2]


def test_a_rule_about_groups_counts_what_no_other_alert_stands_for(django_assert_max_num_queries: AtMost) -> None:
    linkage: dict[str, Any] = {"globalUltimate": {"duns": "900000000"}}
    numbers = (DUNS, OTHER, "123456789")
    registration = a_registration(adopted=True)
    delivered(*(a_seed(duns, delivered=now_stamp(days=-9), corporateLinkage=linkage) for duns in numbers))
    for duns in numbers:
        a_subject(duns, registration)
    group = a_rule("Group", elements=STATUS, group_only=True, severity=Severity.HIGH, grouping=Grouping.EACH)
    a_rule("Own", elements=STATUS, companies=DUNS, severity=Severity.CRITICAL)
    a_rule("Less severe", elements=STATUS, companies=OTHER, severity=Severity.MEDIUM)
    a_rule("Disabled", elements=STATUS, severity=Severity.CRITICAL, active=False)
    delivered(*(happened(1, duns=duns) for duns in numbers))
    raised()
    with django_assert_max_num_queries(12):
        trial = try_rule(group)
    assert Alert.objects.filter(rule=group).count() == trial.windows[0].alerts == 2
    assert {one.line.change.company_id for one in trial.examples} == {OTHER, "123456789"} and trial.covered == 1


def test_the_preview_counts_what_the_rule_then_raises() -> None:
    a_registration("A")
    a_registration("B", full_product=True)
    rules = {
        name: a_rule(name, grouping=Grouping.COMPANY_DAY, **fields)
        for name, fields in {"all": {}, "B": {"registrations": "B"}, "left": {"kinds": "left,deleted"}}.items()
    }
    delivered(a_seed(delivered=now_stamp(days=-9)), registration=a_registration("B", full_product=True))
    for reference in ("A", "B"):
        gone = (a_notice(kind, delivered=now_stamp(days=-2)) for kind in ("EXIT", "DELETE"))
        full = reference == "B"
        delivered(happened(1), happened(8, BANKRUPTCY, False, True), *gone,
                  registration=a_registration(reference, full_product=full))  # fmt: skip
    raised()
    for name, rule in rules.items():
        alerts = Alert.objects.filter(rule_name=name, kind=AlertKind.CHANGE).count()
        assert (name, try_rule(rule).windows[0].alerts) == (name, alerts)


def test_says_from_when_on_there_is_data() -> None:
    row = a_rule(conditions="gets worse")
    assert try_rule(row).incomplete == ""
    delivered(a_seed())
    update_counts("in_use")
    assert try_rule(row).incomplete.startswith("Notifications have been received since")
