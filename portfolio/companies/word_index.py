"""The index of words: written before a name, city, reference or tag is, and verified nightly. References are those of
registrations and those of other systems.

A word too many does no harm, since a search looks at the company's own text. None may be missing: whoever removes one
gives the company another version, so that who is about to write it reads again and inserts it again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import transaction

from core.bulk import update_versions
from core.db import in_batches, insert_new_values
from portfolio.companies.words import words_of, words_of_name
from portfolio.models import Company, CompanyWord, ExternalReference, Subject

AT_ONCE = 200
Texts = Iterable[tuple[str, str, str]]


def write_company_words(companies: Texts) -> None:
    """Of D-U-N-S number, name and city."""
    _write((duns, words_of_name(name) | words_of(city)) for duns, name, city in companies)


def write_subject_words(subjects: Texts) -> None:
    """Of D-U-N-S number, own reference and tags."""
    _write((duns, words_of(reference) | words_of(tags)) for duns, reference, tags in subjects if reference or tags)


@contextmanager
def subject_words(subjects: Texts) -> Iterator[None]:
    """Written before references and tags of rows that were there are changed, and again after it, should somebody have
    removed a word in between."""
    rows = list(subjects)
    write_subject_words(rows)
    yield
    transaction.on_commit(lambda: write_subject_words(rows))


def _write(words: Iterable[tuple[str, set[str]]]) -> None:
    rows = {CompanyWord.key_of(word, duns): duns for duns, several in words for word in several}
    if rows:
        insert_new_values(CompanyWord, ("key", "duns"), sorted(rows.items(), key=lambda row: row[0].int), "duns")


def texts_of(references: Iterable[ExternalReference]) -> Texts:
    """Of other systems, whose companies may not be known yet."""
    return ((row.company_id, row.reference, "") for row in references)


def index_all_companies() -> None:
    """Where there is no index yet."""
    key = uuid.UUID(int=0)
    while references := list(ExternalReference.objects.filter(pk__gt=key).order_by("pk")[:AT_ONCE]):
        key = references[-1].pk
        write_subject_words(texts_of(references))
    last = ""
    while batch := list(Company.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        last = batch[-1]
        verify_words(batch)


def verify_words(duns: Sequence[str]) -> None:
    """Insert what is missing, and remove what is too many."""
    for batch in in_batches(duns, AT_ONCE):
        waiting = list(batch)
        while waiting:
            waiting = _verify_round(waiting)


def _verify_round(duns: Sequence[str]) -> list[str]:
    """Those of which something was removed are looked at again; what was written meanwhile may be missing."""
    companies = {row.duns: row for row in Company.objects.filter(pk__in=duns)}
    there = defaultdict(set)
    for number, key in CompanyWord.objects.filter(duns__in=duns).values_list("duns", "key"):
        there[number].add(key)
    expected = _expected(companies)
    missing = [(key, number) for number, keys in expected.items() for key in keys - there[number]]
    if missing:
        insert_new_values(CompanyWord, ("key", "duns"), sorted(missing, key=lambda row: row[0].int), "duns")
    surplus = {number: keys - expected.get(number, set()) for number, keys in there.items()}
    return _remove(companies, {number: keys for number, keys in surplus.items() if keys})


def _expected(companies: Mapping[str, Company]) -> dict[str, set[uuid.UUID]]:
    words = {duns: words_of_name(row.name) | words_of(row.city) for duns, row in companies.items()}
    subjects = Subject.objects.filter(company__in=list(companies))
    for duns, reference, tags in subjects.values_list("company_id", "customer_reference", "tags"):
        words[duns] |= words_of(reference) | words_of(tags)
    for row in ExternalReference.objects.filter(company__in=list(companies)).only("company", "reference"):
        words[row.company_id] |= words_of(row.reference)
    return {duns: {CompanyWord.key_of(word, duns) for word in several} for duns, several in words.items()}


def _remove(companies: Mapping[str, Company], surplus: Mapping[str, set[uuid.UUID]]) -> list[str]:
    """The version first and last: whoever is about to write a word reads again, even where this ends in between."""
    rows = [companies[duns] for duns in surplus if duns in companies]
    changed = update_versions([(row, {}) for row in rows])
    removed = surplus.keys() - {row.pk for row in changed}
    for batch in in_batches(sorted(key for duns in removed for key in surplus[duns])):
        CompanyWord.objects.filter(pk__in=batch).delete()
    for row in rows:
        row.version += 1
    update_versions([(row, {}) for row in rows if row.pk in removed])
    return sorted(surplus)
