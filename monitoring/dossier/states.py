"""The company before the first of the days, and at the end of the last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext

from core.lists.listings import Column, text_of
from core.text import counted
from monitoring.company_page.owner_names import ROLES
from monitoring.company_page.summary import LINKAGE, head_of
from monitoring.decisions.decide import in_words
from monitoring.dossier.asked import Asked
from monitoring.dossier.changes import History
from monitoring.dossier.decisions import valid_at
from monitoring.dossier.exposure import Stakes, amount_words
from monitoring.dossier.reader import Part
from monitoring.figures.catalog import Figures
from monitoring.figures.reading import figures_of
from monitoring.history.state import CompanyState
from monitoring.models import Decision
from portfolio.companies.columns import FIGURE_COLUMNS
from portfolio.exposure.books import book_label
from portfolio.exposure.ledger import PastAmount
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import Rates, convert, rates_on
from portfolio.models import Company

# Of amounts, the column with their currency.
CURRENCIES = {"limit_amount": "limit_currency", "revenue": "revenue_currency"}
SHOWN = tuple(column for column in FIGURE_COLUMNS if column.name in {*Figures._fields} - {*CURRENCIES.values()})
KEY_FIGURES = (
    *("name", "operating_status", "warnings", "failure_percentile", "delinquency_percentile"),
    *("rating", "limit_amount", "payment_index"),
    *("decision", "limit_exceeded"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Empty where it was not known."""

    name: str
    label: str
    before: str
    after: str

    @property
    def is_key(self) -> bool:
        """Shown first; the page folds the others."""
        return self.name in KEY_FIGURES or self.name.startswith("exposure")

    @property
    def has_changed(self) -> bool:
        return self.before != self.after


def figures_between(asked: Asked, history: History, stakes: Stakes, decisions: Sequence[Decision]) -> list[Figure]:
    """Those that were known at one of both times."""
    states = history.state_before(asked.span.since), history.state_before(asked.span.end)
    before, after = (list(_figures(state, history)) for state in states)
    found = [Figure(name, label, was, now) for (name, label, was), (_, _, now) in zip(before, after, strict=True)]
    found += [*_amounts(asked, stakes), *_standing(asked, stakes, decisions)]
    return [one for one in found if one.before or one.after]


def _figures(state: CompanyState, history: History) -> Iterator[tuple[str, str, str]]:
    head = head_of(state)
    yield "name", gettext("Name"), head.name
    yield "operating_status", gettext("Status"), head.status_words
    yield "warnings", gettext("Warnings"), ", ".join(head.warnings)
    company = Company(**figures_of(state)._asdict())
    owners = {column: _owner(state, role) for column, role in ROLES}
    for column in SHOWN:
        text = _text(column, company)
        number, name = owners.get(column.name, ("", ""))
        yield column.name, str(column.heading), f"{text} {name}".strip() if text and text == number else text


def _owner(state: CompanyState, role: str) -> tuple[str, str]:
    """Its number and its name, as D&B reported both with the company."""
    number, name = (state.value(f"{LINKAGE}.{role}.{one}") for one in ("duns", "primaryName"))
    return str(number or ""), name if isinstance(name, str) else ""


def _text(column: Column, company: Company) -> str:
    if currency := CURRENCIES.get(column.name):
        amount = getattr(company, column.name)
        return "" if amount is None else money_text(amount * 100, getattr(company, currency))
    value = column.read(company)
    return counted(value) if isinstance(value, int) else text_of(value)


def _amounts(asked: Asked, stakes: Stakes) -> Iterator[Figure]:
    was, now = stakes.on(asked.span.first - timedelta(days=1)), stakes.on(asked.span.last)
    for key in sorted({*was, *now}):
        label = gettext("Exposure: %(label)s") % {"label": book_label(key)}
        yield Figure(f"exposure {key}", label, *(amount_words(found.get(key)) for found in (was, now)))


def _standing(asked: Asked, stakes: Stakes, decisions: Sequence[Decision]) -> Iterator[Figure]:
    """The valid decision, and by how much the exposure of that day exceeds its limit."""
    days = [asked.span.first - timedelta(days=1), asked.span.last]
    moments = zip((asked.span.since, asked.span.end), days, strict=True)
    held = [valid_at(decisions, moment, day) for moment, day in moments]
    if decisions:
        was, now = (in_words(row) if row else gettext("None") for row in held)
        yield Figure("decision", gettext("Valid decision"), was, now)
    if asked.sees(Part.EXPOSURE) and any(row and row.amount_cents is not None for row in held):
        rates = zip(held, map(stakes.on, days), rates_on(days), strict=True)
        yield Figure("limit_exceeded", gettext("Limit exceeded by"), *(_excess(*one) for one in rates))


def _excess(row: Decision | None, amounts: Mapping[str, PastAmount], rates: Rates) -> str:
    """Empty also where an amount has no rate."""
    if row is None or row.amount_cents is None:
        return ""
    limit = convert(row.amount_cents, rates.factor(row.currency))
    parts = [convert(one.cents or 0, rates.factor(one.currency)) for one in amounts.values()]
    if limit is None or None in parts:
        return ""
    excess = sum(part or 0 for part in parts) - limit
    return money_text(excess, rates.reporting_currency) if excess > 0 else ""
