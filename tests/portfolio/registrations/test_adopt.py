"""Taking over what D&B has: nothing is sent, nothing is billed, and from then on the numbers are known."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.billing.new_billable import new_billable
from portfolio.jobs import check_lists
from portfolio.models import CheckState, MembershipCheck, Registration, Subject, SubjectState
from portfolio.reconciliation.reconcile import drift
from portfolio.registrations import adopt
from portfolio.registrations.adopt import (
    NothingToCheck,
    adopt_as_requested,
    cancel_check,
    go_on_checking,
    is_number_known,
    learn_is_in,
    read_listing,
    start_check,
)
from portfolio.registrations.dnb_list_files import WrongFile, apply_export, is_whole
from portfolio.registrations.membership_evidence import Seen, apply_evidence, evidence_of
from portfolio.sync.run import sync
from portfolio.sync.verify import duration_text
from tests.builders.companies import duns_numbers
from tests.builders.subjects import a_subject, request_monitoring, states, subject, withdraw_request
from tests.engines import engine
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
A, B, C = duns_numbers(3)
MANY = 300 if engine() == "mongodb" else 20_000
NOW = timezone.now()


def exported(control: SandboxControl, registration: Registration, **how: Any) -> list[Path]:
    return [Path(path) for path in control.deliver(registration.reference, "DunsExport", **how)]


def test_a_large_list_is_adopted_from_a_file(registration: Registration, control: SandboxControl) -> None:
    """A customer with many companies at D&B and an empty program."""
    there = duns_numbers(MANY)
    control.add_companies(registration.reference, there, seed=False)
    assert not is_number_known(registration.contract)
    result = apply_export(registration, exported(control, registration), by="ann")
    assert (result.listed, result.newly_known, result.gone, result.unreadable) == (MANY, MANY, 0, [])
    assert drift(registration).extra == MANY
    assert new_billable(registration.contract, there) == set()
    assert adopt_as_requested(registration, by="ann") == MANY
    assert is_number_known(registration.contract)
    found = drift(registration)
    assert (found.is_none, found.unsent, found.pending) == (True, 0, 0)
    assert sync(registration) is None
    assert calls_of(control) == []
    assert control.subjects(registration.reference) == there
    assert AuditEntry.objects.filter(action="adopt", actor="ann").count() == 1


def test_a_file_again_changes_nothing(registration: Registration, control: SandboxControl) -> None:
    control.add_companies(registration.reference, [A, B], seed=False)
    paths = exported(control, registration)
    apply_export(registration, paths, by="ann")
    before = list(Subject.objects.order_by("pk").values())
    again = apply_export(registration, paths, by="ann")
    assert (again.listed, again.newly_known, again.gone) == (2, 0, 0)
    assert list(Subject.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("before", "learnt", "state"),
    [
        (SubjectState.UNKNOWN, 1, SubjectState.MONITORED),
        (SubjectState.PENDING_ADD, 1, SubjectState.MONITORED),
        (SubjectState.REFUSED, 1, SubjectState.MONITORED),
        (SubjectState.REMOVED, 1, SubjectState.MONITORED),
        (SubjectState.MONITORED, 0, SubjectState.MONITORED),
        (SubjectState.PENDING_REMOVE, 0, SubjectState.PENDING_REMOVE),
    ],
)
@pytest.mark.parametrize("is_overtaken", [False, True])
def test_a_list_says_who_is_in_whatever_was_known(
    registration: Registration,
    monkeypatch: pytest.MonkeyPatch,
    before: SubjectState,
    learnt: int,
    state: SubjectState,
    is_overtaken: bool,
) -> None:
    """Also where another process inserts the company between the look and the insert."""
    a_subject(A, registration, state=before, requested=False, requested_at=NOW, checked_at=NOW - timedelta(days=9))
    if is_overtaken:
        looked, before_it_came = adopt._states, [True]
        monkeypatch.setattr(
            adopt, "_states", lambda keys: {} if before_it_came and before_it_came.pop() else looked(keys)
        )
    assert learn_is_in(registration, [A, B], dnb_time=NOW) == learnt + 1
    row = subject(registration, A)
    assert (row.state, row.requested) == (state, False)
    assert (row.requested_at is None) == (before == SubjectState.REMOVED)
    assert states(registration)[B] == SubjectState.MONITORED
    assert subject(registration, B).monitored_since == NOW.date()


def test_a_list_does_not_bring_back_who_has_left_since(registration: Registration) -> None:
    a_subject(A, registration, state=SubjectState.REMOVED, checked_at=NOW)
    assert learn_is_in(registration, [A], dnb_time=NOW - timedelta(hours=1)) == 0
    assert states(registration) == {A: SubjectState.REMOVED}


def test_a_stay_that_goes_on_keeps_its_first_day(registration: Registration) -> None:
    began, ended = NOW.date() - timedelta(days=50), NOW.date() - timedelta(days=5)
    a_subject(A, registration, state=SubjectState.PENDING_ADD, monitored_since=began)
    a_subject(B, registration, state=SubjectState.PENDING_ADD, monitored_since=began, monitored_until=ended)
    assert learn_is_in(registration, [A, B], dnb_time=NOW) == 2
    days = {row.company_id: (row.monitored_since, row.monitored_until) for row in Subject.objects.all()}
    assert days == {A: (began, None), B: (NOW.date(), None)}


def test_a_list_in_parts_is_whole_only_together(registration: Registration, control: SandboxControl) -> None:
    control.add_companies(registration.reference, [A, B, C], seed=False)
    paths = exported(control, registration, per_file=2)
    assert is_whole(paths) and not is_whole(paths[1:])
    apply_evidence(registration, {"999999999": Seen(NOW - timedelta(days=9), NOW - timedelta(days=9), True)} | {})
    assert apply_export(registration, paths[1:], by="ann").gone == 0
    assert apply_export(registration, paths, by="ann").gone == 1
    assert states(registration) == {A: "monitored", B: "monitored", C: "monitored", "999999999": "removed"}


@pytest.fixture(autouse=True)
def known_company(db: None) -> None:
    from portfolio.models import Company

    Company.objects.get_or_create(duns="999999999")
    for duns in (A, B, C):
        Company.objects.get_or_create(duns=duns)


def test_a_file_of_another_registration_is_refused(registration: Registration, tmp_path: Path) -> None:
    other = tmp_path / "OTHER_20260105080000_DunsExport_1.txt"
    other.write_text(f"{A}\n")
    with pytest.raises(WrongFile, match="OTHER"):
        apply_export(registration, [other], by="ann")
    wrong = tmp_path / "ACME_LOD_01_20260105080000_Exceptions.txt"
    wrong.write_text("DUNS\tCode\tInformation\n")
    with pytest.raises(WrongFile, match="wrong kind of file \\(Exceptions"):
        apply_export(registration, [wrong], by="ann")


def test_a_renamed_file_is_read_and_says_what_it_could_not(registration: Registration, tmp_path: Path) -> None:
    path = tmp_path / "our list.txt"
    path.write_text(f"\ufeffDUNS\n{A}\n10-000-0001\n1234567\n{A}\n")
    result = apply_export(registration, [path], by="ann")
    assert (result.listed, result.unreadable) == (2, ["1234567"])
    assert "1 line unreadable" in str(result)


def test_a_list_may_hold_comments_labels_and_blank_lines() -> None:
    lines = ["# DUNS 804735139, gone", "", f"'{A} # Gorman, {C}", f"DUNS: {B}; # and no more", "Unit #5, 060704780"]
    listing = read_listing(lines)
    assert (listing.numbers, listing.unreadable) == ([A, B, "060704780"], ["Unit #5"])


def test_a_pasted_list_is_checked_one_by_one(registration: Registration, control: SandboxControl) -> None:
    control.add_companies(registration.reference, [A, C], seed=False)
    listing = read_listing([f"{A}, {B}", C, "D-U-N-S", "12345678"])
    assert (listing.numbers, listing.unreadable) == ([A, B, C], ["12345678"])
    row = start_check(registration, listing.numbers, by="ann")
    assert check_lists() == 1
    row.refresh_from_db()
    assert (row.state, row.position, row.present) == (CheckState.ENDED, 3, 2)
    assert states(registration) == {A: "monitored", C: "monitored"}
    assert {call["method"] for call in calls_of(control)} == {"GET"}
    assert check_lists() == 0


def test_a_check_goes_on_where_it_stopped(registration: Registration, control: SandboxControl) -> None:
    there = duns_numbers(45)
    control.add_companies(registration.reference, there, seed=False)
    row = start_check(registration, there, by="ann")
    control.set_fault("quota", on="subject", after=25)
    assert not go_on_checking(row)
    row.refresh_from_db()
    assert row.position == 20 and "quota" in row.error
    control.clear_faults()
    assert go_on_checking(row)
    row = MembershipCheck.objects.get(pk=row.pk)
    assert (row.position, row.present, row.error) == (45, 45, "")


def test_a_check_out_of_time_or_cancelled_asks_no_more(registration: Registration, control: SandboxControl) -> None:
    row = start_check(registration, [A], by="ann")
    assert not go_on_checking(row, until=timezone.now())
    assert cancel_check(row, by="ann") and not cancel_check(row, by="ann")
    assert not go_on_checking(row)
    assert calls_of(control) == []
    with pytest.raises(NothingToCheck):
        start_check(registration, [], by="ann")


@pytest.mark.parametrize(
    ("count", "words"), [(10, "less than a minute"), (1000, "about 4 min"), (50_000, "about 2 h 55 min")]
)
def test_the_hours_are_told_before(count: int, words: str) -> None:
    assert duration_text(count) == words


def test_what_is_wanted_already_stays_as_it_is(registration: Registration, control: SandboxControl) -> None:
    request_monitoring(registration, [A, B], by="bob")
    control.add_companies(registration.reference, [A, C], seed=False)
    apply_export(registration, exported(control, registration), by="ann")
    assert adopt_as_requested(registration, by="ann") == 1
    assert subject(registration, A).requested_by == "bob"
    sync(registration)
    assert control.subjects(registration.reference) == [A, B, C]
    assert len(calls_of(control)) == 1


# Evidence


def days(count: float) -> Any:
    return NOW + timedelta(days=count)


def test_a_notification_proves_that_a_company_is_monitored(registration: Registration) -> None:
    seen = evidence_of([(A, "UPDATE", days(-2)), (A, "SEED", days(-9)), (B, "EXIT", days(-1)), (B, "UPDATE", days(-3))])
    assert apply_evidence(registration, seen) == 2
    one, other = subject(registration, A), subject(registration, B)
    assert (one.state, one.requested, one.monitored_since) == (SubjectState.MONITORED, False, days(-9).date())
    assert (other.state, other.monitored_until) == (SubjectState.REMOVED, days(-1).date())
    before = list(Subject.objects.order_by("pk").values())
    assert apply_evidence(registration, seen) == 0
    assert list(Subject.objects.order_by("pk").values()) == before


def test_older_evidence_moves_the_first_day_back(registration: Registration) -> None:
    apply_evidence(registration, evidence_of([(A, "UPDATE", days(-2))]))
    apply_evidence(registration, evidence_of([(A, "UPDATE", days(-20))]))
    assert subject(registration, A).monitored_since == days(-20).date()
    apply_evidence(registration, evidence_of([(A, "UPDATE", days(0))]))
    assert subject(registration, A).monitored_since == days(-20).date()


def test_evidence_settles_what_is_pending(adopted: Registration, control: SandboxControl) -> None:
    adopted.contract.batch_threshold = 0
    request_monitoring(adopted, [A])
    run = sync(adopted)
    assert run is not None and run.pending == 1
    apply_evidence(adopted, evidence_of([(A, "SEED", timezone.now())]))
    run.refresh_from_db()
    assert (run.pending, run.accepted) == (0, 1)
    assert subject(adopted, A).state == SubjectState.MONITORED
    ended = sync(adopted)
    assert ended is None or ended.state == "ended"


def test_what_waited_at_dnb_is_no_evidence_after_a_removal(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    sync(adopted)
    withdraw_request(adopted, [A])
    sync(adopted)
    apply_evidence(adopted, evidence_of([(A, "UPDATE", timezone.now() + timedelta(days=1))]))
    assert subject(adopted, A).state == SubjectState.REMOVED
    apply_evidence(adopted, evidence_of([(A, "UPDATE", timezone.now() + timedelta(days=6))]))
    assert subject(adopted, A).state == SubjectState.MONITORED
    # Somebody has put it there again: nobody here has said that it is to go.
    assert drift(adopted).extra == 1
    assert sync(adopted) is None


def test_leaving_is_drift_and_is_not_undone_by_itself(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    sync(adopted)
    apply_evidence(adopted, evidence_of([(A, "REMOVED", timezone.now())]))
    row = subject(adopted, A)
    assert (row.state, row.requested, row.monitored_until) == (SubjectState.REMOVED, True, date.today())
    assert drift(adopted).missing == 1
    assert sync(adopted) is None


def test_without_dnbs_complete_list_the_number_stays_a_maximum(registration: Registration) -> None:
    """Adopted from what notifications have shown: D&B may monitor and bill more."""
    rows = Registration.objects.filter(pk=registration.pk)
    rows.update(adopted=True)
    assert not is_number_known(registration.contract)
    rows.update(list_received_at=NOW)
    assert is_number_known(registration.contract)
