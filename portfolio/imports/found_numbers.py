"""Numbers that people chose among D&B's candidates, for rows of an import that have none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext

from core.bulk import among
from core.db import in_batches
from portfolio.models import CompanySearch, SearchState, SubjectImport


@dataclass(frozen=True, slots=True)
class FoundNumber:
    duns: str
    reason: str


def searches_of(import_: SubjectImport) -> QuerySet[CompanySearch]:
    """Of the sheet that is read: another one has other rows in its lines."""
    return CompanySearch.objects.filter(subject_import=import_, sheet=import_.sheet)


def stop_waiting(import_: SubjectImport, reason: str) -> int:
    """No further call is made for any of its sheets; what was found stays."""
    rows = CompanySearch.objects.filter(subject_import=import_, state=SearchState.WAITING)
    return rows.update(state=SearchState.STOPPED, error=reason)


def found_numbers(import_: SubjectImport) -> dict[int, FoundNumber]:
    """By line."""
    if not import_.completions:
        return {}
    chosen = searches_of(import_).filter(state=SearchState.CHOSEN)
    words = gettext("found at D&B, chosen by %(person)s")
    return {
        line: FoundNumber(duns, words % {"person": person})
        for line, duns, person in chosen.values_list("line", "chosen", "decided_by")
    }


def note_completed(import_: SubjectImport, without: Collection[int]) -> None:
    """What was chosen and is no longer among the lines `without` a number has come into the import."""
    chosen = searches_of(import_).filter(state=SearchState.CHOSEN, added_to=None)
    keys = [key for key, line in chosen.values_list("pk", "line") if line not in without]
    for batch in in_batches(keys):
        CompanySearch.objects.filter(among("id", batch), added_to=None).update(added_to=import_.pk)
