"""Worlds of the demo's size: the figures of 200 companies on 20 days equal a fold of their history, and the money on
the page equals an independent sum."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from core.db import in_batches
from direct_plus.sandbox.demo import exposure as demo_exposure
from direct_plus.sandbox.demo import world as demo_world
from direct_plus.sandbox.demo.exposure import Amount
from direct_plus.sandbox.state.world import World
from dnbmon_site.accounts.models import User
from monitoring.figures.catalog import Figures
from monitoring.figures.consumer import update_figures
from monitoring.portfolio_page.asked import read_asked
from monitoring.portfolio_page.overview import Overview, overview_of
from portfolio.exposure.rates import set_rate
from portfolio.exposure.totals import exposures_at
from portfolio.models import Company, Subject
from tests.builders.deliveries import delivered
from tests.builders.exposures import exposure
from tests.builders.figures import figures_on, folded
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import soon

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SEEDS, COMPANIES, DAYS, AT_ONCE = (1, 2), 200, 20, 100
TODAY = timezone.now().date()
RATES = {
    TODAY - timedelta(days=80): {"USD": "0.92", "GBP": "1.17"},
    TODAY - timedelta(days=25): {"USD": "0.9175", "GBP": "1.1642"},
    TODAY - timedelta(days=9): {"USD": "0.9333333"},
}
Stays = dict[str, tuple[date, date | None]]


def live_through(seed: int) -> None:
    """All notifications of a demo, as its registrations received them."""
    world = World()
    demo_world.fill(world, seed)
    waiting: dict[str, list[bytes]] = defaultdict(list)
    for row in world.store.rows("SELECT reference, raw FROM notice ORDER BY seq"):
        waiting[row["reference"]].append(row["raw"])
    for reference, items in waiting.items():
        registration = a_registration(reference, adopted=True)
        for batch in in_batches(items, AT_ONCE):
            delivered(*batch, registration=registration)


def some_stays(chance: Random) -> Stays:
    """Most are monitored from the beginning until now."""
    registration, found = a_registration("ACME_SUPPLIERS", adopted=True), {}
    for duns in Company.objects.order_by("pk").values_list("pk", flat=True):
        since = TODAY - timedelta(days=chance.choice((120, 120, 120, 40)))
        until = TODAY - timedelta(days=chance.randrange(30)) if chance.random() < 0.1 else None
        found[duns] = (since, until)
        a_subject(duns, registration, monitored_since=since, monitored_until=until)
    Subject.objects.exclude(registration=registration).update(monitored_since=None)
    return found


def some_amounts() -> list[Amount]:
    """Of both worlds, each month's books as a file that replaces them, in all of their currencies."""
    found = [amount for seed in SEEDS for amount in demo_exposure.amounts(seed, TODAY)]
    for (book, day), rows in groups(found):
        lines = [f"{row.duns};{row.amount};{row.currency}" for row in rows]
        exposure("D-U-N-S;Amount;Currency", *lines, book=book, as_of=day)
    return found


def groups(amounts: Iterable[Amount]) -> list[tuple[tuple[str, date], list[Amount]]]:
    found: dict[tuple[str, date], list[Amount]] = defaultdict(list)
    for amount in amounts:
        found[amount.book, amount.as_of].append(amount)
    return list(found.items())


def summed(amounts: list[Amount], day: date) -> Counter[str]:
    """In cents, by company: of each book the last file until the day, at the last rates until then."""
    days = {book: max(day_of for (one, day_of), _ in groups(amounts) if one == book and day_of <= day)
            for book in {amount.book for amount in amounts if amount.as_of <= day}}  # fmt: skip
    rates = {"EUR": Decimal(1)}
    for since in sorted(RATES):
        rates |= {code: Decimal(rate) for code, rate in RATES[since].items() if since <= day}
    found: Counter[str] = Counter()
    # Of several rows for one company, book and day, the first counts.
    for row in {(row.duns, row.book): row for row in reversed(amounts) if days.get(row.book) == row.as_of}.values():
        if row.currency in rates:
            cents = Decimal(row.amount * 100) * rates[row.currency]
            found[row.duns] += int(cents.quantize(Decimal(1), ROUND_HALF_UP))
    return found


def page_on(day: date) -> Overview:
    return overview_of(read_asked(QueryDict(f"day={day}"), User(username="ann", is_superuser=True)), with_money=True)


def members(stays: Stays, day: date) -> Iterator[str]:
    return (duns for duns, (since, until) in stays.items() if since <= day and (until is None or day <= until))


# Reading a demo takes many minutes on MongoDB's stand-in; smaller worlds are compared on each engine elsewhere.
@pytest.mark.one_engine
def test_figures_and_money_of_random_companies_on_random_days() -> None:
    chance = Random(16)
    for seed in SEEDS:
        live_through(seed)
    update_figures(soon())
    for since, rates in RATES.items():
        for code, rate in rates.items():
            set_rate(currency=code, day=since, rate=Decimal(rate), set_by="ann")
    stays, amounts = some_stays(chance), some_amounts()
    sample = chance.sample(sorted(stays), COMPANIES)
    for day in chance.sample([TODAY - timedelta(days=back) for back in range(100)], DAYS):
        stored = figures_on(day)
        plain: dict[str, Figures] = {duns: folded(duns, day) for duns in stays}
        assert [duns for duns in sample if stored.get(duns, Figures()) != plain[duns]] == [], day
        money, held = summed(amounts, day), list(members(stays, day))
        assert {f"{duns:09d}": cents for duns, cents in exposures_at(day).by_duns.items()} == money, day
        page = page_on(day)
        assert (page.whole.companies, page.whole.cents) == (len(held), sum(money[duns] for duns in held)), day
        assert cells(page) == plain_cells(plain, money, held), day


def cells(page: Overview) -> dict[tuple[str, str], tuple[int, int]]:
    return {cell: (count.companies, count.cents) for cell, count in page.matrix.items()}


def plain_cells(plain: dict[str, Figures], money: Counter[str], held: list[str]) -> dict[Any, tuple[int, int]]:
    found: dict[Any, tuple[int, int]] = {}
    for duns in held:
        cell = tuple(str(value or "unknown") for value in (plain[duns].failure_class, plain[duns].delinquency_class))
        companies, cents = found.get(cell, (0, 0))
        found[cell] = companies + 1, cents + money[duns]
    return found
