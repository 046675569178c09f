"""D&B's names and values in words that people read; pages and mails say the same thing by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from direct_plus.messages import parse_json, parse_stamp

NOTHING = "nothing"
LONGEST = 300
STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
DAY = re.compile(r"\d{4}-\d\d-\d\d")

# What splitting at capitals would spoil.
WORDS = {
    "duns": "D-U-N-S number",
    "duns control status": "D-U-N-S status",
    "retained duns": "surviving D-U-N-S number",
    "country iso alpha2 code": "country code",
    "iso alpha2 code": "country code",
    "is delisted": "off the marketing lists",
    "isd code": "country calling code",
    "dnb code": "D&B code",
    "dnb assessment": "D&B assessment",
    "us sic v4": "US SIC code",
    "url": "address",
}
# Members that say the same as a neighbour, or nothing to a reader.
CODES = ("dnbCode", "priority", "typeDnBCode", "inLanguage")


def words(name: str) -> str:
    """`operatingStatus` → "operating status"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", name).lower()
    return WORDS.get(spaced, WORDS.get(name.lower(), spaced))


def heading(name: str) -> str:
    text = words(name)
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """For the middle of a sentence; abbreviations stay as they are."""
    return text if text[1:2].isupper() or text[1:2] in "-&" else text[:1].lower() + text[1:]


def say(value: Any) -> str:
    """Any JSON value in a line of words."""
    if value is None or value == "" or value == [] or value == {}:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float, Decimal)):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(say, value))
    if isinstance(value, dict):
        return say_object(value)
    return say_text(str(value))


def short(value: Any, limit: int = LONGEST) -> str:
    text = say(value)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def number(value: int | float | Decimal) -> str:
    """With separators, without zeros at the end or exponents; only what nobody could read stays as sent."""
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact.adjusted()) > 30:
        return str(value)
    text = f"{exact:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def say_text(text: str) -> str:
    if DAY.fullmatch(text):
        return say_day(text)
    if STAMP.match(text) and (moment := parse_stamp(text)):
        return date_format(timezone.localtime(moment), "j M Y, H:i")
    return text


def say_day(text: str) -> str:
    try:
        return date_format(date.fromisoformat(text), "j M Y")
    except ValueError:
        return text


def say_object(value: dict[str, Any]) -> str:
    """An object by the member that names it where D&B's objects have one, else member by member."""
    for form in (_described, _money, _telephone, _address, _named):
        if text := form(value):
            return text
    return "; ".join(f"{words(name)}: {say(member)}" for name, member in value.items() if member is not None)


def _described(value: dict[str, Any]) -> str:
    text = value.get("description")
    return text if isinstance(text, str) and set(value) <= {"description", *CODES} else ""


def _money(value: dict[str, Any]) -> str:
    amount, currency = value.get("value"), value.get("currency")
    if isinstance(amount, bool) or not isinstance(amount, (int, float, Decimal)) or not isinstance(currency, str):
        return ""
    return f"{number(amount)} {currency}" if set(value) <= {"value", "currency"} else ""


def _telephone(value: dict[str, Any]) -> str:
    if not isinstance(value.get("telephoneNumber"), str):
        return ""
    code = value.get("isdCode")
    text = f"+{code} {value['telephoneNumber']}" if code else str(value["telephoneNumber"])
    return f"{text} (unreachable)" if value.get("isUnreachable") is True else text


def _address(value: dict[str, Any]) -> str:
    if "addressLocality" not in value and "streetAddress" not in value:
        return ""
    return ", ".join(dict.fromkeys(_address_lines(value)))


def _address_lines(value: dict[str, Any]) -> Iterator[str]:
    street = value.get("streetAddress")
    lines = [street.get("line1"), street.get("line2")] if isinstance(street, dict) else [street]
    for part in (*lines, value.get("addressLocality"), value.get("postalCode"), value.get("addressCountry")):
        if part:
            yield say(part)


def _named(value: dict[str, Any]) -> str:
    text = value.get("name") or value.get("fullName") or value.get("primaryName")
    if not isinstance(text, str):
        return ""
    rest = set(value) - {"name", "fullName", "primaryName", "isoAlpha2Code", "fipsCode", "abbreviatedName", *CODES}
    return text if not rest else ""


def from_json(text: str | None) -> Any:
    """A stored value; what cannot be read any more is shown as it is."""
    if text is None:
        return None
    try:
        return parse_json(text)
    except ValueError:
        return text
