"""Text that a spreadsheet would calculate, made harmless on the way out and restored on the way back.

Not every spreadsheet parts cells by the commas of a file: where semicolons or tabs are its marks, a cell of ours may be
cut in two, quotation marks or not, and what stands behind the cut begins a cell. So every place counts where one may.
"""

from __future__ import annotations

import re

# What begins a formula; some spreadsheets take the full-width and the small forms too.
_SIGNS = (
    r"=+\-@"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
    "\N{SMALL EQUALS SIGN}\N{SMALL PLUS SIGN}\N{SMALL HYPHEN-MINUS}\N{SMALL COMMERCIAL AT}"
)
# Where a cell begins, whatever a spreadsheet parts cells and lines by.
_BEGIN = r"(?:^|[;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])"
# What may stand before the sign and be dropped: blanks, quotation marks, what nobody sees.
_PASSED_BY = r"[\x00-\x08\x0e-\x1b\x1f \"'\xa0\xad\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]*"
_CELL = f"({_BEGIN}{_PASSED_BY})"
FORMULA = re.compile(rf"{_CELL}(?=[{_SIGNS}])")
_MADE_HARMLESS = re.compile(rf"{_CELL}'(?=[{_SIGNS}])")


def harmless(text: str) -> str:
    """With an apostrophe before each sign that a spreadsheet would begin a formula at."""
    return FORMULA.sub(r"\1'", text)


def plain(text: str) -> str:
    """What `harmless` was given."""
    return _MADE_HARMLESS.sub(r"\1", text) if "'" in text else text
