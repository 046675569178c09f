"""The Overview of the admin, put together: in ten seconds, what happened and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from core.admin.filters import key_at
from core.cached_counts import OpenCounts, open_counts
from core.visibility import visible_to
from dnbmon_site.dashboard import charts, score_declines
from dnbmon_site.dashboard.needs.action_items import needs_of
from dnbmon_site.dashboard.needs.alerts import LATEST, ORDER
from dnbmon_site.dashboard.onboarding import guide_for
from dnbmon_site.dashboard.open_counts import counts_of_scope
from dnbmon_site.dashboard.query import RANGES, Asked, query_of, today
from dnbmon_site.dashboard.since_last_visit import News, news_for
from dnbmon_site.dashboard.tiles import fresh, tiles_of
from monitoring.company_page.timeline import Line, line_of
from monitoring.deliveries.received_since import incomplete_text
from monitoring.models import NO_NOISE, Axis, Change, Element, Severity
from monitoring.stats.daily_counts import CONSUMER as COUNTS
from monitoring.story_order import newest, story_key
from portfolio.companies.search import with_companies
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import exposure_settings
from portfolio.models import Registration
from portfolio.registrations.pull_job import Pause, paused_pulls

# Companies with a line of their own, and changes that are looked at to find them.
LAST, LOOKED_AT = 12, 36


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page shows; `?part=live` asks for its living part alone."""
    if not request.user.is_superuser and not request.user.get_all_permissions():
        return {**context, "title": gettext("No role assigned"), "has_no_role": True}
    rows = Registration.objects.select_related("contract").order_by("reference")
    registrations = list(visible_to(request.user, rows))
    asked = query_of(request, registrations)
    is_live = request.GET.get("part") == "live"
    news = news_for(request.user, asked.registration, opened=not is_live)
    numbers = open_counts() if asked.scope.sees_all else counts_of_scope(asked.scope)
    is_empty = not news.last.sequence and not any(row.last_pulled_at for row in registrations)
    order = {ORDER: LATEST} if request.GET.get(ORDER) == LATEST else {}
    guide = guide_for(request, registrations, numbers, is_empty=is_empty) if asked.scope.sees_all else None
    paused = paused_pulls() if asked.scope.sees_all else None
    body = {} if is_empty else _body(request, asked, registrations, news, numbers, paused)
    return {
        **context,
        "title": gettext("Overview"),
        "base_template": "core/bare.html" if is_live else "admin/base.html",
        "published": news.last.shown_to(request.user),
        "live": f"{reverse('admin:index')}?{urlencode({**asked.query, **order, 'part': 'live'})}",
        "asked": asked,
        "needs": needs_of(
            request,
            registrations,
            numbers,
            paused,
            is_guided=is_empty and guide is not None,
            has_steps=guide is not None,
        ),
        "guide": guide,
        "sees_all": asked.scope.sees_all,
        "sees_nothing": not asked.scope.sees_all and not registrations,
        "is_empty": is_empty,
        "may_see": request.user.has_perm("monitoring.view_change"),
        **_asking(asked, registrations),
        **body,
    }


def _asking(asked: Asked, registrations: Sequence[Registration]) -> dict[str, Any]:
    return {
        "ranges": [(days, asked.with_days(days), days == asked.days) for days in RANGES],
        "registrations": registrations,
        "today": today(),
    }


def _body(
    request: HttpRequest,
    asked: Asked,
    registrations: Sequence[Registration],
    news: News,
    numbers: OpenCounts,
    paused: Pause | None,
) -> dict[str, Any]:
    may_see = request.user.has_perm("monitoring.view_change")
    may_see_money = request.user.has_perm("portfolio.view_exposure")
    totals = charts.totals_of(asked, numbers) if may_see else charts.Totals()
    moves = score_declines.moves_of(asked) if may_see else []
    worst, falling = score_declines.worst_of(moves), score_declines.falling_of(moves)
    latest = latest_critical_and_high(asked, totals) if may_see else []
    rows = _one_a_company(latest)
    elements = _words_for(rows, totals, [*worst, *falling])
    in_doubt = numbers.of("in_doubt")
    return {
        "tiles": tiles_of(asked, totals, news, numbers, registrations, paused=paused),
        "news": news,
        "is_counting": COUNTS.is_behind(news.last.sequence),
        "all_heavy": asked.changes(severity="from-high"),
        "last": _lines(rows, elements, news, _amounts(rows) if may_see_money else {}),
        "with_more": {duns for duns, count in Counter(row.company_id for row in latest).items() if count > 1},
        "chart": charts.chart_of(asked, totals),
        "incomplete": incomplete_text(charts.counted_since(numbers), asked.first),
        "legend": list(charts.legend_of(asked, totals)),
        "kinds": charts.by_kind(asked, totals, elements),
        "countries": charts.by_country(totals),
        "by_registration": charts.by_registration(asked, totals, registrations),
        "worst": score_declines.falls(worst),
        "falling": score_declines.runs(falling),
        "fresh": [fresh(row, in_doubt.get(str(row.pk), 0), is_paused=paused is not None) for row in registrations],
    }


# The last changes


def latest_critical_and_high(asked: Asked, totals: charts.Totals) -> list[Change]:
    """The last critical and high changes of these days, by key.

    The totals tell how far back the page has to look, so no more is read and sorted than those days hold.
    """
    start = datetime.combine(_first_day_needed(asked, totals), time(), UTC)
    end = datetime.combine(asked.last, time(), UTC) + timedelta(days=1)
    severe = (Severity.HIGH.value, Severity.CRITICAL.value)
    days = {"pk__gte": key_at(start), "pk__lt": key_at(end)}
    rows = visible_to(asked.scope, Change.objects.filter(NO_NOISE, severity__in=severe, superseded=False, **days))
    if asked.registration:
        rows = rows.filter(registration=asked.registration.pk)
    return sorted(newest(rows, 0, LOOKED_AT), key=story_key, reverse=True)


def _one_a_company(rows: Sequence[Change]) -> list[Change]:
    """The latest of each: a company with much news does not hide the others."""
    latest: dict[str, Change] = {}
    for row in rows:
        latest.setdefault(row.company_id, row)
    return list(latest.values())[:LAST]


def _first_day_needed(asked: Asked, totals: charts.Totals) -> Any:
    if asked.registration:
        # Its totals hold reports of changes that others reported first as well.
        return asked.first
    by_day, found = totals.of(Axis.DAY), 0
    for day in reversed(asked.each_day):
        counts = by_day.get(day.isoformat(), {})
        found += counts.get(Severity.CRITICAL, 0) + counts.get(Severity.HIGH, 0)
        if found >= LOOKED_AT:
            return day
    return asked.first


def _words_for(rows: list[Change], totals: charts.Totals, moves: list[score_declines.Move]) -> dict[str, Element]:
    """Companies for all that names one, and elements for all that is put into words: a query each."""
    with_companies([*rows, *moves])
    paths = {row.element for row in rows if row.element} | set(totals.elements)
    return Element.objects.in_bulk(list(paths)) if paths else {}


def _amounts(rows: list[Change]) -> dict[str, str]:
    """The money at stake with these companies."""
    known = {row.company_id: row.company.exposure for row in rows if row.company.exposure}
    currency = exposure_settings().reporting_currency if known else ""
    return {duns: money_text(cents, currency) for duns, cents in known.items()}


def _lines(
    rows: list[Change], elements: dict[str, Element], news: News, amounts: dict[str, str]
) -> list[tuple[Line, bool, str]]:
    """In words, whether it is new to the person who reads, and the money at stake."""
    return [
        (
            line_of(row, elements),
            bool(news.since and row.recorded_at > news.since),
            amounts.get(row.company_id, ""),
        )
        for row in rows
    ]
