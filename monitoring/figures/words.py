"""Texts that stand in records as numbers: two processes give a text the same number, and a number to one text only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Max

from core.db import in_batches
from monitoring.models import FigureCheckpoint, FigureWord

Word = tuple[str, str]
# Fits every field of a record; kinds of which there are so many tell nothing more.
MOST = 60_000


def numbers_of(words: Mapping[Word, str]) -> dict[Word, int]:
    """The number of each (kind, text), given with its label; a text that is new gets the next of its kind, 0 where
    there are too many."""
    known = _known(words)
    for word, label in words.items():
        while word not in known:
            known |= _intern(*word, label)
    return known


def _known(words: Mapping[Word, str]) -> dict[Word, int]:
    keys = {FigureWord.key(*word): word for word in words}
    known, described = dict[Word, int](), 0
    for batch in in_batches(list(keys)):
        for row in FigureWord.objects.filter(pk__in=batch):
            word = keys[row.pk]
            known[word] = row.number
            if words[word] and not row.label:
                described += FigureWord.objects.filter(pk=row.pk, label="").update(label=words[word])
    if described:
        renew_words()
    return known


def renew_words() -> None:
    """Beside all checkpoints: a description came after its code."""
    FigureCheckpoint.objects.filter(is_whole=True).update(words=written_words())


def _intern(kind: str, text: str, label: str) -> dict[Word, int]:
    """Nothing where somebody else was faster: with the text, or with the number."""
    last = FigureWord.objects.filter(kind=kind).aggregate(last=Max("number"))["last"] or 0
    if last >= MOST:
        return {(kind, text): 0}
    try:
        with transaction.atomic():
            FigureWord.objects.create(pk=FigureWord.key(kind, text), kind=kind, number=last + 1, text=text, label=label)
    except IntegrityError:
        return _known({(kind, text): label})
    return {(kind, text): last + 1}


class Text(NamedTuple):
    """What stands in a record as a number; of an industry's code with its description."""

    text: str
    label: str


Words = Mapping[tuple[str, int], Text]


def all_words() -> Words:
    """By kind and number."""
    rows = FigureWord.objects.values_list("kind", "number", "text", "label")
    return {(kind, number): Text(text, label) for kind, number, text, label in rows}


def written_words() -> str:
    """All that there are now, to be kept beside records."""
    return msgspec.json.encode([(*key, *text) for key, text in all_words().items()]).decode()


def read_words(written: str) -> Words:
    rows = msgspec.json.decode(written, type=list[tuple[str, int, str, str]]) if written else []
    return {(kind, number): Text(text, label) for kind, number, text, label in rows}
