"""A report in words: sentences that a board member can read, and what the program was worth, number by number."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format

from monitoring.delays import delay_text
from monitoring.models import Severity
from monitoring.report_alerts import Waiting
from monitoring.reporting import Report
from monitoring.wording import lower_first
from portfolio.holdings import ContractState, Holding
from portfolio.wording import ago, moment_text, plural

WEIGHTS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
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
    return f"Report for {lower_first(report.period.title)}" if report.period.noun == "week" else _month_title(report)


def _month_title(report: Report) -> str:
    return f"Report for {report.period.title}"


def about(report: Report) -> str:
    """Which registrations it is about."""
    names = [row.reference for row in report.registrations]
    if not names:
        return "no registrations"
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"all registrations: {listed}" if report.is_all else listed


def made(report: Report) -> str:
    state = "" if report.is_over else f" The {report.period.noun} is not over yet."
    return f"Made on {moment_text(report.made_at)}. Days are UTC days.{state}"


# The summary


def summary(report: Report) -> list[str]:
    """What happened, what was critical, how soon it was seen, what waits, and how the portfolio stands."""
    parts = (_changes(report), _critical(report), _speed(report), _alerts(report), _portfolio(report), _fresh(report))
    return [part for part in parts if part]


def _changes(report: Report) -> str:
    counts = report.counts
    if not counts.total:
        return f"D&B told of no change that matters about the companies you watch in this {report.period.noun}."
    tail = f" Besides, {plural(counts.noise, 'small update')} such as new assessment dates." if counts.noise else ""
    return (
        f"D&B told of {plural(counts.total, 'change')} that may matter about the companies you watch"
        f"{_compared(report)}.{tail}"
    )


def _compared(report: Report) -> str:
    counts, noun = report.counts, report.period.noun
    if not report.is_over or not counts.before:
        return ""
    if counts.total == counts.before:
        return f", as many as in the {noun} before"
    direction = "more" if counts.total > counts.before else "fewer"
    return f", {abs(counts.total - counts.before):,} {direction} than in the {noun} before"


def _critical(report: Report) -> str:
    count = report.counts.critical_count
    if not count:
        return "None of them was critical."
    kinds = ", ".join(f"{lower_first(label)} ({number:,})" for label, number in report.counts.critical[:NAMED])
    return f"{count:,} {'was' if count == 1 else 'were'} critical: {kinds}."


def _speed(report: Report) -> str:
    if not report.recorded.count:
        return ""
    own = f"; once D&B had handed it over, half took {delay_text(report.handed.median)}" if report.handed.count else ""
    return (
        f"Half of it was on screen within {delay_text(report.recorded.median)} of D&B's own time of the change, "
        f"95 of 100 within {delay_text(report.recorded.most)}{own}."
    )


def _alerts(report: Report) -> str:
    handled = report.handled
    if not handled.raised and not report.waiting_count:
        return "No alert was raised, and none waits."
    raised = f"{plural(handled.raised, 'alert')} {'was' if handled.raised == 1 else 'were'} raised"
    seen = f", {handled.acknowledged:,} acknowledged" if handled.raised else ""
    back = f", {handled.taken_back:,} taken back by later news" if handled.taken_back else ""
    return f"{raised}{seen}{back}. {_longest(report)}"


def _longest(report: Report) -> str:
    if not report.waiting:
        return "None waits for somebody to look at it."
    count = waiting_words(report)
    return f"{count} now, the longest for {waited_words(report.waiting[0])}."


def waited_words(one: Waiting) -> str:
    return delay_text(int(one.waited.total_seconds()))


def waiting_words(report: Report) -> str:
    """ "3 alerts wait to be acknowledged"."""
    return (
        f"{plural(report.waiting_count, 'alert')} {'waits' if report.waiting_count == 1 else 'wait'} to be acknowledged"
    )


def _portfolio(report: Report) -> str:
    number = len(report.held)
    watched = f"D&B watches {plural(report.monitored, 'company', 'companies')} in {plural(number, 'registration')}"
    states = " ".join(contract_words(one) for one in report.contracts)
    return f"{watched}. {states}".strip()


def contract_words(state: ContractState) -> str:
    """ "Contract default: 1,200 of 2,000 contracted companies are billed in this contract year, which ends in …"."""
    known = "" if state.is_known else "at least "
    number = state.contract.contracted_number
    billed = f"{known}{plural(state.billed, 'company', 'companies')} billed"
    against = f" of {number:,} contracted" if number is not None else ""
    over = f", {state.billed - number:,} too many" if number is not None and state.billed > number else ""
    return f"Contract {state.contract.name}: {billed}{against}{over} in this contract year{_ends(state)}."


def _ends(state: ContractState) -> str:
    if state.anniversary is None or state.days_left is None:
        return ""
    return f"; the next begins on {date_format(state.anniversary, 'j F Y')}, in {plural(state.days_left, 'day')}"


def _fresh(report: Report) -> str:
    troubled = [
        one for one in report.held if one.standing.tone in ("bad", "warn") or not one.registration.last_pulled_at
    ]
    if not report.held:
        return "There is no registration yet."
    if troubled:
        told = ", ".join(f"{one.registration.reference} ({lower_first(one.standing.word)})" for one in troubled)
        return f"Not everything is fresh: look at {told}."
    oldest = min(filter(None, (one.registration.last_pulled_at for one in report.held)))
    return f"What D&B had for you was taken over completely {ago(oldest, report.made_at)}."


# Tables


def worth(report: Report) -> list[Worth]:
    """What the program was worth in this period."""
    handled = report.handled
    return [
        Worth("Changes caught", f"{report.counts.total:,}", "Low to critical; noise and first baselines do not count."),
        Worth(
            "Critical events seen",
            f"{report.counts.critical_count:,}",
            f"{plural(handled.critical, 'critical alert')} raised, {handled.critical_acknowledged:,} acknowledged.",
        ),
        Worth(
            "Data freshness", freshness(report), "Now: since D&B's queue was last empty, of the oldest registration."
        ),
    ]


def speeds(report: Report) -> list[Speed]:
    """How soon things were seen."""
    handled = report.handled
    ways = (
        ("From D&B's own time of the change to the screen", report.recorded, "change"),
        ("From D&B's handing it over to the screen", report.handed, "change"),
        ("From D&B's own time of the change to acknowledgement", handled.since_change, "alert"),
        ("From the alert to acknowledgement", handled.since_raised, "alert"),
    )
    return [Speed(way, delay_text(one.median), delay_text(one.most), plural(one.count, of)) for way, one, of in ways]


def freshness(report: Report) -> str:
    pulled = [one.registration.last_pulled_at for one in report.held]
    if not pulled or None in pulled:
        return "never pulled" if pulled else "–"
    return delay_text(max(int((report.made_at - min(filter(None, pulled))).total_seconds()), 0))


def weights(report: Report) -> list[tuple[Severity, int]]:
    return [(weight, report.counts.by_weight[weight]) for weight in WEIGHTS]


def pulled_words(one: Holding, report: Report) -> str:
    pulled = one.registration.last_pulled_at
    return f"queue empty {ago(pulled, report.made_at)}" if pulled else "never pulled"
