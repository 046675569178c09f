"""JSON read to the letter: what D&B sends keeps every digit."""

import json
from decimal import Decimal
from typing import Any

import msgspec

REFUSALS = (msgspec.DecodeError, UnicodeError, RecursionError)
_EXACT = msgspec.json.Decoder(float_hook=Decimal)


def parse_json(raw: bytes | str) -> Any:
    """Read JSON and lose nothing: fractions become Decimal, integers keep every digit, lone surrogates stay.

    Control characters inside strings are let pass. Raises ValueError for all that cannot be read, too deep included.
    """
    try:
        return _EXACT.decode(raw)
    except REFUSALS:
        return _parse_slowly(raw)
    except ArithmeticError as error:
        raise ValueError("a number is too large") from error


def _parse_slowly(raw: bytes | str) -> Any:
    text = raw.decode() if isinstance(raw, bytes) else raw
    try:
        return _LENIENT.decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ArithmeticError:
        raise ValueError("a number is too large") from None


def _exact_integer(digits: str) -> int | Decimal:
    # Python refuses to turn more than 4,300 digits into an int.
    return int(digits) if len(digits) <= 4300 else Decimal(digits)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


_LENIENT = json.JSONDecoder(
    parse_float=Decimal, parse_int=_exact_integer, parse_constant=_refuse_constant, strict=False
)
