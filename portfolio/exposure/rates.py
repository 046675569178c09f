"""The reporting currency, and the rates that people keep. What has no rate is never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Max, QuerySet, Subquery
from django.utils.translation import gettext

from core.audit import record
from core.bulk import has_sql
from core.cached_counts import update_counts
from core.db import insert_new
from portfolio.exposure.currencies import CODES
from portfolio.exposure.money import money_text
from portfolio.imports.states import Refused
from portfolio.models import ExchangeRate, ExposureSettings
from portfolio.models.exposures import RATE_ONE

KEY = "exposure"
MOST = 9_000_000
# Rates that are read at once; of more, the last of each currency are looked up.
MOST_READ = 1000
# Cents that an amount may be worth: more, which only a mistyped rate makes of it, is no amount.
MOST_CENTS = 2**53
# What keeps amounts that are not converted later.
BEFORE_ANOTHER_CURRENCY: list[Callable[[], None]] = []


def exposure_settings() -> ExposureSettings:
    return ExposureSettings.objects.filter(pk=KEY).first() or ExposureSettings()


def in_reporting_currency(units: int) -> str:
    """An amount that a user entered in it: “EUR 50,000”."""
    return money_text(units * 100, exposure_settings().reporting_currency)


DatedRate = tuple[date, str, int]
RatesKey = tuple[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Rates:
    """What a unit of each currency was worth on a day, in units of 10^-12 of the currency of rates."""

    reporting_currency: str
    values: Mapping[str, int]

    @property
    def key(self) -> RatesKey:
        return self.reporting_currency, tuple(sorted(self.values.items()))

    def factor(self, currency: str) -> tuple[int, int] | None:
        """Numerator and denominator of one unit in the reporting currency; None where a rate is missing."""
        if currency == self.reporting_currency:
            return 1, 1
        value, one = self.values.get(currency), self.values.get(self.reporting_currency)
        return (value, one) if value and one else None


def convert(cents: int, factor: tuple[int, int] | None) -> int | None:
    """Rounded half up; None without a rate, and where the amount is too large with it."""
    if factor is None:
        return None
    numerator, denominator = factor
    converted = (2 * cents * numerator + denominator) // (2 * denominator)
    return converted if converted <= MOST_CENTS else None


def rates_at(day: date) -> Rates:
    """The last of each currency until then."""
    return rates_on([day])[0]


def rates_on(days: Sequence[date]) -> list[Rates]:
    found, settings = _rates_and_settings(max(days))
    return [_rates_on(day, found, settings) for day in days]


def _rates_and_settings(until: date) -> tuple[list[DatedRate], ExposureSettings]:
    """In one query where there are rates: each page with amounts asks for both."""
    rows: Any = ExchangeRate.objects.filter(day__lte=until).order_by("-day")
    if not has_sql():
        return list(rows.values_list("day", "currency", "rate")[: MOST_READ + 1]), exposure_settings()
    names = ("reporting_currency", "rates_currency")
    own = {f"_{name}": Subquery(ExposureSettings.objects.filter(pk=KEY).values(name)) for name in names}
    found = list(rows.annotate(**own).values_list("day", "currency", "rate", *own)[: MOST_READ + 1])
    if not found:
        return [], exposure_settings()
    set_by_users = {name: value for name, value in zip(names, found[0][3:], strict=True) if value}
    return [row[:3] for row in found], ExposureSettings(**set_by_users)


def _rates_on(day: date, found: Sequence[DatedRate], settings: ExposureSettings) -> Rates:
    if len(found) > MOST_READ:
        rates = _last_of_each(ExchangeRate.objects.filter(day__lte=day))
    else:
        rates = {currency: rate for since, currency, rate in reversed(found) if since <= day}
    return Rates(settings.reporting_currency, rates | {settings.rates_currency: RATE_ONE})


def _last_of_each(rows: QuerySet[ExchangeRate]) -> dict[str, int]:
    last = rows.order_by().values_list("currency").annotate(Max("day"))
    keys = [ExchangeRate.key(currency, its_day) for currency, its_day in last]
    return dict(ExchangeRate.objects.filter(pk__in=keys).values_list("currency", "rate"))


def checked_rate(currency: str, rate: Decimal, settings: ExposureSettings) -> int:
    """As it is kept; raises Refused."""
    if currency not in CODES:
        raise Refused(gettext("“%(code)s” is not a currency. Use a code such as USD.") % {"code": currency[:20]})
    if currency == settings.rates_currency:
        raise Refused(gettext("Rates are stated in %(code)s, so it needs no rate.") % {"code": currency})
    kept = int(rate * RATE_ONE) if 0 < rate < MOST else 0
    if not kept:
        raise Refused(gettext("Enter a rate above 0 and below 9,000,000."))
    return kept


def set_rate(*, currency: str, day: date, rate: Decimal, set_by: str) -> ExchangeRate:
    """Keep a rate; one of the same currency and day is replaced."""
    settings = exposure_settings()
    kept = checked_rate(currency, rate, settings)
    row = ExchangeRate(id=ExchangeRate.key(currency, day), currency=currency, day=day, rate=kept)
    before = ExchangeRate.objects.filter(pk=row.pk).values_list("rate", flat=True).first()
    if not insert_new(ExchangeRate, [row]):
        ExchangeRate.objects.filter(pk=row.pk).update(rate=kept)
    record(
        actor=set_by,
        action="exposure.rate",
        thing=row,
        summary=gettext("Exchange rate of %(row)s: %(rate)s %(code)s")
        % {"row": row, "rate": rate_text(kept), "code": settings.rates_currency},
        before=None if before is None else {"rate": rate_text(before)},
        after={"rate": rate_text(kept)},
    )
    return row


def remove_rate(row: ExchangeRate, *, removed_by: str) -> None:
    record(
        actor=removed_by,
        action="exposure.rate_removed",
        thing=row,
        summary=gettext("Exchange rate of %(row)s deleted") % {"row": row},
        before={"rate": rate_text(row.rate)},
    )
    row.delete()


def rate_text(rate: int) -> str:
    return f"{Decimal(rate) / RATE_ONE:f}".rstrip("0").rstrip(".")


def set_reporting_currency(*, currency: str, set_by: str) -> None:
    """Rates stay stated in the currency they were entered in; while there are none, that is this one."""
    if currency not in CODES:
        raise Refused(gettext("“%(code)s” is not a currency. Use a code such as EUR.") % {"code": currency[:20]})
    insert_new(ExposureSettings, [ExposureSettings()])
    before = exposure_settings()
    changes = {"reporting_currency": currency}
    if not ExchangeRate.objects.exists():
        changes["rates_currency"] = currency
    for forget in BEFORE_ANOTHER_CURRENCY if currency != before.reporting_currency else ():
        forget()
    ExposureSettings.objects.filter(pk=KEY).update(**changes)
    update_counts("exposure")
    record(
        actor=set_by,
        action="exposure.currency",
        thing=before,
        summary=gettext("Reporting currency: %(code)s") % {"code": currency},
        before={"reporting_currency": before.reporting_currency},
        after=changes,
    )
