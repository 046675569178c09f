"""What a person reads who asks which registrations there are."""

import pytest
from django.core.management import CommandError

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from portfolio.models import Contract, Registration, RegistrationState
from tests.builders.commands import Run
from tests.builders.registrations import REFERENCE

pytestmark = pytest.mark.django_db


def the_one() -> Registration:
    return Registration.objects.get(reference=REFERENCE)


def test_without_credentials_it_names_the_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DNB_API_KEY", raising=False)
    with pytest.raises(CommandError, match="DNB_API_KEY is not set"):
        run("sync_registrations")


def test_new_registrations_arrive_paused(run: Run, control: SandboxControl) -> None:
    control.add_registration("ACME_LOD_02")
    said = run("sync_registrations")
    assert "2 registrations, 2 new" in said
    assert f"{REFERENCE} (paused, new)" in said
    assert Contract.objects.get().name == "default"
    assert "2 registrations, 0 new" in run("sync_registrations")
    assert set(Registration.objects.values_list("state", flat=True)) == {RegistrationState.PAUSED}


def test_start_begins(run: Run, control: SandboxControl) -> None:
    said = run("sync_registrations", start=True, every=1)
    assert f"{REFERENCE} (active, new)" in said
    assert (the_one().state, the_one().cadence_every) == (RegistrationState.ACTIVE, 1)
    assert the_one().next_pull_at is not None


def test_start_leaves_alone_what_is_pulled_already(run: Run, control: SandboxControl) -> None:
    run("sync_registrations", start=True)
    before = the_one().next_pull_at
    run("sync_registrations", start=True)
    assert the_one().next_pull_at == before


@pytest.mark.parametrize("options", [{"every": 5}, {"every": 0, "start": True}, {"every": 5000, "start": True}])
def test_every_goes_with_start_and_has_bounds(run: Run, options: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="from 1 to 2880"):
        run("sync_registrations", **options)


def test_a_refusal_of_the_credentials_is_a_sentence(
    run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNB_API_SECRET", "wrong")
    with pytest.raises(CommandError, match="^default: .*00041"):
        run("sync_registrations")


def test_details_that_cannot_be_read_are_told_and_the_rest_is_kept(run: Run, control: SandboxControl) -> None:
    control.set_fault("http_error", on="details", status=400, code="00003")
    with pytest.raises(CommandError, match=f"{REFERENCE}: the details could not be loaded"):
        run("sync_registrations")
    assert the_one().state == RegistrationState.PAUSED
