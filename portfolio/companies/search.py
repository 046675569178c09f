"""What people type to find companies: the beginnings of words, in any order, or digits of a D-U-N-S number.

A few words are looked up in the index, the rarest decides, and each company found is looked at itself. However common
the words are, that is bounded work: of more than `MOST` companies, some are left out, and `has_more` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from core.bulk import among, key_ends
from core.visibility import EVERYTHING, Scope, scope_of, visible_to
from portfolio.companies.words import (
    asked_words,
    begins_a_word,
    folded,
    may_be_legal_form,
    words_of,
)
from portfolio.models import Company, CompanyWord, ExternalReference, Subject
from portfolio.models.company_words import DUNS_BYTES
from portfolio.visibility import companies_ever_held

MOST, MOST_KEYS = 2000, 20_000
# Words that are looked up; and those of which more is read where all are common.
MOST_WORDS, LOOKED_UP, READ_ON = 12, 3, 2
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


Seen = Callable[[Scope, QuerySet[Company]], QuerySet[Company]]


def search_companies(text: str, scope: Scope = EVERYTHING, seen: Seen = visible_to) -> Found:
    """Of what the scope shows, as if there were no others; `seen` where that is more than the companies held now."""
    words = _words_of(text)
    if not words:
        return Found()
    candidates, has_more = _candidates(words, scope, seen)
    found = _checked(candidates, words, text, scope, seen)
    return Found(found[:MOST], has_more or len(found) > MOST)


def _words_of(text: str) -> list[Word]:
    digits = duns_digits(text)
    return [(digits,)] if digits else asked_words(text)[:MOST_WORDS]


def found_among(rows: Sequence[Company], text: str, scope: Scope = EVERYTHING) -> list[Company]:
    """Of these companies, those that the text finds: for all that it finds, however many."""
    words = _words_of(text)
    found = set(_checked([row.duns for row in rows], words, text, scope, visible_to)) if words else set()
    return [row for row in rows if row.duns in found]


def of_companies(rows: QuerySet[Any], text: str, actor: Any = EVERYTHING) -> QuerySet[Any]:
    """Rows about the companies that the text finds, the best two hundred of those that the actor's units held at any
    time: rows about one that left stay visible."""
    digits = duns_digits(text)
    if len(digits) == 9:
        return rows.filter(company=digits)
    return rows.filter(company__in=search_companies(text, scope_of(actor), companies_ever_held).duns[:NAMES])


def with_companies(rows: list[Any]) -> None:
    """Give each row its company in one query: joins are slow on some engines."""
    companies = Company.objects.in_bulk(list({row.company_id for row in rows}))
    for row in rows:
        row.company = companies.get(row.company_id) or Company(duns=row.company_id)


def _candidates(words: Sequence[Word], scope: Scope, seen: Seen) -> tuple[list[str], bool]:
    """The companies of a word that not too many have; of words that are all common, those that have them all."""
    telling = [word for word in words if not may_be_legal_form(word[0])] or words
    looked_up = sorted(telling, key=lambda word: -len(word[0]))[:LOOKED_UP]
    for word in looked_up:
        found = _having(word, MOST)
        if found.is_whole:
            return _in_nine_digits(found.numbers, 2 * MOST), False
    if not scope.sees_all:
        return _visible_candidates(looked_up, scope, seen)
    if len(looked_up) == 1:
        return _in_nine_digits(found.numbers, MOST), True
    several = [_having(word, MOST_KEYS) for word in looked_up[:READ_ON]]
    certain = set.intersection(*(one.numbers for one in several))
    whole = [one.numbers for one in several if one.is_whole]
    possible = set.intersection(*whole) if whole else certain
    candidates = [*_in_nine_digits(certain, MOST), *_in_nine_digits(possible - certain, MOST)]
    return candidates[:MOST], len(possible) > MOST or not whole


def _visible_candidates(looked_up: Sequence[Word], scope: Scope, seen: Seen) -> tuple[list[str], bool]:
    """Of words that are all common: all that the scope shows; where that is too much, those of the most telling word
    that were read and that it shows."""
    rows = seen(scope, Company.objects.all()).order_by()
    visible = list(rows.values_list("duns", flat=True)[: MOST_KEYS + 1])
    if len(visible) <= MOST_KEYS:
        return visible, False
    found = _having(looked_up[0], MOST_KEYS)
    return _in_nine_digits(found.numbers, MOST_KEYS), not found.is_whole


def _in_nine_digits(numbers: set[int], most: int) -> list[str]:
    return [f"{number:09}" for number in sorted(numbers)[:most]]


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


def _checked(candidates: Sequence[str], words: Sequence[Word], text: str, scope: Scope, seen: Seen) -> tuple[str, ...]:
    """Those that have all the words: what the index knows of a company may be older than its name."""
    if not candidates:
        return ()
    rows = seen(scope, Company.objects.filter(among("duns", candidates)))
    texts = {duns: [duns, name, city] for duns, name, city in rows.values_list("duns", "name", "city")}
    names = {duns: folded(name) for duns, (_, name, _) in texts.items()}
    asked = [(re.compile(f"(?<![^\\W_])(?:{'|'.join(map(re.escape, word))})"), word) for word in words]
    left = {duns for duns in texts if not _has_all(asked, texts[duns])}
    if left:
        _add_entries(left, texts, scope)
        left = {duns for duns in left if not _has_all(asked, texts[duns])}
    begin = folded(text.strip())
    return tuple(sorted(texts.keys() - left, key=lambda duns: (not names[duns].startswith(begin), names[duns], duns)))


def _add_entries(companies: Iterable[str], texts: dict[str, list[str]], scope: Scope) -> None:
    """What the entries of registrations hold, and what other systems call them."""
    these = among("company", list(companies))
    entries = visible_to(scope, Subject.objects.filter(these)).exclude(customer_reference="", tags="")
    for duns, *described in entries.values_list("company_id", "customer_reference", "tags"):
        texts[duns] += described
    named = visible_to(scope, ExternalReference.objects.filter(these))
    for duns, reference in named.values_list("company_id", "reference"):
        texts[duns].append(reference)


def _has_all(asked: Iterable[tuple[re.Pattern[str], Word]], texts: Sequence[str]) -> bool:
    """Nearly always the words stand there as they were typed; taking the texts apart costs many times more."""
    plain = folded("\n".join(texts))
    others = [word for pattern, word in asked if not pattern.search(plain)]
    if not others:
        return True
    known = {word for text in texts for word in words_of(text)}
    return all(begins_a_word(word, known) for word in others)
