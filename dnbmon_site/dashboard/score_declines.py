"""The largest score declines, and scores that declined three times in a row: from the changes marked on each day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from dnbmon_site.dashboard.query import Asked
from monitoring.models import Score, ScoreChange
from monitoring.scores.score_changes import A_CLASS, ARROW
from portfolio.models import Company

ROWS = 5
# A day marks few in each registration; so many are there in a year at most, or in a quarter with many registrations.
READ = 3000
MEASURES = {"percentile": 0, "class": 1, "rating": 2}


@dataclass(slots=True)
class Decline:
    """A decline of one score of a company, alone or as the run that it ends."""

    move: ScoreChange
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


def moves_of(asked: Asked) -> list[ScoreChange]:
    """The changes that the days have marked, the deepest first."""
    rows = ScoreChange.objects.filter(is_highlighted=True, day__range=(asked.first, asked.last))
    if asked.registration:
        rows = rows.filter(registration=asked.registration.pk)
    return list(rows.order_by("-points", "-at")[:READ])


def worst_of(moves: Sequence[ScoreChange]) -> list[ScoreChange]:
    """Of each company's score the deepest decline at once."""
    return sorted(_once(moves), key=lambda move: -move.points)[:ROWS]


def falling_of(moves: Sequence[ScoreChange]) -> list[ScoreChange]:
    """Those that have fallen three times or more and not risen since, the longest run first."""
    running = _once(move for move in moves if move.is_running)
    return sorted(running, key=lambda move: (-move.consecutive_declines, -move.points_lost))[:ROWS]


def _once(moves: Iterable[ScoreChange]) -> list[ScoreChange]:
    """One of each company's score: a percentile tells more than the class that moves with it."""
    found: dict[tuple[str, str], ScoreChange] = {}
    for move in sorted(moves, key=lambda move: (MEASURES[move.measure], -move.points, -move.at.timestamp())):
        found.setdefault((move.company_id, move.score), move)
    return list(found.values())


def falls(moves: Iterable[ScoreChange]) -> list[Decline]:
    """Each by itself; the page has read their companies."""
    return [Decline(row, row.company, [row.before, row.after], row.points) for row in moves]


def runs(moves: Iterable[ScoreChange]) -> list[Decline]:
    """Each as the run that it ends."""
    return [Decline(row, row.company, row.values.split(ARROW), row.points_lost) for row in moves]
