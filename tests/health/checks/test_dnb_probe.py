"""Asking D&B over real HTTP: it answers, it is away, it refuses the key, its clock is off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from direct_plus.sandbox.run import Sandbox, start_sandbox
from health.checks import dnb_probe
from health.checks.context import begin_look
from health.checks.dnb_probe import ask, probe_due
from health.jobs import look_after
from health.models import Probe, Sample, State
from monitoring.jobs import probe_stopped
from monitoring.pull.rejections import PROBE
from portfolio.models import Contract, Registration, RegistrationState
from tests.builders.checks import look_at, state_of
from tests.builders.probes import a_probe
from tests.builders.registrations import a_registration
from tests.builders.times import ago

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]


@pytest.fixture
def sandbox(well: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with start_sandbox(switches={"calls_per_second": 0}) as running:
        monkeypatch.setenv("DNB_BASE_URL", running.url)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
        monkeypatch.setenv("DNB_CALLS_PER_SECOND", "1000")
        Probe.objects.all().delete()
        yield running


def asked() -> Probe:
    a_probe(called_at=ago(hours=1), **({} if Probe.objects.exists() else {"answered_at": None}))
    ask(Contract.objects.get())
    Probe.objects.update(called_at=timezone.now())
    return Probe.objects.get()


def test_it_answers(sandbox: Sandbox) -> None:
    row = asked()
    assert row.reason == "" and row.answered_at and row.token_until
    assert "accepted the API key" in look_at("dnb:default").sentence
    assert state_of("clock:default") == State.OK


def test_it_refuses_the_key_and_takes_the_right_one_again(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_SECRET", "wrong")
    assert asked().refused
    assert state_of("dnb:default") == State.CRITICAL
    monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
    assert asked().failing_since is None
    assert state_of("dnb:default") == State.OK


def test_what_was_stopped_with_the_key_starts_at_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only after the hour that a stopped registration waits otherwise."""
    row = Registration.objects.get()
    sandbox.control.add_registration(row.reference)
    monkeypatch.setenv("DNB_API_SECRET", "wrong")
    asked()
    Registration.objects.update(state=RegistrationState.STOPPED, next_pull_at=timezone.now() + timedelta(hours=1))
    assert probe_stopped() == 0
    monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
    sandbox.control.set_fault("http_error", on="entitlements", times=1, status=429, code="00045")
    assert asked().reason and not Probe.objects.get().refused
    asked()
    assert OrmQ.objects.count() == 1
    assert probe_stopped() == 1
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE


def a_stop() -> None:
    Registration.objects.update(state=RegistrationState.STOPPED, next_pull_at=timezone.now() + PROBE)


def test_a_refusal_too_short_to_be_seen_costs_no_hour_either(sandbox: Sandbox) -> None:
    sandbox.control.add_registration(Registration.objects.get().reference)
    assert asked().reason == ""
    a_stop()
    assert asked().reason == ""
    assert (OrmQ.objects.count(), probe_stopped()) == (1, 1)


def test_what_d_and_b_refuses_though_the_key_is_well_is_asked_once_and_then_by_the_hour(sandbox: Sandbox) -> None:
    sandbox.control.add_registration(Registration.objects.get().reference)
    sandbox.control.set_fault("http_error", status=403, code="00004", on="details")
    asked()
    a_stop()
    for _ in range(3):
        asked()
        assert probe_stopped() == 0
        assert not dnb_probe.shakes(Registration.objects.get(), Probe.objects.get())
    assert OrmQ.objects.count() == 1
    assert Registration.objects.get().next_pull_at > timezone.now() + timedelta(minutes=50)  # type: ignore[operator]


def test_a_token_that_ended_is_renewed(sandbox: Sandbox) -> None:
    asked()
    sandbox.control.set_fault("expired_token", on="entitlements", times=1)
    assert asked().reason == ""


def test_it_is_away(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.control.set_fault("http_error", on="entitlements", times=1, status=503)
    row = asked()
    assert row.reason and not row.refused and row.failing_since
    assert state_of("dnb:default") == State.WARNING
    first = row.failing_since
    monkeypatch.setenv("DNB_BASE_URL", "http://127.0.0.1:1")
    assert asked().failing_since == first


def test_a_first_look_knows_dnbs_clock(sandbox: Sandbox) -> None:
    sandbox.control.move_clock(-70 * 3600)
    Registration.objects.update(last_pulled_at=timezone.now() - timedelta(hours=70))
    look_after()
    assert state_of(f"fresh:{Registration.objects.get().reference}") == State.OK
    assert not Sample.objects.filter(state=State.CRITICAL).exists()
    assert dnb_probe.probe_new() == 0


def test_its_clock_is_ahead(sandbox: Sandbox) -> None:
    sandbox.control.move_clock(7200)
    assert 7190 < asked().clock_offset < 7210
    found = look_at("clock:default")
    assert (found.state, found.notify) == (State.WARNING, True)


def test_it_is_asked_every_five_minutes_and_every_minute_while_broken() -> None:
    a_probe(called_at=ago(minutes=4))
    assert not dnb_probe.is_due(Probe.objects.get())
    a_probe(called_at=ago(minutes=5))
    assert dnb_probe.is_due(Probe.objects.get())
    a_probe(called_at=ago(minutes=1), reason="away")
    assert dnb_probe.is_due(Probe.objects.get())


def test_a_pull_that_failed_puts_its_answer_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Contract] = []
    monkeypatch.setattr(dnb_probe, "ask", calls.append)
    a_probe(called_at=ago(minutes=1))
    assert probe_due(begin_look()) == 0
    Registration.objects.update(consecutive_failures=1)
    assert probe_due(begin_look()) == 1


def test_a_registration_stopped_since_puts_its_answer_in_doubt_once() -> None:
    stopped = a_registration(state="stopped", next_pull_at=timezone.now() + timedelta(hours=1))
    assert dnb_probe.shakes(stopped, a_probe(called_at=ago(minutes=2)))
    assert not dnb_probe.shakes(stopped, a_probe(called_at=timezone.now() + timedelta(seconds=1)))


def test_of_two_processes_one_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Contract] = []
    monkeypatch.setattr(dnb_probe, "ask", calls.append)
    a_probe(called_at=timezone.now() - timedelta(minutes=9))
    look = begin_look()
    assert [probe_due(look), probe_due(look)] == [1, 0]
    assert len(calls) == 1
