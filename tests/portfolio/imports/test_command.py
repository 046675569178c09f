"""manage.py import_subjects: verdicts printed, nothing changed by a dry run, the number confirmed exactly."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from core.models import AuditEntry, Blob
from portfolio.models import ImportState, Subject, SubjectImport
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration
from tests.builders.workbooks import two_sheets

pytestmark = pytest.mark.django_db
ONE, TWO = "804735132", "150483782"


@pytest.fixture(autouse=True)
def registration() -> None:
    a_contract(cap=100, removal_share=100)
    a_registration()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(f"DUNS;Name\n{ONE};Acme\n15-048-3782;Other\n60704780;Eaten\nabc;None\n{ONE};Again\n")
    return path


def run(file: Path, **options: Any) -> str:
    out = StringIO()
    call_command("import_subjects", str(file), registration="ACME_LOD_01", stdout=out, **options)
    return out.getvalue()


def test_a_dry_run_judges_and_keeps_nothing(file: Path) -> None:
    text = run(file, dry_run=True)
    assert "1  New\n" in text
    assert "1  New (number reformatted)\n" in text
    assert "line 4: 60704780 has eight digits" in text
    assert "line 5: abc contains characters other" in text
    assert "This import adds up to 2 new billable companies." in text
    for model in (SubjectImport, Blob, Subject, AuditEntry):
        assert not model._default_manager.exists()


def test_a_dry_run_with_the_zeros_put_back(file: Path) -> None:
    assert "This import adds up to 3 new billable companies." in run(file, dry_run=True, pad_zeros=True)


def test_the_number_is_confirmed(file: Path) -> None:
    assert "Done." in run(file, confirm=3, pad_zeros=True)
    assert Subject.objects.filter(requested=True).count() == 3
    assert SubjectImport.objects.get().source == "command"


@pytest.mark.parametrize("number", [0, 2, 4])
def test_another_number_changes_nothing(file: Path, number: int) -> None:
    with pytest.raises(CommandError, match="This import adds up to 3 new billable companies"):
        run(file, confirm=number, pad_zeros=True)
    assert not Subject.objects.exists()


def test_eight_digits_need_a_decision(file: Path) -> None:
    with pytest.raises(CommandError, match="Choose first"):
        run(file, confirm=2)
    assert "Done." in run(file, confirm=2, pad_zeros=False)


def test_without_a_confirmation_it_waits(file: Path) -> None:
    assert "awaits confirmation. Confirm it on its page" in run(file, pad_zeros=False)
    assert SubjectImport.objects.get().state == ImportState.READ


def test_above_the_cap_it_waits_for_a_second_person(file: Path) -> None:
    a_contract(cap=1)
    assert "until another user approves it" in run(file, confirm=2, pad_zeros=False)
    assert not Subject.objects.exists()


def test_equal_takes_both_numbers(file: Path) -> None:
    request_subjects(registration=a_registration(), entries=[SubjectEntry("999999999")], requested_by="ann")
    with pytest.raises(CommandError, match="removes 1 company"):
        run(file, mode="equal", confirm=2, pad_zeros=False)
    run(file, mode="equal", confirm=2, removals=1, pad_zeros=False)
    assert set(Subject.objects.filter(requested=True).values_list("company_id", flat=True)) == {ONE, TWO}


def test_a_removal(file: Path) -> None:
    request_subjects(registration=a_registration(), entries=[SubjectEntry(ONE), SubjectEntry(TWO)], requested_by="ann")
    assert "This import removes 2 companies." in run(file, mode="remove", confirm=2, pad_zeros=False)
    assert not Subject.objects.filter(requested=True).exists()


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_that_cannot_be_read(file: Path, dry_run: bool) -> None:
    file.write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError, match="The file is a PDF"):
        run(file, dry_run=dry_run)


def test_a_file_that_is_not_there_or_too_large(file: Path, settings: LazySettings) -> None:
    with pytest.raises(CommandError, match="could not be opened"):
        run(file.with_name("nowhere.csv"))
    settings.IMPORT_LIMIT_MB = 0
    with pytest.raises(CommandError, match="larger than 0 MB"):
        run(file)


@pytest.mark.parametrize("dry_run", [True, False])
def test_sheets_are_named_and_chosen(file: Path, dry_run: bool) -> None:
    file.write_bytes(two_sheets())
    text = run(file, dry_run=dry_run, sheet="France")
    assert "NOT used: sheet “Germany” (1 row)" in text
    assert "Used: sheet “France” (2 rows)" in text
    assert "2  New\n" in text


def test_an_unknown_registration(file: Path) -> None:
    with pytest.raises(CommandError, match="There is no registration “OTHER”"):
        call_command("import_subjects", str(file), registration="OTHER")
