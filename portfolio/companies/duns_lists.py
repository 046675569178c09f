"""How D-U-N-S numbers stand in lists that people keep: with comments behind them, or with what a spreadsheet adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from direct_plus.duns import InvalidDuns, LostLeadingZero, normalise_duns

COMMENT = "#"
# What is longer is no number, and need not be looked at to its end.
LONGEST = 200
_WHOLE = re.compile(r"(\d+)\.0+")
# What a formula that failed leaves in a cell, in any language of the spreadsheet: “#N/A”, “#REF!”, “#WERT!”.
_FORMULA_ERROR = re.compile(r"#(?:N/?[A-Z]|\w{1,20}/?\w?[!?])")


def is_plain(text: str) -> bool:
    """Whether it is a number as it should be, as nearly all are: then there is nothing else to look at."""
    return len(text) == 9 and text.isascii() and text.isdigit()


def read_listed(text: str) -> str:
    """The number of an entry such as “'150483782”, “DUNS: 150483782”, “150483782.0” or “150483782 # Gorman”."""
    before = text.partition(COMMENT)[0]
    number = before if any(map(str.isdigit, before)) else text
    return normalise_duns(_without_fraction(number.strip()[:LONGEST]))


def looks_like_duns(text: str) -> bool:
    try:
        read_listed(text)
    except LostLeadingZero:
        return True
    except InvalidDuns:
        return False
    return True


def is_comment(text: str) -> bool:
    """Whether nothing but a comment stands there; an error that a spreadsheet has left is none."""
    return text.startswith(COMMENT) and not _FORMULA_ERROR.fullmatch(text)


def until_comment(cells: Iterable[str]) -> Iterator[str]:
    """The entries of a line before its comment, which may hold the marks that part entries."""
    for cell in cells:
        if is_comment(cell):
            return
        yield cell
        if COMMENT in cell and looks_like_duns(cell):
            return


def entries_of(text: str) -> Iterator[str]:
    """What is separated by commas, semicolons or lines, without comments and blank lines."""
    for line in text.splitlines():
        yield from filter(None, until_comment(map(str.strip, line.replace(";", ",").split(","))))


def _without_fraction(text: str) -> str:
    """“804735132.0” is how some programs write a number."""
    found = _WHOLE.fullmatch(text)
    return found[1] if found else text
