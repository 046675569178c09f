"""Fetching again by hand."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.deliveries.lease import take_lease
from monitoring.models import Notification, PassState, Purpose, ReplayPass
from portfolio.dnb_client import client_for
from portfolio.models import Contract, Registration
from tests.builders.commands import Run
from tests.builders.contracts import a_contract
from tests.builders.registrations import REFERENCE, a_registration


@pytest.fixture
def registration(contract: Contract, control: SandboxControl) -> Registration:
    control.add_companies(REFERENCE, count=30)
    return a_registration(REFERENCE, contract=contract, dnb_time=None)


def an_hour_ago() -> str:
    return (timezone.now() - timedelta(hours=1)).isoformat()


def test_brings_back_what_somebody_else_has_pulled(run: Run, registration: Registration) -> None:
    client_for(registration.contract).pull(REFERENCE, limit=30)
    said = run("replay", REFERENCE, since=an_hour_ago())
    assert "30 new" in said
    assert Notification.objects.count() == 30
    done = ReplayPass.objects.get()
    assert (done.purpose, done.state) == (Purpose.REQUESTED, PassState.ENDED)


def test_again_it_finds_nothing_new(run: Run, registration: Registration) -> None:
    client_for(registration.contract).pull(REFERENCE, limit=30)
    run("replay", REFERENCE, since=an_hour_ago())
    said = run("replay", REFERENCE, since=an_hour_ago())
    assert "0 new" in said
    assert Notification.objects.count() == 30


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("yesterday", "is not a time"),
        ("2026-02-31", "is not a valid time"),
        ("2020-01-01", "last 14 days"),
        ("2120-01-01T00:00+02:00", "in the future"),
    ],
)
def test_times_that_cannot_be_meant(run: Run, registration: Registration, since: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("replay", REFERENCE, since=since)
    registration.refresh_from_db()
    assert registration.gap_from is None
    assert not ReplayPass.objects.exists()


def test_a_failed_call_is_told_and_goes_on_later(run: Run, registration: Registration, control: SandboxControl) -> None:
    client_for(registration.contract).pull(REFERENCE, limit=30)
    control.set_fault("server_error", on="replay", times=1)
    with pytest.raises(CommandError, match="continues the replay"):
        run("replay", REFERENCE, since=an_hour_ago())
    assert ReplayPass.objects.get().state == PassState.FAILED
    run("pull", REFERENCE)
    assert ReplayPass.objects.get().state == PassState.ENDED
    assert Notification.objects.count() == 30


def test_needs_the_registration_for_itself(run: Run, registration: Registration) -> None:
    assert take_lease(registration.pk)
    with pytest.raises(CommandError, match="another process is still pulling it"):
        run("replay", REFERENCE, since=an_hour_ago(), wait=0)


def test_a_name_in_two_contracts_is_not_guessed(run: Run, registration: Registration) -> None:
    a_registration(REFERENCE, contract=a_contract(name="other"))
    with pytest.raises(CommandError, match="several contracts"):
        run("replay", REFERENCE, since=an_hour_ago())
