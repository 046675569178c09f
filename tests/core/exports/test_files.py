"""Lists as files: numbers keep their zeros, nothing calculates, filters hold, and what comes back is what went out."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from core.admin import exports
from core.db import database_now
from core.exports import files, sheets
from core.exports.files import parts_of, remove_old, work_on
from core.exports.spreadsheet_escape import harmless, plain
from core.lists.listings import LISTINGS
from core.models import AuditEntry, Blob, Export, ExportState
from portfolio import jobs
from portfolio.imports.csv_reader import open_table
from portfolio.models import Company, Proposal, ProposalKind, SubjectState
from portfolio.proposals.create import Sign, propose
from tests.builders.companies import DUNS, a_company
from tests.builders.deliveries import delivered, some_news
from tests.builders.notifications import a_transfer
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
OTHER, ZEROS = "150483782", "000000012"
SUBJECTS = "/portfolio/subject/"
NASTY = '=HYPERLINK("http://x")'


def three_subjects() -> None:
    a_company(ZEROS, "Zero Ltd")
    a_company(OTHER, NASTY)
    a_subject(ZEROS, customer_reference="K-1", tags="steel, north", owner="Eve")
    a_subject(OTHER, customer_reference="+49 30", tags="'-quoted", state=SubjectState.REFUSED)
    a_subject(DUNS, requested=False, state=SubjectState.REMOVED)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def export(client: Client, form: str, path: str = SUBJECTS, query: str = "") -> bytes:
    answer = client.post(f"{path}export/?{query}", {"format": form})
    assert answer.status_code == 200, answer
    return body(answer)


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


# Formats


def test_csv_holds_the_list_and_nothing_that_calculates(admin: Client) -> None:
    three_subjects()
    rows = rows_of(export(admin, "csv"))
    assert [row["D-U-N-S"] for row in rows] == [ZEROS, OTHER, DUNS]
    assert rows[0]["Tags"] == "steel, north" and rows[0]["Requested"] == "yes"
    assert rows[1]["Name"] == f"'{NASTY}" and rows[1]["Customer reference"] == "'+49 30"


def test_xlsx_keeps_numbers_as_text(admin: Client, tmp_path: Path) -> None:
    three_subjects()
    file = tmp_path / "x.xlsx"
    file.write_bytes(export(admin, "xlsx"))
    rows = CalamineWorkbook.from_path(str(file)).get_sheet_by_name("Monitored companies").to_python()
    assert rows[0][:5] == ["D-U-N-S", "Name", "Customer reference", "Tags", "Owner"]
    assert rows[1][:5] == [ZEROS, "Zero Ltd", "K-1", "steel, north", "Eve"]
    assert rows[2][1] == f"'{NASTY}"


def test_dates_of_a_spreadsheet_are_dates_and_a_full_sheet_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 2)
    moment, file = datetime(2026, 3, 1, 23, 30, tzinfo=UTC), io.BytesIO()
    rows = [(moment, date(2026, 2, 28), 1999, True), (None, date(1805, 1, 2), 0.5, "=1+1"), ("001", "", "", "")]
    with timezone.override("Europe/Berlin"), sheets.open_sheets(file, constant_memory=True) as found:
        assert found.long_table("A name: longer than a spreadsheet takes", list("abcd"), rows, (9, 9, 9, 9)) == 3
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue()))
    assert book.sheet_names == ["A name  longer than a spreadshe", "A name  longer than a spread 2"]
    first, further = (book.get_sheet_by_index(number).to_python()[1:] for number in (0, 1))
    assert first[0] == [datetime(2026, 3, 2, 0, 30), date(2026, 2, 28), 1999, "yes"]
    assert first[1:] + further == [["", "1805-01-02", 0.5, "'=1+1"], ["001", "", "", ""]]


def test_json_holds_values_as_they_are(admin: Client) -> None:
    three_subjects()
    rows = json.loads(export(admin, "json"))
    assert rows[1]["name"] == NASTY and rows[1]["requested"] is True and rows[1]["monitored_since"] is None


def test_d_and_bs_form_is_one_number_a_line(admin: Client) -> None:
    three_subjects()
    a_subject(ZEROS, a_registration("OTHER_01"))
    assert export(admin, "txt", query="requested=yes") == f"{ZEROS}\n{OTHER}\n".encode()


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "txt"])
def test_an_empty_list_is_a_file_too(admin: Client, form: str) -> None:
    found = export(admin, form)
    assert form == "txt" or found


def test_a_format_that_a_list_does_not_have_is_not_found(admin: Client) -> None:
    assert admin.post("/core/auditentry/export/", {"format": "txt"}).status_code == 404
    assert admin.post(f"{SUBJECTS}export/", {"format": "pdf"}).status_code == 404


# There and back


@given(st.text(alphabet="'=+-@\t\r\n;,\" \N{FULLWIDTH EQUALS SIGN}\N{ZERO WIDTH SPACE}ab", max_size=8))
def test_what_is_made_harmless_comes_back(text: str) -> None:
    assert plain(harmless(text)) == text


@given(st.lists(st.text(alphabet="'=-@\t\r\n;,\" \N{FULLWIDTH EQUALS SIGN}ab", max_size=8), min_size=1, max_size=3))
def test_no_cell_is_a_formula_whatever_a_spreadsheet_parts_them_by(texts: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file).writerow(map(harmless, texts))
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter):
            assert not [cell for cell in row if cell.strip(' "').startswith(tuple("=-@\N{FULLWIDTH EQUALS SIGN}"))]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_exported_can_be_imported_without_loss(admin: Client, form: str) -> None:
    three_subjects()
    table = open_table(export(admin, form))
    found = [(line.duns, line.name, line.customer_reference, line.tags, line.owner) for line in table.lines()]
    assert [duns for duns, *_ in found] == [ZEROS, OTHER, DUNS]
    assert found[0] == (ZEROS, "Zero Ltd", "K-1", "steel, north", "Eve")
    assert found[1] == (OTHER, NASTY, "+49 30", "'-quoted", "")


# Filters


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=refused", [OTHER]),
        ("requested=yes", [ZEROS, OTHER]),
        (f"q={ZEROS}", [ZEROS]),
        ("q=zero", [ZEROS]),
        ("state=monitored&requested=no", []),
    ],
)
def test_the_filters_of_the_list_hold(admin: Client, query: str, expected: list[str]) -> None:
    three_subjects()
    assert [row["D-U-N-S"] for row in rows_of(export(admin, "csv", query=query))] == expected


def test_the_list_leads_there_with_its_filters(admin: Client) -> None:
    three_subjects()
    page = admin.get(f"{SUBJECTS}?state=refused").content.decode()
    assert f'href="{SUBJECTS}export/?state=refused"' in page
    text = text_of(admin.get(f"{SUBJECTS}export/?state=refused"))
    assert "1 row, filtered as in the list" in text and "D-U-N-S numbers, one per line" in text


def test_ticked_rows_are_exported_alone(admin: Client) -> None:
    three_subjects()
    key = a_subject(ZEROS, customer_reference="K-1").pk
    answer = admin.post(SUBJECTS, {"action": "export_selected", "_selected_action": [str(key)]})
    rows = rows_of(body(admin.post(answer["Location"], {"format": "csv"})))
    assert [row["D-U-N-S"] for row in rows] == [ZEROS]


def test_filters_that_nobody_knows_are_not_found(admin: Client) -> None:
    assert admin.get(f"{SUBJECTS}export/?nobody=1").status_code == 404


# Every list


def everything() -> None:
    three_subjects()
    some_news()
    delivered(a_transfer(DUNS))
    propose([Sign(ProposalKind.DELETE, a_registration().pk, OTHER)])
    # The list of reviews has the companies that one is planned for.
    Company.objects.update(next_review_on=timezone.now().date())


# Lists that open without some of their rows.
EVERYTHING = {"monitoring.change": "severity=all"}
LISTS = [name for name, listing in LISTINGS.items() if site.is_registered(listing.model)]


@pytest.mark.parametrize("name", sorted(LISTS))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_list_has_its_export(admin: Client, name: str, form: str) -> None:
    everything()
    app, model = name.split(".")
    path = f"/{app}/{model}/"
    assert "Export" in text_of(admin.get(path))
    content = export(admin, form, path, EVERYTHING.get(name, ""))
    if form == "csv":
        assert len(rows_of(content)) == min(LISTINGS[name].model._default_manager.count(), 10_000)


def test_an_export_is_written_down(admin: Client) -> None:
    three_subjects()
    export(admin, "csv", query="state=refused")
    entry = AuditEntry.objects.get(action="export")
    words = "state at D&B: Refused by D&B"
    assert (entry.actor, entry.summary) == ("ann", f"Monitored companies exported as CSV, filtered by {words}")
    assert f"Query – {words}" in text_of(admin.get(f"/core/auditentry/{entry.pk}/change/"))


# Long lists


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows are a long list."""
    for module in (exports, files):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(files, "NOTED_EVERY", 1)


def test_a_long_list_is_left_by_a_job(admin: Client, short: None) -> None:
    three_subjects()
    answer = admin.post(f"{SUBJECTS}export/?state=refused&requested=yes", {"format": "csv"})
    assert answer.status_code == 200, "one row is no long list"
    answer = admin.post(f"{SUBJECTS}export/", {"format": "csv"}, follow=True)
    assert "Waiting" in text_of(answer) and OrmQ.objects.count() == 1
    key = Export.objects.get(state=ExportState.WAITING).pk
    assert admin.get(f"/core/export/{key}/download/").status_code == 404
    assert jobs.write_exports() == 1 and jobs.write_export(str(key)) is False
    text = text_of(admin.get("/core/export/"))
    assert "Finished" in text and "3 rows" in text
    assert len(rows_of(body(admin.get(f"/core/export/{key}/download/")))) == 3


def a_waiting_export(**fields: Any) -> Export:
    values = {"listing": "portfolio.subject", "format": "csv", "file_name": "x.csv", "requested_by": "ann"}
    return Export.objects.create(**{**values, "requested_at": timezone.now(), **fields})


def test_the_job_keeps_the_filters(admin: Client) -> None:
    three_subjects()
    row = a_waiting_export(query="state=refused")
    assert work_on(row.pk)
    assert len(rows_of(b"".join(parts_of(Export.objects.get())))) == 1


@pytest.mark.parametrize("name", ["nobody", "bob"])
def test_who_may_not_see_the_list_gets_no_file(name: str) -> None:
    a_person("view_company")
    row = a_waiting_export(requested_by=name)
    assert not work_on(row.pk)
    row.refresh_from_db()
    assert row.state == ExportState.FAILED and "no longer" in row.error


def test_what_a_dead_worker_left_is_written_again(admin: Client) -> None:
    three_subjects()
    row = a_waiting_export(state=ExportState.WRITING, lease_until=database_now() + timedelta(minutes=5))
    assert jobs.write_exports() == 0
    Export.objects.update(lease_until=database_now() - timedelta(seconds=1))
    assert jobs.write_exports() == 1
    row.refresh_from_db()
    assert row.state == ExportState.FINISHED and row.rows == 3


def test_who_was_overtaken_notes_nothing(admin: Client, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that stood still for too long finds somebody else at its file."""
    three_subjects()
    row = a_waiting_export()

    def overtaken(*arguments: Any) -> int:
        Export.objects.update(lease_until=database_now() - timedelta(seconds=1))
        monkeypatch.undo()
        assert work_on(row.pk)
        return 0

    monkeypatch.setattr(files, "write_file", overtaken)
    assert not work_on(row.pk)
    row.refresh_from_db()
    assert (row.state, row.rows, row.lease_owner) == (ExportState.FINISHED, 3, None)


def test_large_files_are_kept_in_parts(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PART_SIZE", 100)
    three_subjects()
    content = export(admin, "csv")
    assert len(content) > 200 and len(rows_of(content)) == 3
    assert Blob.objects.count() == -(-len(content) // 100)


def test_files_are_kept_for_a_week(admin: Client) -> None:
    three_subjects()
    export(admin, "csv")
    assert remove_old() == 0
    Export.objects.update(requested_at=timezone.now() - timedelta(days=8))
    assert remove_old() == 1 and not Export.objects.exists() and not Blob.objects.exists()


def test_everybody_sees_own_files_only(admin: Client) -> None:
    three_subjects()
    export(admin, "csv")
    key = Export.objects.get().pk
    admin.force_login(a_person(role="Viewer"))
    assert admin.get(f"/core/export/{key}/download/").status_code == 404
    assert "subjects-" not in text_of(admin.get("/core/export/"))
    assert Proposal.objects.count() == 0
