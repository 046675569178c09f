"""The overview's title, and what it is about, as all of its forms say it."""

from __future__ import annotations

from django.utils.translation import gettext

from core.plurals import companies
from core.text import day_text
from monitoring.portfolio_page.list_data import filter_words
from monitoring.portfolio_page.overview import Overview
from portfolio.exposure.money import money_text


def title_of(overview: Overview) -> str:
    return gettext("Portfolio risk on %(day)s") % {"day": day_text(overview.day)}


def about_lines(overview: Overview) -> list[str]:
    filters = "; ".join(f"{title}: {words}" for _, title, words in filter_words(overview.asked.filters))
    return [
        gettext("Compared with %(since)s.") % {"since": day_text(overview.asked.since)},
        gettext("Filtered by %(filters)s.") % {"filters": filters} if filters else gettext("All companies."),
        *_unconverted(overview),
    ]


def _unconverted(overview: Overview) -> list[str]:
    found = sorted(overview.money.unconverted.items()) if overview.money else []
    words = gettext("Not included, because the exchange rate is missing: %(amount)s of %(companies)s.")
    return [
        words % {"amount": money_text(cents, currency), "companies": companies(number)}
        for currency, (number, cents) in found
    ]
