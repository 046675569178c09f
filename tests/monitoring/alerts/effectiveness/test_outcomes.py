"""How alerts of a rule were closed: numbers beside the rule that equal the lists they open."""

import re
from typing import Any

import pytest
from django.test import Client

from monitoring.alerts.actions import close
from monitoring.alerts.effectiveness.outcomes import outcomes_of
from monitoring.models import Alert, AlertRule, CloseReason
from tests.builders.alerts import an_alert
from tests.builders.pages import text_of
from tests.builders.queries import AtMost
from tests.builders.rules import a_rule

pytestmark = pytest.mark.django_db
REASONS = (*[CloseReason.NOISE] * 3, *[CloseReason.ACTED] * 2, CloseReason.KNOWN, CloseReason.WRONG_DATA)


def closed(rule: AlertRule, *reasons: str, days: int = 1) -> None:
    for reason in reasons:
        close([an_alert(days, rule=rule).pk], by="ann", reason=reason, text="Seen.")


def test_alerts_that_people_closed_are_counted_by_reason() -> None:
    rule, other = a_rule(), a_rule("Other")
    closed(rule, *REASONS)
    closed(rule, CloseReason.NOISE, days=200)
    closed(rule, CloseReason.NOISE, days=400)
    closed(rule, "")
    closed(other, CloseReason.NOISE)
    an_alert(rule=rule)
    quarter, year = (outcomes_of([rule.pk, other.pk], days)[rule.pk] for days in (90, 365))
    assert (quarter.noise, quarter.closed, quarter.share) == (3, 7, 43)
    assert (year.noise, year.closed) == (4, 8)
    assert outcomes_of([other.pk], 90)[other.pk].share == 100


def test_a_page_of_rules_is_counted_in_one_query(django_assert_max_num_queries: AtMost) -> None:
    rules = [a_rule(f"{number}").pk for number in range(20)]
    with django_assert_max_num_queries(1):
        assert {one.closed for one in outcomes_of(rules, 90).values()} == {0}


def test_each_number_is_that_of_the_list_it_opens(ann: Client) -> None:
    rule = a_rule()
    closed(rule, *REASONS)
    for days in (89, 90, 91, 364, 365, 366):
        closed(rule, CloseReason.NOISE, days=days)
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/effectiveness/")
    numbers = re.findall(r'href="(/monitoring/alert/\?[^"]+)">([0-9]+)</a>', page.text)
    assert len(numbers) == 8
    for link, number in numbers:
        rows: Any = ann.get(link.replace("&amp;", "&")).context["cl"].result_list
        assert len(rows) == int(number), link


def test_the_list_of_rules_says_how_many_were_not_relevant(ann: Client) -> None:
    rule = a_rule()
    assert "Not relevant" in text_of(ann.get("/monitoring/alertrule/"))
    closed(rule, *REASONS)
    page = ann.get("/monitoring/alertrule/")
    assert "3 of 7 (43 %)" in text_of(page)
    assert f"/monitoring/alertrule/{rule.pk}/effectiveness/" in page.text


def test_a_reopened_alert_no_longer_counts(ann: Client) -> None:
    rule = a_rule()
    closed(rule, CloseReason.NOISE)
    ann.post(f"/monitoring/alert/{Alert.objects.get().pk}/do/open/")
    assert outcomes_of([rule.pk], 90)[rule.pk].closed == 0
