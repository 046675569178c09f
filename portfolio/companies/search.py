"""What people type to find companies: the beginnings of words, in any order, or digits of a D-U-N-S number.

A few words are looked up in the index, the rarest decides, and each company found is looked at itself. However common
the words are, that is bounded work: of more than `MOST` companies, some are left out, and `has_more` says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from core.bulk import among, key_ends
from portfolio.companies.words import (
    asked_words,
    begins_a_word,
    folded,
    may_be_legal_form,
    words_of,
)
from portfolio.models import Company, CompanyWord, Subject
from portfolio.models.company_words import DUNS_BYTES

MOST, MOST_KEYS = 2000, 30_000
MOST_WORDS, LOOKED_UP = 12, 3
# Rows about companies are searched for the first of these.
NAMES = 200
DIGITS = re.compile(r"[0-9][0-9\s-]*", re.ASCII)
Word = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Companies, the best match first: those whose name begins so, then by name."""

    duns: tuple[str, ...] = ()
    has_more: bool = False


def duns_digits(text: str) -> str:
    """The digits of what looks like (the beginning of) a D-U-N-S number, else nothing."""
    return re.sub(r"[\s-]", "", text) if DIGITS.fullmatch(text.strip()) else ""


def search_companies(text: str) -> Found:
    digits = duns_digits(text)
    words = [(digits,)] if digits else asked_words(text)[:MOST_WORDS]
    if not words:
        return Found()
    candidates, has_more = _candidates(words)
    return Found(_checked(candidates, words, text), has_more)


def of_companies(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Rows about the companies that the text finds, the best two hundred."""
    digits = duns_digits(text)
    if len(digits) == 9:
        return rows.filter(company=digits)
    return rows.filter(company__in=search_companies(text).duns[:NAMES])


def with_companies(rows: list[Any]) -> None:
    """Give each row its company in one query: joins are slow on some engines."""
    companies = Company.objects.in_bulk(list({row.company_id for row in rows}))
    for row in rows:
        row.company = companies.get(row.company_id) or Company(duns=row.company_id)


def _candidates(words: Sequence[Word]) -> tuple[list[str], bool]:
    """The companies of a word that not too many have; of words that are all common, those that have them all."""
    telling = [word for word in words if not may_be_legal_form(word[0])] or words
    looked_up = sorted(telling, key=lambda word: -len(word[0]))[:LOOKED_UP]
    for word in looked_up:
        found = _having(word, MOST)
        if found.is_whole:
            return _in_nine_digits(found.numbers), False
    if len(looked_up) == 1:
        return _in_nine_digits(found.numbers), True
    several = [_having(word, MOST_KEYS) for word in looked_up]
    whole = [one.numbers for one in several if one.is_whole]
    common = set.intersection(*(whole or [one.numbers for one in several]))
    return _in_nine_digits(common), len(common) > MOST or not whole


def _in_nine_digits(numbers: set[int]) -> list[str]:
    return [f"{number:09}" for number in sorted(numbers)[:MOST]]


@dataclass(frozen=True, slots=True)
class _Having:
    numbers: set[int]
    is_whole: bool


def _having(word: Word, most: int) -> _Having:
    """Companies with a word that begins so, found by the first `most` keys."""
    several = Q()
    for spelling in word:
        several |= Q(key__range=CompanyWord.keys_from(spelling))
    found = key_ends(CompanyWord.objects.filter(several).order_by("key")[: most + 1], DUNS_BYTES)
    numbered = _numbered(word[0], most + 1)
    return _Having({*found[:most], *numbered[:most]}, max(len(found), len(numbered)) <= most)


def _numbered(digits: str, most: int) -> list[int]:
    """Companies whose number begins so. Nine digits at both ends: their order is the same in every collation."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return []
    rows = Company.objects.filter(duns__gte=digits.ljust(9, "0"), duns__lte=digits.ljust(9, "9"))
    return [int(duns) for duns in rows.order_by("duns").values_list("duns", flat=True)[:most]]


def _checked(candidates: Sequence[str], words: Sequence[Word], text: str) -> tuple[str, ...]:
    """Those that have all the words: what the index knows of a company may be older than its name."""
    if not candidates:
        return ()
    known = {duns: {duns} for duns in candidates}
    names = {}
    for duns, name, city in Company.objects.filter(among("duns", candidates)).values_list("duns", "name", "city"):
        names[duns] = name
        known[duns] |= words_of(name) | words_of(city)
    subjects = Subject.objects.filter(company__in=candidates)
    for duns, reference, tags in subjects.values_list("company_id", "customer_reference", "tags"):
        known[duns] |= words_of(reference) | words_of(tags)
    found = [duns for duns in names if all(begins_a_word(word, known[duns]) for word in words)]
    begin, keys = folded(text.strip()), {duns: folded(names[duns]) for duns in found}
    return tuple(sorted(found, key=lambda duns: (not keys[duns].startswith(begin), keys[duns], duns)))
