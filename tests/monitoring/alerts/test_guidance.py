"""What an alert means and what to do: for each default rule, each change type and each group of data elements."""

import pytest

from monitoring.alerts.default_rules import DEFAULT_RULES, columns_of
from monitoring.alerts.guidance import ANY, BY_DEFAULT_RULE, BY_GROUP, BY_KIND, FLOOD, NEW_COMPANIES, guidance_for
from monitoring.elements.groups import GROUPS, KNOWN, ORDER, OTHER, group_of, grouped_choices
from monitoring.models import Alert, AlertItem, AlertKind, AlertRule, Kind


def test_every_default_rule_and_every_group_has_a_text() -> None:
    assert BY_DEFAULT_RULE.keys() == DEFAULT_RULES.keys()
    assert BY_GROUP.keys() == GROUPS.keys() == set(ORDER)
    assert BY_KIND.keys() == set(Kind) - {Kind.ELEMENT, Kind.BASELINE, Kind.UNKNOWN}


@pytest.mark.parametrize("key", list(DEFAULT_RULES))
def test_a_default_rule_is_explained_by_its_own_text(key: str) -> None:
    assert guidance_for(Alert(), AlertRule(**columns_of(key)), []) is BY_DEFAULT_RULE[key]


def test_other_rules_are_explained_by_what_they_found() -> None:
    own = AlertRule(name="Mine")
    score = AlertItem(kind=Kind.ELEMENT, element="organization.dnbAssessment.failureScore.classScore")
    assert guidance_for(Alert(), own, [score]) is BY_GROUP["scores"]
    turned = AlertRule(**{**columns_of("insolvency"), "elements": "organization.dnbAssessment"})
    assert guidance_for(Alert(), turned, [score]) is BY_GROUP["scores"]
    assert guidance_for(Alert(), None, [AlertItem(kind=Kind.RESTORED)]) is BY_KIND[Kind.RESTORED]
    assert guidance_for(Alert(), own, [AlertItem(kind=Kind.ELEMENT, element="organization.unheardOf")]) is ANY
    assert guidance_for(Alert(), own, []) is ANY
    assert guidance_for(Alert(kind=AlertKind.FLOOD), own, [score]) is FLOOD
    assert guidance_for(Alert(kind=AlertKind.BASELINE), None, [score]) is NEW_COMPANIES


def test_every_known_element_has_a_group_and_seen_ones_join_them() -> None:
    assert OTHER not in {group_of(path) for path in KNOWN}
    choices = {
        str(group): [str(label) for _path, label in found]
        for group, found in grouped_choices([("organization.telephone.isdCode", "Code"), ("organization.new", "")])
    }
    assert choices["Address & contact"][-1] == "Code"
    assert choices["Other"] == ["organization.new"]
