"""A report in words: sentences that a board member can read, and what the program was worth, number by number."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from core.text import ago, counted, moment_text
from monitoring.elements.formatting import lower_first
from monitoring.models import Severity
from monitoring.reports.alert_section import Waiting
from monitoring.reports.compute import Report
from monitoring.stats.latency import delay_text
from portfolio.billing.usage import ContractState, Holding

SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
NAMED = 3


@dataclass(frozen=True, slots=True)
class Worth:
    """One line of what the program was worth: what, how much, and how it is meant."""

    what: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Speed:
    """One way that news went: half were faster than `median`, 95 of 100 faster than `most`."""

    way: str
    median: str
    most: str
    of: str


def title_of(report: Report) -> str:
    period = report.period
    what = lower_first(period.title) if period.noun == "week" else period.title
    return gettext("Report for %(period)s") % {"period": what}


def about(report: Report) -> str:
    """Which registrations it is about."""
    names = [row.reference for row in report.registrations]
    if not names:
        return gettext("no registrations")
    listed = ", ".join(names[:5])
    if len(names) > 5:
        listed = gettext("%(names)s and %(count)s more") % {"names": listed, "count": counted(len(names) - 5)}
    return gettext("all registrations: %(names)s") % {"names": listed} if report.is_all else listed


def about_line(report: Report) -> str:
    return gettext("About %(registrations)s.") % {"registrations": about(report)}


def made(report: Report) -> str:
    text = gettext("Made on %(moment)s. Days are UTC days.") % {"moment": moment_text(report.made_at)}
    if report.is_over:
        return text
    is_week = report.period.noun == "week"
    return f"{text} {gettext('The week is not over yet.') if is_week else gettext('The month is not over yet.')}"


# The summary


def summary(report: Report) -> list[str]:
    """What happened, what was critical, how soon it was seen, what waits, and how the portfolio stands."""
    parts = (_changes(report), _critical(report), _speed(report), _alerts(report), _portfolio(report), _fresh(report))
    return [part for part in parts if part]


def _changes(report: Report) -> str:
    counts = report.counts
    if not counts.total:
        return (
            gettext("D&B told of no change that matters about the companies you watch in this week.")
            if report.period.noun == "week"
            else gettext("D&B told of no change that matters about the companies you watch in this month.")
        )
    told = ngettext(
        "D&B told of %(count)s change that may matter about the companies you watch%(compared)s.",
        "D&B told of %(count)s changes that may matter about the companies you watch%(compared)s.",
        counts.total,
    ) % {"count": counted(counts.total), "compared": _compared(report)}
    small = ngettext(
        "Besides, %(count)s small update such as new assessment dates.",
        "Besides, %(count)s small updates such as new assessment dates.",
        counts.noise,
    ) % {"count": counted(counts.noise)}
    return f"{told} {small}" if counts.noise else told


def _compared(report: Report) -> str:
    counts, is_week = report.counts, report.period.noun == "week"
    if not report.is_over or not counts.before:
        return ""
    if counts.total == counts.before:
        return gettext(", as many as in the week before") if is_week else gettext(", as many as in the month before")
    if counts.total > counts.before:
        week, month = (
            gettext(", %(count)s more than in the week before"),
            gettext(", %(count)s more than in the month before"),
        )
    else:
        week, month = (
            gettext(", %(count)s fewer than in the week before"),
            gettext(", %(count)s fewer than in the month before"),
        )
    return (week if is_week else month) % {"count": counted(abs(counts.total - counts.before))}


def _critical(report: Report) -> str:
    count = report.counts.critical_count
    if not count:
        return gettext("None of them was critical.")
    found = report.counts.critical[:NAMED]
    kinds = ", ".join(f"{lower_first(label)} ({counted(number)})" for label, number in found)
    text = ngettext("%(count)s was critical: %(kinds)s.", "%(count)s were critical: %(kinds)s.", count)
    return text % {"count": counted(count), "kinds": kinds}


def _speed(report: Report) -> str:
    if not report.recorded.count:
        return ""
    half, most = delay_text(report.recorded.median), delay_text(report.recorded.most)
    if not report.handed.count:
        return gettext(
            "Half of it was on screen within %(half)s of D&B's own time of the change, 95 of 100 within %(most)s."
        ) % {"half": half, "most": most}
    return gettext(
        "Half of it was on screen within %(half)s of D&B's own time of the change, 95 of 100 within %(most)s; "
        "once D&B had handed it over, half took %(handed)s."
    ) % {"half": half, "most": most, "handed": delay_text(report.handed.median)}


def _alerts(report: Report) -> str:
    handled = report.handled
    if not handled.raised and not report.waiting_count:
        return gettext("No alert was raised, and none waits.")
    raised = ngettext("%(count)s alert was raised", "%(count)s alerts were raised", handled.raised)
    seen = ngettext(", %(count)s acknowledged", ", %(count)s acknowledged", handled.acknowledged)
    back = ngettext(", %(count)s taken back by later news", ", %(count)s taken back by later news", handled.taken_back)
    parts = (
        raised % {"count": counted(handled.raised)},
        seen % {"count": counted(handled.acknowledged)} if handled.raised else "",
        back % {"count": counted(handled.taken_back)} if handled.taken_back else "",
    )
    return f"{''.join(parts)}. {_longest(report)}"


def _longest(report: Report) -> str:
    if not report.waiting:
        return gettext("None waits for somebody to look at it.")
    text = ngettext(
        "%(count)s alert waits to be acknowledged now, the longest for %(span)s.",
        "%(count)s alerts wait to be acknowledged now, the longest for %(span)s.",
        report.waiting_count,
    )
    return text % {"count": counted(report.waiting_count), "span": waited_words(report.waiting[0])}


def waited_words(one: Waiting) -> str:
    return delay_text(int(one.waited.total_seconds()))


def waiting_words(report: Report) -> str:
    """ "3 alerts wait to be acknowledged"."""
    count = report.waiting_count
    text = ngettext("%(count)s alert waits to be acknowledged", "%(count)s alerts wait to be acknowledged", count)
    return text % {"count": counted(count)}


def _portfolio(report: Report) -> str:
    number = len(report.held)
    companies = ngettext("%(count)s company", "%(count)s companies", report.listed)
    registrations = ngettext("%(count)s registration", "%(count)s registrations", number)
    watched = gettext("D&B watches %(companies)s in %(registrations)s.") % {
        "companies": companies % {"count": counted(report.listed)},
        "registrations": registrations % {"count": counted(number)},
    }
    return " ".join((watched, *map(contract_words, report.contracts)))


def contract_words(state: ContractState) -> str:
    """ "Contract default: 1,200 companies billed of 2,000 contracted in this contract year; the next begins on …"."""
    number = state.contract.contracted_number
    words = {"name": state.contract.name, "billed": _billed(state), "ends": _ends(state)}
    if number is None:
        return gettext("Contract %(name)s: %(billed)s in this contract year%(ends)s.") % words
    words["number"] = counted(number)
    if state.billed <= number:
        return gettext("Contract %(name)s: %(billed)s of %(number)s contracted in this contract year%(ends)s.") % words
    words["over"] = counted(state.billed - number)
    return (
        gettext(
            "Contract %(name)s: %(billed)s of %(number)s contracted, %(over)s too many in this contract year%(ends)s."
        )
        % words
    )


def _billed(state: ContractState) -> str:
    if state.is_known:
        text = ngettext("%(count)s company billed", "%(count)s companies billed", state.billed)
    else:
        text = ngettext("at least %(count)s company billed", "at least %(count)s companies billed", state.billed)
    return text % {"count": counted(state.billed)}


def _ends(state: ContractState) -> str:
    if state.anniversary is None or state.days_left is None:
        return ""
    text = ngettext(
        "; the next begins on %(day)s, in %(count)s day",
        "; the next begins on %(day)s, in %(count)s days",
        state.days_left,
    )
    return text % {"day": date_format(state.anniversary, "j F Y"), "count": counted(state.days_left)}


def _fresh(report: Report) -> str:
    troubled = [one for one in report.held if one.status.tone in ("bad", "warn") or not one.registration.last_pulled_at]
    if not report.held:
        return gettext("There is no registration yet.")
    if troubled:
        told = ", ".join(f"{one.registration.reference} ({lower_first(str(one.status.word))})" for one in troubled)
        return gettext("Not everything is fresh: look at %(names)s.") % {"names": told}
    oldest = min(filter(None, (one.registration.last_pulled_at for one in report.held)))
    return gettext("What D&B had for you was taken over completely %(when)s.") % {"when": ago(oldest, report.made_at)}


# Tables


def worth(report: Report) -> list[Worth]:
    """What the program was worth in this period."""
    handled = report.handled
    return [
        Worth(
            gettext("Changes caught"),
            counted(report.counts.total),
            gettext("Low to critical; noise and first baselines do not count."),
        ),
        Worth(
            gettext("Critical events seen"),
            counted(report.counts.critical_count),
            ngettext(
                "%(count)s critical alert raised, %(acknowledged)s acknowledged.",
                "%(count)s critical alerts raised, %(acknowledged)s acknowledged.",
                handled.critical,
            )
            % {"count": counted(handled.critical), "acknowledged": counted(handled.critical_acknowledged)},
        ),
        Worth(
            gettext("Data freshness"),
            freshness(report),
            gettext("Now: since D&B's queue was last empty, of the oldest registration."),
        ),
    ]


def speeds(report: Report) -> list[Speed]:
    """How soon things were seen."""
    handled = report.handled
    ways = (
        (gettext("From D&B's own time of the change to the screen"), report.recorded, _counted_changes),
        (gettext("From D&B's handing it over to the screen"), report.handed, _counted_changes),
        (gettext("From D&B's own time of the change to acknowledgement"), handled.since_change, _counted_alerts),
        (gettext("From the alert to acknowledgement"), handled.since_raised, _counted_alerts),
    )
    return [Speed(way, delay_text(one.median), delay_text(one.most), of(one.count)) for way, one, of in ways]


def _counted_changes(count: int) -> str:
    return ngettext("%(count)s change", "%(count)s changes", count) % {"count": counted(count)}


def _counted_alerts(count: int) -> str:
    return ngettext("%(count)s alert", "%(count)s alerts", count) % {"count": counted(count)}


def change_sentences(severity: Severity, count: int) -> str:
    """ "12 critical changes"."""
    texts = {
        Severity.CRITICAL: ngettext("%(count)s critical change", "%(count)s critical changes", count),
        Severity.HIGH: ngettext("%(count)s high change", "%(count)s high changes", count),
        Severity.MEDIUM: ngettext("%(count)s medium change", "%(count)s medium changes", count),
    }
    low = ngettext("%(count)s low change", "%(count)s low changes", count)
    return texts.get(severity, low) % {"count": counted(count)}


def freshness(report: Report) -> str:
    pulled = [one.registration.last_pulled_at for one in report.held]
    if not pulled or None in pulled:
        return gettext("never pulled") if pulled else "–"
    return delay_text(max(int((report.made_at - min(filter(None, pulled))).total_seconds()), 0))


def severities(report: Report) -> list[tuple[Severity, int]]:
    return [(severity, report.counts.by_severity[severity]) for severity in SEVERITIES]


def pulled_words(one: Holding, report: Report) -> str:
    pulled = one.registration.last_pulled_at
    if not pulled:
        return gettext("never pulled")
    return gettext("queue empty %(when)s") % {"when": ago(pulled, report.made_at)}
