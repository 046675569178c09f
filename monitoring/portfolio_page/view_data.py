"""What the page shows of an overview: numbers with their words, tones and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from core.markup import badge
from core.text import counted
from monitoring.portfolio_page.filters import FLAGS
from monitoring.portfolio_page.links import Links, list_of_classes
from monitoring.portfolio_page.measures.concentration import Concentration, Place
from monitoring.portfolio_page.measures.counts import Count, total
from monitoring.portfolio_page.measures.dimensions import (
    DELINQUENCY,
    FAILURE,
    GROUP,
    UNKNOWN,
    Dimension,
)
from monitoring.portfolio_page.names import Largest, Names, names_of
from monitoring.portfolio_page.overview import CLASSES, HIGH_FAILURE_RISK, WITH_RISK, Overview
from monitoring.portfolio_page.worlds import Money
from portfolio.companies.columns import exposure_in
from portfolio.exposure.money import amount_text, money_text
from portfolio.exposure.totals import outside
from portfolio.models.figures import FLAG_LABELS


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of companies and their exposure; `link` leads to them, and is empty where there are none."""

    label: str
    companies: int
    amount: str
    link: str
    # Without the currency, which a heading has.
    number: str = ""
    tone: str = "calm"
    # Of its bar, in percent of the longest; and its part of the whole.
    width: str = "0"
    share: str = ""
    # Of what the label names, where it has a page.
    page: str = ""
    # Its companies at high failure risk.
    high: Cell | None = None


@dataclass(frozen=True, slots=True)
class Cells:
    """Makes cells for one reader: with amounts only where exposure may be seen."""

    links: Links
    money: Money | None

    def amount(self, cents: int) -> str:
        """Nothing where no exposure is known, which is not 0."""
        return money_text(cents, self.money.currency) if self.money and cents else ""

    def number(self, cents: int) -> str:
        return amount_text(cents) if self.money and cents else ""

    def cell(
        self,
        label: str,
        count: Count,
        link: str,
        tone: str = "calm",
        *,
        width: str = "0",
        share: str = "",
        page: str = "",
    ) -> Cell:
        shown = link if count.companies else ""
        amounts = self.amount(count.cents), self.number(count.cents)
        return Cell(label, count.companies, amounts[0], shown, amounts[1], tone, width, share, page)

    def of_day(self, label: str, count: Count, tone: str = "calm", **chosen: Any) -> Cell:
        return self.cell(label, count, self.links.companies(**chosen), tone)

    def with_share(self, cell: Cell, count: Count, whole: Count) -> Cell:
        """With its part of all exposure beside its amount."""
        if not cell.amount:
            return cell
        share = share_text(count.cents, whole.cents)
        return replace(cell, amount=f"{cell.amount} ({share})", number=f"{cell.number} ({share})")


def page_context(overview: Overview) -> dict[str, Any]:
    links = Links(overview.asked, list_of_classes(with_money=overview.money is not None))
    cells, names = Cells(links, overview.money), names_of(overview)
    return {
        "overview": overview,
        "tiles": list(tiles(overview, cells)),
        "without_data": cells.of_day(gettext("Without data"), overview.without_data, data=UNKNOWN),
        "matrix": list(_matrix(overview, cells)),
        "class_heads": [DELINQUENCY.words(value) for value in CLASSES],
        "classes": [_classes(FAILURE, overview.failure, cells), _classes(DELINQUENCY, overview.delinquency, cells)],
        "flags": list(_flags(overview, cells)),
        "concentrations": [_concentration(one, names, cells) for one in overview.concentrations],
        "largest": _largest(overview, cells, names.largest),
        "loss": _loss(overview, cells),
        "unconverted": _unconverted(overview.money),
        "outside": _outside(overview),
        "trend_link": cells.links.page("portfolio_risk_trend"),
        # A column of amounts only where there is one.
        "exposure_heading": exposure_in(overview.money.currency)
        if overview.money and overview.exposed.companies
        else "",
    }


def tiles(overview: Overview, cells: Cells) -> Iterator[tuple[Cell, str]]:
    """Each with what it means."""
    yield cells.of_day(gettext("Companies"), overview.whole), gettext("monitored at D&B on this day")
    high = cells.of_day(
        gettext("High failure risk"), overview.high_failure_risk, "bad", failure_class=HIGH_FAILURE_RISK
    )
    yield cells.with_share(high, overview.high_failure_risk, overview.whole), gettext("failure score class 4 or 5")
    unknown = overview.failure.get(UNKNOWN, Count())
    yield (
        cells.of_day(gettext("Failure score unknown"), unknown, "warn", failure_class=UNKNOWN),
        gettext("not included in the classes"),
    )
    yield (
        cells.of_day(gettext("Without data"), overview.without_data, "warn", data=UNKNOWN),
        gettext("no baseline received yet"),
    )


def _matrix(overview: Overview, cells: Cells) -> Iterator[tuple[str, list[Cell]]]:
    for failure in CLASSES:
        row = [
            cells.of_day(
                f"{FAILURE.title}: {FAILURE.words(failure)}; {DELINQUENCY.title}: {DELINQUENCY.words(other)}",
                overview.matrix.get((failure, other), Count()),
                _tone_of_both(failure, other),
                failure_class=failure,
                delinquency_class=other,
            )
            for other in CLASSES
        ]
        yield FAILURE.words(failure), row


def _tone_of_both(failure: str, delinquency: str) -> str:
    """That of the worse. Where one is unknown, a good one says nothing of the company."""
    tones = FAILURE.tone(failure), DELINQUENCY.tone(delinquency)
    order = ("bad", "warn", "calm", "good") if UNKNOWN in (failure, delinquency) else ("bad", "warn", "good", "calm")
    return next(tone for tone in order if tone in tones)


def _classes(dimension: Dimension, counts: Mapping[str, Count], cells: Cells) -> tuple[Dimension, list[Cell]]:
    whole = total(counts.values())
    longest = max((count.companies for count in counts.values()), default=0)
    rows = [
        cells.with_share(
            cells.cell(
                dimension.words(value),
                count,
                cells.links.companies(**{dimension.name: value}),
                dimension.tone(value),
                width=percent(count.companies, longest),
                share=share_text(count.companies, whole.companies),
            ),
            count,
            whole,
        )
        for value in CLASSES
        for count in [counts.get(value, Count())]
    ]
    return dimension, rows


def percent(part: int, whole: int) -> str:
    """Of nothing there is no bar."""
    return f"{min(100 * part / whole, 100):.1f}" if part > 0 and whole > 0 else "0"


def share_text(part: float, whole: float) -> str:
    return gettext("%(number)s %%") % {"number": f"{100 * part / whole:.1f}"} if whole > 0 else ""


def _flags(overview: Overview, cells: Cells) -> Iterator[Cell]:
    for name, count in overview.flags.items():
        tone = "bad" if count.companies else "calm"
        yield cells.of_day(str(FLAG_LABELS[FLAGS[name]]), count, tone, flag=name)


# Concentration and expected loss


def _concentration(one: Concentration, names: Names, cells: Cells) -> dict[str, Any]:
    counts = [place.count for place in one.first]
    longest = max((count.cents if one.by_money else count.companies for count in counts), default=0)
    name = one.dimension.name

    def cell(label: str, count: Count, chosen: dict[str, str], page: str = "", high: Cell | None = None) -> Cell:
        size = count.cents if one.by_money else count.companies
        link, share = cells.links.companies(**chosen), share_text(one.share_of(count), 1)
        return replace(cells.cell(label, count, link, width=percent(size, longest), share=share, page=page), high=high)

    rows = [
        cell(label, place.count, {name: place.value}, _page_of(one, place), _high(one, place, label, cells))
        for place in one.first
        for label in [names.label(one, place)]
    ]
    rest = [cell(_rest_words(one), one.rest, {"rest": name})] if one.others else []
    unknown = [cell(gettext("Unknown"), one.unknown, {name: UNKNOWN})] if one.unknown.companies else []
    return {
        "title": one.dimension.title,
        "share": share_text(one.share, 1) if one.others else "",
        "first": len(one.first),
        "rows": [*rows, *rest, *unknown],
        "by_money": one.by_money,
        "high_heading": gettext("High failure risk") if one.dimension in WITH_RISK else "",
        "share_heading": gettext("Share of exposure") if one.by_money else gettext("Share of companies"),
    }


def _high(one: Concentration, place: Place, label: str, cells: Cells) -> Cell | None:
    """With its share of the companies, and of the exposure, of its line."""
    if one.dimension not in WITH_RISK:
        return None
    chosen: dict[str, Any] = {one.dimension.name: place.value, "failure_class": HIGH_FAILURE_RISK}
    cell = cells.of_day(f"{label}, {gettext('High failure risk')}", place.high, **chosen)
    share = share_text(place.high.companies, place.count.companies) if place.high.companies else ""
    return replace(cells.with_share(cell, place.high, place.count), share=share)


def _largest(overview: Overview, cells: Cells, largest: list[Largest]) -> dict[str, Any] | None:
    """The companies with the largest exposure, for those who may see it."""
    if not largest:
        return None
    whole = overview.whole.cents
    rows = [
        (one.duns, one.name, amount_text(one.cents), share_text(one.cents, whole), badge_of(FAILURE, one.failure_class))
        for one in largest
    ]
    share = share_text(sum(one.cents for one in largest), whole)
    return {"rows": rows, "share": share, "link": cells.links.companies(exposure="known", sort="exposure")}


def badge_of(dimension: Dimension, value: str) -> SafeString:
    """The number of a class, with what it means behind it."""
    return badge(gettext("Unknown") if value == UNKNOWN else value, dimension.tone(value), dimension.words(value))


def _rest_words(one: Concentration) -> str:
    return ngettext("%(count)s other", "%(count)s others", one.others) % {"count": counted(one.others)}


def _page_of(one: Concentration, place: Place) -> str:
    return reverse("corporate_group", args=[place.value]) if one.dimension is GROUP else ""


def _outside(overview: Overview) -> tuple[int, str] | None:
    """Companies with an exposure that are not in the portfolio, and their sum: beside the numbers of the whole."""
    money = overview.money
    if money is None or overview.asked.filters.values:
        return None
    companies, cents = outside(money.duns, money.cents, overview.world.snapshot.rows["duns"])
    return (len(companies), money_text(cents, money.currency)) if len(companies) else None


def _loss(overview: Overview, cells: Cells) -> dict[str, Any] | None:
    loss = overview.loss
    if loss is None:
        return None
    rated = cells.of_day(
        gettext("Exposure with a known default rate"), loss.rated, exposure="known", failure_incidence="known"
    )
    unrated = cells.of_day(
        gettext("Exposure with no default rate available"),
        loss.unrated,
        "warn",
        exposure="known",
        failure_incidence=UNKNOWN,
    )
    unexposed = cells.of_day(gettext("Companies without an exposure"), Count(loss.unexposed), exposure=UNKNOWN)
    return {"amount": cells.amount(loss.cents), "rows": [rated, unrated, unexposed]}


def _unconverted(money: Money | None) -> Iterable[tuple[str, int, str]]:
    found = sorted(money.unconverted.items()) if money else []
    return [(currency, companies, money_text(cents, currency)) for currency, (companies, cents) in found]
