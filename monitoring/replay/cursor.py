"""Where the next page of a replay begins: everything that can be reached is read, and it ends.

docs/develop/direct_plus.md#replay says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)
LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Step:
    """The next page's start and size; `crowded` where more than a page may share one millisecond."""

    cursor: datetime
    size: int
    crowded: bool = False


def next_step(cursor: datetime, size: int, stamps: Sequence[datetime], count: int) -> Step | None:
    """After a page that began at `cursor`, asked for `size` and held `count` items with these stamps.

    None when the stamps do not lead forward. The page's end may cut a stamp in two, so the next page begins just
    before the largest; the cursor never goes back.
    """
    largest = max(stamps)
    full = count >= size
    if largest - MILLISECOND > cursor:
        return Step(largest - MILLISECOND, size)
    if full and size < LARGEST_PAGE:
        return Step(cursor, min(LARGEST_PAGE, size * 2))
    crowded = full and min(stamps) == largest
    if largest > cursor:
        return Step(largest, size, crowded)
    if largest == cursor:
        return Step(largest + MILLISECOND, size, crowded)
    return None
