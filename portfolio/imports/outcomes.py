"""What became of each row of an import once it was applied, in words and in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from msgspec.structs import replace

from core.text import counted
from core.visibility import visible_to
from portfolio.imports.confirm import confirmed_lists
from portfolio.imports.found_numbers import searches_of
from portfolio.imports.states import counts_of
from portfolio.imports.validate import NAMING, UNUSABLE, ValidatedRow
from portfolio.models import Company, ImportMode, ImportState, SearchState, SubjectImport, Validation

APPLIED = (ImportState.APPLIED, ImportState.AWAITING_UNDO)
BEFORE_CONFIRMING = (ImportState.UPLOADED, ImportState.READING, ImportState.READ)
PASSED_OVER = (Validation.DUPLICATE, Validation.DECISION, Validation.NO_NUMBER, *UNUSABLE)
UNCHANGED = {
    Validation.REMOVE: _("Not monitored – no change"),
    Validation.NOT_MONITORED: _("Not monitored – no change"),
}


def shown_rows(import_: SubjectImport, rows: Iterable[ValidatedRow], tones: Mapping[Any, str]) -> list[Any]:
    """Each row with its label, its tone and its reason: its validation, and once applied what became of it."""
    if import_.state not in APPLIED:
        rows = list(rows)
        searched = _search_states(import_, rows)
        return [
            (row, label_of(import_, row.validation), tones[Validation(row.validation)], _reason(row, searched))
            for row in rows
        ]
    changed = _changed(import_)
    return [(row, *_outcome(import_, row, row.duns in changed)) for row in rows]


def with_known_names(rows: Sequence[ValidatedRow], person: Any) -> list[ValidatedRow]:
    """Where the file has no name, that of the company, as far as the person sees it."""
    unnamed = {row.duns for row in rows if row.duns and not row.name}
    companies = visible_to(person, Company.objects.filter(pk__in=sorted(unnamed))) if unnamed else None
    names = dict(companies.order_by().values_list("pk", "name")) if companies is not None else {}
    return [replace(row, name=row.name or names.get(row.duns, "")) for row in rows]


def _search_states(import_: SubjectImport, rows: Iterable[ValidatedRow]) -> dict[int, str]:
    """How far the search for each of these rows is; by line, of those that are searched."""
    lines = [row.line for row in rows if row.validation == Validation.NO_NUMBER]
    return dict(searches_of(import_).filter(line__in=lines).values_list("line", "state")) if lines else {}


def _reason(row: ValidatedRow, searched: Mapping[int, str]) -> str:
    if row.validation != Validation.NO_NUMBER:
        return row.reason
    state = searched.get(row.line)
    return str(SearchState(state).label) if state else gettext("can be searched at D&B")


def with_results(import_: SubjectImport, rows: Iterable[ValidatedRow]) -> Iterator[tuple[ValidatedRow, str]]:
    """Each row with what became of it; nothing before the import is applied."""
    is_applied = import_.state in APPLIED
    changed = _changed(import_) if is_applied else set()
    for row in rows:
        yield row, _outcome(import_, row, row.duns in changed)[0] if is_applied else ""


def _changed(import_: SubjectImport) -> set[str]:
    lists = confirmed_lists(import_)
    return set(lists.remove if import_.mode == ImportMode.REMOVE else lists.add)


def label_of(import_: SubjectImport, validation: str) -> str:
    """A choice that is made, or can no longer be made, is not asked for."""
    is_open = import_.state in BEFORE_CONFIRMING and import_.pad_zeros is None
    if validation == Validation.DECISION and not is_open:
        return gettext("Skipped: eight digits")
    return str(Validation(validation).label)


def _outcome(import_: SubjectImport, row: ValidatedRow, is_changed: bool) -> tuple[str, str, str]:
    if row.validation in UNUSABLE:
        return gettext("Rejected"), "bad", row.reason
    if row.validation in PASSED_OVER:
        return gettext("Skipped"), "calm", row.reason
    if not is_changed:
        return str(UNCHANGED.get(Validation(row.validation), _("Already requested – no change"))), "calm", ""
    if import_.mode != ImportMode.REMOVE:
        sent = import_.registration.adopted
        return (gettext("Added"), "good", "") if sent else (gettext("Requested, not sent"), "warn", "")
    return (gettext("Removal scheduled") if import_.remove_on else gettext("Removed")), "high", ""


def totals_of(import_: SubjectImport) -> dict[str, Any]:
    """ "2 added, 3 unchanged, 3 skipped or rejected", once it is applied."""
    if import_.state not in APPLIED:
        return {}
    lists, counts = confirmed_lists(import_), counts_of(import_)
    changed = len(lists.remove) if import_.mode == ImportMode.REMOVE else len(lists.add)
    unchanged = sum(counts.get(validation, 0) for validation in NAMING) - changed
    removed = gettext("%(count)s scheduled for removal") if import_.remove_on else gettext("%(count)s removed")
    added = gettext("%(count)s added") if import_.registration.adopted else gettext("%(count)s requested, not sent")
    parts = (
        (added, len(lists.add), import_.mode != ImportMode.REMOVE),
        (removed, len(lists.remove), import_.mode != ImportMode.ADD),
        (gettext("%(count)s unchanged"), unchanged, True),
        (gettext("%(count)s skipped or rejected"), sum(counts.get(one, 0) for one in PASSED_OVER), True),
    )
    words = ", ".join(text % {"count": counted(count)} for text, count, is_shown in parts if is_shown)
    return {"words": words, "added": len(lists.add)}
