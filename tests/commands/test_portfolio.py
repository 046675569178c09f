"""sync_portfolio, adopt and reconcile from the command line."""

from pathlib import Path

import pytest
from django.core.management import CommandError

from direct_plus.sandbox.control.client import SandboxControl
from portfolio.models import Contract, Registration, Subject
from tests.builders.commands import Run
from tests.builders.companies import duns_numbers
from tests.builders.registrations import REFERENCE, a_registration
from tests.builders.subjects import request_monitoring, states
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
A, B, C = duns_numbers(3)


@pytest.fixture
def registration(contract: Contract, control: SandboxControl) -> Registration:
    return a_registration(REFERENCE, contract=contract)


def test_adopt_reconcile_and_sync(run: Run, registration: Registration, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [A, B], seed=False)
    (path,) = control.deliver(REFERENCE, "DunsExport")
    assert "2 companies at D&B" in run("adopt", REFERENCE, path, look=True)
    registration.refresh_from_db()
    assert not registration.adopted
    assert "2 companies are now requested" in run("adopt", REFERENCE)
    assert "0 requested but not at D&B, 0 refused by D&B, 0 at D&B but not requested" in run("reconcile", REFERENCE)
    request_monitoring(registration, [C])
    plan = run("sync_portfolio", dry_run=True)
    assert f"POST /v1/monitoring/registrations/{REFERENCE}/subjects/{C}" in plan and "1 call, none made" in plan
    assert calls_of(control) == []
    assert "Ended: 1 sent, 1 accepted, 0 refused" in run("sync_portfolio", REFERENCE)
    assert control.subjects(REFERENCE) == [A, B, C]
    assert "There is nothing to send" in run("sync_portfolio")


def test_a_file_only_adds_unless_it_is_complete(run: Run, registration: Registration, tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text(f"{A}\n{B}\n")
    new.write_text(f"{B}\n")
    run("adopt", REFERENCE, str(old), look=True)
    text = run("reconcile", REFERENCE, str(new))
    assert "1 company reported before" in text and A in text and "repeat the command with --complete" in text
    assert states(registration) == {A: "monitored", B: "monitored"}
    text = run("reconcile", REFERENCE, str(old))
    assert "only added" in text and "repeat the command with --complete" in text, "whoever is not on it stays the same"
    assert "1 no longer at D&B" in run("adopt", REFERENCE, str(new), look=True, complete=True)
    assert states(registration) == {A: "removed", B: "monitored"}


def test_an_empty_list_is_to_be_confirmed(run: Run, registration: Registration) -> None:
    with pytest.raises(CommandError, match="not known yet.*repeat the command with --empty"):
        run("adopt", REFERENCE)
    assert "0 companies are now requested" in run("adopt", REFERENCE, empty=True)


def test_a_list_is_checked(run: Run, registration: Registration, control: SandboxControl, tmp_path: Path) -> None:
    control.add_companies(REFERENCE, [A], seed=False)
    path = tmp_path / "mine.txt"
    path.write_text(f"{A}\n{B}\n")
    text = run("adopt", REFERENCE, str(path), check=True)
    assert "Checking 2 numbers at D&B. This takes less than a minute" in text and "1 of 2 are at D&B" in text
    assert Subject.objects.get(requested=True).company_id == A


def test_a_check_that_stands_still_says_so(
    run: Run, registration: Registration, control: SandboxControl, tmp_path: Path
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"{A}\n")
    control.set_fault("quota", on="subject")
    with pytest.raises(CommandError, match="quota.*continues it"):
        run("adopt", REFERENCE, str(path), check=True)
    registration.refresh_from_db()
    assert not registration.adopted


def test_reconcile_with_a_file_names_the_numbers(run: Run, registration: Registration, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [B], seed=False)
    (path,) = control.deliver(REFERENCE, "DunsExport")
    text = run("reconcile", REFERENCE, path)
    assert f"At D&B but not requested: {B}" in text


def test_trouble_ends_in_a_sentence(run: Run, registration: Registration, control: SandboxControl) -> None:
    with pytest.raises(CommandError, match="No registration is adopted yet"):
        run("sync_portfolio")
    with pytest.raises(CommandError, match="not adopted yet"):
        run("sync_portfolio", REFERENCE)
    with pytest.raises(CommandError, match="does not exist"):
        run("adopt", REFERENCE, "/nowhere/list.txt")
    with pytest.raises(CommandError, match="needs a FILE"):
        run("adopt", REFERENCE, check=True)
    with pytest.raises(CommandError):
        run("reconcile", REFERENCE, "/nowhere/list.txt")
    Registration.objects.update(adopted=True)
    request_monitoring(registration, [A])
    control.set_fault("quota", on="subject")
    with pytest.raises(CommandError, match="quota of calls is used up"):
        run("sync_portfolio")
