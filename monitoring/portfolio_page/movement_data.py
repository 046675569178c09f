"""What the page of movement shows: directions, and the matrix from each class to each class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from monitoring.portfolio_page.comparison import Comparison
from monitoring.portfolio_page.links import Links
from monitoring.portfolio_page.listed import ABSENT, state_text
from monitoring.portfolio_page.measures.dimensions import Dimension
from monitoring.portfolio_page.measures.movement import (
    BETTER,
    DIRECTIONS,
    GONE,
    NEW,
    SAME,
    STATES,
    UNRATED,
    WORSE,
    direction_of,
)
from monitoring.portfolio_page.view_data import Cell, Cells

DIRECTION_WORDS: Mapping[str, str | Promise] = {
    WORSE: _("Higher risk"),
    BETTER: _("Lower risk"),
    SAME: _("Unchanged"),
    UNRATED: _("Class unknown on one of the two days"),
    NEW: _("New in the portfolio"),
    GONE: _("No longer in the portfolio"),
}
DIRECTION_TONES = {WORSE: "bad", BETTER: "good", SAME: "calm", UNRATED: "calm", NEW: "info", GONE: "info"}


def movement_context(comparison: Comparison) -> dict[str, Any]:
    cells = Cells(Links(comparison.asked), comparison.money)
    return {
        "comparison": comparison,
        "directions": directions(comparison, cells),
        "movement": list(_matrix(comparison, cells)),
        "state_heads": [state_words(comparison.asked.dimension, state) for state in STATES],
    }


def directions(comparison: Comparison, cells: Cells) -> list[Cell]:
    return [
        cells.cell(
            str(DIRECTION_WORDS[name]),
            comparison.movement.directions[name],
            cells.links.moved(direction=name),
            DIRECTION_TONES[name],
        )
        for name in DIRECTIONS
    ]


def _matrix(comparison: Comparison, cells: Cells) -> Iterator[tuple[str, list[Cell]]]:
    dimension = comparison.asked.dimension
    for was in STATES:
        before = state_words(dimension, was)
        row = [
            cells.cell(
                f"{before} → {state_words(dimension, now)}",
                comparison.movement.cell(was, now),
                cells.links.moved(was=state_text(was), now=state_text(now)),
                DIRECTION_TONES[direction_of(was, now)],
            )
            for now in STATES
        ]
        yield before, row


def state_words(dimension: Dimension, state: int) -> str:
    text = state_text(state)
    return gettext("Not in the portfolio") if text == ABSENT else dimension.words(text)
