"""Scores that changed: by how much in the sense of the score, and how many declines in a row.

For percentile scores higher is better, for class scores higher is worse. A move is worth points of a hundred: a
percentile counts as it is, and a class or a step of the rating's risk about a fifth of the scale.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.admin.filters import key_at
from core.db import in_batches, insert_new
from monitoring.elements.compare import leaves, number_of, rating_of
from monitoring.elements.formatting import from_json
from monitoring.elements.paths import Facet
from monitoring.models import Change, Score, ScoreChange

MOVE_KEYS = uuid.UUID("f1c1c0a3-3b5e-5c7a-8a55-5be0f0c6d7f2")
ASSESSMENT = "organization.dnbAssessment"
SCORES = {"failureScore": Score.FAILURE, "delinquencyScore": Score.DELINQUENCY, "standardRating": Score.RATING}
MEASURES = {"nationalPercentile": "percentile", "classScore": "class", "rating": "rating"}
PATHS = [
    ASSESSMENT,
    *(f"{ASSESSMENT}.{score}" for score in SCORES),
    *(f"{ASSESSMENT}.{score}.{name}" for score in SCORES for name in MEASURES),
]
A_CLASS, A_RISK, A_STRENGTH = 20, 20, 5
A_RUN = 3
TOLD = 8
KEPT_OF_A_TRAIL = 6
ARROW = " → "


@dataclass(frozen=True, slots=True)
class Move:
    """One measure of a score, before and after."""

    score: Score
    measure: str
    before: str
    after: str
    points: int


def moves_of(element: str, previous: Any, current: Any) -> Iterator[Move]:
    """What a change says about scores; its element may be one of them, or what contains them."""
    for leaf in leaves(Facet(element, previous, current)):
        above, _, name = leaf.path.rpartition(".")
        score, measure = SCORES.get(above.rpartition(".")[2]), MEASURES.get(name)
        if score and measure and (points := _points(measure, leaf.previous, leaf.current)):
            yield Move(score, measure, _text(leaf.previous), _text(leaf.current), points)


def _points(measure: str, before: Any, after: Any) -> int:
    """How much worse; 0 where it cannot be said."""
    if measure == "rating":
        return _rating_points(before, after)
    old, new = number_of(before), number_of(after)
    if old is None or new is None:
        return 0
    points = old - new if measure == "percentile" else (new - old) * A_CLASS
    return max(min(round(points), 100), -100)


def _rating_points(before: Any, after: Any) -> int:
    if not isinstance(before, str) or not isinstance(after, str):
        return 0
    (strength, risk), (weaker, riskier) = rating_of(before), rating_of(after)
    points = A_RISK * (riskier - risk) if risk is not None and riskier is not None else 0
    if strength is not None and weaker is not None:
        points += A_STRENGTH * (weaker - strength)
    return max(min(points, 100), -100)


def _text(value: Any) -> str:
    """As it is kept: the same in every language."""
    found = number_of(value)
    return (str(value) if found is None else f"{found.normalize():f}")[:16]


# The moves of a day


def recount_moves(day: date) -> None:
    """Make the score changes of one day what the changes say, and the runs of declines that they are part of."""
    computed = {row.pk: row for row in _moves(day)}
    rows = ScoreChange.objects.filter(day=day).values_list("pk", "registration_id", "place")
    known = {key: (registration, place) for key, registration, place in rows}
    gone = known.keys() - computed.keys()
    new = [row for key, row in computed.items() if known.get(key) != (row.registration_id, row.place)]
    if not gone and not new:
        return
    companies = {row.company_id for row in new}
    for batch in in_batches(list(gone)):
        companies.update(ScoreChange.objects.filter(pk__in=batch).values_list("company_id", flat=True))
    days = {day}
    for batch in in_batches(sorted(companies)):
        days |= _bring_up_to_date(batch, {row.pk: row for row in new if row.company_id in set(batch)}, gone)
    for one in days:
        choose_highlights(one)


def _moves(day: date) -> Iterator[ScoreChange]:
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    changes = Change.objects.filter(
        # Keys begin with the time: an index has the element's rows of this day side by side.
        element__in=PATHS,
        pk__range=(key_at(start), key_at(end)),
        changed_at__range=(start, end - timedelta(milliseconds=1)),
        superseded=False,
    )
    for row in changes.only("element", "previous", "current", "changed_at", "place", "registration_id", "company_id"):
        for move in moves_of(row.element, from_json(row.previous), from_json(row.current)):
            yield _row(day, row, move)


def _row(day: date, change: Change, move: Move) -> ScoreChange:
    return ScoreChange(
        id=uuid.uuid5(MOVE_KEYS, f"{change.pk}|{move.score}|{move.measure}"),
        day=day,
        at=change.changed_at,
        place=change.place,
        registration_id=change.registration_id,
        company_id=change.company_id,
        score=move.score,
        measure=move.measure,
        before=move.before,
        after=move.after,
        points=move.points,
    )


def _bring_up_to_date(
    companies: Sequence[str], new: dict[uuid.UUID, ScoreChange], gone: Iterable[uuid.UUID]
) -> set[date]:
    """Write what is new and what it changes in the runs of these companies; returns the days that it touches."""
    for batch in in_batches(list(gone)):
        ScoreChange.objects.filter(pk__in=batch, company__in=companies).delete()
    rows = {row.pk: row for row in ScoreChange.objects.filter(company__in=companies)}
    before = {key: _run_of(row) for key, row in rows.items()}
    moved = list(rows.keys() & new.keys())
    for key in moved:
        rows[key].registration_id, rows[key].place = new[key].registration_id, new[key].place
    follow([*rows.values(), *(row for key, row in new.items() if key not in rows)])
    changed = [row for key, row in rows.items() if _run_of(row) != before[key] or key in moved]
    for row in changed:
        ScoreChange.objects.filter(pk=row.pk).update(registration=row.registration_id, place=row.place, **_run_of(row))
    insert_new(ScoreChange, [row for key, row in new.items() if key not in rows])
    return {row.day for row in changed}


def _run_of(row: ScoreChange) -> dict[str, Any]:
    return {
        "consecutive_declines": row.consecutive_declines,
        "points_lost": row.points_lost,
        "values": row.values,
        "is_running": row.is_running,
    }


def follow(moves: Iterable[ScoreChange]) -> None:
    """Number the declines of each measure: a rise ends a run, and a value that is known already is no change."""
    chains: defaultdict[tuple[str, str, str], list[ScoreChange]] = defaultdict(list)
    for move in sorted(moves, key=lambda move: (move.at, move.place, move.pk.int)):
        chains[move.company_id, move.score, move.measure].append(move)
    for chain in chains.values():
        last: ScoreChange | None = None
        for move in chain:
            is_known = last is not None and move.after == last.after
            _go_on(move, last, is_known=is_known)
            last = last if is_known else move
        if last:
            last.is_running = last.consecutive_declines >= A_RUN


def _go_on(move: ScoreChange, last: ScoreChange | None, *, is_known: bool) -> None:
    move.consecutive_declines, move.points_lost, move.values, move.is_running = 0, 0, "", False
    if move.points <= 0 or is_known:
        return
    run = last if last and last.consecutive_declines else None
    values = run.values.split(ARROW) if run else [move.before]
    move.consecutive_declines = (run.consecutive_declines if run else 0) + 1
    move.points_lost = (run.points_lost if run else 0) + move.points
    move.values = ARROW.join([*values, move.after][-KEPT_OF_A_TRAIL:])


def choose_highlights(day: date) -> None:
    """Mark the deepest of a day in each registration: what a page over many days has to look at."""
    rows = ScoreChange.objects.filter(day=day, consecutive_declines__gt=0)
    fields = ("pk", "registration_id", "points", "points_lost", "is_running", "is_highlighted")
    by_registration: defaultdict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in rows.values_list(*fields):
        by_registration[row[1]].append(row)
    told = {key for found in by_registration.values() for key in _deepest(found)}
    was = {row[0] for found in by_registration.values() for row in found if row[5]}
    ScoreChange.objects.filter(day=day, consecutive_declines=0, is_highlighted=True).update(is_highlighted=False)
    for keys, is_highlighted in ((told - was, True), (was - told, False)):
        for batch in in_batches(list(keys)):
            ScoreChange.objects.filter(pk__in=batch).update(is_highlighted=is_highlighted)


def _deepest(rows: list[Any]) -> set[uuid.UUID]:
    """By this decline alone, and of the runs that go on by the whole run."""
    consecutive_declines = sorted(rows, key=lambda row: (-row[2], row[0]))
    runs = sorted((row for row in rows if row[4]), key=lambda row: (-row[3], row[0]))
    return {row[0] for row in [*consecutive_declines[:TOLD], *runs[:TOLD]]}
