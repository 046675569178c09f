"""Alert rules: what one says, checked with the place of each mistake, and whether it takes a change."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext

from core.db import in_batches
from core.text import counted, country_name
from direct_plus.duns import InvalidDuns
from monitoring.alerts.conditions import BECOMES, Condition, line_text, parse_condition
from monitoring.company_page.group import others_in_groups, shared_text
from monitoring.company_page.value_diff import in_a_line
from monitoring.elements.formatting import from_json, label_of_path, lower_first, short
from monitoring.elements.groups import KNOWN, PATTERNS
from monitoring.elements.json_paths import ROOT
from monitoring.elements.paths import Facet, Mistake, Names, facets, holds, is_related, name_within, parse_line
from monitoring.elements.score_dates import DATES, is_only_dates
from monitoring.elements.severity import OUT_OF_BUSINESS
from monitoring.models import AlertRule, Change, Combination, Kind
from portfolio.companies.duns_lists import entries_of, read_listed
from portfolio.exposure.rates import in_reporting_currency
from portfolio.models import Company, Registration, Subject
from portfolio.visibility import chosen_registrations

Mistakes = dict[str, list[str]]
OTHER_KINDS = set(Kind.values) - {Kind.ELEMENT}
MOST_LINES = 200
ANY_VALUE = frozenset([""])
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule as it is applied; None leaves nothing out."""

    row: AlertRule
    kinds: frozenset[str] | None = None
    paths: tuple[Names, ...] = ()
    left_out: tuple[Names, ...] = ()
    conditions: tuple[Condition, ...] = ()
    registrations: frozenset[uuid.UUID] | None = None
    companies: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    # In cents; companies of which no exposure is known are not above it.
    min_exposure: int | None = None

    @property
    def key(self) -> uuid.UUID:
        return self.row.pk

    def may_take(self, kind: str, element: str) -> frozenset[str] | None:
        """Letters of which some stand in each value that it takes of such a change; None where it takes no such one."""
        if self.kinds is not None and kind not in self.kinds:
            return None
        if kind != Kind.ELEMENT or not self.paths:
            return ANY_VALUE
        return frozenset(name_within(path, element) for path in self.paths if is_related(path, element)) or None

    def reason(self, change: Change) -> str:
        """Why it takes a change, in words; nothing if it does not. Says nothing about the company yet."""
        if self.may_take(change.kind, change.element) is None:
            return ""
        if change.kind != Kind.ELEMENT:
            return str(change.get_kind_display())
        reason = self._reason_of(self.values_of(change))
        takes_any = not self.paths and not self.conditions and not self.left_out
        return gettext("Any change") if reason and takes_any else reason

    def values_of(self, change: Change) -> Iterator[Facet]:
        """The values that it looks at; dates of scores are none, unless a path names them."""
        previous, current = from_json(change.previous), from_json(change.current)
        if not self.paths:
            yield from self._kept([Facet(change.element, previous, current)])
        for path in self.paths:
            found = facets(path, change.element, previous, current)
            yield from self._kept(found, with_dates=path[-1] in DATES)

    def _kept(self, found: Iterable[Facet], *, with_dates: bool = False) -> Iterator[Facet]:
        for facet in found:
            is_left_out = any(holds(other, facet.path) for other in self.left_out)
            if not is_left_out and (with_dates or not is_only_dates(facet.path, facet.previous, facet.current)):
                yield facet

    def _reason_of(self, found: Iterable[Facet]) -> str:
        for facet in found:
            if not self.conditions:
                return _facet_text(facet)
            if met := self._enough([one for one in self.conditions if one.is_met(facet)], facet):
                return f"{_facet_text(facet)} ({met})"
        return ""

    def _enough(self, met: list[Condition], facet: Facet) -> str:
        """The conditions that are met, in words and each once, if they are enough."""
        is_all = self.row.combination == Combination.ALL
        texts = dict.fromkeys(one.text_for(facet) for one in met)
        return ", ".join(texts) if not is_all or len(met) == len(self.conditions) else ""

    @property
    def takes_baselines(self) -> bool:
        """Whether it can say something about a company that is only just added."""
        takes_elements = self.kinds is None or Kind.ELEMENT in self.kinds
        return takes_elements and bool(self.paths) and bool(self.conditions) and not self.row.group_only

    def reason_in(self, organization: Mapping[str, Any]) -> str:
        """Why a baseline already is what this rule waits for; nothing if it is not."""
        for path in self.paths:
            for facet in facets(path, ROOT, None, organization):
                if met := self._enough([one for one in self.conditions if one.holds(facet.current)], facet):
                    return f"{label_of_path(facet.path)}: {short(facet.current, 80)} ({met})"
        return ""


def _facet_text(facet: Facet) -> str:
    return f"{label_of_path(facet.path)}: {in_a_line(facet.path, facet.previous, facet.current)}"


@dataclass(slots=True)
class Scope:
    """What rules ask about companies, read once for many changes."""

    companies: dict[str, Company] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=dict)
    # Of companies that rules about groups take: the others of their group that are monitored.
    groups: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, duns: Iterable[str], *, in_groups: Iterable[str] = ()) -> Scope:
        scope = cls(groups=others_in_groups(in_groups))
        for batch in in_batches(sorted(set(duns).union(*scope.groups.values()))):
            scope.companies.update(Company.objects.in_bulk(list(batch)))
            rows = Subject.objects.filter(company__in=list(batch)).values_list("company_id", "tags", "owner")
            for company, tags, owner in rows:
                scope.tags.setdefault(company, set()).update(split(tags.casefold()))
                if owner.strip():
                    scope.owners.setdefault(company, set()).add(owner.strip())
        return scope

    def owners_for(self, rule: AlertRule, company: str) -> set[str]:
        """Those of the company, and those of its group where the rule is about groups."""
        numbers = {company, *(self.groups.get(company, ()) if rule.group_only else ())}
        return set().union(*(self.owners.get(number, ()) for number in numbers))

    def group_text(self, rule: Rule, company: str) -> str:
        return shared_text(counted(len(self.groups[company]) + 1)) if rule.row.group_only else ""

    def has(self, rule: Rule, company: str, registration: uuid.UUID) -> bool:
        if rule.row.group_only and not self.groups.get(company):
            return False
        if rule.registrations is not None and registration not in rule.registrations:
            return False
        if rule.companies is not None and company not in rule.companies:
            return False
        if rule.tags and not rule.tags & self.tags.get(company, set()):
            return False
        row = self.companies.get(company)
        if rule.min_exposure is not None and (row is None or (row.exposure or 0) <= rule.min_exposure):
            return False
        return not rule.countries or (row is not None and row.country in rule.countries)


def split(text: str) -> list[str]:
    """Parts separated by commas, semicolons or lines."""
    return [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]


def compile_rule(row: AlertRule) -> Rule:
    """The rule as it is applied; raises Mistake where one slipped in unchecked."""
    kinds = frozenset(split(row.kinds))
    lines = [parse_line(line) for _, line in _lines(row.elements)]
    paths = tuple(path for is_left_out, path in lines if not is_left_out)
    conditions = tuple(parse_condition(line) for _, line in _lines(row.conditions))
    return Rule(
        row,
        # Paths and conditions say something about elements; whoever wants more says so.
        kinds or (frozenset([str(Kind.ELEMENT)]) if lines or conditions else None),
        paths,
        tuple(path for is_left_out, path in lines if is_left_out),
        conditions,
        chosen_registrations(split(row.registrations), row.unit_id),
        frozenset(map(read_listed, entries_of(row.companies))) or None,
        frozenset(split(row.tags.casefold())),
        frozenset(split(row.countries.upper())),
        None if row.min_exposure is None else row.min_exposure * 100,
    )


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


# Checking what a person wrote


def mistakes_in(row: AlertRule) -> Mistakes:
    """What is wrong with a rule, by field, each with its place; nothing when it can be applied."""
    found: Mistakes = {}
    for name, check in CHECKS.items():
        if said := list(check(getattr(row, name))):
            found[name] = said
    _check_together(row, found)
    return found


def _check_together(row: AlertRule, found: Mistakes) -> None:
    kinds = split(row.kinds)
    if kinds and Kind.ELEMENT not in kinds and (row.elements.strip() or row.conditions.strip()):
        wrong = "elements" if row.elements.strip() else "conditions"
        found.setdefault(wrong, []).append(
            gettext(
                "Data elements and conditions apply only to the change type "
                "“Changed”. Select it above, or clear this field."
            )
        )
    if (row.quiet_from is None) != (row.quiet_until is None):
        wrong = "quiet_until" if row.quiet_until is None else "quiet_from"
        found.setdefault(wrong, []).append(gettext("Enter both the start and the end of the quiet hours."))
    if row.quiet_from is not None and row.quiet_from == row.quiet_until:
        found.setdefault("quiet_until", []).append(gettext("Quiet hours cannot start and end at the same time."))


def _check_lines(parse: Callable[[str], object]) -> Callable[[str], Iterator[str]]:
    def check(text: str) -> Iterator[str]:
        lines = _lines(text)
        if len(lines) > MOST_LINES:
            yield gettext("Use at most %(count)s lines.") % {"count": MOST_LINES}
        for number, line in lines:
            try:
                parse(line)
            except Mistake as mistake:
                yield gettext("Line %(number)s, character %(at)s: %(mistake)s") % {
                    "number": number,
                    "at": mistake.at,
                    "mistake": mistake,
                }

    return check


def _check_parts(
    is_wrong: Callable[[str], str], parts_of: Callable[[str], Iterable[str]] = split
) -> Callable[[str], Iterator[str]]:
    def check(text: str) -> Iterator[str]:
        for number, part in enumerate(parts_of(text), 1):
            if why := is_wrong(part):
                yield gettext("Entry %(number)s, “%(part)s”: %(why)s") % {
                    "number": number,
                    "part": part[:40],
                    "why": why,
                }

    return check


def _wrong_kind(text: str) -> str:
    return "" if text in Kind.values else gettext("this change type does not exist.")


def _wrong_country(text: str) -> str:
    return "" if COUNTRY.fullmatch(text.upper()) else gettext("use the two-letter country code, such as DE.")


def _wrong_duns(text: str) -> str:
    try:
        read_listed(text)
    except InvalidDuns as error:
        return gettext("this is not a D-U-N-S number: %(reason)s.") % {"reason": error.reason}
    return ""


def _wrong_reference(text: str) -> str:
    known = Registration.objects.filter(reference=text).exists()
    return "" if known else gettext("no registration has this reference.")


def _check_zone(text: str) -> Iterator[str]:
    if text not in available_timezones():
        yield gettext("“%(text)s” is not a time zone. Use a name such as Europe/Berlin.") % {"text": text}


CHECKS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "kinds": _check_parts(_wrong_kind),
    "elements": _check_lines(parse_line),
    "conditions": _check_lines(parse_condition),
    "registrations": _check_parts(_wrong_reference),
    "companies": _check_parts(_wrong_duns, entries_of),
    "countries": _check_parts(_wrong_country),
    "quiet_zone": _check_zone,
}


def rule_text(row: AlertRule) -> str:
    """What a rule waits for, in a line."""
    kinds = [lower_first(str(Kind(kind).label)) for kind in split(row.kinds) if kind in OTHER_KINDS]
    paths = [path_text(line) for _, line in _lines(row.elements) if not line.startswith("!")]
    joint = gettext("and") if row.combination == Combination.ALL else gettext("or")
    # A status by its code and by its description is one condition to a reader.
    conditions = f" {joint} ".join(dict.fromkeys(_condition_text(line, row) for _, line in _lines(row.conditions)))
    text = "; ".join(filter(None, [_elements_text(few(paths), conditions), few(kinds)])) or gettext("any change")
    return gettext("at a group member: %(changes)s") % {"changes": text} if row.group_only else text


def _elements_text(names: str, conditions: str) -> str:
    if names and conditions:
        return f"{names}: {conditions}"
    return conditions or (gettext("any change of %(names)s") % {"names": names} if names else "")


def _condition_text(line: str, row: AlertRule) -> str:
    is_code = line == f"{BECOMES} {OUT_OF_BUSINESS}" and "operatingStatus" in row.elements
    return line_text(f"{BECOMES} Out of business" if is_code else line)


def path_text(path: str) -> str:
    bare = path.removeprefix("organization.").removeprefix("**.")
    if known := KNOWN.get(bare) or PATTERNS.get(bare):
        return lower_first(str(known))
    return bare if "*" in bare else lower_first(label_of_path(bare))


def few(parts: list[str]) -> str:
    shown = ", ".join(parts[:3])
    if len(parts) <= 3:
        return shown
    return gettext("%(names)s and %(count)s more") % {"names": shown, "count": len(parts) - 3}


def scope_text(row: AlertRule) -> str:
    named = (
        (gettext("business unit %(names)s"), [str(row.unit)] if row.unit_id else []),
        (gettext("registration %(names)s"), split(row.registrations)),
        (gettext("company %(names)s"), list(entries_of(row.companies))),
        (gettext("tag %(names)s"), split(row.tags)),
    )
    parts = [words % {"names": few(names)} for words, names in named if names]
    if row.group_only:
        parts.append(gettext("in a group with other monitored companies"))
    if codes := split(row.countries.upper()):
        parts.append(gettext("in %(names)s") % {"names": few(list(map(country_name, codes)))})
    if row.min_exposure is not None:
        parts.append(gettext("exposure above %(amount)s") % {"amount": in_reporting_currency(row.min_exposure)})
    return ", ".join(parts) or gettext("all companies")
