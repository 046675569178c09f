"""People decide which candidate is the company. One decides on each search; the next one sees who did."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.bulk import among
from core.db import clean_text, in_batches
from portfolio.company_search.candidates import candidates_of
from portfolio.company_search.search import move
from portfolio.imports.found_numbers import searches_of
from portfolio.imports.row_files import TEMPLATE, csv_line
from portfolio.imports.states import Refused
from portfolio.imports.upload import complete_rows, create_import
from portfolio.imports.validate import ValidatedRow, validated_rows
from portfolio.models import (
    CompanySearch,
    ImportMode,
    ImportState,
    Registration,
    SearchState,
    SubjectImport,
)

DECIDED = (SearchState.CHOSEN, SearchState.REJECTED)


def choose(*, search: CompanySearch, duns: str, decided_by: str) -> None:
    """This candidate is the company. It is added by its import, which is confirmed."""
    if duns not in {one.duns for one in candidates_of(search)}:
        raise Refused(gettext("This company is not among the candidates. Choose one from the list."))
    _decide(search, SearchState.CHOSEN, duns, decided_by)


def reject(*, search: CompanySearch, decided_by: str) -> None:
    """None of the candidates is the company."""
    _decide(search, SearchState.REJECTED, "", decided_by)


def reopen(*, search: CompanySearch, reopened_by: str) -> None:
    """Decide again; possible until the company is in an import."""
    before = search.state
    rows = CompanySearch.objects.filter(pk=search.pk, state__in=DECIDED, added_to=None)
    if not rows.update(state=SearchState.FOUND, chosen="", decided_by="", decided_at=None):
        raise Refused(gettext("Only a decision that is not in an import yet can be changed. Reload the page."))
    _record(search, "search.reopen", reopened_by, gettext("Decision on %(search)s reopened"), before)
    search.refresh_from_db()


def _decide(search: CompanySearch, state: SearchState, duns: str, decided_by: str) -> None:
    before, by = search.state, clean_text(decided_by, 200)
    decided = {"state": state, "chosen": duns, "decided_by": by, "decided_at": timezone.now()}
    if not move(search, SearchState.FOUND, **decided):
        search.refresh_from_db()
        raise Refused(_why_not(search))
    words = (
        gettext("Company chosen for %(search)s: %(chosen)s") if duns else gettext("No candidate chosen for %(search)s")
    )
    _record(search, "search.decide", decided_by, words, before)


def _why_not(search: CompanySearch) -> str:
    if search.state in DECIDED:
        return gettext("%(person)s has already decided on %(search)s: %(decision)s.") % {
            "person": search.decided_by,
            "search": search,
            "decision": search.chosen or search.get_state_display(),
        }
    return gettext("There are no candidates to decide on. Reload the page.")


def _record(search: CompanySearch, action: str, actor: str, words: str, before: str) -> None:
    record(
        actor=actor,
        action=action,
        thing=search,
        summary=words % {"search": search, "chosen": search.chosen},
        before={"state": before},
        after={"state": search.state, "chosen": search.chosen},
    )


# Into an import


def not_added(import_: SubjectImport) -> int:
    """Companies that were chosen for its rows, and are in no import yet."""
    return searches_of(import_).filter(state=SearchState.CHOSEN, added_to=None).count()


def add_chosen(*, import_: SubjectImport, added_by: str) -> SubjectImport:
    """Complete the rows of the import; of one that was confirmed or cancelled, put them into an import of their own."""
    if not not_added(import_):
        raise Refused(gettext("There are no chosen companies to add."))
    if import_.state == ImportState.READ:
        complete_rows(import_=import_, completed_by=added_by)
        return import_
    if import_.state in (ImportState.UPLOADED, ImportState.READING):
        raise Refused(gettext("The import is being checked. Try again in a minute."))
    searches = list(searches_of(import_).filter(state=SearchState.CHOSEN, added_to=None).order_by("line"))
    lines = {search.line for search in searches}
    rows = {row.line: row for row in validated_rows(import_) if row.line in lines}
    entries = [(search, rows.get(search.line)) for search in searches]
    return _import_of(import_.registration, entries, str(import_), added_by)


def take(*, search: CompanySearch, duns: str, registration: Registration, taken_by: str) -> SubjectImport:
    """Choose a candidate of a single search, and put it into an import, which is confirmed."""
    if search.subject_import_id is not None:
        raise Refused(gettext("This company belongs to a row of an import. Choose it there."))
    if registration.contract_id != search.contract_id:
        raise Refused(gettext("The registration belongs to another contract. Search with that contract."))
    choose(search=search, duns=duns, decided_by=taken_by)
    return _import_of(registration, [(search, None)], search.name, taken_by)


def _import_of(
    registration: Registration,
    entries: Sequence[tuple[CompanySearch, ValidatedRow | None]],
    name: str,
    by: str,
) -> SubjectImport:
    """The rows are noted after it is made: a process that dies in between leaves an import too many, which is seen."""
    import_ = create_import(
        registration=registration,
        content=csv_line(TEMPLATE[:5]) + b"".join(csv_line(_cells(*entry)) for entry in entries),
        file_name=gettext("Found at D&B: %(name)s") % {"name": name},
        mode=ImportMode.ADD,
        source="search",
        requested_by=by,
    )
    for batch in in_batches([search.pk for search, _ in entries]):
        CompanySearch.objects.filter(among("id", batch), added_to=None).update(added_to=import_.pk)
    return import_


def _cells(search: CompanySearch, row: ValidatedRow | None) -> list[str]:
    more = [row.customer_reference, row.tags, row.owner] if row else ["", "", ""]
    found = next((one.name for one in candidates_of(search) if one.duns == search.chosen), "")
    return [search.chosen, found or search.name, *more]
