"""The amounts at stake with the company, as imports changed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext

from core.text import day_text
from core.visibility import is_restricted
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Detail, Line, Topic, source_of
from monitoring.dossier.reader import Part
from monitoring.dossier.span import start_of_day
from portfolio.exposure.books import book_key, book_label
from portfolio.exposure.ledger import PastAmount, past_amounts
from portfolio.models import ExposureImport

# In memory at a time, sixteen bytes each.
MOST_AMOUNTS = 3_000_000


@dataclass(frozen=True, slots=True)
class Stakes:
    """The amounts in their order; `kept_from`: the first day that was looked at, where there were too many."""

    amounts: Sequence[PastAmount] = ()
    kept_from: date | None = None

    def on(self, day: date) -> dict[str, PastAmount]:
        """By book."""
        found = {book_key(one.layer.book): one for one in self.amounts if one.layer.day <= day}
        return {key: one for key, one in found.items() if one.cents is not None}


def read_stakes(asked: Asked) -> Stakes:
    if not asked.sees(Part.EXPOSURE):
        return Stakes()
    day_before = asked.span.first - timedelta(days=1)
    amounts, kept_from = past_amounts(asked.duns, day_before, asked.span.last, MOST_AMOUNTS)
    return Stakes(amounts, kept_from)


def stake_lines(asked: Asked, stakes: Stakes) -> list[Line]:
    """Imports cover all business units, so a single one has no lines of them."""
    before: dict[str, PastAmount] = {}
    found = []
    sees_imports = not is_restricted(asked.reader.actor)
    for one in stakes.amounts:
        key = book_key(one.layer.book)
        if sees_imports and (asked.span.contains_day(one.layer.day) or asked.span.contains(one.layer.at)):
            found.append(_line(asked, one, before.get(key)))
        before[key] = one
    return found


def _line(asked: Asked, one: PastAmount, before: PastAmount | None) -> Line:
    """When it was known here: what was decided earlier was decided without it. By its day alone where that was
    outside the period."""
    layer = one.layer
    applied = layer.at if layer.at and asked.span.contains(layer.at) else None
    words = {"book": book_label(layer.book), "now": amount_words(one), "before": amount_words(before)}
    return Line(
        at=applied or start_of_day(layer.day),
        topic=Topic.EXPOSURE,
        key=f"{layer.key.hex}{layer.place:05}",
        text=gettext("%(book)s: %(before)s → %(now)s") % words,
        who=layer.by,
        details=_times(layer.day, layer.at, is_applied=applied is not None),
        sources=(source_of(ExposureImport, layer.key),),
        is_day=applied is None,
    )


def _times(day: date, at: datetime | None, *, is_applied: bool) -> tuple[Detail, ...]:
    if is_applied:
        return ((gettext("As of"), day_text(day)),)
    return ((gettext("Applied"), at),) if at else ()


def amount_words(one: PastAmount | None) -> str:
    """To the hundredth."""
    if one is None or one.cents is None:
        return gettext("none")
    return f"{one.currency} {number_format(Decimal(one.cents) / 100, 2, force_grouping=True)}"
