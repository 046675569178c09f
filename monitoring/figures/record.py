"""A company's figures in 68 bytes, the same for `struct` and for numpy: unknown is the greatest value of an unsigned
field, not-a-number of an amount, and 0 of a text."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import cache
from math import isnan, nan
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from monitoring.figures.catalog import Figures
from monitoring.figures.words import Word, Words
from monitoring.models import WordKind
from portfolio.models import Size

if TYPE_CHECKING:
    import numpy

# The name, and how it is stored: unsigned bytes, or an amount ("d").
FIELDS = (
    *(("duns", "I"), ("failure_percentile", "B"), ("failure_class", "B"), ("failure_incidence", "H")),
    *(("delinquency_percentile", "B"), ("delinquency_class", "B"), ("delinquency_incidence", "H")),
    *(("rating", "H"), ("limit_amount", "d"), ("limit_currency", "H"), ("payment_index", "B"), ("industry", "I")),
    *(("legal_form", "I"), ("start_year", "H"), ("employees", "I"), ("revenue", "d"), ("revenue_currency", "H")),
    *(("size", "B"), ("country", "H"), ("status", "H"), ("flags", "H")),
    *(("parent", "I"), ("domestic_ultimate", "I"), ("global_ultimate", "I")),
)
NAMES = tuple(name for name, _ in FIELDS)
STRUCT = struct.Struct("<" + "".join(code for _, code in FIELDS))
# A record begins with it.
DUNS = struct.Struct(f"<{FIELDS[0][1]}")
NOTHING = Figures()
# The day of its month, and the record after that day.
ENTRY = struct.Struct(f"<B{STRUCT.size}s")
UNKNOWN: Mapping[str, float] = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF, "d": nan}
TEXTS: Mapping[str, WordKind] = {
    "rating": WordKind.RATING,
    "limit_currency": WordKind.CURRENCY,
    "industry": WordKind.INDUSTRY,
    "legal_form": WordKind.LEGAL_FORM,
    "revenue_currency": WordKind.CURRENCY,
    "country": WordKind.COUNTRY,
    "status": WordKind.STATUS,
}
# As they are called among figures, in the order of the record; an industry is made of several.
PLAIN_TEXTS = tuple(name for name in TEXTS if name != "industry")
_plain_texts = attrgetter(*(name if name != "status" else "operating_status" for name in PLAIN_TEXTS))
NO_VALUES = {name: 0 if name in TEXTS else UNKNOWN[code] for name, code in FIELDS}
NUMBERS = ("parent", "domestic_ultimate", "global_ultimate")
SIZES = tuple(Size)
PLACES_OF_SIZES: Mapping[str, int] = {size.value: place for place, size in enumerate(SIZES)}


@cache
def record_dtype() -> numpy.dtype[numpy.void]:
    """numpy is loaded where arrays are needed, and nowhere else."""
    import numpy

    codes = {"B": "u1", "H": "<u2", "I": "<u4", "d": "<f8"}
    return numpy.dtype([(name, codes[code]) for name, code in FIELDS])


@cache
def entry_dtype() -> numpy.dtype[numpy.void]:
    import numpy

    return numpy.dtype([("day", "u1"), ("record", record_dtype())])


@cache
def dated_dtype() -> numpy.dtype[numpy.void]:
    """A record with the number of the month that it is from."""
    import numpy

    return numpy.dtype([("month", "<u4"), ("record", record_dtype())])


def dated_columns(records: numpy.ndarray[Any, Any]) -> list[numpy.ndarray[Any, Any]]:
    return [records["month"], *(records["record"][name] for name in NAMES)]


def unknown_values() -> dict[str, float]:
    return NO_VALUES.copy()


def words_in(figures: Iterable[Figures]) -> dict[Word, str]:
    """Every text, with its label."""
    return {(TEXTS[name], text): label for one in figures if one != NOTHING for name, text, label in _texts(one)}


def _texts(figures: Figures) -> list[tuple[str, str, str]]:
    """What is known: where it stands, and its label."""
    found = [(name, text, "") for name, text in zip(PLAIN_TEXTS, _plain_texts(figures), strict=True) if text]
    if figures.industry_code:
        found.append(("industry", f"{figures.industry_scheme}\t{figures.industry_code}", figures.industry))
    return found


def pack(duns: str, figures: Figures, numbers: Mapping[Word, int]) -> bytes:
    return DUNS.pack(int(duns)) + (BLANK if figures == NOTHING else _pack(figures, numbers)[DUNS.size :])


def _pack(figures: Figures, numbers: Mapping[Word, int]) -> bytes:
    values: dict[str, Any] = unknown_values()
    known: tuple[Any, ...] = figures
    for name, value, nothing in zip(Figures._fields, known, NOTHING, strict=True):
        if value != nothing and name not in TEXTS and name in values:
            values[name] = int(value) if name in NUMBERS else value
    for name, text, _ in _texts(figures):
        values[name] = numbers[TEXTS[name], text]
    if figures.size:
        values["size"] = PLACES_OF_SIZES[figures.size]
    return STRUCT.pack(*values.values())


# What of a company follows its number where nothing is known.
BLANK = _pack(NOTHING, {})[DUNS.size :]


def unpack(record: bytes, words: Words) -> Figures:
    values = {
        name: None if value == UNKNOWN[code] or isnan(value) else value
        for (name, code), value in zip(FIELDS, STRUCT.unpack(record), strict=True)
    }
    texts = {name: words.get((kind, values[name] or 0)) for name, kind in TEXTS.items()}
    found = {name: row.text if row else "" for name, row in texts.items()}
    scheme, _, code = found["industry"].partition("\t")
    given: dict[str, Any] = {name: values[name] for name in Figures._fields if name in values and name not in TEXTS}
    given |= {name: found[name] for name in ("rating", "limit_currency", "legal_form", "revenue_currency", "country")}
    given |= {name: f"{values[name]:09d}" if values[name] is not None else "" for name in NUMBERS}
    given |= {name: int(given[name]) for name in ("limit_amount", "revenue") if given[name] is not None}
    given["size"] = SIZES[values["size"]].value if values["size"] is not None else ""
    label = texts["industry"].label if texts["industry"] else ""
    return Figures(
        **given,
        operating_status=found["status"],
        industry_code=code,
        industry_scheme=scheme,
        industry=label,
    )
