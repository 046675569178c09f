"""Pulling by hand: what it says, and when it ends with 1."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from monitoring import jobs
from monitoring.deliveries.lease import RegistrationLease, take_lease
from monitoring.models import Delivery, DeliveryState, Notification
from monitoring.pull import wait_for_lease
from portfolio.models import Contract, Registration, RegistrationState
from tests.builders.commands import Run
from tests.builders.registrations import REFERENCE, a_registration


@pytest.fixture
def registration(contract: Contract, control: SandboxControl) -> Registration:
    control.add_companies(REFERENCE, count=15)
    return a_registration(REFERENCE, contract=contract, page_size=10, current_page_size=10)


def test_says_how_to_begin_when_nothing_is_known(run: Run, db: None) -> None:
    assert "sync_registrations --start" in run("pull")


def test_says_how_to_begin_when_all_are_paused(run: Run, registration: Registration) -> None:
    Registration.objects.update(state=RegistrationState.PAUSED)
    assert "No registration is active" in run("pull")


def test_an_unknown_name_ends_in_the_known_ones(run: Run, registration: Registration) -> None:
    with pytest.raises(CommandError, match=f"no registration “ACME”. Available: {REFERENCE}"):
        run("pull", "ACME")


def test_pulls_what_is_active_until_drained(run: Run, registration: Registration, control: SandboxControl) -> None:
    control.add_registration("PAUSED_01")
    a_registration("PAUSED_01", contract=registration.contract, state=RegistrationState.PAUSED)
    said = run("pull")
    assert f"{REFERENCE}: 15 notifications in 2 responses, 15 new, drained." in said
    assert "PAUSED_01" not in said
    assert Notification.objects.count() == 15


def test_a_named_one_is_pulled_though_paused_and_stays_so(run: Run, registration: Registration) -> None:
    Registration.objects.update(state=RegistrationState.PAUSED)
    assert "15 new" in run("pull", REFERENCE)
    registration.refresh_from_db()
    assert registration.state == RegistrationState.PAUSED


def test_what_is_left_in_doubt_is_told_with_the_time_of_its_end(
    run: Run, registration: Registration, control: SandboxControl
) -> None:
    control.set_fault("drop", on="pull", times=1)
    with pytest.raises(CommandError, match=r"1 call is in doubt.*recovers them after 20\d\d-\d\d-\d\d"):
        run("pull")
    # Replay has brought everything at once all the same.
    assert Notification.objects.count() == 15


def test_a_doubt_is_over_after_its_time(run: Run, registration: Registration, control: SandboxControl) -> None:
    control.set_fault("drop", on="pull", times=1)
    with pytest.raises(CommandError):
        run("pull")
    Delivery.objects.filter(state=DeliveryState.IN_DOUBT).update(ended_at=timezone.now() - timedelta(minutes=16))
    assert "drained" in run("pull")
    assert not Delivery.objects.filter(state=DeliveryState.IN_DOUBT).exists()


def test_trouble_names_the_reason_and_the_next_time(
    run: Run, registration: Registration, control: SandboxControl
) -> None:
    control.set_fault("too_many", on="pull", retry_after=120)
    with pytest.raises(CommandError, match=f"{REFERENCE}: refused.*next attempt is at 20"):
        run("pull")


def test_a_refused_token_is_a_sentence(run: Run, registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_SECRET", "wrong")
    with pytest.raises(CommandError, match=f"^{REFERENCE}: "):
        run("pull")


def test_without_credentials_it_names_the_setting(
    run: Run, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DNB_API_SECRET")
    with pytest.raises(CommandError, match="DNB_API_SECRET is not set"):
        run("pull")


def test_one_registration_in_trouble_holds_up_no_other(
    run: Run, registration: Registration, control: SandboxControl
) -> None:
    a_registration("UNKNOWN_AT_DNB", contract=registration.contract, next_pull_at=None)
    with pytest.raises(CommandError, match="UNKNOWN_AT_DNB"):
        run("pull")
    assert Notification.objects.count() == 15


def test_reading_that_has_stopped_is_told(run: Run, registration: Registration) -> None:
    Registration.objects.update(ingest_stopped_reason="Too many were unreadable.")
    with pytest.raises(CommandError, match="Too many were unreadable"):
        run("pull")
    assert Delivery.objects.filter(state=DeliveryState.RECEIVED).count() == 2


def test_what_was_stored_and_cannot_be_read_is_told(
    run: Run, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(delivery: Delivery) -> int:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(jobs, "ingest", fail)
    with pytest.raises(CommandError, match="2 stored responses could not be processed"):
        run("pull")


class Elsewhere:
    """Another process that holds the registration until somebody has waited for it `patience` times."""

    def __init__(self, lease: RegistrationLease, patience: int) -> None:
        self.lease = lease
        self.patience = patience

    def sleep(self, seconds: float) -> None:
        self.patience -= 1
        if self.patience == 0:
            self.lease.release()


def held(registration: Registration, monkeypatch: pytest.MonkeyPatch, patience: int) -> None:
    lease = take_lease(registration.pk)
    assert lease
    monkeypatch.setattr(f"{wait_for_lease.__name__}.time.sleep", Elsewhere(lease, patience).sleep)


def test_waits_for_another_process(run: Run, registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    held(registration, monkeypatch, patience=3)
    said = run("pull")
    assert "another process is pulling it; waiting for up to 120 seconds" in said
    assert "15 new" in said


def test_waits_no_longer_than_told(run: Run, registration: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    held(registration, monkeypatch, patience=10**9)
    with pytest.raises(CommandError, match="another process is pulling it"):
        run("pull", wait=0.05)
    assert Notification.objects.count() == 0
