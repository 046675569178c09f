"""The search of the inbox: alerts about a company, and alerts with all of some words in their title, rule or type."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from monitoring.models import Alert, AlertKind
from portfolio.companies.search import NAMES, duns_digits, of_companies, search_companies

# No index holds words: they are looked for in so many of the latest alerts, and so many are found.
SEARCHED, FOUND, MOST_WORDS = 20_000, 1_000, 6


def find_alerts(alerts: QuerySet[Alert], text: str) -> QuerySet[Alert]:
    if duns_digits(text):
        return of_companies(alerts, text)
    companies = search_companies(text).duns[:NAMES]
    words = text.split()[:MOST_WORDS]
    return alerts.filter(Q(company__in=list(companies)) | Q(pk__in=_with_words(alerts, words)))


def _with_words(alerts: QuerySet[Alert], words: list[str]) -> list[object]:
    since = _searched_since()
    found = alerts.filter(raised_at__gte=since) if since else alerts
    for word in words:
        found = found.filter(Q(title__icontains=word) | Q(rule_name__icontains=word) | Q(kind__in=_kinds(word)))
    return list(found.order_by("-raised_at", "-id").values_list("pk", flat=True)[:FOUND])


def _kinds(word: str) -> list[str]:
    return [kind.value for kind in AlertKind if word.casefold() in str(kind.label).casefold()]


def _searched_since() -> datetime | None:
    """The latest alerts by an index; None where there are fewer."""
    times = Alert.objects.order_by("-raised_at", "-id").values_list("raised_at", flat=True)
    return next(iter(times[SEARCHED : SEARCHED + 1]), None)
