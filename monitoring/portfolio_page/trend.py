"""Whether the risk rose since the earlier day: one sentence, whose numbers are those of both days' pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext, ngettext

from core.text import counted
from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.links import Links
from monitoring.portfolio_page.measures.expected_loss import ExpectedLoss, expected_loss_of
from monitoring.portfolio_page.measures.movement import BETTER, WORSE, Movement, movement_of, pairs_of
from monitoring.portfolio_page.worlds import Money, read_days
from portfolio.exposure.money import money_text


class Part(NamedTuple):
    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Trend:
    since: date
    parts: list[Part]
    loss: str


def trend_of(asked: Asked, *, with_money: bool) -> Trend:
    """Amounts of each day are those that counted on it."""
    days = asked.past, asked.since
    reading = read_days(asked, *days)
    money, earlier = reading.money(*days) if with_money else (None, None)
    before = reading.world(asked.since, asked.filters, earlier)
    after = reading.world(asked.past, asked.filters, money)
    movement = movement_of(pairs_of(before, after, asked.dimension.column))
    loss = _loss(expected_loss_of(before), expected_loss_of(after), money) if money else ""
    return Trend(asked.since, list(_parts(movement, Links(asked))), loss)


def _parts(movement: Movement, links: Links) -> Iterator[Part]:
    worse, better = (movement.directions[name].companies for name in (WORSE, BETTER))
    words = ngettext(
        "%(count)s company moved to a higher risk class", "%(count)s companies moved to a higher risk class", worse
    )
    yield Part(words % {"count": counted(worse)}, links.moved(direction=WORSE) if worse else "")
    lower = gettext("%(count)s to a lower one") % {"count": counted(better)}
    yield Part(lower, links.moved(direction=BETTER) if better else "")


def _loss(earlier: ExpectedLoss, later: ExpectedLoss, money: Money) -> str:
    """None where it is unknown on a day: without ratings it is not 0."""
    if not earlier.rated.companies or not later.rated.companies:
        return ""
    before, after = earlier.cents, later.cents
    amounts = {"before": money_text(before, money.currency), "after": money_text(after, money.currency)}
    percent = round(100 * (after - before) / before) if before else None
    if not before and not after:
        return ""
    if not percent:
        return gettext("Expected loss: %(after)s (previously %(before)s).") % amounts
    words = gettext("Expected loss rose by %(percent)s %%, from %(before)s to %(after)s.")
    if percent < 0:
        words = gettext("Expected loss fell by %(percent)s %%, from %(before)s to %(after)s.")
    return words % {**amounts, "percent": counted(abs(percent))}
