"""Text that a spreadsheet would calculate, made harmless on the way out and restored on the way back."""

from __future__ import annotations

import re

# Also behind apostrophes, so that a text that begins with one comes back as it was.
FORMULA = re.compile(r"'*[=+\-@\t\r]")


def harmless(text: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text
