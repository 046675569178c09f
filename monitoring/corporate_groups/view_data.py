"""What the page of a group shows: its companies here as a tree, their figures, and what is at stake together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from django.utils.translation import gettext

from core.visibility import Scope, visible_to
from monitoring.company_page.group import critical_changes, members_of, monitored_among
from monitoring.company_page.owner_names import names_of
from monitoring.company_page.summary import status_tone, status_words
from monitoring.company_page.timeline import Line
from monitoring.corporate_groups.tree import Node, tree_of
from monitoring.scores.bands import CLASSES, HIGH_RISK_CLASSES
from portfolio.exposure.money import money_text
from portfolio.models import Company

MOST = 1_000
# What the numbers above a longer tree are made of.
COUNTED = ("country", "failure_class", "exposure", "exposure_unconverted", "name", "last_critical_at")
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Score:
    """A class with its band of risk, and the percentile where it is known."""

    label: str
    tone: str
    percentile: int | None


def score_of(number: int | None, percentile: int | None) -> Score | None:
    if number is None:
        return None
    band = CLASSES.band_of(number)
    return Score(gettext("Class %(number)s") % {"number": number}, band.tone if band else "calm", percentile)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the tree."""

    node: Node
    name: str
    is_monitored: bool

    @property
    def company(self) -> Company | None:
        return self.node.company

    @property
    def indent(self) -> int:
        return min(self.node.depth, DEEPEST)

    @property
    def status(self) -> str:
        return status_words(self.company.operating_status) if self.company else ""

    @property
    def status_tone(self) -> str:
        return status_tone(self.company.operating_status) if self.company else ""

    @property
    def failure(self) -> Score | None:
        return score_of(self.company.failure_class, self.company.failure_percentile) if self.company else None

    @property
    def delinquency(self) -> Score | None:
        return score_of(self.company.delinquency_class, self.company.delinquency_percentile) if self.company else None

    @property
    def limit(self) -> str:
        row = self.company
        return money_text(row.limit_amount * 100, row.limit_currency) if row and row.limit_amount is not None else ""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """`monitored` are all companies here; the tree also shows those that are no longer, and owners that never were. It
    ends after `MOST` companies, `has_more` beyond."""

    top: str
    rows: Sequence[Row]
    monitored: Sequence[Company]
    critical: Sequence[Line]
    has_more: bool

    @property
    def name(self) -> str:
        return self.rows[0].name

    @property
    def countries(self) -> int:
        return len({row.country for row in self.monitored if row.country})

    @property
    def high_failure_risk(self) -> int:
        return sum(row.failure_class in HIGH_RISK_CLASSES for row in self.monitored)

    @property
    def exposure(self) -> int | None:
        """In cents of the reporting currency; None where no amount is known."""
        known = [row.exposure for row in self.monitored if row.exposure is not None]
        return sum(known) if known else None

    @property
    def unconverted(self) -> int:
        return sum(row.exposure_unconverted for row in self.monitored)


def head_of(duns: str, scope: Scope) -> str:
    """The head of the company's group; the company itself where it names none, or one that is a member of another; and
    where the scope does not show it."""
    if not scope.sees_all and not visible_to(scope, Company.objects.filter(pk=duns)).exists():
        return duns
    ultimate = _ultimate_of(duns)
    return ultimate if ultimate and not _ultimate_of(ultimate) else duns


def _ultimate_of(duns: str) -> str:
    """The other company that this one names as the head of its group; empty where it names none."""
    row = Company.objects.filter(pk=duns).only("global_ultimate").first()
    return row.global_ultimate if row and row.global_ultimate != duns else ""


def group_page(top: str, scope: Scope) -> GroupPage | None:
    """None where the scope shows no company of that group."""
    rows = list(visible_to(scope, members_of(top)).order_by("duns")[: MOST + 1])
    shown = {row.duns: row for row in rows[:MOST]}
    if not shown:
        return None
    has_more = len(rows) > MOST
    companies = {row.duns: row for row in visible_to(scope, members_of(top)).only(*COUNTED)} if has_more else shown
    monitored = monitored_among(companies, scope)
    return GroupPage(
        top,
        _rows(shown, top, monitored),
        [row for row in companies.values() if row.duns in monitored],
        critical_changes(companies, monitored, scope),
        has_more,
    )


def _rows(companies: Mapping[str, Company], top: str, monitored: AbstractSet[str]) -> list[Row]:
    nodes = tree_of(companies, top)
    names = {row.duns: row.name for row in companies.values() if row.name}
    names |= names_of((node.duns for node in nodes if node.duns not in names), companies.values())
    return [Row(node, names.get(node.duns, node.duns), node.duns in monitored) for node in nodes]
