"""The words of D&B's codes in the reader's language, as far as they were fetched.

Each process reads a language's words once and keeps them for some minutes: pages show hundreds of codes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import get_language

from portfolio.models import ReferenceCategory, ReferenceCode

KEPT_SECONDS = 300
ENGLISH = "en"
INDUSTRIES = ("399", "37788", "30832", "29104", "3599")
# D&B numbers the codes of all its lists but the industries' in one row: such a code needs no category.
ANY = ""


@dataclass(frozen=True)
class Words:
    """Of a category, by their codes."""

    of_codes: dict[str, str]

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """By their words in lower case: the first of each."""
        return {words.casefold(): code for code, words in reversed(self.of_codes.items())}


NONE = Words({})
_kept: dict[tuple[str, str], tuple[float, Mapping[str, Words]]] = {}


def words_of(category: str, code: Any, language: str | None = None, *, described: str = "") -> str:
    """D&B's words for a code; else its description in the document, which is English; else the code."""
    language = (language or get_language() or ENGLISH)[:2]
    text = "" if code is None or isinstance(code, bool | float | dict | list) else str(code).strip()
    if described and (language == ENGLISH or not text):
        return described
    return _table(category, language).of_codes.get(text) or described or text


def words_of_description(category: str, described: str, language: str | None = None) -> str:
    """For what is kept by its description only."""
    language = (language or get_language() or ENGLISH)[:2]
    if language == ENGLISH or not described:
        return described
    code = _table(category, ENGLISH).codes.get(described.casefold())
    return words_of(category, code, language, described=described)


def industry_words(scheme: str, code: str, described: str = "") -> str:
    """D&B's words for an industry; one of a classification that was not fetched keeps its description."""
    return words_of(scheme, code, described=described) if scheme in INDUSTRIES else described or code


def legal_form_words(described: str) -> str:
    found = (words_of_description(category, described) for category in LEGAL_FORMS)
    return next((words for words in found if words != described), described)


LEGAL_FORMS = (ReferenceCategory.LEGAL_FORM, ReferenceCategory.ENTITY_TYPE)


def forget_words() -> None:
    """After a fetch; other processes follow within minutes."""
    _kept.clear()


def _table(category: str, language: str) -> Words:
    group = category if category in INDUSTRIES else ANY
    read_at, tables = _kept.get((group, language), (0.0, {}))
    if not read_at or time.monotonic() - read_at > KEPT_SECONDS:
        tables = _read(group, language)
        _kept[group, language] = time.monotonic(), tables
    return tables.get(category, NONE)


def _read(group: str, language: str) -> Mapping[str, Words]:
    """By category; under no category what is the same in all."""
    rows = ReferenceCode.objects.filter(language=language)
    rows = rows.filter(category=group) if group else rows.exclude(category__in=INDUSTRIES)
    tables: defaultdict[str, dict[str, str]] = defaultdict(dict)
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for category, code, words in rows.values_list("category", "code", "words"):
        tables[category][code] = words
        meanings[code].add(words)
    tables[ANY] = {code: words for code, found in meanings.items() if len(found) == 1 for words in found}
    return {category: Words(words) for category, words in tables.items()}
