"""The largest score declines, and scores that declined three times in a row: from the changes marked on each day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext, ngettext

from core.visibility import visible_to
from dnbmon_site.dashboard.query import Asked
from monitoring.models import Score, ScoreChange
from monitoring.scores.score_changes import A_CLASS, ARROW
from portfolio.models import Company

ROWS = 5
# A day marks few in each registration; so many are there in a year at most, or in a quarter with many registrations.
READ = 3000
MEASURES = {"percentile": 0, "class": 1, "rating": 2}
# In the order of a move's fields.
COLUMNS = (
    *("company_id", "at", "score", "measure", "before", "after", "points"),
    *("consecutive_declines", "points_lost", "values", "is_running"),
)


@dataclass(slots=True)
class Move:
    """As much of a score's change as its lines show: a quarter has thousands, of which ten are shown."""

    company_id: str
    at: datetime
    score: str
    measure: str
    before: str
    after: str
    points: int
    consecutive_declines: int
    points_lost: int
    values: str
    is_running: bool
    company: Company = field(init=False)


@dataclass(slots=True)
class Decline:
    """A decline of one score of a company, alone or as the run that it ends."""

    move: Move
    company: Company
    values: list[str]
    lost: int

    @property
    def score(self) -> str:
        return str(Score(self.move.score).label)

    @property
    def measure(self) -> str:
        names = {"percentile": gettext("percentile"), "class": gettext("class"), "rating": gettext("rating")}
        return names[self.move.measure]

    @property
    def trail(self) -> str:
        return ARROW.join(self.values)

    @property
    def falls(self) -> str:
        """Where it is a run."""
        found = self.move.consecutive_declines if len(self.values) > 2 else 0
        return (
            ngettext("%(count)d decline, ", "%(count)d declines in a row, ", found) % {"count": found} if found else ""
        )

    @property
    def loss(self) -> str:
        """ "−32 points", "3 classes worse"."""
        if self.move.measure == "percentile":
            return gettext("−%(points)d points") % {"points": self.lost}
        if self.move.measure == "class":
            classes = self.lost // A_CLASS
            return ngettext("%(count)d class worse", "%(count)d classes worse", classes) % {"count": classes}
        return gettext("downgraded")

    @property
    def points(self) -> str:
        """A small line through the values of a percentile, for SVG; empty for what has no scale."""
        if self.move.measure != "percentile":
            return ""
        values = [float(value) for value in self.values]
        step = 84 / max(len(values) - 1, 1)
        return " ".join(f"{4 + number * step:.1f},{28 - value * 0.24:.1f}" for number, value in enumerate(values))


def moves_of(asked: Asked) -> list[Move]:
    """The changes that the days have marked, the deepest first."""
    rows = ScoreChange.objects.filter(is_highlighted=True, day__range=(asked.first, asked.last))
    if asked.registration:
        rows = rows.filter(registration=asked.registration.pk)
    rows = visible_to(asked.scope, rows)
    return [Move(*row) for row in rows.order_by("-points", "-at").values_list(*COLUMNS)[:READ]]


def worst_of(moves: Sequence[Move]) -> list[Move]:
    """Of each company's score the deepest decline at once."""
    return sorted(_once(moves), key=lambda move: -move.points)[:ROWS]


def falling_of(moves: Sequence[Move]) -> list[Move]:
    """Those that have fallen three times or more and not risen since, the longest run first."""
    running = _once(move for move in moves if move.is_running)
    return sorted(running, key=lambda move: (-move.consecutive_declines, -move.points_lost))[:ROWS]


def _once(moves: Iterable[Move]) -> list[Move]:
    """One of each company's score, of moves with the deepest first: a percentile tells more than the class that moves
    with it."""
    found: dict[tuple[str, str], Move] = {}
    for move in sorted(moves, key=lambda move: MEASURES[move.measure]):
        found.setdefault((move.company_id, move.score), move)
    return list(found.values())


def falls(moves: Iterable[Move]) -> list[Decline]:
    """Each by itself; the page has read their companies."""
    return [Decline(row, row.company, [row.before, row.after], row.points) for row in moves]


def runs(moves: Iterable[Move]) -> list[Decline]:
    """Each as the run that it ends."""
    return [Decline(row, row.company, row.values.split(ARROW), row.points_lost) for row in moves]
