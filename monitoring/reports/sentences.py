"""A report in words: the summary that a board member can read, and the key figures, number by number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from core.text import counted, day_text, moment_text
from monitoring.deliveries.received_since import incomplete_text
from monitoring.elements.formatting import lower_first
from monitoring.models import Severity
from monitoring.reports.alert_section import Waiting
from monitoring.reports.compute import Report
from monitoring.reports.contract_section import contract_sentences
from monitoring.stats.latency import delay_text
from portfolio.billing.usage import Holding

SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
NAMED = 6


@dataclass(frozen=True, slots=True)
class Worth:
    """One key figure: its name, its value, and what it includes."""

    what: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Speed:
    """The time between two events: the median, the 95th percentile (`most`) and the count behind them."""

    way: str
    median: str
    most: str
    of: str


def title_of(report: Report) -> str:
    period = report.period
    what = lower_first(period.title) if period.noun == "week" else period.title
    return gettext("Report for %(period)s") % {"period": what}


def as_of(report: Report) -> str:
    """The portfolio and open alerts are never those of the period: they are as they were when the report was made."""
    return gettext("As of %(day)s") % {"day": day_text(timezone.localtime(report.made_at).date())}


# The summary


def summary(report: Report, *, of_period: bool = True, of_today: bool = True) -> list[str]:
    """Changes, critical ones, time to detection, alerts, the portfolio, and how current the data is."""
    period = (_changes(report), _critical(report), _speed(report), _alerts(report)) if of_period else ()
    today = (_longest(report), _portfolio(report), _fresh(report)) if of_today else ()
    return [part for part in (*period, *today) if part]


def _changes(report: Report) -> str:
    counts = report.counts
    if not report.registrations:
        return gettext("There are no registrations yet, so no changes have been received.")
    if not counts.total:
        return (
            gettext("D&B reported no relevant changes to your monitored companies in this week.")
            if report.period.noun == "week"
            else gettext("D&B reported no relevant changes to your monitored companies in this month.")
        )
    told = ngettext(
        "D&B reported %(count)s relevant change to your monitored companies%(compared)s.",
        "D&B reported %(count)s relevant changes to your monitored companies%(compared)s.",
        counts.total,
    ) % {"count": counted(counts.total), "compared": _compared(report)}
    small = ngettext(
        "There was also %(count)s minor update, such as a new assessment date.",
        "There were also %(count)s minor updates, such as new assessment dates.",
        counts.noise,
    ) % {"count": counted(counts.noise)}
    return f"{told} {small}" if counts.noise else told


def _compared(report: Report) -> str:
    counts, is_week = report.counts, report.period.noun == "week"
    since, before = report.received_since, report.period.before()
    if not report.is_over or not counts.before or incomplete_text(since, before.start):
        return ""
    if counts.total == counts.before:
        return (
            gettext(", as many as in the previous week") if is_week else gettext(", as many as in the previous month")
        )
    if counts.total > counts.before:
        week, month = (
            gettext(", %(count)s more than in the previous week"),
            gettext(", %(count)s more than in the previous month"),
        )
    else:
        week, month = (
            gettext(", %(count)s fewer than in the previous week"),
            gettext(", %(count)s fewer than in the previous month"),
        )
    return (week if is_week else month) % {"count": counted(abs(counts.total - counts.before))}


def _critical(report: Report) -> str:
    count = report.counts.critical_count
    if not count:
        return gettext("None of the changes was critical.")
    found = report.counts.critical[:NAMED]
    kinds = ", ".join(f"{lower_first(label)} ({counted(number)})" for label, number in found)
    text = ngettext("%(count)s was critical: %(kinds)s.", "%(count)s were critical: %(kinds)s.", count)
    if sum(number for _, number in found) < count:
        text = gettext("%(count)s were critical, among them %(kinds)s.")
    return text % {"count": counted(count), "kinds": kinds}


def _speed(report: Report) -> str:
    if not report.recorded.count:
        return ""
    half, most = delay_text(report.recorded.median), delay_text(report.recorded.most)
    if not report.handed.count:
        text = gettext("Time from change to detection: median %(half)s, 95th percentile %(most)s.")
        return text % {"half": half, "most": most}
    return gettext(
        "Time from change to detection: median %(half)s, 95th percentile %(most)s. "
        "Time from delivery by D&B to detection: median %(handed)s."
    ) % {"half": half, "most": most, "handed": delay_text(report.handed.median)}


def _alerts(report: Report) -> str:
    handled = report.handled
    if not handled.raised and not handled.taken_back:
        return (
            gettext("No alerts were raised in this week.")
            if report.period.noun == "week"
            else gettext("No alerts were raised in this month.")
        )
    raised = ngettext("%(count)s alert was raised", "%(count)s alerts were raised", handled.raised)
    seen = ngettext(", %(count)s acknowledged", ", %(count)s acknowledged", handled.acknowledged)
    back = ngettext(
        ". %(count)s alert was reversed by a later change",
        ". %(count)s alerts were reversed by later changes",
        handled.taken_back,
    )
    parts = (
        raised % {"count": counted(handled.raised)},
        seen % {"count": counted(handled.acknowledged)} if handled.raised else "",
        back % {"count": counted(handled.taken_back)} if handled.taken_back else "",
    )
    return f"{''.join(parts)}."


def _longest(report: Report) -> str:
    if not report.waiting:
        return gettext("%(as_of)s, all alerts are acknowledged.") % {"as_of": as_of(report)}
    text = ngettext(
        "%(as_of)s, %(count)s open alert is not acknowledged; it has been open for %(span)s.",
        "%(as_of)s, %(count)s open alerts are not acknowledged; the oldest most severe one for %(span)s.",
        report.waiting_count,
    )
    words = {"as_of": as_of(report), "count": counted(report.waiting_count), "span": waited_words(report.waiting[0])}
    return text % words


def waited_words(one: Waiting) -> str:
    return delay_text(int(one.waited.total_seconds()))


def waiting_words(report: Report) -> str:
    """ "3 open alerts not acknowledged"."""
    count = report.waiting_count
    text = ngettext("%(count)s open alert not acknowledged", "%(count)s open alerts not acknowledged", count)
    return text % {"count": counted(count)}


def more_worse_words(report: Report) -> str:
    count = report.risk.more_worse
    text = ngettext(
        "and %(count)s more company in a higher failure score class",
        "and %(count)s more companies in a higher failure score class",
        count,
    )
    return text % {"count": counted(count)}


def risk_note(report: Report) -> str:
    """The days, and why the companies of the last one are not those that the report calls monitored."""
    risk = report.risk
    if risk.companies == report.listed:
        return risk.days_words
    text = ngettext(
        "%(days)s Companies that D&B monitored on %(day)s: %(then)s. %(as_of)s, it monitors %(count)s company.",
        "%(days)s Companies that D&B monitored on %(day)s: %(then)s. %(as_of)s, it monitors %(count)s companies.",
        report.listed,
    )
    words = {"days": risk.days_words, "day": day_text(risk.day), "then": counted(risk.companies)}
    return text % {**words, "as_of": as_of(report), "count": counted(report.listed)}


def _portfolio(report: Report) -> str:
    number = len(report.held)
    companies = ngettext("%(count)s company", "%(count)s companies", report.listed)
    registrations = ngettext("%(count)s registration", "%(count)s registrations", number)
    monitored = gettext("%(as_of)s, D&B monitors %(companies)s in %(registrations)s.") % {
        "as_of": as_of(report),
        "companies": companies % {"count": counted(report.listed)},
        "registrations": registrations % {"count": counted(number)},
    }
    return " ".join((monitored, *contract_sentences(report)))


def _fresh(report: Report) -> str:
    outdated = [one for one in report.held if one.status.tone in ("bad", "warn") or not one.registration.last_pulled_at]
    if not report.held:
        return gettext("There are no registrations yet.")
    if outdated:
        told = ", ".join(f"{one.registration.reference} ({lower_first(str(one.status.word))})" for one in outdated)
        return gettext("%(as_of)s, data may be out of date for %(names)s.") % {"as_of": as_of(report), "names": told}
    oldest = min(filter(None, (one.registration.last_pulled_at for one in report.held)))
    return gettext("Data is up to date as of %(when)s.") % {"when": _moment_or_time(oldest, report)}


def _moment_or_time(moment: datetime, report: Report) -> str:
    """The time alone on the day of the report, if its period lasts."""
    local = timezone.localtime(moment)
    is_same_day = local.date() == timezone.localtime(report.made_at).date()
    return str(date_format(local, "TIME_FORMAT")) if is_same_day and not report.is_over else moment_text(moment)


# Tables


def worth(report: Report) -> list[Worth]:
    """The key figures of this period."""
    handled = report.handled
    return [
        Worth(
            gettext("Changes"),
            counted(report.counts.total),
            gettext("Severity low to critical, without noise and baselines."),
        ),
        Worth(
            gettext("Critical changes"),
            counted(report.counts.critical_count),
            ngettext(
                "%(count)s critical alert raised, %(acknowledged)s acknowledged.",
                "%(count)s critical alerts raised, %(acknowledged)s acknowledged.",
                handled.critical,
            )
            % {"count": counted(handled.critical), "acknowledged": counted(handled.critical_acknowledged)},
        ),
        Worth(
            gettext("Alerts raised"),
            counted(handled.raised),
            gettext("%(acknowledged)s acknowledged.") % {"acknowledged": counted(handled.acknowledged)},
        ),
    ]


def speeds(report: Report) -> list[Speed]:
    """Time to detection and to acknowledgement, where there was any."""
    handled = report.handled
    ways = (
        (gettext("Time from change at D&B to detection"), report.recorded, _counted_changes),
        (gettext("Time from delivery by D&B to detection"), report.handed, _counted_changes),
        (gettext("Time from change at D&B to acknowledgement"), handled.since_change, _counted_alerts),
        (gettext("Time from alert to acknowledgement"), handled.since_raised, _counted_alerts),
    )
    known = (way for way in ways if way[1].count)
    return [Speed(way, delay_text(one.median), delay_text(one.most), of(one.count)) for way, one, of in known]


def _counted_changes(count: int) -> str:
    return ngettext("%(count)s change", "%(count)s changes", count) % {"count": counted(count)}


def _counted_alerts(count: int) -> str:
    return ngettext("%(count)s alert", "%(count)s alerts", count) % {"count": counted(count)}


def entries_note(report: Report) -> str:
    """Why the numbers of the registrations add up to more than the companies and changes."""
    return " ".join(filter(None, [_companies_note(report), _reports_note(report)]))


def _companies_note(report: Report) -> str:
    entries = sum(one.listed for one in report.held)
    if entries == report.listed:
        return ""
    return gettext(
        "Companies in several registrations are counted once in each: %(entries)s entries, %(companies)s companies."
    ) % {"entries": counted(entries), "companies": counted(report.listed)}


def _reports_note(report: Report) -> str:
    reports = sum(report.counts.by_registration[one.registration.pk] for one in report.held)
    if reports <= report.counts.total:
        return ""
    return gettext("A change that several registrations reported is counted in each of them.")


def change_sentences(severity: Severity, count: int) -> str:
    """ "12 critical changes"."""
    texts = {
        Severity.CRITICAL: ngettext("%(count)s critical change", "%(count)s critical changes", count),
        Severity.HIGH: ngettext("%(count)s high-severity change", "%(count)s high-severity changes", count),
        Severity.MEDIUM: ngettext("%(count)s medium-severity change", "%(count)s medium-severity changes", count),
    }
    low = ngettext("%(count)s low-severity change", "%(count)s low-severity changes", count)
    return texts.get(severity, low) % {"count": counted(count)}


def severities(report: Report) -> list[tuple[Severity, int]]:
    return [(severity, report.counts.by_severity[severity]) for severity in SEVERITIES]


def pulled_words(one: Holding, report: Report) -> str:
    pulled = one.registration.last_pulled_at
    if not pulled:
        return gettext("never pulled")
    return gettext("up to date as of %(when)s") % {"when": _moment_or_time(pulled, report)}
