"""D&B's names and values in words that people read; pages and mails say the same thing by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from core.text import country_name
from direct_plus.exact_json import parse_json
from direct_plus.payloads import parse_stamp
from monitoring.elements.data_blocks import own_label
from portfolio.reference_data.words import ANY, words_of

LONGEST = 300
STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
DAY = re.compile(r"\d{4}-\d\d-\d\d")

# What splitting at capitals would spoil, or what reads better otherwise.
WORDS = {
    "line1": _("line 1"),
    "line2": _("line 2"),
    "duns": _("D-U-N-S number"),
    "duns control status": _("D-U-N-S status"),
    "retained duns": _("surviving D-U-N-S number"),
    "country iso alpha2 code": _("country code"),
    "iso alpha2 code": _("country code"),
    "is delisted": _("excluded from marketing lists"),
    "is marketable": _("included in marketing lists"),
    "isd code": _("country calling code"),
    "head quarter": _("headquarters"),
    "type dn b code": _("D&B type code"),
    "dnb code": _("D&B code"),
    "dnb assessment": _("D&B assessment"),
    "us sic v4": _("US SIC code"),
    "is mail undeliverable": _("postal address undeliverable"),
    "has mail undeliverable": _("postal address undeliverable"),
    "url": _("web address"),
    "esg ranking": _("ESG ranking"),
    "covid19 impact": _("COVID-19 impact"),
    # Beside "open bankruptcy".
    "has bankruptcy": _("bankruptcy (open or closed)"),
    "has osha violations": _("OSHA violations"),
    "psc count": _("number of persons with significant control"),
    "socio economic information": _("socioeconomic information"),
}
# What they hold says enough by itself.
CONTAINERS = (
    *("dunsControlStatus", "legalEvents", "significantEvents", "exclusions"),
    *("dnbAssessment", "corporateLinkage"),
)
# Members that say the same as a neighbour, or nothing to a reader.
CODES = ("dnbCode", "priority", "typeDnBCode", "inLanguage")


def words(name: str) -> str:
    """A name of D&B's in the reader's language, where the catalogue knows it (`labels_catalog.py`)."""
    plain = plain_text(name)
    return gettext(plain) if plain else ""


def plain_text(name: str) -> str:
    """`operatingStatus` → "operating status", `hasOpenBankruptcy` → "open bankruptcy"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", name).lower()
    return WORDS.get(spaced) or re.sub(r"^(has|is) ", "", spaced)


def label_of_path(path: str) -> str:
    """`organization.dnbAssessment.failureScore.nationalPercentile` → "National percentile (failure score)"."""
    if known := own_label(path.removeprefix("organization.")):
        return gettext(known)
    names = [name for name in path.split(".") if name]
    names = names[1:] if names[:1] == ["organization"] and len(names) > 1 else names
    if not names:
        return path
    above = words(names[-2]) if len(names) > 1 and names[-2] not in CONTAINERS else ""
    return heading(names[-1]) + (f" ({above})" if above else "")


def heading(name: str) -> str:
    text = words(name)
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """For the middle of an English sentence; abbreviations stay as they are, and so do other languages' words."""
    if not (get_language() or "en").startswith("en"):
        return text
    return text if text[1:2].isupper() or text[1:2] in "-&" else text[:1].lower() + text[1:]


def value_text(value: Any) -> str:
    """Any JSON value in a line of words."""
    if is_nothing(value):
        return gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, (int, float, Decimal)):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    if isinstance(value, dict):
        return object_value(value)
    return text_value(str(value))


def is_nothing(value: Any) -> bool:
    if isinstance(value, list) and len(value) == 1:
        return is_nothing(value[0])
    return value is None or value == "" or value == [] or value == {}


def short(value: Any, limit: int = LONGEST) -> str:
    text = value_text(value)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def unit_of(path: str) -> str:
    """What a number there is counted in, where D&B sends it without: shares of companies that default."""
    return "%" if path.rpartition(".")[2].startswith("incidenceOf") else ""


def with_unit(path: str, value: Any, limit: int = LONGEST) -> str:
    """The value of an element in words, with its unit."""
    text = short(value, limit)
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return f"{text} {unit_of(path)}".strip() if is_number else text


def number(value: int | float | Decimal) -> str:
    """With separators, without zeros at the end or exponents; only what nobody could read stays as sent."""
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact.adjusted()) > 30:
        return str(value)
    text = f"{exact:f}"
    shortest = Decimal(text.rstrip("0").rstrip(".")) if "." in text else exact
    return str(number_format(shortest, force_grouping=True))


def text_value(text: str) -> str:
    if DAY.fullmatch(text):
        return day_value(text)
    if STAMP.match(text) and (moment := parse_stamp(text)):
        return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
    return text


def day_value(text: str) -> str:
    try:
        return date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT")
    except ValueError:
        return text


def simple_value(value: dict[str, Any]) -> str:
    """An object that a reader knows by one text: a status, an amount, an address; else nothing."""
    for form in (_described, _money, _telephone, _address, _country, _company, _named):
        if text := form(value):
            return text
    return ""


def object_value(value: dict[str, Any]) -> str:
    """By the member that names it where D&B's objects have one, else member by member."""
    return simple_value(value) or "; ".join(
        f"{words(name)}: {value_text(member)}" for name, member in value.items() if member is not None
    )


def _described(value: dict[str, Any]) -> str:
    text = value.get("description")
    if not isinstance(text, str) or not set(value) <= {"description", *CODES}:
        return ""
    return words_of(ANY, value.get("dnbCode"), described=text)


def _money(value: dict[str, Any]) -> str:
    """An amount with its currency, or a bare number in an object of its own."""
    amount, currency = value.get("value"), value.get("currency", "")
    if isinstance(amount, bool) or not isinstance(amount, (int, float, Decimal)) or not isinstance(currency, str):
        return ""
    return f"{number(amount)} {currency}".strip() if set(value) <= {"value", "currency"} else ""


def _telephone(value: dict[str, Any]) -> str:
    if not isinstance(value.get("telephoneNumber"), str):
        return ""
    code = value.get("isdCode")
    text = f"+{code} {value['telephoneNumber']}" if code else str(value["telephoneNumber"])
    is_away = value.get("isUnreachable") is True
    return gettext("%(number)s (unreachable)") % {"number": text} if is_away else text


def _address(value: dict[str, Any]) -> str:
    if "addressLocality" not in value and "streetAddress" not in value:
        return ""
    return ", ".join(dict.fromkeys(_address_lines(value)))


def _address_lines(value: dict[str, Any]) -> Iterator[str]:
    street = value.get("streetAddress")
    lines = [street.get("line1"), street.get("line2")] if isinstance(street, dict) else [street]
    for part in (*lines, value.get("addressLocality"), value.get("postalCode"), value.get("addressCountry")):
        if part:
            yield value_text(part)


def _country(value: dict[str, Any]) -> str:
    return country_name(str(value["isoAlpha2Code"])) if set(value) == {"isoAlpha2Code"} else ""


def _company(value: dict[str, Any]) -> str:
    """Another company, by its name and number."""
    name, duns = value.get("primaryName"), value.get("duns")
    is_all = set(value) == {"primaryName", "duns"} and isinstance(name, str) and isinstance(duns, str)
    return f"{name} ({duns})" if is_all else ""


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
