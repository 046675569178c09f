"""What came of `benchmarks.days`: ledger and rows, availability and incidents, memory, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.days.memory import WARM_UP, Life, Watch, files, megabytes, slope
from benchmarks.days.program import Program, Visitor
from benchmarks.days.troubles import EARLIER, LATER, Calls, Trouble
from benchmarks.days.world import REFERENCES, World
from health.models import Incident, Sample, Span, State
from monitoring.models import Change
from tests.acceptance.judging import verdict

SHOWN = re.compile(r"<title>\d+ \w+ \d+: [\d.]+%[^(]*\(([\d,]+) minutes? down\)</title>")
MINUTE = timedelta(minutes=1)
# The first question to D&B may come five minutes after the beginning, and a warning has to be seen twice.
SEEN_WITHIN = timedelta(minutes=8)
# A silence is told from the last look before it.
BEFORE = timedelta(seconds=90)
# A process that takes so much more an hour would be noticed within days.
GROWS = 10.0
# After a shorter life a slope says nothing.
LONG = 1800.0

console = Console(width=150)


def judge(program: Program, world: World, visitor: Visitor, watch: Watch, calls: Calls, *, settled: bool) -> bool:
    """Print everything; whether anything is wrong."""
    wrong = [] if settled else ["something was still undecided at the end"]
    wrong += show_availability(visitor, world.over, calls)
    wrong += show_incidents(world.over)
    wrong += show_data(program, world, visitor, calls)
    wrong += show_memory(watch)
    seconds, left = program.stop()
    show("In the end", ("", ""), [["stopped within", f"{seconds:.1f} s"], ["processes left", left]])
    wrong += ["processes were left"] if left else []
    for words in wrong:
        console.print(f"[red]WRONG[/red] {words}")
    console.print("Everything matches." if not wrong else f"{len(wrong)} things do not match.")
    return bool(wrong)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(title=title, title_justify="left", show_header=any(columns))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(str(value) for value in row))
    console.print(table)


# Availability


def show_availability(visitor: Visitor, troubles: list[Trouble], calls: Calls) -> list[str]:
    """Minutes lost, as the page says and as the rows of minutes say, against what was done."""
    lost = lost_minutes()
    shares: dict[str, list[datetime]] = {trouble.name: [] for trouble in troubles}
    stray = [minute for minute in lost if not _attribute(minute, troubles, shares)]
    rows: list[list[Any]] = []
    wrong: list[str] = []
    for trouble in troubles:
        expected = trouble.expected(trouble, calls)
        low, high = max(0.0, expected - EARLIER), expected + LATER
        found = len(shares[trouble.name])
        if not low <= found <= high:
            wrong.append(f"{trouble.name}: {found} minutes lost, {low:.1f} to {high:.1f} expected")
        lasted = (trouble.ended - trouble.begun) / 60
        rows.append([trouble.name, clock(trouble.begun), f"{lasted:.1f}", f"{expected:.1f}", found])
    rows.append(["no trouble at all", "", "", "0", len(stray)])
    wrong += [f"lost without a reason: {minute:%H:%M}" for minute in stray]
    shown = minutes_on_the_page(visitor)
    expected = sum(trouble.expected(trouble, calls) for trouble in troubles)
    rows.append(["the page of health says", "", "", f"{expected:.1f}", shown])
    if shown != len(lost):
        wrong.append(f"the page says {shown} minutes lost, the rows of minutes {len(lost)}")
    show("Availability: minutes lost", ("what was done", "at", "minutes", "should cost", "did cost"), rows)
    return wrong


def lost_minutes() -> list[datetime]:
    """Minutes that nobody looked at, or that were critical, from the first look to the last."""
    states = dict(Sample.objects.filter(span=Span.MINUTE).values_list("at", "state"))
    first, last = min(states), max(states)
    every = [first + number * MINUTE for number in range(round((last - first) / MINUTE) + 1)]
    return [minute for minute in every if states.get(minute, State.CRITICAL) == State.CRITICAL]


def _attribute(minute: datetime, troubles: list[Trouble], shares: dict[str, list[datetime]]) -> bool:
    """To the trouble that had begun last, if that can still be felt."""
    end = (minute + MINUTE).timestamp()
    before = [trouble for trouble in troubles if trouble.begun < end]
    if not before or minute.timestamp() > before[-1].until:
        return False
    shares[before[-1].name].append(minute)
    return True


def minutes_on_the_page(visitor: Visitor) -> int:
    """As people read it, from the bars of the days."""
    page = visitor.browser.get(f"{visitor.url}/health/", timeout=60).text
    return sum(int(found.replace(",", "")) for found in SHOWN.findall(page))


# Incidents


def show_incidents(troubles: list[Trouble]) -> list[str]:
    """Each trouble that counts has its incident, with beginning and end; and none is critical without a reason."""
    incidents = list(Incident.objects.order_by("started_at"))
    explained: set[Any] = set()
    rows, wrong = [], []
    for trouble in troubles:
        for dedup_key in trouble.matters:
            found = [row for row in incidents if row.dedup_key.startswith(dedup_key) and _belongs(row, trouble)]
            explained.update(row.pk for row in found)
            rows.append([trouble.name, dedup_key, span(trouble.begun, trouble.ended), _spans(found)])
            if not found:
                wrong.append(f"{trouble.name}: no incident “{dedup_key}” that began and ended with it")
    show("Incidents", ("what was done", "dedup_key", "from – to", "incident from – to"), rows)
    others = [row for row in incidents if row.pk not in explained]
    quiet = [[row.title, State(row.state).label, _spans([row])] for row in others]
    show("Other incidents", ("title", "worst", "from – to"), quiet)
    for row in others:
        if row.state == State.CRITICAL and not any(_belongs(row, trouble) for trouble in troubles):
            wrong.append(f"critical without a reason: {row.title}: {row.cause}")
    return wrong


def _belongs(row: Incident, trouble: Trouble) -> bool:
    begun, until = moment(trouble.begun), moment(trouble.until)
    is_in_time = begun - BEFORE <= row.started_at <= max(begun + SEEN_WITHIN, moment(trouble.ended) + MINUTE)
    return is_in_time and row.ended_at is not None and row.ended_at <= until


def _spans(rows: list[Incident]) -> str:
    return "\n".join(
        span(row.started_at.timestamp(), row.ended_at.timestamp() if row.ended_at else None) for row in rows
    )


def span(begun: float, ended: float | None) -> str:
    return f"{clock(begun)} – {clock(ended) if ended else 'open'}"


def clock(seconds: float) -> str:
    return f"{moment(seconds):%H:%M:%S}"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# Data


def show_data(program: Program, world: World, visitor: Visitor, calls: Calls) -> list[str]:
    rows: list[list[Any]] = []
    wrong = []
    for reference in REFERENCES:
        try:
            told = verdict(program.control, reference)
        except AssertionError as error:
            wrong.append(f"{reference}: {error}")
            continue
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value)
        rows.append([f"{reference} equals the ledger", words])
    lost = sum(entry["lost_at"] is not None for entry in program.control.ledger())
    feed, kept = visitor.changes, {str(key) for key in Change.objects.values_list("pk", flat=True)}
    if len(feed) != len(set(feed)) or set(feed) != kept:
        wrong.append(f"the feed told {len(feed)} changes ({len(set(feed))} different), {len(kept)} are kept")
    faulty = sum(bool(call["faults"]) for call in calls)
    rows += [
        ["happened at D&B", world.happened],
        ["dropped by D&B after four days", lost],
        ["calls, and those that a fault struck", f"{len(calls):,}, {faulty:,}"],
        ["changes in the feed, each once", len(feed)],
        ["pages and answers", dict(visitor.statuses)],
        ["half of the pages within, 95 % within", _percentiles(visitor.seconds)],
    ]
    show("Data", ("", ""), rows)
    return wrong


def _percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds) or [0.0]
    return f"{ordered[len(ordered) // 2]:.3f} s, {ordered[int(len(ordered) * 0.95)]:.3f} s"


# Memory


def show_memory(watch: Watch) -> list[str]:
    """Megabytes and open files of each role: at the end of the warm-up, at the end, and an hour's growth."""
    rows, wrong = [], []
    for role, lives in sorted(watch.by_role().items()):
        grows, opens = slope(lives, megabytes), slope(lives, files)
        longest = max(lives, key=lambda life: life.points[-1][0] if life.points else 0)
        rows.append(
            [role, len(lives), f"{longest.points[-1][0] / 60:.0f}", *_levels(longest), _signed(grows), _signed(opens)]
        )
        is_long = longest.points[-1][0] >= WARM_UP + LONG
        if is_long and grows is not None and grows > GROWS:
            wrong.append(f"{role} grows by {grows:.1f} MB an hour")
        if is_long and opens is not None and opens > 5:
            wrong.append(f"{role} opens {opens:.1f} more files an hour")
    names = (
        "role",
        "processes",
        "longest life, min",
        "MB warm",
        "MB at its end",
        "files at its end",
        "MB an hour",
        "files an hour",
    )
    show("Memory", names, rows)
    return wrong


def _levels(life: Life) -> list[str]:
    warm = life.after(WARM_UP)
    last = life.points[-1]
    return [f"{warm[0][1]:.0f}" if warm else "–", f"{last[1]:.0f}", str(last[2])]


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.1f}"
