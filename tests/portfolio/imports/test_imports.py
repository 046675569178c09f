"""A file of D-U-N-S numbers: each row judged, nothing wanted before a person confirms the number, undone on demand."""

import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_q.models import OrmQ

from core.blobs import load_bytes
from core.models import AuditEntry, Blob
from portfolio import jobs
from portfolio.imports import reading, upload
from portfolio.imports.apply import apply_import, undo_import
from portfolio.imports.chunks import store_chunk
from portfolio.imports.confirm import approve_import, cancel_import, confirm_import
from portfolio.imports.resume import work_on
from portfolio.imports.states import NotAllowed, Refused, WrongNumber, counts_of, file_key, sheets_of
from portfolio.imports.upload import choose_sheet, create_import, decide_zeros, read_import
from portfolio.imports.validate import validated_rows
from portfolio.jobs import work_on_import, work_on_imports
from portfolio.models import ImportState, Registration, Subject, SubjectImport, SubjectState, Validation
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.contracts import a_contract
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.workbooks import a_hostile_workbook, two_sheets

pytestmark = pytest.mark.django_db
ONE, TWO, THREE, FOUR = "804735132", "150483782", "101202303", "060704780"
RIGHTS: dict[str, Any] = {"confirmed_by": an_actor("ann"), "may_confirm": True}


@pytest.fixture
def registration() -> Registration:
    a_contract(cap=100, removal_share=100)
    return a_registration()


def an_import(registration: Registration, *lines: str, mode: str = "add", read: bool = True) -> SubjectImport:
    import_ = create_import(
        registration=registration,
        content="\n".join(lines).encode(),
        file_name="list.csv",
        mode=mode,
        source="upload",
        requested_by="ann",
    )
    if read:
        read_import(import_)
    return import_


def applied(registration: Registration, *lines: str, mode: str = "add") -> SubjectImport:
    import_ = an_import(registration, *lines, mode=mode)
    number = import_.removals if mode == "remove" else import_.new_billable
    confirm_import(import_=import_, number=number or 0, removals=import_.removals, **RIGHTS)
    work_on(import_)
    assert import_.state == ImportState.APPLIED
    return import_


def request_monitoring(registration: Registration, *duns: str) -> None:
    request_subjects(registration=registration, entries=[SubjectEntry(number) for number in duns], requested_by="ann")


def requested(registration: Registration) -> set[str]:
    rows = Subject.objects.filter(registration=registration, requested=True)
    return set(rows.values_list("company_id", flat=True))


def told(import_: SubjectImport) -> list[tuple[str, str, str]]:
    return [(row.written, row.validation, row.duns) for row in validated_rows(import_)]


# Reading


def test_every_row_gets_a_verdict(registration: Registration) -> None:
    request_monitoring(registration, TWO)
    odd = ["15048378", "abc", "12345", f"{ONE}.0", ",Acme"]
    import_ = an_import(registration, "DUNS,Name", ONE, TWO, "80-473-5132", "10 120-23 03", *odd)
    assert told(import_) == [
        (ONE, Validation.NEW, ONE),
        (TWO, Validation.REQUESTED, TWO),
        ("80-473-5132", Validation.DUPLICATE, ONE),
        ("10 120-23 03", Validation.REFORMATTED, THREE),
        ("15048378", Validation.DECISION, ""),
        ("abc", Validation.INVALID, ""),
        ("12345", Validation.INVALID, ""),
        (f"{ONE}.0", Validation.DUPLICATE, ONE),
        ("", Validation.INVALID, ""),
    ]
    reasons = [row.reason for row in validated_rows(import_)]
    assert reasons[2] == "same as line 2"
    assert "characters other than the digits" in reasons[5]
    assert import_.state == ImportState.READ
    assert (import_.new_billable, import_.removals) == (2, 0)
    assert counts_of(import_)[Validation.DUPLICATE] == 2


@pytest.mark.parametrize("written", ["'215456901", "DUNS: 215456901", "215456901 # Gorman", "DUNS 215456901"])
def test_usual_ways_to_write_a_number_are_read(registration: Registration, written: str) -> None:
    import_ = an_import(registration, "DUNS;Name", f"{written};Gorman", f"{ONE};Acme")
    assert told(import_) == [(written, Validation.REFORMATTED, "215456901"), (ONE, Validation.NEW, ONE)]


def test_reading_wants_nothing(registration: Registration) -> None:
    an_import(registration, ONE, TWO)
    assert not Subject.objects.exists()


def test_the_file_is_kept_byte_for_byte(registration: Registration) -> None:
    import_ = an_import(registration, ONE, "abc", read=False)
    assert load_bytes(file_key(import_)) == f"{ONE}\nabc".encode()


def test_rows_of_a_removal(registration: Registration) -> None:
    request_monitoring(registration, ONE)
    import_ = an_import(registration, ONE, TWO, ONE, mode="remove")
    assert [validation for _, validation, _ in told(import_)] == [
        Validation.REMOVE,
        Validation.NOT_MONITORED,
        Validation.DUPLICATE,
    ]
    assert (import_.new_billable, import_.removals) == (0, 1)


def test_equal_counts_both_ways(registration: Registration) -> None:
    request_monitoring(registration, ONE, TWO)
    import_ = an_import(registration, TWO, THREE, mode="equal")
    assert (import_.new_billable, import_.removals) == (1, 1)


def test_what_was_billed_this_year_is_not_new(registration: Registration) -> None:
    other = a_registration("OTHER")
    request_monitoring(other, ONE)
    Subject.objects.filter(registration=other).update(requested=False, state=SubjectState.MONITORED)
    assert an_import(registration, ONE, TWO).new_billable == 1


@pytest.mark.parametrize("content", ["%PDF-1.4", "Name\nAcme", "DUNS,Name\n"])
def test_a_file_that_cannot_be_read_says_why(registration: Registration, content: str) -> None:
    import_ = an_import(registration, content)
    assert import_.state == ImportState.FAILED
    assert import_.error.endswith(".")


def test_reading_goes_on_where_it_was(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK", 2)
    import_ = an_import(registration, "DUNS", ONE, TWO, THREE, ONE, FOUR, read=False)
    _interrupt_after(monkeypatch, chunks=1)
    with pytest.raises(DatabaseError):
        read_import(import_)
    monkeypatch.undo()
    monkeypatch.setattr(reading, "CHUNK", 2)
    left = SubjectImport.objects.get()
    assert (left.state, left.position, left.chunks) == (ImportState.READING, 2, 1)
    read_import(left)
    assert [(row.line, row.validation) for row in validated_rows(left)] == [
        (2, "new"), (3, "new"), (4, "new"), (5, "duplicate"), (6, "new"),
    ]  # fmt: skip
    assert left.new_billable == 4


def _interrupt_after(monkeypatch: pytest.MonkeyPatch, *, chunks: int) -> None:
    keep = store_chunk

    def dying(import_: SubjectImport, number: int, rows: Any, kind: Any) -> Any:
        kept = keep(import_, number, rows, kind)
        if number == chunks:
            raise DatabaseError("the process died here")
        return kept

    monkeypatch.setattr(reading, "store_chunk", dying)


def test_of_two_readers_one_goes_on(registration: Registration) -> None:
    import_ = an_import(registration, ONE, TWO, read=False)
    other = SubjectImport.objects.get()
    read_import(import_)
    read_import(other)
    assert SubjectImport.objects.get().new_billable == 2
    assert len(list(validated_rows(import_))) == 2


def test_a_reader_stops_when_its_time_is_over(registration: Registration) -> None:
    import_ = an_import(registration, ONE, read=False)
    read_import(import_, until=timezone.now())
    assert import_.state == ImportState.READING
    read_import(import_)
    assert import_.state == ImportState.READ


# Workbooks


def a_read_workbook(registration: Registration, content: bytes, **options: Any) -> SubjectImport:
    import_ = create_import(
        registration=registration, content=content, file_name="l.xlsx", mode="add", source="upload", requested_by="ann",
        **options,
    )  # fmt: skip
    read_import(import_)
    return import_


def test_another_sheet_is_read_instead(registration: Registration) -> None:
    import_ = a_read_workbook(registration, two_sheets())
    assert [row.duns for row in validated_rows(import_)] == [ONE]
    with pytest.raises(Refused, match="no other sheet"):
        choose_sheet(import_=import_, sheet="Notes", chosen_by=an_actor("ann"))
    choose_sheet(import_=import_, sheet="France", chosen_by=an_actor("ann"))
    read_import(import_)
    assert (import_.state, import_.new_billable) == (ImportState.READ, 2)
    assert [row.duns for row in validated_rows(import_)] == [TWO, THREE]
    assert [one.is_read for one in sheets_of(import_)] == [False, False, True]


def test_a_workbook_that_takes_its_reader_down_fails_after_two_tries(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    run = subprocess.run

    def counting_run(*args: Any, **kwargs: Any) -> Any:
        started.append(args)
        return run(*args, **kwargs)

    monkeypatch.setattr("subprocess.run", counting_run)
    import_ = a_read_workbook(registration, a_hostile_workbook(reach="r ="))
    assert (import_.state, len(started)) == (ImportState.FAILED, 2)
    assert "needs more than 768 MB of memory (sheet “List”)" in import_.error


def test_a_workbook_that_takes_a_worker_down_fails_after_two_tries(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_ = create_import(
        registration=registration, content=two_sheets(), file_name="l", mode="add", source="upload", requested_by="ann"
    )
    monkeypatch.setattr(upload, "open_table", killed)
    for _ in range(2):
        with pytest.raises(SystemExit):
            read_import(SubjectImport.objects.select_related("registration__contract").get())
    left = SubjectImport.objects.select_related("registration__contract").get()
    read_import(left)
    assert left.state == ImportState.FAILED
    assert "two attempts failed" in left.error
    assert left.pk == import_.pk


def killed(*args: object) -> None:
    raise SystemExit


# Zeros


def test_one_decision_pads_all_rows_with_eight_digits(registration: Registration) -> None:
    import_ = an_import(registration, "60704780", FOUR, "15048378", ONE)
    with pytest.raises(Refused, match="Choose first"):
        confirm_import(import_=import_, number=2, **RIGHTS)
    decide_zeros(import_=import_, pad=True, decided_by="ann")
    assert import_.state == ImportState.UPLOADED
    read_import(import_)
    assert told(import_) == [
        ("60704780", Validation.REFORMATTED, FOUR),
        (FOUR, Validation.DUPLICATE, FOUR),
        ("15048378", Validation.REFORMATTED, "015048378"),
        (ONE, Validation.NEW, ONE),
    ]
    assert import_.new_billable == 3


def test_or_leaves_them_out(registration: Registration) -> None:
    import_ = an_import(registration, "15048378", ONE)
    decide_zeros(import_=import_, pad=False, decided_by="ann")
    confirm_import(import_=import_, number=1, **RIGHTS)
    work_on(import_)
    assert requested(registration) == {ONE}


def test_zeros_are_decided_once(registration: Registration) -> None:
    import_ = an_import(registration, "15048378", ONE)
    decide_zeros(import_=import_, pad=False, decided_by="ann")
    with pytest.raises(Refused, match="nothing to choose"):
        decide_zeros(import_=import_, pad=True, decided_by="ann")


# Confirming


def test_confirmed_companies_become_wanted_with_what_is_told(registration: Registration) -> None:
    import_ = an_import(registration, "DUNS,Name,Reference,Tags,Owner", f'{ONE},Acme,S-1,"a, b",ann', TWO)
    confirm_import(import_=import_, number=2, **RIGHTS)
    assert import_.state == ImportState.CONFIRMED
    assert not Subject.objects.exists()
    apply_import(import_)
    assert import_.state == ImportState.APPLIED
    row = Subject.objects.select_related("company").get(company=ONE)
    assert (row.company.name, row.customer_reference, row.tags, row.owner) == ("Acme", "S-1", "a, b", "ann")
    assert (row.requested_by, row.requested_import) == ("ann", import_.pk)
    assert requested(registration) == {ONE, TWO}


def test_what_is_told_about_companies_wanted_already_is_kept(registration: Registration) -> None:
    request_monitoring(registration, ONE)
    applied(registration, "DUNS,Reference", f"{ONE},S-9", f"{TWO},S-10")
    row = Subject.objects.get(company=ONE)
    assert (row.customer_reference, row.requested_import) == ("S-9", None)


@pytest.mark.parametrize("number", [0, 1, 3, -2])
def test_another_number_confirms_nothing(registration: Registration, number: int) -> None:
    import_ = an_import(registration, ONE, TWO)
    with pytest.raises(WrongNumber, match="2 new billable companies") as raised:
        confirm_import(import_=import_, number=number, **RIGHTS)
    assert raised.value.number == 2
    work_on(import_)
    assert SubjectImport.objects.get().state == ImportState.READ
    assert not requested(registration)


def test_a_number_that_has_changed_meanwhile_is_refused_and_told(registration: Registration) -> None:
    import_ = an_import(registration, ONE, TWO)
    request_monitoring(registration, ONE)
    with pytest.raises(WrongNumber, match="has changed") as raised:
        confirm_import(import_=import_, number=2, **RIGHTS)
    assert raised.value.number == 1
    assert SubjectImport.objects.get().new_billable == 1
    confirm_import(import_=import_, number=1, **RIGHTS)
    assert import_.state == ImportState.CONFIRMED


def test_without_the_right_nothing_is_confirmed(registration: Registration) -> None:
    import_ = an_import(registration, ONE)
    with pytest.raises(NotAllowed):
        confirm_import(import_=import_, number=1, confirmed_by=an_actor("ann"), may_confirm=False)
    assert SubjectImport.objects.get().state == ImportState.READ


def test_two_tabs_at_once_confirm_once(registration: Registration) -> None:
    import_ = an_import(registration, ONE)
    other = SubjectImport.objects.select_related("registration__contract").get()
    confirm_import(import_=import_, number=1, **RIGHTS)
    with pytest.raises(Refused, match="at the same time"):
        confirm_import(import_=other, number=1, **RIGHTS)
    assert AuditEntry.objects.filter(action="import.confirm").count() == 1
    lists = Blob.objects.exclude(owner__in=[import_.pk, file_key(import_)])
    assert lists.count() == 1


def test_equal_asks_for_both_numbers(registration: Registration) -> None:
    request_monitoring(registration, ONE, TWO, FOUR)
    import_ = an_import(registration, TWO, THREE, mode="equal")
    for removals in (None, 0, 1, 3):
        with pytest.raises(WrongNumber, match="removes 2 companies"):
            confirm_import(import_=import_, number=1, removals=removals, **RIGHTS)
    confirm_import(import_=import_, number=1, removals=2, **RIGHTS)
    request_monitoring(registration, "999999999")
    work_on(import_)
    assert requested(registration) == {TWO, THREE, "999999999"}


def test_a_removal_asks_for_the_companies_removed(registration: Registration) -> None:
    request_monitoring(registration, ONE, TWO)
    applied(registration, ONE, THREE, mode="remove")
    assert requested(registration) == {TWO}


def test_equal_to_nothing_would_remove_all_and_is_refused(registration: Registration) -> None:
    request_monitoring(registration, ONE)
    import_ = an_import(registration, "DUNS", "abc", mode="equal")
    with pytest.raises(Refused, match="contains no valid D-U-N-S numbers"):
        confirm_import(import_=import_, number=0, removals=1, **RIGHTS)


def test_what_changes_nothing_needs_no_confirmation(registration: Registration) -> None:
    request_monitoring(registration, ONE)
    with pytest.raises(Refused, match="changes nothing"):
        confirm_import(import_=an_import(registration, ONE), number=0, **RIGHTS)


def test_a_company_stopped_after_confirming_is_not_wanted_by_it(registration: Registration) -> None:
    request_monitoring(registration, ONE)
    import_ = an_import(registration, ONE, TWO)
    confirm_import(import_=import_, number=1, **RIGHTS)
    Subject.objects.filter(company=ONE).update(requested=False)
    work_on(import_)
    assert requested(registration) == {TWO}


# A second person


def test_above_the_cap_a_second_person_approves(registration: Registration) -> None:
    a_contract(cap=1)
    import_ = an_import(a_registration(), ONE, TWO)
    confirm_import(import_=import_, number=2, **RIGHTS)
    assert import_.state == ImportState.AWAITING_APPROVAL
    work_on(import_)
    assert not requested(registration)
    with pytest.raises(NotAllowed, match="another user"):
        approve_import(import_=import_, approved_by=an_actor("ann"), may_approve=True)
    with pytest.raises(NotAllowed):
        approve_import(import_=import_, approved_by=an_actor("bob"), may_approve=False)
    approve_import(import_=import_, approved_by=an_actor("bob"), may_approve=True)
    work_on(import_)
    assert requested(registration) == {ONE, TWO}


def test_so_does_a_removal_of_more_than_the_share(registration: Registration) -> None:
    a_contract(cap=100, removal_share=50)
    request_monitoring(registration, ONE, TWO, THREE)
    import_ = an_import(a_registration(), ONE, TWO, mode="remove")
    confirm_import(import_=import_, number=2, **RIGHTS)
    assert import_.state == ImportState.AWAITING_APPROVAL
    second = an_import(a_registration(), ONE, mode="remove")
    confirm_import(import_=second, number=1, **RIGHTS)
    assert second.state == ImportState.CONFIRMED


def test_what_changed_since_is_confirmed_again_before_it_is_approved(registration: Registration) -> None:
    a_contract(cap=1)
    import_ = an_import(a_registration(), ONE, TWO, THREE)
    confirm_import(import_=import_, number=3, **RIGHTS)
    request_monitoring(registration, ONE)
    with pytest.raises(WrongNumber, match="Confirm it again"):
        approve_import(import_=import_, approved_by=an_actor("bob"), may_approve=True)
    left = SubjectImport.objects.get()
    assert (left.state, left.new_billable, left.confirmed_by) == (ImportState.READ, 2, "")


# Cancelling and undoing


def test_a_cancelled_import_does_nothing_more(registration: Registration) -> None:
    import_ = an_import(registration, ONE)
    cancel_import(import_=import_, cancelled_by=an_actor("ann"))
    with pytest.raises(Refused):
        confirm_import(import_=import_, number=1, **RIGHTS)
    with pytest.raises(Refused):
        cancel_import(import_=import_, cancelled_by=an_actor("ann"))


def test_cancelling_wins_over_a_reader_that_moves_on(registration: Registration) -> None:
    import_ = an_import(registration, ONE, read=False)
    stale = SubjectImport.objects.get()
    read_import(import_)
    cancel_import(import_=stale, cancelled_by=an_actor("ann"))
    assert SubjectImport.objects.get().state == ImportState.CANCELLED


def test_undoing_takes_back_what_only_this_import_wanted(registration: Registration) -> None:
    request_monitoring(registration, ONE)
    first = applied(registration, ONE, TWO, THREE, FOUR)
    Subject.objects.filter(company=TWO).update(state=SubjectState.MONITORED)
    undo_import(import_=first, undone_by=an_actor("ann"), may_confirm=True)
    work_on(first)
    assert first.state == ImportState.UNDONE
    assert requested(registration) == {ONE}
    assert "3 companies are no longer requested. 1 of them was monitored and stays billed" in first.note


def test_what_other_registrations_monitor_is_not_said_to_be_left_over(registration: Registration) -> None:
    other = a_registration("Elsewhere")
    request_monitoring(other, ONE, TWO)
    Subject.objects.filter(registration=other).update(state=SubjectState.MONITORED)
    first = applied(registration, ONE, TWO)
    undo_import(import_=first, undone_by=an_actor("ann"), may_confirm=True)
    work_on(first)
    words = "2 companies are no longer requested. 2 of them are still monitored or requested in other registrations."
    assert first.note == words


def test_undoing_leaves_what_a_later_import_named_too(registration: Registration) -> None:
    first = applied(registration, ONE, TWO)
    later = applied(registration, TWO, THREE)
    undo_import(import_=first, undone_by=an_actor("ann"), may_confirm=True)
    work_on(first)
    assert requested(registration) == {TWO, THREE}
    undo_import(import_=later, undone_by=an_actor("ann"), may_confirm=True)
    work_on(later)
    assert not requested(registration)


def test_undoing_needs_the_right_and_an_applied_import(registration: Registration) -> None:
    import_ = an_import(registration, ONE)
    with pytest.raises(Refused):
        undo_import(import_=import_, undone_by=an_actor("ann"), may_confirm=True)
    with pytest.raises(NotAllowed):
        undo_import(import_=import_, undone_by=an_actor("ann"), may_confirm=False)


# Jobs and the audit


def test_a_job_reads_and_applies(registration: Registration) -> None:
    import_ = an_import(registration, ONE, read=False)
    assert work_on_import(str(import_.pk)) == ImportState.READ
    import_.refresh_from_db()
    confirm_import(import_=import_, number=1, **RIGHTS)
    assert not OrmQ.objects.exists()
    assert work_on_import(str(import_.pk)) == ImportState.APPLIED
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("portfolio.jobs.sync_requested", (str(registration.pk),))


@pytest.mark.parametrize(("minutes", "queued"), [(0, True), (1, False)])
def test_a_job_queues_itself_again_only_when_its_time_was_over(
    registration: Registration, monkeypatch: pytest.MonkeyPatch, minutes: int, queued: bool
) -> None:
    import_ = an_import(registration, ONE, read=False)
    monkeypatch.setattr(jobs, "WORKING_TIME", timedelta(minutes=minutes))
    monkeypatch.setattr(jobs, "work_on", lambda *args, **kwargs: None)
    work_on_import(str(import_.pk))
    assert OrmQ.objects.exists() == queued


def test_what_nobody_works_on_is_picked_up(registration: Registration) -> None:
    import_ = an_import(registration, ONE, read=False)
    assert work_on_imports() == 0
    SubjectImport.objects.update(moved_at=timezone.now() - timedelta(minutes=2))
    assert work_on_imports() == 1
    import_.refresh_from_db()
    assert import_.state == ImportState.READ


def test_trouble_is_told_and_tried_again(registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    import_ = an_import(registration, ONE, read=False)
    _interrupt_after(monkeypatch, chunks=0)
    assert work_on_import(str(import_.pk)) == "failed"
    import_.refresh_from_db()
    assert "the process died here" in import_.error
    monkeypatch.undo()
    work_on_import(str(import_.pk))
    import_.refresh_from_db()
    assert (import_.state, import_.error) == (ImportState.READ, "")


def test_every_act_is_written_down(registration: Registration) -> None:
    a_contract(cap=0)
    import_ = an_import(a_registration(), ONE, "15048378")
    decide_zeros(import_=import_, pad=False, decided_by="ann")
    confirm_import(import_=import_, number=1, **RIGHTS)
    approve_import(import_=import_, approved_by=an_actor("bob"), may_approve=True)
    work_on(import_)
    undo_import(import_=import_, undone_by=an_actor("bob"), may_confirm=True)
    work_on(import_)
    entries = list(AuditEntry.objects.order_by("id"))
    assert [(entry.action, entry.actor) for entry in entries if entry.what == "subjectimport"] == [
        ("import.upload", "ann"), ("import.zeros", "ann"), ("import.confirm", "ann"), ("import.approve", "bob"),
        ("import.undo", "bob"),
    ]  # fmt: skip
    confirmed = next(entry for entry in entries if entry.action == "import.confirm")
    assert json.loads(confirmed.after)["new_billable"] == 1
    assert [entry.action for entry in entries if entry.what == "registration"] == ["request", "withdraw"]
