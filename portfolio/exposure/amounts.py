"""Amounts as people and their systems write them → hundredths of the currency's unit, exactly."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext

from portfolio.exposure.currencies import SHARED_SIGNS, SIGNS, WORDS, currency_of
from portfolio.imports.columns import NumberText

# In cents: every smaller one has exact sums, also as a number of JavaScript or of a spreadsheet.
MOST = 10**15
LONGEST = 60
MINUS = str.maketrans("−–—", "---")
APOSTROPHES = str.maketrans(dict.fromkeys("'’‘`ʼ_", " "))
_SIGN = "|".join(map(re.escape, sorted((*WORDS, *SIGNS, *SHARED_SIGNS), key=len, reverse=True)))
WITH_CURRENCY = re.compile(
    rf"(?P<before>{_SIGN}|[A-Z]{{3}})?\s*(?P<amount>[^A-Z]*?|\d[\d.]*E\+?\d+)\s*(?P<after>{_SIGN}|[A-Z]{{3}})?", re.I
)
POWER = re.compile(r"\d(\.\d+)?E\+?\d{1,2}", re.I)
NUMBER = re.compile(r"\d[\d., ]*")
# As most systems write it.
PLAIN = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{2}))?")
# “1.234,-” and “1'000.--” are whole.
DASHES = re.compile(r"([.,])-+$")


class BadAmount(ValueError):
    """The amount cannot be read; the text says why and what to do."""


class TwoReadings(BadAmount):
    """“1,234” is a thousand or one and a bit: nothing in the text says which."""


@dataclass(frozen=True, slots=True)
class Amount:
    cents: int
    # As written beside the amount; nothing where there was none.
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """An amount without what is not its number: digits and separators, of which the space stands for all but two."""

    number: str
    is_negative: bool
    currency: str

    @property
    def marks(self) -> list[str]:
        return [char for char in self.number if char in ".,"]

    @property
    def has_two_readings(self) -> bool:
        """One separator with three digits behind it, and no other that would tell thousands."""
        before, _, after = re.sub(",", ".", self.number).partition(".")
        return len(after) == 3 and after.isdigit() and before.isdigit() and len(before) < 4 and before[0] != "0"

    def decimal_mark(self) -> str:
        """That the text proves; nothing where it has none, or two readings."""
        marks = self.marks
        if len(set(marks)) > 1:
            return marks[-1]
        return marks[0] if len(marks) == 1 and not self.has_two_readings else ""


def read_amount(text: str, mark: str = "") -> Amount:
    """`mark` is the decimal separator of the file, for amounts with two readings; numbers of a workbook have one."""
    if found := PLAIN.fullmatch(text):
        return Amount(int(found[1]) * 100 + int(found[2] or 0))
    written, mark = _written(text), "." if isinstance(text, NumberText) else mark
    if written.has_two_readings and not mark:
        raise TwoReadings(
            gettext("“%(text)s” has two readings: the separator may be for thousands or for decimals.")
            % {"text": written.number}
        )
    decimal = (mark if mark in written.number else "") if written.has_two_readings else written.decimal_mark()
    cents = int((_value(written.number, decimal) * 100).to_integral_value(ROUND_HALF_UP))
    if cents >= MOST:
        raise BadAmount(gettext("The amount is too large."))
    return Amount(-cents if written.is_negative else cents, written.currency)


def mark_in(text: str) -> str:
    """The decimal separator that this amount proves, also by how it parts thousands; nothing where it proves none, as
    do numbers of a workbook: texts beside them may have another."""
    if isinstance(text, NumberText):
        return ""
    try:
        written = _written(text)
    except BadAmount:
        return ""
    if len(written.marks) > 1 and len(set(written.marks)) == 1:
        return "," if written.marks[0] == "." else "."
    return written.decimal_mark()


def _written(text: str) -> Written:
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).translate(MINUS).translate(APOSTROPHES).strip()
    if not plain:
        raise BadAmount(gettext("The amount is missing."))
    is_negative, inner = _without_sign(plain)
    found = WITH_CURRENCY.fullmatch(inner)
    if found is None:
        raise _unreadable(plain)
    is_inner_negative, number = _without_sign(DASHES.sub(r"\g<1>00", found["amount"]))
    if not NUMBER.fullmatch(number) and not POWER.fullmatch(number):
        raise _unreadable(plain)
    return Written(number, is_negative != is_inner_negative, _currency(found["before"], found["after"]))


def _without_sign(text: str) -> tuple[bool, str]:
    """Negative amounts have a minus at either end, or stand in brackets."""
    if text.startswith("(") and text.endswith(")"):
        return True, text[1:-1].strip()
    if text.startswith("-") or (text.endswith("-") and not DASHES.search(text)):
        return True, text.strip("- ")
    return False, text.removeprefix("+").strip()


def _currency(*signs: str | None) -> str:
    written = sorted(set(filter(None, signs)))
    for sign in written:
        if sign in SHARED_SIGNS:
            raise BadAmount(
                gettext("“%(sign)s” is the sign of several currencies. Write the code, such as USD.") % {"sign": sign}
            )
        if not currency_of(sign):
            raise BadAmount(gettext("“%(code)s” is not a currency. Use a code such as EUR.") % {"code": sign})
    known = sorted({currency_of(sign) for sign in written})
    if len(known) > 1:
        raise BadAmount(gettext("The amount names two currencies: %(codes)s.") % {"codes": ", ".join(known)})
    return known[0] if known else ""


def _value(number: str, decimal: str) -> Decimal:
    if POWER.fullmatch(number):
        return Decimal(number)
    whole, _, fraction = number.rpartition(decimal) if decimal else (number, "", "")
    groups = re.split("[., ]", whole)
    is_one_kind = len({char for char in whole if char in "., "}) < 2
    if not is_one_kind or not _are_thousands(groups) or not (fraction.isdigit() or not fraction):
        raise _unreadable(number)
    return Decimal(f"{''.join(groups)}.{fraction or '0'}")


def _are_thousands(groups: list[str]) -> bool:
    """By three digits, or as in India by two before the last three."""
    first, *others = groups
    if not others:
        return True
    return 1 <= len(first) <= 3 and len(others[-1]) == 3 and all(len(group) in (2, 3) for group in others)


def _unreadable(text: str) -> BadAmount:
    return BadAmount(gettext("“%(text)s” is not an amount. Enter a number such as 1234.56.") % {"text": text[:30]})
