"""The search of the inbox: alerts about a company, and alerts with all of some words in their title, rule or type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from core.visibility import is_restricted, visible_to
from monitoring.models import Alert, AlertItem, AlertKind
from portfolio.companies.search import duns_digits, of_companies

# No index holds words: they are looked for in so many of the latest alerts, and so many are found.
SEARCHED, FOUND, MOST_WORDS = 20_000, 2_000, 6


def find_alerts(alerts: QuerySet[Alert], text: str, reader: Any) -> QuerySet[Alert]:
    """Where both are found, by their keys: no index serves a query for one or the other."""
    of_company = of_companies(alerts, text, reader)
    words = [] if duns_digits(text) else _with_words(alerts, text.split()[:MOST_WORDS], reader)
    if not words:
        return of_company
    most_severe = of_company.order_by("-severity", "-raised_at", "-id").values_list("pk", flat=True)[:FOUND]
    return alerts.filter(pk__in={*most_severe, *words})


def _with_words(alerts: QuerySet[Alert], words: list[str], reader: Any) -> list[object]:
    since = _searched_since()
    found = alerts.filter(raised_at__gte=since) if since else alerts
    texts = _texts_for(reader, found)
    for word in words:
        found = found.filter(texts(word) | Q(rule_name__icontains=word) | Q(kind__in=_kinds(word)))
    return list(found.order_by("-raised_at", "-id").values_list("pk", flat=True)[:FOUND])


def _texts_for(reader: Any, alerts: QuerySet[Alert]) -> Callable[[str], Q]:
    """The title; where a reader sees only some of the changes, these: the title may be about another one."""
    if not is_restricted(reader):
        return lambda word: Q(title__icontains=word)
    shared = alerts.filter(audience__isnull=False, company__isnull=False).order_by("-raised_at", "-id")
    keys = list(shared.values_list("pk", flat=True)[:FOUND])

    def texts(word: str) -> Q:
        own = Q(title__icontains=word) & (Q(audience=None) | Q(company=None))
        items = visible_to(reader, AlertItem.objects.filter(alert__in=keys, text__icontains=word))
        return own | Q(pk__in=set(items.values_list("alert_id", flat=True))) if keys else own

    return texts


def _kinds(word: str) -> list[str]:
    return [kind.value for kind in AlertKind if word.casefold() in str(kind.label).casefold()]


def _searched_since() -> datetime | None:
    """The latest alerts by an index; None where there are fewer."""
    times = Alert.objects.order_by("-raised_at", "-id").values_list("raised_at", flat=True)
    return next(iter(times[SEARCHED : SEARCHED + 1]), None)
