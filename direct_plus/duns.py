"""D-U-N-S numbers as people and files write them (contract section 8)."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

_NINE_DIGITS = re.compile(r"[0-9]{9}")
_MINUS = "\N{MINUS SIGN}"
_QUOTES = "'\"`\N{ACUTE ACCENT}\u2018\u2019\u201c\u201d"
MAYBE_ZEROS = ". If a spreadsheet dropped leading zeros, enter all nine digits"
_INVISIBLE = "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{WORD JOINER}\N{SOFT HYPHEN}\ufeff"

# “DUNS: 150483782”, “D-U-N-S® Number 15-048-3782”. Bounded, so that no text makes it slow.
_LABEL = re.compile(
    r"d[\W_]?u[\W_]?n[\W_]?s[\W_]{0,3}(?:number|nummer|num|no|nr|id)?[\W_]{0,4}(?=[0-9])", re.ASCII | re.IGNORECASE
)


class Flaw(StrEnum):
    EMPTY = "empty"
    CHARACTERS = "characters"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    LOST_ZERO = "lost zero"


class InvalidDuns(ValueError):
    def __init__(self, reason: str, kind: Flaw) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class LostLeadingZero(InvalidDuns):
    """Eight digits: very likely a spreadsheet ate the zero. A person decides; nothing is padded silently."""

    def __init__(self, digits: str) -> None:
        self.suggestion = f"0{digits}"
        reason = f"{digits} has eight digits; with a leading zero it could be {format_duns(self.suggestion)}"
        super().__init__(reason, Flaw.LOST_ZERO)


def normalise_duns(text: str) -> str:
    """Nine ASCII digits, of a number that may be quoted and labelled. Its check digit is never tested: D&B no longer
    keeps to it."""
    digits = "".join(character for character in _without_label(text) if not _is_decoration(character))
    if _NINE_DIGITS.fullmatch(digits):
        return digits
    raise _flaw(digits, _without_label(text))


def usable_numbers(texts: Iterable[str]) -> list[str]:
    """Each once, without texts that are none."""
    return list(dict.fromkeys(filter(None, map(_number_or_nothing, texts))))


def _number_or_nothing(text: str) -> str:
    try:
        return normalise_duns(text)
    except InvalidDuns:
        return ""


def format_duns(duns: str) -> str:
    return f"{duns[:2]}-{duns[2:5]}-{duns[5:]}"


def _without_label(text: str) -> str:
    bare = text.strip().strip(_QUOTES)
    return bare[label.end() :] if (label := _LABEL.match(bare)) else bare


def _is_decoration(character: str) -> bool:
    return (
        character.isspace() or character in _INVISIBLE or character == _MINUS or unicodedata.category(character) == "Pd"
    )


def _flaw(digits: str, shown: str) -> InvalidDuns:
    if not digits:
        return InvalidDuns("the number is missing", Flaw.EMPTY)
    if not (digits.isascii() and digits.isdigit()):
        return InvalidDuns(f"{shown[:40]} contains characters other than the digits 0 to 9", Flaw.CHARACTERS)
    if len(digits) == 8:
        return LostLeadingZero(digits)
    kind = Flaw.TOO_SHORT if len(digits) < 9 else Flaw.TOO_LONG
    advice = MAYBE_ZEROS if len(digits) in (6, 7) else ""
    count = "1 digit" if len(digits) == 1 else f"{len(digits)} digits"
    return InvalidDuns(f"{digits[:40]} has {count}; a D-U-N-S number has nine{advice}", kind)
