"""The few numbers at the top of the Overview, each a link, and how fresh every registration is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.cached_counts import OpenCounts
from core.text import ago, counted, moment_text
from dnbmon_site.dashboard.charts import FROM_MEDIUM, Totals
from dnbmon_site.dashboard.query import Asked
from dnbmon_site.dashboard.since_last_visit import A_PAUSE, News
from monitoring.models import Severity
from monitoring.publications.filters import PUBLISHED_AFTER
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.pull_job import Pause
from portfolio.registrations.status import cadence_words, countdown, description, status

FRESH = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number, what it counts, and what makes it good or bad."""

    number: str
    words: str
    link: str
    more: str = ""
    tone: str = "calm"
    # Of a meter below it, in percent; none where empty.
    share: str = ""


def tiles_of(
    asked: Asked,
    totals: Totals,
    news: News,
    numbers: OpenCounts,
    registrations: Sequence[Registration],
    *,
    paused: Pause | None,
) -> list[Tile]:
    changes = [
        _news(asked, news),
        _severity(asked, totals, Severity.CRITICAL),
        _severity(asked, totals, Severity.HIGH),
    ]
    if not asked.scope.sees_all:
        return [*changes, _held(numbers)]
    return [*changes, monitored(numbers, asked.registration, registrations), _freshness(registrations, paused)]


def _held(numbers: OpenCounts) -> Tile:
    """For someone who does not see the contract."""
    listed = numbers.of("held").get("listed", 0)
    words = ngettext("company monitored", "companies monitored", listed)
    return Tile(counted(listed), words, reverse("admin:portfolio_company_changelist"))


def _news(asked: Asked, news: News) -> Tile:
    link = _link_to_news(asked, news)
    words = gettext("new since your last visit")
    if news.since is None:
        first = gettext("This is your first visit with data. New changes are counted from now on.")
        return Tile("–", words, link, f"{first} {_end_of_visit()}")
    parts = [
        (news.critical, gettext("critical")),
        (news.high, gettext("high")),
        (news.medium, gettext("medium")),
    ]
    parts_text = ", ".join(f"{counted(count)} {word}" for count, word in parts if count)
    # A replay brings changes from before the days that the other numbers are of.
    parts_text = parts_text and gettext("%(counts)s, by date received") % {"counts": parts_text}
    tone = "critical" if news.critical else "high" if news.high else "calm"
    more = parts_text or gettext("Since %(when)s") % {"when": moment_text(news.since)}
    return Tile(counted(news.total), words, link, f"{more}. {_end_of_visit()}", tone)


def _end_of_visit() -> str:
    minutes = int(A_PAUSE.total_seconds() // 60)
    words = gettext("A visit ends after %(minutes)s minutes away or when you sign in again.")
    return words % {"minutes": minutes}


def _link_to_news(asked: Asked, news: News) -> str:
    """To the changes that the number counts: by when they were received, in whatever period they happened."""
    query = {"severity": FROM_MEDIUM}
    if news.since is not None:
        query[PUBLISHED_AFTER] = news.after.shown_to(asked.scope)
    if asked.registration:
        query["registration"] = str(asked.registration.pk)
    return f"{reverse('admin:monitoring_change_changelist')}?{urlencode(query)}"


def _severity(asked: Asked, totals: Totals, severity: Severity) -> Tile:
    count = totals.total(severity)
    words = {
        Severity.CRITICAL: ngettext("critical change", "critical changes", count),
        Severity.HIGH: ngettext("high change", "high changes", count),
    }[severity]
    link = asked.changes(severity=str(severity.value))
    tone = severity.name.lower() if count else "calm"
    words = gettext("%(changes)s, %(days)s") % {"changes": words, "days": asked.words}
    # Without any data of the days before there is nothing to compare with.
    more = trend(count, totals.before.get(severity, 0), asked) if totals.before else ""
    return Tile(counted(count), words, link, more, tone)


def trend(now: int, before: int, asked: Asked) -> str:
    """ "▲ 4 vs. the 30 days before"."""
    if now == before:
        return gettext("same as %(days)s") % {"days": asked.before_words}
    words = gettext("▲ %(count)s vs. %(days)s") if now > before else gettext("▼ %(count)s vs. %(days)s")
    return words % {"count": counted(abs(now - before)), "days": asked.before_words}


# Against the contract


def monitored(numbers: OpenCounts, registration: Registration | None, registrations: Sequence[Registration]) -> Tile:
    link = reverse("admin:portfolio_contract_year")
    found = numbers.of("held")
    if not found.get("listed", 0) and not any(row.adopted for row in registrations):
        link = reverse("admin:portfolio_registration_changelist")
        return Tile("–", gettext("companies monitored"), link, gettext("Not adopted yet"))
    if registration:
        count = found.get("registrations", {}).get(str(registration.pk), {}).get("listed", 0)
        words = ngettext("company monitored in this registration", "companies monitored in this registration", count)
        return Tile(counted(count), words, reverse("admin:portfolio_subject_changelist"))
    contracts: Sequence[Mapping[str, Any]] = found.get("contracts", [])
    return _against(found.get("listed", 0), contracts, link)


def _against(listed: int, contracts: Sequence[Mapping[str, Any]], link: str) -> Tile:
    billed, forecast = (sum(one["year"].get(name, 0) for one in contracts) for name in ("billed", "forecast"))
    contracted = sum(one["contracted"] or 0 for one in contracts)
    words = ngettext("company monitored", "companies monitored", listed)
    is_known = all(one["is_known"] for one in contracts)
    if not contracted:
        return Tile(counted(listed), words, link, gettext("Contracted number not set") + _coming(forecast - billed))
    of = gettext("%(billed)s of %(contracted)s contracted used this year")
    at_least = gettext("At least %(billed)s of %(contracted)s contracted used this year")
    more = (of if is_known else at_least) % {"billed": counted(billed), "contracted": counted(contracted)}
    share = 100 * forecast / contracted
    tone = "critical" if share > 100 else "high" if share > 90 else "calm"
    more += _coming(forecast - billed)
    return Tile(counted(listed), words, link, more, tone, f"{min(share, 100):.1f}")


def _coming(count: int) -> str:
    """What is requested and not billed yet."""
    words = ngettext(", %(count)s new company pending", ", %(count)s new companies pending", count)
    return words % {"count": counted(count)} if count else ""


# Freshness


def _freshness(registrations: Sequence[Registration], paused: Pause | None) -> Tile:
    # One that was never started has nothing that could be out of date.
    started = [row for row in registrations if row.last_pulled_at or row.state == RegistrationState.ACTIVE]
    registrations = started or registrations
    active = [row for row in registrations if row.state == RegistrationState.ACTIVE]
    good = sum(_is_fresh(row) for row in active)
    oldest = min((row.last_pulled_at for row in active if row.last_pulled_at), default=None)
    words = ngettext("registration up to date", "registrations up to date", len(registrations))
    more = gettext("Last pull %(when)s") % {"when": ago(oldest)} if oldest else gettext("No registration is pulled")
    link = reverse("admin:portfolio_registration_changelist")
    if paused and active:
        return Tile(gettext("Paused"), gettext("Pulls: %(note)s") % {"note": paused.note}, link, more, "high")
    tone = "calm" if good == len(registrations) else "high"
    number = gettext("%(good)d of %(all)d") % {"good": good, "all": len(registrations)}
    return Tile(number, words, link, more, tone)


def _is_fresh(row: Registration) -> bool:
    pulled = row.last_pulled_at
    return pulled is not None and timezone.now() - pulled < FRESH and status(row).tone == "good"


def fresh(row: Registration, in_doubt: int, *, is_paused: bool) -> dict[str, Any]:
    return {
        "row": row,
        "description": description(row),
        "status": status(row, pulls_paused=is_paused),
        "cadence": cadence_words(row),
        "drops": countdown(row, pulls_paused=is_paused),
        "is_active": row.state == RegistrationState.ACTIVE and not is_paused,
        "in_doubt": in_doubt,
    }
