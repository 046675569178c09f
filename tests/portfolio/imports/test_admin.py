"""The pages of imports: upload, verdicts, decisions, the number to confirm, a second person, downloads, refusals."""

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
import python_calamine
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django_q.models import OrmQ

from core.blobs import load_bytes
from core.cached_counts import update_counts
from dnbmon_site.accounts.models import User
from portfolio.imports.resume import work_on
from portfolio.imports.states import file_key
from portfolio.models import Company, Contract, ImportState, Registration, Subject, SubjectImport, SubjectState
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration
from tests.builders.workbooks import a_workbook

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = "804735132", "150483782", "101202303"
UPLOAD = "/portfolio/subjectimport/upload/"
LIST = "/portfolio/subjectimport/"


@pytest.fixture
def registration() -> Registration:
    a_contract(cap=100, removal_share=100)
    return a_registration()


def somebody(name: str, *rights: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_subjectimport", *rights]))
    client = Client()
    client.force_login(user)
    return client


def uploaded(client: Client, *lines: str, mode: str = "add", read: bool = True) -> SubjectImport:
    answer = client.post(UPLOAD, a_form("\n".join(lines), mode=mode))
    assert answer.status_code == 302, text_of(answer)
    import_ = SubjectImport.objects.select_related("registration__contract").order_by("-id")[0]
    assert answer["Location"] == f"{LIST}{import_.pk}/change/"
    if read:
        work_on(import_)
    return import_


def a_form(content: str | bytes, mode: str = "add", name: str = "list.csv") -> dict[str, Any]:
    data = content.encode() if isinstance(content, str) else content
    registration = Registration.objects.order_by("reference")[0]
    return {"registration": str(registration.pk), "mode": mode, "file": SimpleUploadedFile(name, data)}


def do(client: Client, import_: SubjectImport, action: str, **data: Any) -> str:
    return text_of(client.post(f"{LIST}{import_.pk}/do/{action}/", data, follow=True))


def page(client: Client, import_: SubjectImport, query: str = "") -> str:
    return text_of(client.get(f"{LIST}{import_.pk}/change/{query}"))


def state_of(import_: SubjectImport) -> str:
    import_.refresh_from_db()
    return import_.state


# Uploading


def test_a_file_is_kept_and_queued(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE, read=False)
    assert load_bytes(file_key(import_)) == ONE.encode()
    assert (import_.state, import_.source, import_.created_by) == (ImportState.UPLOADED, "upload", "ann")
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("portfolio.jobs.work_on_import", (str(import_.pk),))


def test_numbers_are_pasted(admin: Client, registration: Registration) -> None:
    form = {"registration": str(registration.pk), "mode": "add", "text": f"{ONE}\n{TWO}"}
    assert admin.post(UPLOAD, form).status_code == 302
    import_ = SubjectImport.objects.get()
    assert (import_.source, str(import_)) == ("paste", "Pasted numbers")


def test_the_form_is_reached_from_everywhere(admin: Client, registration: Registration) -> None:
    link = f"{UPLOAD}?registration={registration.pk}"
    assert link in admin.get(f"/portfolio/registration/{registration.pk}/change/").content.decode()
    for path in (LIST, "/portfolio/company/", "/portfolio/registration/"):
        assert UPLOAD in admin.get(path).content.decode(), path
    assert admin.get(f"{LIST}add/")["Location"] == UPLOAD
    chosen = admin.get(f"{link}&mode=remove").content.decode()
    assert re.search(r'value="remove" checked', chosen)
    assert re.search(rf'value="{registration.pk}" selected', chosen)


def test_without_a_registration_the_form_says_what_to_do(admin: Client) -> None:
    assert "Find your registrations at D&B first" in text_of(admin.get(UPLOAD))


def test_the_template_holds_numbers_as_text(admin: Client) -> None:
    answer = admin.get(f"{LIST}template/")
    sheet = python_calamine.load_workbook(io.BytesIO(answer.content)).get_sheet_by_index(0)
    found_by = ["Country", "Street", "City", "Postal code", "Registration number", "Telephone"]
    assert sheet.to_python() == [["D-U-N-S", "Name", "Customer reference", "Tags", "Owner", *found_by]]
    assert "duns-template.xlsx" in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7", "The file is a PDF"),
        (b"", "The file is empty"),
        (b"PK\x05\x06" + b"\0" * 18, "ZIP archive"),
        (b"\0\1\2\3", "neither text nor a spreadsheet"),
    ],
)
def test_what_can_hold_no_list_is_refused_at_once(
    admin: Client, registration: Registration, content: bytes, words: str
) -> None:
    answer = admin.post(UPLOAD, a_form(content))
    assert words in text_of(answer)
    assert not SubjectImport.objects.exists()


def test_a_file_without_numbers_says_so_on_its_page(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, "Name;Town", "Acme;Leeds")
    text = page(admin, import_)
    assert "Failed: file not readable" in text
    assert "No column with D-U-N-S numbers was found." in text
    assert "Upload another file" in text


def test_a_file_above_the_limit_is_not_taken(admin: Client, registration: Registration, settings: LazySettings) -> None:
    settings.IMPORT_LIMIT_MB = 1
    answer = admin.post(UPLOAD, a_form(b"804735132\n" * 150_000))
    assert "larger than 1 MB. Remove columns" in text_of(answer)
    assert not SubjectImport.objects.exists()


class OnlyPieces:
    """A body that is read in pieces; whoever asks for a line asks for two gigabytes."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        assert 0 <= size <= 1_000_000
        return self._file.read(size)

    def readline(self, size: int = -1) -> bytes:
        raise AssertionError("a line was asked for")


def test_what_is_too_large_is_never_held_as_a_whole(
    admin: Client, registration: Registration, settings: LazySettings
) -> None:
    settings.IMPORT_LIMIT_MB = 1
    body = encode_multipart(BOUNDARY, a_form(b"8" * 3_000_000))
    read: dict[str, Any] = {"wsgi.input": OnlyPieces(body), "CONTENT_LENGTH": str(len(body))}
    answer = admin.generic("POST", UPLOAD, "x", MULTIPART_CONTENT, **read)
    assert "larger than 1 MB. Remove columns" in text_of(answer)


def test_the_forms_token_is_checked_all_the_same(registration: Registration) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    assert client.post(UPLOAD, a_form(ONE)).status_code == 403
    assert not SubjectImport.objects.exists()


@pytest.mark.parametrize("both", [True, False])
def test_either_a_file_or_pasted_numbers(admin: Client, registration: Registration, both: bool) -> None:
    form: dict[str, Any] = {"registration": str(registration.pk), "mode": "add"}
    if both:
        form |= a_form(ONE) | {"text": TWO}
    answer = admin.post(UPLOAD, form)
    assert ("Remove one of them" if both else "Choose a file, or paste") in text_of(answer)


# The page


def test_the_page_shows_verdicts_and_numbers(admin: Client, registration: Registration) -> None:
    request_subjects(registration=registration, entries=[SubjectEntry(TWO)], requested_by="ann")
    import_ = uploaded(admin, "DUNS;Name", f"{ONE};Acme", "15-048-3782", "10-120-2303", "abc", ONE)
    text = page(admin, import_)
    assert "5 All rows 1 New 1 Already in this registration 1 Duplicate in this file 1 New (number reformatted)" in text
    assert "4 10-120-2303 101202303 New (number reformatted)" in text
    assert "abc contains characters other than the digits 0 to 9. Correct the number in your file." in text
    assert "up to 2 new billable companies 0 added at no charge (already billed this contract year)" in text
    assert "To confirm, enter 2, the maximum number of new billable companies" in text
    only = page(admin, import_, "?validation=invalid")
    assert "abc" in only
    assert "10-120-2303" not in only


def test_who_confirms_sees_what_of_the_contract_is_used(admin: Client, registration: Registration) -> None:
    Contract.objects.update(contracted_number=6000)
    request_subjects(registration=registration, entries=[SubjectEntry(ONE)], requested_by="ann")
    Subject.objects.update(state=SubjectState.MONITORED, monitored_since=date.today())
    update_counts("held")
    text = page(admin, uploaded(admin, TWO))
    assert "up to 1 new billable company" in text
    assert "at least 1 of 6,000 contracted companies used this contract year" in text


def test_differences_are_offered_where_there_are_some(admin: Client, registration: Registration) -> None:
    Registration.objects.update(adopted=True)
    import_ = uploaded(admin, ONE)
    do(admin, import_, "confirm", number="1")
    import_.refresh_from_db()
    work_on(import_)
    assert "View differences from D&B's list" not in page(admin, import_)
    Subject.objects.update(state=SubjectState.REFUSED)
    assert "View differences from D&B's list" in page(admin, import_)


def test_rows_are_paged(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, *(str(100_000_000 + n) for n in range(60)))
    assert "100000049" in page(admin, import_)
    assert "100000050" not in page(admin, import_)
    assert "100000059" in page(admin, import_, "?page=1")
    assert "no rows with this result" in page(admin, import_, "?page=99")


def test_work_under_way_is_a_living_part_of_the_page(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE, read=False)
    whole = admin.get(f"{LIST}{import_.pk}/change/").content.decode()
    assert 'data-refresh="always"' in whole
    part = admin.get(f"{LIST}{import_.pk}/change/?part=live").content.decode()
    assert 'role="progressbar"' in part
    assert "<html" not in part
    work_on(import_)
    assert 'data-refresh="never"' in admin.get(f"{LIST}{import_.pk}/change/?part=live").content.decode()


def test_what_a_file_says_is_never_markup(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, "DUNS;Name", f"{ONE};<script>alert(1)</script>", "<b>;x")
    assert "<script>alert(1)" not in admin.get(f"{LIST}{import_.pk}/change/").content.decode()


def test_one_click_decides_on_all_zeros(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, "60704780", "15048378", ONE)
    text = page(admin, import_)
    assert "2 numbers with only eight digits: is a leading zero missing?" in text
    assert "60704780 → 060704780" in text
    assert "To confirm, type" not in text
    do(admin, import_, "pad")
    import_.refresh_from_db()
    work_on(import_)
    text = page(admin, import_)
    assert "up to 3 new billable" in text
    assert "nothing is sent to D&B until the list is adopted" in text


def test_the_numbers_of_one_that_waits_are_those_of_now(
    admin: Client, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_ = uploaded(admin, ONE, TWO)
    assert "up to 2 new billable" in page(admin, import_)
    request_subjects(registration=registration, entries=[SubjectEntry(TWO)], requested_by="ERP")
    text = page(admin, import_)
    assert "up to 1 new billable" in text and "1 company has been requested in another way since" in text
    assert "0 added at no charge" in text and "1 new" in text_of(admin.get(LIST))
    request_subjects(registration=registration, entries=[SubjectEntry(ONE)], requested_by="ERP")
    monkeypatch.setattr("portfolio.imports.confirm.COUNTED_WHEN_SHOWN", 1)
    text = page(admin, import_)
    assert "up to 1 new billable" in text and re.search(r"As of [^.]+\. The numbers are counted again when you", text)
    monkeypatch.undo()
    text = page(admin, import_)
    assert "2 companies have been requested in another way" in text and "This file changes nothing" in text
    assert "new billable" not in text


def test_or_leaves_them_out(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, "60704780", ONE)
    assert "1 row is left out." in do(admin, import_, "leave-out")


def test_the_number_is_typed_and_the_companies_become_wanted(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE, TWO)
    assert "2 new billable companies" in do(admin, import_, "confirm", number="3")
    assert state_of(import_) == ImportState.READ
    for typed in ("", "two", "2.0", "²"):
        do(admin, import_, "confirm", number=typed)
        assert state_of(import_) == ImportState.READ, typed
    assert "Confirmed. The import is being applied." in do(admin, import_, "confirm", number=" 2 ")
    import_.refresh_from_db()
    work_on(import_)
    assert Subject.objects.filter(requested=True).count() == 2
    assert "requested but not monitored yet" in page(admin, import_)


def test_after_applying_each_row_says_what_became_of_it(admin: Client, registration: Registration) -> None:
    request_subjects(registration=registration, entries=[SubjectEntry(TWO)], requested_by="ann")
    import_ = uploaded(admin, ONE, TWO, ONE, "60704780", "abc")
    Company.objects.filter(pk=TWO).update(name="Known Ltd")
    do(admin, import_, "leave-out")
    answer = do(admin, import_, "confirm", number="1")
    assert answer.count("The import is being applied") == 1
    import_.refresh_from_db()
    work_on(import_)
    text = page(admin, import_)
    assert "1 requested, not sent, 1 unchanged, 3 skipped or rejected View added companies" in text
    assert f"1 {ONE} {ONE} Requested, not sent" in text
    assert f"2 {TWO} {TWO} Already requested – no change Known Ltd" in text
    assert f"3 {ONE} {ONE} Skipped same as line 1" in text
    assert "Rejected" in text and "choose what to do" not in text
    added = text_of(admin.get(f"/portfolio/subject/?requested_import={import_.pk}"))
    assert ONE in added and TWO not in added and "Import: list.csv" in added
    assert TWO in text_of(admin.get("/portfolio/subject/?requested_import=odd"))


def test_rows_without_a_usable_number_are_left_out_before_and_after_a_wrong_number(
    admin: Client, registration: Registration
) -> None:
    assert "2 rows are left out: 1 duplicate, 1 without a valid number." in page(
        admin, uploaded(admin, ONE, ONE, "abc")
    )
    import_ = uploaded(admin, ONE, "47351", "abc", "735132")
    text = page(admin, import_)
    assert "1 new billable company " in text and "3 rows are left out." in text
    assert "47351 has 5 digits; a D-U-N-S number has nine. Correct the number in your file." in text
    assert "If a spreadsheet dropped leading zeros, enter all nine digits." in text
    answer = do(admin, import_, "confirm", number="4")
    assert "This import adds up to 1 new billable company. 3 rows are left out." in answer


def test_a_file_without_header_row_says_what_was_read_of_it(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, f"Acme;{ONE}", f"Beta;{TWO}")
    assert "Only D-U-N-S numbers were read, because the file has no header row." in page(admin, import_)
    assert "no header row" not in page(admin, uploaded(admin, ONE, "abc"))


def test_after_applying_it_says_whether_the_changes_were_sent(admin: Client, registration: Registration) -> None:
    Registration.objects.update(adopted=True)
    import_ = uploaded(admin, ONE)
    do(admin, import_, "confirm", number="1")
    import_.refresh_from_db()
    work_on(import_)
    assert "Done. The next sync sends the changes to D&B." in page(admin, import_)
    Subject.objects.update(state=SubjectState.PENDING_ADD)
    request_subjects(registration=registration, entries=[SubjectEntry(TWO)], requested_by="ann")
    assert "Done. The changes were sent to D&B." in page(admin, import_)


def test_removals_are_sent_by_the_next_sync_until_none_waits(admin: Client, registration: Registration) -> None:
    Registration.objects.update(adopted=True)
    request_subjects(registration=registration, entries=[SubjectEntry(ONE)], requested_by="ann")
    Subject.objects.update(state=SubjectState.MONITORED)
    import_ = uploaded(admin, ONE, mode="remove")
    do(admin, import_, "confirm", number="1")
    import_.refresh_from_db()
    work_on(import_)
    assert "Done. The next sync sends the changes to D&B." in page(admin, import_)
    Subject.objects.update(state=SubjectState.PENDING_REMOVE)
    assert "Done. The changes were sent to D&B." in page(admin, import_)


def test_where_nothing_is_billed_no_number_is_asked_for(admin: Client, registration: Registration) -> None:
    other = a_registration("OTHER")
    request_subjects(registration=other, entries=[SubjectEntry(ONE)], requested_by="ann")
    Subject.objects.update(state=SubjectState.MONITORED)
    import_ = uploaded(admin, ONE)
    text = page(admin, import_)
    assert "No new billable companies: all are billed already this contract year." in text
    assert "up to" not in text and "is a maximum" not in text and "To confirm, enter" not in text
    do(admin, import_, "confirm", number="0")
    assert state_of(import_) == ImportState.CONFIRMED


def test_a_second_click_is_harmless(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE)
    do(admin, import_, "confirm", number="1")
    assert "its state is now" in do(admin, import_, "confirm", number="1")


def test_equal_asks_for_two_numbers(admin: Client, registration: Registration) -> None:
    request_subjects(registration=registration, entries=[SubjectEntry(ONE), SubjectEntry(TWO)], requested_by="ann")
    import_ = uploaded(admin, TWO, THREE, "nonsense", mode="equal")
    text = page(admin, import_)
    assert "To confirm, enter 1, the maximum number of new billable companies" in text
    assert "enter the number of companies to remove" in text
    assert "1 row could not be read. Their companies may be among those that will be removed." in text
    do(admin, import_, "confirm", number="1")
    assert state_of(import_) == ImportState.READ
    do(admin, import_, "confirm", number="1", removals="1")
    assert state_of(import_) == ImportState.CONFIRMED


def test_undoing_says_what_stays_billed(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE)
    do(admin, import_, "confirm", number="1")
    import_.refresh_from_db()
    work_on(import_)
    assert "The import is being undone" in do(admin, import_, "undo")
    import_.refresh_from_db()
    work_on(import_)
    assert "1 company is no longer requested. None of them was monitored" in page(admin, import_)


def test_cancelling(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE)
    assert "Cancelled. No changes were made." in do(admin, import_, "cancel")
    assert not Subject.objects.exists()


# Rights


def test_rights_are_apart(registration: Registration) -> None:
    looker = somebody("vera")
    uploader = somebody("ute", "add_subjectimport")
    confirmer = somebody("carl", "confirm_import")
    assert looker.get(UPLOAD).status_code == looker.post(UPLOAD, a_form(ONE)).status_code == 403
    import_ = uploaded(uploader, ONE, "60704780")
    assert page(looker, import_)
    for action in ("pad", "leave-out", "confirm", "approve", "cancel", "undo"):
        assert looker.post(f"{LIST}{import_.pk}/do/{action}/", {"number": "1"}).status_code == 403, action
    do(uploader, import_, "leave-out")
    do(uploader, import_, "confirm", number="1")
    assert state_of(import_) == ImportState.READ
    do(confirmer, import_, "confirm", number="1")
    assert state_of(import_) == ImportState.CONFIRMED


def test_above_the_cap_somebody_else_approves() -> None:
    a_contract(cap=1)
    a_registration()
    ann = somebody("ann", "add_subjectimport", "confirm_import", "approve_import")
    bob = somebody("bob", "approve_import")
    import_ = uploaded(ann, ONE, TWO)
    assert "needs a second approval after you confirm: it adds more than the limit of 1 new billable company" in page(
        ann, import_
    )
    do(ann, import_, "confirm", number="2")
    assert state_of(import_) == ImportState.AWAITING_APPROVAL
    assert "another user must approve it" in page(ann, import_)
    do(ann, import_, "approve")
    assert state_of(import_) == ImportState.AWAITING_APPROVAL
    do(bob, import_, "approve")
    assert state_of(import_) == ImportState.CONFIRMED


def test_nothing_is_done_by_a_mere_link(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE)
    assert admin.get(f"{LIST}{import_.pk}/do/confirm/?number=1").status_code == 405
    assert admin.post(f"{LIST}{import_.pk}/do/burn/").status_code == 404


# Downloads


def test_verdicts_as_csv_and_xlsx(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, "DUNS;Name", f"{ONE};=cmd|' /C calc'!A0", "060704780;-Acme", "-;@x")
    answer = admin.get(f"{LIST}{import_.pk}/validations.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:3] == ["Line", "Validation", "D-U-N-S"]
    assert [row[5] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "'-Acme", "'@x"]
    assert rows[3][3] == "'-"
    answer = admin.get(f"{LIST}{import_.pk}/validations.xlsx")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    sheet = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0)
    assert [row[2] for row in sheet.to_python()[1:]] == [ONE, "060704780", ""]
    assert sheet.to_python()[1][5] == "'=cmd|' /C calc'!A0"


def test_a_download_has_what_became_of_each_row(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE, ONE, "abc")
    assert [row["Result"] for row in downloaded(admin, import_)] == ["", "", ""], "nothing is applied yet"
    do(admin, import_, "confirm", number="1")
    import_.refresh_from_db()
    work_on(import_)
    assert [row["Result"] for row in downloaded(admin, import_)] == ["Requested, not sent", "Skipped", "Rejected"]
    assert [row["Validation"] for row in downloaded(admin, import_)][0] == "New"


def downloaded(client: Client, import_: SubjectImport) -> list[dict[str, str]]:
    answer = client.get(f"{LIST}{import_.pk}/validations.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_downloads_of_one_verdict(admin: Client, registration: Registration) -> None:
    import_ = uploaded(admin, ONE, "abc")
    answer = admin.get(f"{LIST}{import_.pk}/validations.csv?validation=invalid")
    assert b"".join(answer.streaming_content).count(b"\r\n") == 2  # type: ignore[attr-defined]
    assert admin.get(f"{LIST}{import_.pk}/validations.csv?validation=odd").status_code == 404
    assert admin.get(f"{LIST}{import_.pk}/validations.pdf").status_code == 404


def test_a_download_goes_round(admin: Client, registration: Registration) -> None:
    content = a_workbook(("DUNS", "Name", "Reference"), (ONE, "=Acme", "S-1"), (TWO, "Other", "'-7"))
    admin.post(UPLOAD, a_form(content, name="list.xlsx"))
    first = SubjectImport.objects.get()
    work_on(first)
    answer = admin.get(f"{LIST}{first.pk}/validations.xlsx")
    admin.post(UPLOAD, a_form(b"".join(answer.streaming_content), name="again.xlsx"))  # type: ignore[attr-defined]
    second = SubjectImport.objects.order_by("-id")[0]
    work_on(second)
    assert second.new_billable == 2
    text = page(admin, second)
    assert "=Acme" in text
    assert "'=Acme" not in text


# Lists


@pytest.mark.parametrize("name", ["subjectimport", "company", "registration"])
def test_lists_open_with_few_queries(
    admin: Client, registration: Registration, name: str, django_assert_max_num_queries: Any
) -> None:
    uploaded(admin, ONE)
    with django_assert_max_num_queries(12):
        assert admin.get(f"/portfolio/{name}/").status_code == 200


def test_selected_companies_are_removed_by_an_import(admin: Client, registration: Registration) -> None:
    other = a_registration("OTHER")
    request_subjects(registration=registration, entries=[SubjectEntry(ONE), SubjectEntry(TWO)], requested_by="ann")
    form = {"action": "stop_selected", "_selected_action": [ONE], "stop": "yes"}
    answer = admin.post("/portfolio/company/", form)
    import_ = SubjectImport.objects.select_related("registration__contract").get()
    assert answer["Location"] == f"{LIST}{import_.pk}/change/"
    work_on(import_)
    assert (import_.mode, import_.removals, import_.registration_id) == ("remove", 1, registration.pk)
    do(admin, import_, "confirm", number="1")
    import_.refresh_from_db()
    work_on(import_)
    assert list(Subject.objects.filter(requested=True).values_list("company_id", flat=True)) == [TWO]
    request_subjects(registration=other, entries=[SubjectEntry(TWO)], requested_by="ann")
    form["_selected_action"] = [TWO]
    assert admin.post("/portfolio/company/", form)["Location"] == LIST


def test_who_stops_monitoring_sees_first_what_ends_and_what_stays_billed(
    admin: Client, registration: Registration, django_assert_max_num_queries: Any
) -> None:
    Contract.objects.update(anniversary=date(2026, 2, 7))
    request_subjects(registration=registration, entries=[SubjectEntry(ONE), SubjectEntry(TWO)], requested_by="ann")
    Subject.objects.filter(company=ONE).update(state=SubjectState.MONITORED)
    form = {"action": "stop_selected", "_selected_action": [ONE, TWO], "select_across": "0"}
    with django_assert_max_num_queries(16):
        answer = admin.post("/portfolio/company/", form)
    text = text_of(answer)
    assert f"{registration.reference} To remove 2 companies" in text
    assert "Billed this contract year 1 company. No refund: they stay billed" in text
    renewal = text[text.index("Renewal") :]
    assert re.match(r"Renewal Will not renew on 7 February 20\d\d, if D&B has removed them", renewal), renewal[:90]
    assert not SubjectImport.objects.exists()
    page = answer.content.decode()
    hidden = re.findall(
        r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page[page.index("You will no longer receive") :]
    )
    assert sorted({pair for pair in hidden if pair[0] != "csrfmiddlewaretoken"}) == sorted(
        [("action", "stop_selected"), ("_selected_action", ONE), ("_selected_action", TWO), ("select_across", "0")]
    )
    admin.post("/portfolio/company/", {**form, "stop": "yes"})
    import_ = SubjectImport.objects.get()
    assert "Selected from a list" in text_of(admin.get(f"{LIST}{import_.pk}/change/"))


def test_who_stops_monitoring_sees_also_for_which_companies_nothing_ends(
    admin: Client, registration: Registration
) -> None:
    """Those that nobody wants, and those that D&B goes on monitoring in a registration where nobody wants them."""
    other = a_registration("OTHER")
    request_subjects(registration=registration, entries=[SubjectEntry(ONE)], requested_by="ann")
    request_subjects(registration=other, entries=[SubjectEntry(ONE), SubjectEntry(TWO)], requested_by="ann")
    Subject.objects.filter(registration=other).update(requested=False, state=SubjectState.MONITORED)
    form = {"action": "stop_selected", "_selected_action": [ONE, TWO], "select_across": "0"}
    text = text_of(admin.post("/portfolio/company/", form))
    assert f"No change for 1 company, because no registration requests them: {TWO}" in text
    assert "Other registrations still monitor 1 company of these." in text
    assert f"{registration.reference} To remove 1 company" in text and "OTHER To remove" not in text


def test_a_selected_registration_is_imported_into(admin: Client, registration: Registration) -> None:
    form = {"action": "stop_selected", "_selected_action": [str(registration.pk)]}
    location = admin.post("/portfolio/registration/", form)["Location"]
    assert location == f"{UPLOAD}?registration={registration.pk}&mode=remove"
