"""What has to be true of a value that changed, written in words: "becomes 403", "drops by 20 %", "goes below 30"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from monitoring.elements.compare import NUMBER, is_worse, number_of
from monitoring.elements.formatting import is_nothing, short, value_text
from monitoring.elements.paths import Facet, Mistake

CHANGES, WORSE = "changes", "gets worse"
BECOMES, WAS, CONTAINS = "becomes", "was", "contains"
RISES, DROPS = "rises by", "drops by"
ABOVE, BELOW, CROSSES = "goes above", "goes below", "crosses"

OPERATORS: Mapping[str, str | Promise] = {
    CHANGES: _("changes in any way"),
    BECOMES: _("changes to …"),
    WAS: _("was … before the change"),
    CONTAINS: _("contains …"),
    RISES: _("rises by … or more (points, an amount or %)"),
    DROPS: _("drops by … or more (points, an amount or %)"),
    ABOVE: _("goes above …"),
    BELOW: _("goes below …"),
    CROSSES: _("crosses …"),
    WORSE: _("gets worse (for scores and ratings)"),
}
SAID: Mapping[str, str | Promise] = {
    CHANGES: _("changes"),
    BECOMES: _("changes to %(value)s"),
    WAS: _("was %(value)s"),
    CONTAINS: _("contains %(value)s"),
    RISES: _("rises by %(value)s or more"),
    DROPS: _("drops by %(value)s or more"),
    ABOVE: _("goes above %(value)s"),
    BELOW: _("goes below %(value)s"),
    CROSSES: _("crosses %(value)s"),
    WORSE: _("gets worse"),
}
# Of a value that was reported for the first time: nothing has changed.
AT_FIRST: Mapping[str, str | Promise] = {
    BECOMES: _("newly reported as %(value)s"),
    ABOVE: _("is above %(value)s"),
    BELOW: _("is below %(value)s"),
}
WITH_A_TRUTH = (BECOMES, WAS)
WITHOUT_VALUE = (CHANGES, WORSE)
NUMERIC = (RISES, DROPS, ABOVE, BELOW, CROSSES)
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Condition:
    operator: str
    value: str = ""
    number: Decimal = Decimal(0)
    is_percent: bool = False

    def __str__(self) -> str:
        return f"{self.operator} {self.value}".strip()

    @property
    def text(self) -> str:
        """For people; rules are written and kept in the words of `OPERATORS`' keys."""
        return str(SAID[self.operator]) % {"value": shown_value(self.operator, self.value)}

    def text_for(self, facet: Facet) -> str:
        """The same about a value that meets it: with its label in place of D&B's code."""
        words = AT_FIRST.get(self.operator, "") if is_nothing(facet.previous) else ""
        value = short(facet.current, 80) if self.operator == BECOMES else shown_value(self.operator, self.value)
        return str(words or SAID[self.operator]) % {"value": value}

    def is_met(self, facet: Facet) -> bool:
        if self.operator == CHANGES:
            return True
        if self.operator == WORSE:
            return is_worse(facet)
        if self.operator in NUMERIC:
            return self._compares(number_of(facet.previous), number_of(facet.current))
        return self._is_met_by_text(facet)

    def _is_met_by_text(self, facet: Facet) -> bool:
        before, after, sought = texts_of(facet.previous), texts_of(facet.current), casefolded(self.value)
        if self.operator == WAS:
            return sought in before and sought not in after
        if self.operator == BECOMES:
            return sought in after and sought not in before
        return any(sought in text for text in after)

    def _compares(self, before: Decimal | None, after: Decimal | None) -> bool:
        if before is None or after is None:
            return False
        if self.operator == RISES:
            return self._is_enough(after - before, before)
        if self.operator == DROPS:
            return self._is_enough(before - after, before)
        is_up, is_down = before <= self.number < after, before >= self.number > after
        return is_up if self.operator == ABOVE else is_down if self.operator == BELOW else is_up or is_down

    def _is_enough(self, difference: Decimal, before: Decimal) -> bool:
        if self.is_percent:
            return before != 0 and difference > 0 and difference * 100 >= self.number * abs(before)
        return difference > 0 and difference >= self.number

    def holds(self, value: Any) -> bool:
        """Whether a value is so already, without having become so: of a company that was added."""
        if self.operator == BECOMES:
            return casefolded(self.value) in texts_of(value)
        if self.operator == CONTAINS:
            return any(casefolded(self.value) in text for text in texts_of(value))
        number = number_of(value)
        if number is None:
            return False
        return number > self.number if self.operator == ABOVE else self.operator == BELOW and number < self.number


def shown_value(operator: str, value: str) -> str:
    """As people read it: D&B's true and false are yes and no on every page."""
    words = {"true": gettext("yes"), "false": gettext("no")}
    return words.get(value.lower(), value) if operator in WITH_A_TRUTH else value


def written_value(operator: str, value: str) -> str:
    """What `shown_value` was given; rules are kept in no reader's language."""
    values = {gettext("yes").casefold(): "true", gettext("no").casefold(): "false"}
    return values.get(value.casefold(), value) if operator in WITH_A_TRUTH else value


def parse_condition(text: str) -> Condition:
    """Raises Mistake."""
    lowered = text.lower()
    for operator in sorted(OPERATORS, key=len, reverse=True):
        if lowered == operator or lowered.startswith(operator + " "):
            return _with_value(operator, text[len(operator) :].strip(), len(operator) + 2)
    known = ", ".join(OPERATORS)
    raise Mistake(gettext("A condition must start with one of: %(known)s.") % {"known": known})


def line_text(line: str) -> str:
    """A condition as people read it; what is none stands as it was written."""
    try:
        return parse_condition(line).text
    except Mistake:
        return line


def _with_value(operator: str, value: str, at: int) -> Condition:
    if operator in WITHOUT_VALUE:
        if value:
            raise Mistake(gettext("“%(operator)s” takes no value. Leave the value empty.") % {"operator": operator}, at)
        return Condition(operator)
    if not value:
        raise Mistake(gettext("Enter a value after “%(operator)s”.") % {"operator": operator}, at - 1)
    if len(value) > LONGEST:
        raise Mistake(gettext("A value can have at most %(count)s characters.") % {"count": LONGEST}, at + LONGEST)
    return _numeric(operator, value, at) if operator in NUMERIC else Condition(operator, value)


def _numeric(operator: str, value: str, at: int) -> Condition:
    found = NUMBER.fullmatch(value)
    if not found:
        raise Mistake(
            gettext("“%(value)s” is not a number. Enter a number such as 20, 2.5 or 20 %%.") % {"value": value}, at
        )
    is_percent = bool(found[2])
    if is_percent and operator not in (RISES, DROPS):
        raise Mistake(gettext("Percentages work only with “rises by” and “drops by”."), at + value.index("%"))
    number = Decimal(found[1].replace(",", ""))
    if operator in (RISES, DROPS) and number < 0:
        raise Mistake(gettext("Enter the amount without a plus or minus sign."), at)
    return Condition(operator, value, number, is_percent)


def casefolded(text: str) -> str:
    """As people compare: without case, numbers in one form, yes and no as true and false."""
    plain = " ".join(text.casefold().split())
    number = number_of(plain)
    return {"yes": "true", "no": "false"}.get(plain, plain) if number is None else f"{number.normalize():f}"


def texts_of(value: Any) -> set[str]:
    """What a value says: itself, and the members of objects and items of lists, each and as a whole."""
    # Alike for whoever tries a rule and for the job that applies it: in the installation's language.
    with override(settings.LANGUAGE_CODE):
        said = {casefolded(value_text(value)), "nothing"} if is_nothing(value) else {casefolded(value_text(value))}
        return said | set(_texts(value, 0))


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and depth < 4:
        for member in value.values():
            yield from _texts(member, depth + 1)
    elif isinstance(value, list) and depth < 4:
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None and not isinstance(value, (dict, list)):
        yield casefolded(str(value))
