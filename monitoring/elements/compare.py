"""Two values of an element compared: up, down, better or worse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from monitoring.elements.paths import Facet

NUMBER = re.compile(r"([+-]?[0-9][0-9,]*(?:\.[0-9]+)?|[+-]?\.[0-9]+)\s*(%?)", re.ASCII)
# From the strongest: D&B's financial strength, then what is alike in all countries (standardRating).
STRENGTH = ["5A", "4A", "3A", "2A", "1A", "BA", "BB", "CB", "CC", "DC", "DD", "EE", "FF", "GG", "HH"]

# Descriptions of a score's class begin so.
DESCRIPTION, INCIDENCE = "classscoredescription", "incidenceofdefault"
RISKS = ("low", "low to moderate", "moderate", "moderate to high", "high")
RISK = re.compile(rf"({'|'.join(RISKS)}) risk\b", re.I)


def number_of(value: Any) -> Decimal | None:
    """A number, a text that is one, or the one in an object that holds an amount."""
    if isinstance(value, dict):
        numbers = [number_of(member) for name, member in value.items() if name == "value" or len(value) == 1]
        return numbers[0] if numbers else None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    text = str(value).strip()
    if isinstance(value, str) and (len(text) > 40 or not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text, re.ASCII)):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 100 else None


def is_worse(facet: Facet) -> bool:
    """Whether a score is worse than before: percentiles and limits fall, classes rise."""
    return any(_is_worse(leaf) for leaf in leaves(facet))


def course(path: str, before: Any, after: Any) -> str:
    """ "worse" or "better" where a score says so; nothing where it cannot be said, or both are true of its parts."""
    worse, better = is_worse(Facet(path, before, after)), is_worse(Facet(path, after, before))
    return "" if worse == better else "worse" if worse else "better"


def leaves(facet: Facet) -> Iterator[Facet]:
    """The plain values below a facet, each with its own path."""
    before, after = facet.previous, facet.current
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after) == 1:
        yield from leaves(Facet(facet.path, before[0], after[0]))
    elif isinstance(before, dict) or isinstance(after, dict):
        old, new = (value if isinstance(value, dict) else {} for value in (before, after))
        for name in dict.fromkeys([*old, *new]):
            yield from leaves(Facet(f"{facet.path}.{name}", old.get(name), new.get(name)))
    else:
        yield facet


def _is_worse(leaf: Facet) -> bool:
    name = leaf.path.rsplit(".", 1)[-1].lower()
    if "standardrating" in leaf.path.lower() and isinstance(leaf.previous, str) and isinstance(leaf.current, str):
        return _is_worse_rating(leaf.previous, leaf.current)
    before, after = _on_scale(name, leaf.previous), _on_scale(name, leaf.current)
    if before is None or after is None:
        return False
    if "percentile" in name or name == "rawscore" or _is_better_higher(leaf.path):
        return after < before
    return after > before if "class" in name or name in ("risksegment", INCIDENCE) else False


def _on_scale(name: str, value: Any) -> Decimal | None:
    """A number, or the place of a description on its scale; of the incidence of default, a percentage."""
    if name == DESCRIPTION:
        found = RISK.match(value.strip()) if isinstance(value, str) else None
        return Decimal(RISKS.index(found[1].lower())) if found else None
    return number_of(value.rstrip(" %") if name == INCIDENCE and isinstance(value, str) else value)


def _is_better_higher(path: str) -> bool:
    """The payment index and recommended limits, which are an amount with its currency."""
    names = path.lower().split(".")[-2:]
    return any(name in ("paydex", "paydexscore") or name.endswith("recommendedlimit") for name in names)


def _is_worse_rating(before: str, after: str) -> bool:
    """ "5A1" → "4A1" by strength, "5A1" → "5A3" by the risk at its end."""
    (strength, risk), (weaker, riskier) = rating_of(before), rating_of(after)
    if risk is not None and riskier is not None and riskier > risk:
        return True
    return strength is not None and weaker is not None and weaker > strength


def rating_of(text: str) -> tuple[int | None, int | None]:
    """Its strength and its risk, as places on scales that get worse; None for what it does not say."""
    found = re.fullmatch(r"([1-5]A|[A-H]{2})?\s*([1-4])?", text.strip().upper(), re.ASCII)
    if not found:
        return None, None
    strength = STRENGTH.index(found[1]) if found[1] in STRENGTH else None
    return strength, int(found[2]) if found[2] else None
