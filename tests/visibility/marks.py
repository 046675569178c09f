"""What tells the rows of one business unit from those of another, in whatever is sent or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# In every name, text, reference and file of the unit; searches are written otherwise, so that nothing is an echo.
MARK = "Quorvex"
SEARCHED = "qUORVEX"
DUNS = "617384925"
# An amount at stake, in whole units, with and without separators.
AMOUNT = 7_654_321
AMOUNTS = ("7654321", "7,654,321", "7.654.321", "7 654 321", "7\xa0654\xa0321", "7.65M")
WORDS = (MARK, MARK.upper(), MARK.lower(), DUNS, "61-738-4925", *AMOUNTS)
SURELY = re.compile("|".join(map(re.escape, WORDS)))


def marks_in(text: str, keys: Iterable[str] = (), *, asked: str = "") -> list[str]:
    """The marks of the unit in a text, but for those in what was asked."""
    found = {match for match in SURELY.findall(text) if match not in asked}
    found |= {key for key in keys if key in text and key not in asked}
    return sorted(found)


def written(key: Any) -> list[str]:
    """A key as it may stand in a page: with hyphens and without."""
    text = str(key)
    return [text, text.replace("-", "")] if len(text) == 36 else []
