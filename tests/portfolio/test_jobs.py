"""What runs by itself for a registration's list."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from portfolio import jobs
from portfolio.jobs import check_lists, sync_due, sync_now, sync_requested
from portfolio.models import CheckState, Proposal, Registration, SyncRun, SyncState
from portfolio.registrations.adopt import start_check
from portfolio.sync import progress
from tests.builders.companies import duns_numbers
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
A, B = duns_numbers(2)


def test_what_is_wanted_is_sent_by_itself(adopted: Registration, control: SandboxControl) -> None:
    assert sync_due() == 0
    request_monitoring(adopted, [A])
    assert sync_due() == 1
    assert control.subjects(adopted.reference) == [A]
    assert sync_due() == 0


def test_what_became_wanted_is_sent_at_once(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    sync_requested(str(adopted.pk))
    assert control.subjects(adopted.reference) == [A]


def test_what_was_cancelled_stays_so_when_something_else_is_sent(
    adopted: Registration, control: SandboxControl
) -> None:
    request_monitoring(adopted, [A])
    run = SyncRun.objects.create(registration=adopted, state=SyncState.RUNNING, started_at=timezone.now())
    progress.cancel_run(run, "ann")
    sync_requested(str(adopted.pk))
    assert control.subjects(adopted.reference) == []


def test_a_replacement_is_proposed_as_soon_as_d_and_b_names_it(adopted: Registration, control: SandboxControl) -> None:
    control.mark(A, "transferred", retained=B)
    request_monitoring(adopted, [A])
    sync_requested(str(adopted.pk))
    assert Proposal.objects.get().replacement == B


def test_what_is_not_adopted_is_left_alone(registration: Registration, control: SandboxControl) -> None:
    request_monitoring(registration, [A])
    assert sync_due() == 0
    sync_requested(str(registration.pk))
    assert "not adopted" in sync_now(str(registration.pk), "ann")
    assert calls_of(control) == []


def test_paused_and_not_yet_due_runs_wait(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    run = SyncRun.objects.create(
        registration=adopted,
        started_at=timezone.now(),
        state=SyncState.FAILED,
        retry_at=timezone.now() + timedelta(minutes=5),
    )
    assert sync_due() == 0
    progress.pause_run(run, "ann")
    assert sync_due() == 0
    assert calls_of(control) == []


def test_trouble_with_one_registration_holds_up_no_other(
    adopted: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_registration("ACME_LOD_02", contract=adopted.contract, adopted=True)
    control.add_registration(other.reference)
    request_monitoring(adopted, [A])
    request_monitoring(other, [B])
    real: Callable[..., object] = jobs.__dict__["sync"]

    def breaks(registration: Registration, **how: object) -> object:
        if registration.pk == adopted.pk:
            raise RuntimeError("a fault of ours")
        return real(registration, **how)

    monkeypatch.setattr(jobs, "sync", breaks)
    assert sync_due() == 1
    assert control.subjects(other.reference) == [B]


def test_a_long_list_leaves_time_for_the_others() -> None:
    now = timezone.now()
    share = jobs._share_of(now + timedelta(seconds=50), 5) - now
    assert timedelta(seconds=9) < share < timedelta(seconds=11)
    assert jobs._share_of(now - timedelta(seconds=1), 2) >= now


def test_lists_are_asked_about_once(registration: Registration, control: SandboxControl) -> None:
    row = start_check(registration, [A, B], by="ann")
    assert check_lists() == 1 and check_lists() == 0
    row.refresh_from_db()
    assert row.state == CheckState.ENDED
    assert len(calls_of(control)) == 2
