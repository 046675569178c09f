"""Jobs are small steps over rows: what is due is done, one registration's trouble holds up no other."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from core.blobs import load_bytes
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.session import Session
from monitoring import jobs
from monitoring.models import (
    Change,
    Delivery,
    DeliveryState,
    Notification,
    PassState,
    Publication,
    Purpose,
    ReplayPass,
)
from monitoring.pipeline.ingest import write
from monitoring.pull.puller import announce, pull
from monitoring.replay.passes import audit_is_due
from monitoring.story_order import next_turn
from portfolio import dnb_client
from portfolio.models import Contract, Registration, RegistrationState
from portfolio.registrations.discover import pause_pulling
from tests.builders.deliveries import a_delivery, pull_now
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, an_update
from tests.builders.registrations import a_registration
from tests.servers.sandbox import emit


def updates(count: int) -> list[dict[str, Any]]:
    return [an_update(an_element(current=f"NAME {number}")) for number in range(count)]


def is_due_now(registration: Registration) -> None:
    Registration.objects.filter(pk=registration.pk).update(next_pull_at=timezone.now() - timedelta(seconds=1))


def test_pulls_what_is_due_and_plans_the_next(registration: Registration, control: SandboxControl) -> None:
    emit(control, updates(3))
    is_due_now(registration)
    assert jobs.pull_due() == 1
    assert Notification.objects.count() == 3
    assert jobs.pull_due() == 0


def test_leaves_alone_what_is_paused_until_its_time_comes(registration: Registration, control: SandboxControl) -> None:
    is_due_now(registration)
    pause_pulling(registration, timezone.now() + timedelta(hours=1))
    assert jobs.pull_due() == 0
    pause_pulling(registration, timezone.now() - timedelta(seconds=1))
    assert jobs.pull_due() == 1
    registration.refresh_from_db()
    assert (registration.state, registration.paused_until) == (RegistrationState.ACTIVE, None)


def test_one_registrations_trouble_holds_up_no_other(
    registration: Registration, contract: Contract, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = a_registration("BROKEN", contract=contract)
    is_due_now(broken)
    is_due_now(registration)
    emit(control, updates(2))
    real = pull

    def failing(row: Registration, **options: Any) -> Any:
        if row.pk == broken.pk:
            raise RuntimeError("out of order")
        return real(row, **options)

    monkeypatch.setattr(jobs, "pull", failing)
    assert jobs.pull_due() == 1
    assert Notification.objects.count() == 2
    broken.refresh_from_db()
    assert "out of order" in broken.last_error
    assert broken.next_pull_at is not None
    assert broken.next_pull_at > timezone.now()


def test_an_answer_that_cannot_be_read_now_is_read_later(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit(control, updates(2))
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "ingest", lambda delivery: 1 / 0)
        pull_now(registration)
    delivery = Delivery.objects.get()
    assert (delivery.state, "ZeroDivisionError" in delivery.error) == (DeliveryState.RECEIVED, True)
    assert jobs.ingest_received() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error, Notification.objects.count()) == (DeliveryState.PUBLISHED, "", 2)


def test_repairs_what_is_in_doubt_when_it_has_settled(registration: Registration, control: SandboxControl) -> None:
    pull_now(registration)
    registration.refresh_from_db()
    doubt = announce(registration, 0, next_turn(registration))
    Delivery.objects.filter(pk=doubt.pk).update(state=DeliveryState.IN_DOUBT, ended_at=timezone.now())
    Contract.objects.update(recovery_delay=timedelta(minutes=15))
    jobs.recover_due()
    doubt.refresh_from_db()
    assert doubt.state == DeliveryState.IN_DOUBT, "a first pass at once, but the doubt stays until D&B has settled"
    assert jobs.recover_due() == 1
    assert ReplayPass.objects.count() == 1, "and no further pass before"
    Delivery.objects.filter(pk=doubt.pk).update(ended_at=timezone.now() - timedelta(minutes=16))
    jobs.recover_due()
    doubt.refresh_from_db()
    assert doubt.state == DeliveryState.RECOVERED
    assert jobs.recover_due() == 0


def test_a_pass_goes_on_where_it_stood(registration: Registration, control: SandboxControl) -> None:
    control.switch("stamps", "item")
    emit(control, updates(30))
    pull_now(registration)
    registration.refresh_from_db()
    doubt = announce(registration, 0, next_turn(registration))
    start = timezone.now() - timedelta(days=1)
    Delivery.objects.filter(pk=doubt.pk).update(
        state=DeliveryState.IN_DOUBT, ended_at=timezone.now(), replay_from=start
    )
    control.set_fault("server_error", on="replay", times=1, after=0)
    jobs.recover_due()
    failed = ReplayPass.objects.get()
    assert (failed.state, bool(failed.mark)) == (PassState.FAILED, True)
    jobs.recover_due()
    failed.refresh_from_db()
    assert (failed.state, failed.page_size, failed.mark) == (PassState.ENDED, 50, "")
    doubt.refresh_from_db()
    assert doubt.state == DeliveryState.RECOVERED


def test_audits_the_last_day_once_a_day_and_counts_what_was_lost(
    registration: Registration, control: SandboxControl
) -> None:
    emit(control, updates(4))
    pull_now(registration)
    Delivery.objects.all().update(state=DeliveryState.PUBLISHED)
    Publication.objects.all().delete()
    Change.objects.all().delete()
    Notification.objects.all().delete()
    assert jobs.audit_due() == 1
    found = ReplayPass.objects.get()
    assert (found.purpose, found.state, found.found) == (Purpose.AUDIT, PassState.ENDED, 4)
    pages = list(Delivery.objects.filter(replay_pass=found).order_by("turn"))
    # Nothing was in doubt: it stands for its own first call.
    assert {page.stands_for for page in pages} == {pages[0].turn}
    jobs.audit_due()
    assert ReplayPass.objects.count() == 1


def test_an_audit_waits_until_nothing_is_in_doubt(registration: Registration, control: SandboxControl) -> None:
    """It would find what the doubt has lost, and people would be told that it had passed unnoticed."""
    emit(control, updates(4))
    control.set_fault("drop", times=1)
    control.set_fault("server_error", times=1, on="replay")
    pull_now(registration)
    registration.refresh_from_db()
    registration.last_pulled_at = registration.dnb_time
    assert Delivery.objects.filter(state=DeliveryState.IN_DOUBT).exists()
    assert not audit_is_due(registration, timezone.now())
    Delivery.objects.filter(state=DeliveryState.IN_DOUBT).update(state=DeliveryState.RECOVERED)
    assert audit_is_due(registration, timezone.now())


def test_an_audit_that_finds_nothing_keeps_no_bytes(registration: Registration, control: SandboxControl) -> None:
    emit(control, updates(4))
    pull_now(registration)
    jobs.audit_due()
    replayed = Delivery.objects.filter(source="replay")
    assert {(row.new_count, load_bytes(row.pk)) for row in replayed} == {(0, b"")}


def test_a_stopped_registration_starts_again_when_d_and_b_lets_it(
    registration: Registration, control: SandboxControl
) -> None:
    control.set_fault("http_error", status=403, code="00004", on="pull", times=1)
    pull_now(registration)
    assert jobs.probe_stopped() == 0, "not before an hour has passed"
    is_due_now(registration)
    assert jobs.probe_stopped() == 1
    registration.refresh_from_db()
    assert (registration.state, registration.stopped_reason) == (RegistrationState.ACTIVE, "")


@pytest.fixture
def waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that may be repeated is repeated at once; how long it waits is tested by itself."""
    monkeypatch.setattr(dnb_client, "Session", partial(Session, sleep=lambda seconds: None))


@pytest.mark.usefixtures("waits_for_nothing")
@pytest.mark.parametrize(("status", "requested_again"), [(503, 1), (429, 1), (403, 0)])
def test_no_answer_is_no_refusal_and_costs_no_hour(
    registration: Registration, control: SandboxControl, status: int, requested_again: int
) -> None:
    control.set_fault("http_error", status=403, code="00004", on="pull", times=1)
    pull_now(registration)
    is_due_now(registration)
    code = {503: "00034", 429: "00045", 403: "00004"}[status]
    control.set_fault("http_error", status=status, code=code, on="details")
    assert jobs.probe_stopped() == 0
    control.clear_faults()
    assert jobs.probe_stopped() == requested_again


@pytest.mark.django_db
def test_publishes_and_counts_what_was_left() -> None:
    write(a_delivery(a_notice()))
    assert jobs.publish_read() == 1
    assert jobs.count_days() >= 1
    assert jobs.count_days() == 0
