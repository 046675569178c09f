"""Conditions that no value can meet, by the range of the scores they are about: named before a rule is enabled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from monitoring.alerts.conditions import (
    ABOVE,
    BECOMES,
    BELOW,
    CROSSES,
    DROPS,
    NUMERIC,
    RISES,
    WAS,
    Condition,
    parse_condition,
)
from monitoring.elements.compare import number_of
from monitoring.elements.paths import Mistake
from monitoring.models import AlertRule

RANGES: Mapping[str, tuple[int, int, str | Promise]] = {
    "classScore": (1, 5, _("Class scores range from 1 to 5; 1 is the lowest risk.")),
    "nationalPercentile": (1, 100, _("Percentiles range from 1 to 100; 1 is the highest risk.")),
}


def unmatchable_texts(row: AlertRule) -> list[str]:
    """A sentence for each condition that none of the rule's data elements can meet."""
    names = {line.rpartition(".")[2] for line in _lines(row.elements) if not line.startswith("!")}
    if not names or not names <= RANGES.keys():
        return []
    return [_text(condition, names) for condition in _conditions(row) if not any(_can_be(condition, n) for n in names)]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _conditions(row: AlertRule) -> Iterator[Condition]:
    for line in _lines(row.conditions):
        try:
            yield parse_condition(line)
        except Mistake:
            continue


def _can_be(condition: Condition, name: str) -> bool:
    least, most, _words = RANGES[name]
    if condition.operator in (RISES, DROPS):
        return condition.is_percent or condition.number <= most - least
    number = condition.number if condition.operator in NUMERIC else number_of(condition.value)
    return number is None or _is_within(condition.operator, Decimal(number), least, most)


def _is_within(operator: str, number: Decimal, least: int, most: int) -> bool:
    if operator in (BECOMES, WAS):
        return least <= number <= most
    above, below = least <= number < most, least < number <= most
    return {ABOVE: above, BELOW: below, CROSSES: above or below}.get(operator, True)


def _text(condition: Condition, names: set[str]) -> str:
    words = gettext("The condition “%(condition)s” can never be met. %(range)s")
    ranges = " ".join(str(RANGES[name][2]) for name in sorted(names))
    return words % {"condition": condition.text, "range": ranges}
