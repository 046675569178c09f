"""Making D&B's list equal to what is wanted: what is sent, what comes of it, and what stops it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.cached_counts import open_counts
from core.models import AuditEntry, Notice
from direct_plus.client import DirectPlus
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.models import Registration, Subject, SubjectState, SyncRun, SyncState
from portfolio.registrations.dnb_list_files import apply_exceptions
from portfolio.sync import progress
from portfolio.sync.run import CannotSend, planned_calls, sync
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring, states, subject, withdraw_request
from tests.engines import engine
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
FAMILIES = ("subjects", "duns")
A, B, C, D = duns_numbers(4)


@pytest.fixture(params=FAMILIES)
def family(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DNB_SUBJECT_PATH", request.param)
    return str(request.param)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """D&B is asked about what is pending without waiting."""
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")


def synced(registration: Registration, **how: Any) -> SyncRun:
    run = sync(registration, **how)
    assert run is not None
    return run


def test_nothing_is_sent_before_the_list_is_adopted(registration: Registration, control: SandboxControl) -> None:
    request_monitoring(registration, [A])
    with pytest.raises(CannotSend, match="not adopted"):
        sync(registration)
    assert calls_of(control) == []


def test_few_are_sent_one_by_one(adopted: Registration, control: SandboxControl, family: str) -> None:
    request_monitoring(adopted, [A, B])
    run = synced(adopted)
    assert control.subjects(adopted.reference) == [A, B]
    assert {call["path"].rsplit("/", 2)[1] for call in calls_of(control)} == {family}
    assert (run.state, run.to_add, run.sent, run.accepted, run.calls) == (SyncState.ENDED, 2, 2, 2, 2)
    assert open_counts().of("held")["listed"] == 2, "counted as soon as it is sent"
    assert subject(adopted, A).monitored_since == timezone.now().date()
    withdraw_request(adopted, [A])
    run = synced(adopted)
    assert control.subjects(adopted.reference) == [B]
    assert (run.state, run.to_remove, run.accepted) == (SyncState.ENDED, 1, 1)
    assert subject(adopted, A).state == SubjectState.REMOVED
    assert subject(adopted, A).monitored_until == timezone.now().date()


def test_a_second_sync_finds_nothing_to_do(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    synced(adopted)
    assert sync(adopted) is None
    assert len(calls_of(control)) == 1


def test_many_are_sent_as_one_file(adopted: Registration, control: SandboxControl, family: str) -> None:
    run = batch(adopted, duns_numbers(8))
    (call,) = calls_of(control)
    assert (call["kind"], call["status"]) == ("batch", 202)
    assert (run.sent, run.calls, control.subjects(adopted.reference)) == (8, 1, [])  # D&B applies it later
    control.move_clock(10)
    assert control.subjects(adopted.reference) == duns_numbers(8)


def test_customer_references_go_with_single_additions(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    Subject.objects.update(customer_reference="K-17")
    synced(adopted)
    assert control.subjects(adopted.reference) == [A]


def batch(registration: Registration, requested: list[str]) -> SyncRun:
    a_contract(batch_threshold=2)
    registration.contract.refresh_from_db()
    request_monitoring(registration, requested)
    run = synced(registration)
    assert (run.state, run.pending, run.accepted) == (SyncState.RUNNING, len(requested), 0)
    assert set(states(registration).values()) == {SubjectState.PENDING_ADD}
    return run


def test_a_batch_is_followed_by_asking_where_no_file_comes(
    adopted: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    control.add_registration(adopted.reference, destination=None)
    control.mark(A, "deleted")
    batch(adopted, [A, B, C, D])
    control.move_clock(10)
    assert synced(adopted).pending == 4  # too early to ask
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")
    run = synced(adopted)
    assert (run.state, run.accepted, run.refused, run.pending) == (SyncState.ENDED, 3, 1, 0)
    assert states(adopted) == {A: "refused", B: "monitored", C: "monitored", D: "monitored"}
    assert subject(adopted, A).code == "40002"
    assert control.files() == []


def test_an_exceptions_file_settles_refusals(
    adopted: Registration, control: SandboxControl, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.mark(A, "transferred", retained=D)
    control.add_companies(adopted.reference, [B], seed=False)
    batch(adopted, [A, B, C])
    control.move_clock(10)
    (path,) = control.files()
    result = apply_exceptions(adopted, Path(path), by="ann")
    assert (result.refused, result.in_already, result.passed_by) == (1, 1, 0)
    assert states(adopted) == {A: "refused", B: "monitored", C: "pending_add"}
    assert subject(adopted, A).replacement == D
    again = apply_exceptions(adopted, Path(path), by="ann")
    assert (again.refused, again.in_already, again.passed_by) == (0, 0, 2)
    run = progress.open_run(adopted)
    assert run is not None and (run.accepted, run.refused, run.pending) == (1, 1, 1)
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")
    assert synced(adopted).state == SyncState.ENDED


def test_an_old_exceptions_file_settles_nothing_sent_later(
    adopted: Registration, control: SandboxControl, tmp_path: Path
) -> None:
    batch(adopted, [A, B, C])
    old = tmp_path / "ACME_LOD_01_20260105080000_Exceptions.txt"
    old.write_text(f"DUNS\tCode\tInformation\n{A}\t40002\tdeleted\n")
    assert apply_exceptions(adopted, old, by="ann").passed_by == 1
    assert subject(adopted, A).state == SubjectState.PENDING_ADD


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("21012", "monitored"),
        ("10001", "refused"),
        ("10003", "refused"),
        ("40002", "refused"),
        ("40003", "refused"),
        ("10200", "refused"),
        ("40001", "refused"),
        ("49999", "refused"),
    ],
)
def test_each_code_of_an_exceptions_file(
    adopted: Registration, control: SandboxControl, tmp_path: Path, code: str, state: str
) -> None:
    batch(adopted, [A, B, C])
    path = tmp_path / "exceptions.txt"
    path.write_text(f"DUNS\tCode\tInformation\n{A}\t{code}\t{D}\n100\t10003\tinvalid\n")
    apply_exceptions(adopted, path, by="ann")
    row = subject(adopted, A)
    assert (row.state, row.code, row.message) == (state, code, D)
    assert row.replacement == (D if code == "40003" else "")


@pytest.mark.parametrize(("code", "state"), [("21005", "removed"), ("10001", "removed"), ("40002", "monitored")])
def test_each_code_about_a_removal(
    adopted: Registration, control: SandboxControl, tmp_path: Path, code: str, state: str
) -> None:
    request_monitoring(adopted, [A])
    sync(adopted)
    withdraw_request(adopted, [A])
    adopted.contract.batch_threshold = 0
    sync(adopted)
    path = tmp_path / "exceptions.txt"
    path.write_text(f"{A}\t{code}\twords\n")
    apply_exceptions(adopted, path, by="ann")
    assert subject(adopted, A).state == state


def test_removals_go_as_a_file_too(adopted: Registration, control: SandboxControl, family: str, at_once: None) -> None:
    requested = duns_numbers(4)
    request_monitoring(adopted, requested)
    synced(adopted)
    a_contract(batch_threshold=2)
    adopted.contract.refresh_from_db()
    control.remove_companies(adopted.reference, [A])
    withdraw_request(adopted, requested[:3])
    control.switch("batch_delay_seconds", 0)
    synced(adopted)
    control.wait_idle()
    sync(adopted)
    assert len(calls_of(control, "batch")) == 1
    assert control.subjects(adopted.reference) == requested[3:]
    assert sorted(states(adopted).values()) == ["monitored", "removed", "removed", "removed"]


@pytest.mark.parametrize(
    ("mark", "code", "replacement"),
    [
        ("invalid", "10003", ""),
        ("deleted", "40002", ""),
        ("transferred", "40003", D),
        ("unknown", "10001", ""),
        ("10200", "10200", ""),
        ("40001", "40001", ""),
        ("40105", "40105", ""),
        ("49999", "49999", ""),
    ],
)
def test_each_refusal_is_kept_with_its_code(
    adopted: Registration, control: SandboxControl, mark: str, code: str, replacement: str
) -> None:
    control.mark(A, mark, retained=replacement)
    request_monitoring(adopted, [A, B])
    run = synced(adopted)
    assert (run.state, run.accepted, run.refused) == (SyncState.ENDED, 1, 1)
    row = subject(adopted, A)
    assert (row.state, row.code, row.replacement) == (SubjectState.REFUSED, code, replacement)
    assert sync(adopted) is None  # not asked for again by itself


@pytest.mark.parametrize("manner", ["error", "information"])
def test_who_is_there_or_gone_already_is_done(adopted: Registration, control: SandboxControl, manner: str) -> None:
    control.switch("already_listed", manner)
    control.add_companies(adopted.reference, [A], seed=False)
    request_monitoring(adopted, [A, B])
    synced(adopted)
    assert subject(adopted, A).code == "21012"
    control.remove_companies(adopted.reference, [B])
    withdraw_request(adopted, [B])
    synced(adopted)
    assert (subject(adopted, B).state, subject(adopted, B).code) == (SubjectState.REMOVED, "21005")


def test_a_call_without_an_end_is_made_again_while_wanted(adopted: Registration, control: SandboxControl) -> None:
    control.set_fault("drop", on="subject", times=1)
    request_monitoring(adopted, [A, B])
    run = synced(adopted)
    assert (run.state, run.sent, run.accepted) == (SyncState.ENDED, 2, 2)
    assert control.subjects(adopted.reference) == [A, B]
    assert sum(call["code"] == "21113" for call in calls_of(control)) == 2


def test_what_is_in_doubt_and_no_longer_wanted_is_not_sent_again(
    adopted: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.set_fault("server_error", on="subject", times=1)
    request_monitoring(adopted, [A])
    assert synced(adopted).state == SyncState.FAILED
    withdraw_request(adopted, [A])
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")
    assert synced(adopted, everything=True).state == SyncState.ENDED
    assert states(adopted) == {A: SubjectState.REMOVED}
    assert control.subjects(adopted.reference) == []


def test_a_batch_in_doubt_is_sent_again(adopted: Registration, control: SandboxControl, at_once: None) -> None:
    control.switch("batch_delay_seconds", 0)
    control.set_fault("drop", on="batch", times=1)
    a_contract(batch_threshold=2)
    adopted.contract.refresh_from_db()
    request_monitoring(adopted, duns_numbers(5))
    assert synced(adopted).state == SyncState.FAILED
    run = synced(adopted, everything=True)
    control.wait_idle()
    run = synced(adopted) if run.state != SyncState.ENDED else run
    assert (run.sent, run.accepted) == (5, 5)
    assert control.subjects(adopted.reference) == duns_numbers(5)


@pytest.mark.parametrize(
    ("fault", "words", "heard"),
    [
        ("quota", "quota of calls is used up", True),
        ("not_authorised", "does not accept the API key", True),
        ("server_error", "response was not clear", False),
    ],
)
def test_trouble_is_told_and_tried_again(
    adopted: Registration, control: SandboxControl, fault: str, words: str, heard: bool
) -> None:
    control.set_fault(fault, on="subjects")
    request_monitoring(adopted, [A])
    run = synced(adopted)
    assert run.state == SyncState.FAILED and words in run.error
    assert run.retry_at is not None and run.retry_at > timezone.now()
    assert Notice.objects.filter(kind="sync").exists() == heard
    assert synced(adopted).state == SyncState.FAILED  # not before its time
    control.clear_faults()
    SyncRun.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    assert synced(adopted).state == SyncState.ENDED
    assert control.subjects(adopted.reference) == [A]


def test_a_token_that_is_worth_nothing_is_not_kept(adopted: Registration, control: SandboxControl) -> None:
    """As after the credentials were changed at D&B, or a database was restored."""
    request_monitoring(adopted, [A])
    control.set_fault("not_authorised", on="subject", times=1)
    assert synced(adopted).state == SyncState.FAILED
    tokens = len(calls_of(control, "token"))
    assert synced(adopted, everything=True).state == SyncState.ENDED
    assert len(calls_of(control, "token")) == tokens + 1


@pytest.mark.parametrize("threshold", [0, 5])
def test_a_refused_call_leaves_the_rows_as_they_were(
    adopted: Registration, control: SandboxControl, threshold: int
) -> None:
    a_contract(batch_threshold=threshold)
    adopted.contract.refresh_from_db()
    control.set_fault("quota", on="subjects")
    request_monitoring(adopted, [A, B])
    run = synced(adopted)
    assert set(states(adopted).values()) == {SubjectState.UNKNOWN}
    assert (run.sent, run.pending) == (0, 0)


def test_a_paused_sync_waits_until_it_is_resumed(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A, B, C])
    run = synced(adopted, until=timezone.now())
    assert run.state == SyncState.RUNNING and run.sent == 0
    assert progress.pause_run(run, "ann")
    assert synced(adopted).state == SyncState.PAUSED
    assert calls_of(control) == []
    assert progress.resume_run(run, "ann")
    assert synced(adopted).state == SyncState.ENDED
    assert not progress.pause_run(run, "ann")


def test_what_was_cancelled_stays_unsent_until_a_person_wants_it(
    adopted: Registration, control: SandboxControl
) -> None:
    request_monitoring(adopted, [A])
    run = synced(adopted, until=timezone.now())
    assert progress.cancel_run(run, "ann")
    assert sync(adopted) is None
    request_monitoring(adopted, [B])
    assert synced(adopted).state == SyncState.ENDED
    assert control.subjects(adopted.reference) == [B]
    assert sync(adopted) is None
    assert synced(adopted, everything=True, requested_by="ann").state == SyncState.ENDED
    assert control.subjects(adopted.reference) == [A, B]


def test_wanted_again_after_its_removal_is_added_again(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    synced(adopted)
    withdraw_request(adopted, [A])
    synced(adopted)
    request_monitoring(adopted, [A])
    synced(adopted)
    assert control.subjects(adopted.reference) == [A]
    assert subject(adopted, A).monitored_until is None


def test_only_one_syncs_a_registration(adopted: Registration, control: SandboxControl) -> None:
    from core.leases import holding
    from portfolio.dnb_client import longest_call
    from portfolio.sync.run import hold_of

    request_monitoring(adopted, [A])
    with holding(hold_of(adopted), longest_call()):
        assert sync(adopted) is None
    assert calls_of(control) == []


def test_the_plan_names_the_calls_and_makes_none(adopted: Registration, control: SandboxControl, family: str) -> None:
    request_monitoring(adopted, [A])
    (call,) = planned_calls(adopted)
    assert call == f"POST /v1/monitoring/registrations/ACME_LOD_01/{family}/{A}"
    request_monitoring(adopted, duns_numbers(60))
    (call,) = planned_calls(adopted)
    assert call.startswith("PATCH ") and "60 numbers" in call and family in call
    assert calls_of(control) == []


def test_every_act_is_written_down_with_its_actor(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    synced(adopted, requested_by="ann")
    acts = dict(AuditEntry.objects.values_list("action", "actor"))
    assert acts == {"request": "ann", "sync": "ann", "send_add": "ann", "sync_end": progress.THE_JOB}


def test_a_test_copy_leaves_the_real_list_alone(db: None) -> None:
    row = a_registration(contract=a_contract(base_url="https://plus.dnb.com"), adopted=True)
    request_monitoring(row, [A])
    with pytest.raises(CannotSend, match="DNB_PULL"):
        sync(row)


class Killed(BaseException):
    """What SIGKILL would be in the middle of a call."""


@pytest.mark.every_engine
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["add", "remove"])
@pytest.mark.parametrize("threshold", [0, 50])
def test_ended_around_a_call(
    adopted: Registration,
    control: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    verb: str,
    threshold: int,
) -> None:
    control.switch("batch_delay_seconds", 0)
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")
    if verb == "remove":
        request_monitoring(adopted, [A, B])
        sync(adopted)
        withdraw_request(adopted, [A])
    else:
        request_monitoring(adopted, [A])
    adopted.contract.batch_threshold = threshold
    method = f"{verb}_subject" + ("s" if threshold == 0 else "")
    with monkeypatch.context() as patch:
        patch.setattr(DirectPlus, method, killed(getattr(DirectPlus, method), when))
        with pytest.raises(Killed):
            sync(adopted)
    assert subject(adopted, A).state in (SubjectState.PENDING_ADD, SubjectState.PENDING_REMOVE)
    for _ in range(3):
        sync(adopted)
        control.wait_idle()
    assert control.subjects(adopted.reference) == ([A] if verb == "add" else [B])
    assert subject(adopted, A).state == (SubjectState.MONITORED if verb == "add" else SubjectState.REMOVED)
    assert progress.open_run(adopted) is None


def killed(call: Callable[..., Any], when: str) -> Callable[..., Any]:
    def instead(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            call(*arguments, **named)
        raise Killed

    return instead


def test_many_additions_take_few_calls(adopted: Registration, control: SandboxControl) -> None:
    """300,000 take as many calls as these: one for the additions, one for a token."""
    run = batch(adopted, duns_numbers(2_000 if engine() != "mongodb" else 200))
    assert run.calls == 1


def test_every_fault_at_random_ends_in_what_is_wanted(
    adopted: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")
    for name in ("server_error", "drop", "tear", "expired_token", "gateway_html"):
        control.set_fault(name, on="subject", probability=0.1)
    requested = duns_numbers(40)
    request_monitoring(adopted, requested)
    for _ in range(60):
        run = sync(adopted, everything=True)
        if run is None or run.state == SyncState.ENDED:
            break
    control.clear_faults()
    assert control.subjects(adopted.reference) == requested
    assert set(states(adopted).values()) == {SubjectState.MONITORED}
    added = [call for call in calls_of(control) if call["code"] == "21113" and call["method"] == "POST"]
    assert len(added) == len({call["path"] for call in added})
