"""Each check: when it is well, when it warns, when it is critical, and that it says what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import Schedule, Task

from core.audit import note_act
from core.models import AuditEntry
from health.checks import machine
from health.checks.context import begin_look
from health.checks.registry import SLOW, all_checks, checks_of, headline, problems, summary, together, wrong
from health.checks.result import worst
from health.incidents.lifecycle import open_incident, open_problems
from health.models import Heartbeat, State
from monitoring.models import (
    WEBHOOK_TEST,
    Channel,
    DeadLetter,
    DeliveryState,
    MailAddress,
    MessageState,
    OutboxMessage,
    SendAttempt,
)
from monitoring.pull.admin.details import marks_of
from monitoring.webhooks.endpoints import create_endpoint, discard, switch_off
from portfolio.models import RateLimitSlot, Registration, RegistrationState, SyncRun, SyncState
from portfolio.registrations.pull_job import PULL_JOB
from portfolio.registrations.status import status
from tests.builders.channels import a_channel
from tests.builders.checks import look_at, state_of
from tests.builders.contracts import a_contract
from tests.builders.deliveries import a_call
from tests.builders.heartbeats import a_beat
from tests.builders.messages import a_message
from tests.builders.probes import a_probe
from tests.builders.registrations import a_registration
from tests.builders.times import ago
from tests.support import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]
OK, UNKNOWN, WARNING, CRITICAL = State.OK, State.UNKNOWN, State.WARNING, State.CRITICAL
REFERENCE = "ACME_LOD_01"
TARGET = Heartbeat.key("a channel")


def test_everything_is_well() -> None:
    results = all_checks()
    # Outside production nobody has to set up a backup and a channel for notices.
    assert {result.dedup_key: result.state_word for result in results if result.state != OK} == {
        "backup": "Not set up",
        "listeners": "Not set up",
    }
    assert worst(results) == OK
    assert summary(results) == "Operational — 2 items not set up."
    assert summary([result for result in results if result.state == OK]) == "All systems operational."
    assert all(result.sentence for result in results)


def pulled(**age: float) -> None:
    Registration.objects.update(last_pulled_at=ago(**age), dnb_time=timezone.now())


def stopped() -> None:
    Registration.objects.update(state=RegistrationState.STOPPED, stopped_reason="00041 not authorised")


def broken(**fields: Any) -> None:
    Registration.objects.update(**fields)


def a_dead_letter() -> None:
    DeadLetter.objects.create(
        id=Heartbeat.key("x"),
        registration=a_registration(last_pulled_at=timezone.now()),
        delivery=a_call(DeliveryState.PUBLISHED),
        position=0,
        reason="no JSON",
        recorded_at=timezone.now(),
    )


def a_dead_message(**fields: Any) -> None:
    a_message(kind="webhook", state=MessageState.DEAD, **fields)


def a_schedule(**fields: Any) -> None:
    Schedule.objects.create(
        **{"name": "Pull", "func": "x", "schedule_type": Schedule.MINUTES, "next_run": timezone.now(), **fields}
    )


def a_failed_task() -> None:
    now = timezone.now()
    Task.objects.create(id="f" * 32, name="four", func="x.y", started=now, stopped=now, success=False, result="boom")


def a_failed_sync() -> None:
    row = Registration.objects.get()
    SyncRun.objects.create(registration=row, state=SyncState.FAILED, started_at=timezone.now(), error="D&B is away")


def a_slot(seconds: float) -> None:
    later = timezone.now() + timedelta(seconds=seconds)
    RateLimitSlot.objects.create(key="k", next_slot=int(later.timestamp() * 1000))


def a_refused_message() -> None:
    """It is tried again later; the one behind it is overdue, and only waits for it."""
    later = timezone.now() + timedelta(minutes=5)
    message = a_message(1, kind="webhook", attempts=2, last_error="answered 500", next_try_at=later)
    for error in ("no route", "answered 500"):
        SendAttempt.objects.create(message=message, at=ago(minutes=1), duration_ms=1, error=error)
    # Resent, which counts from 0 again; the list of messages and this check count both.
    OutboxMessage.objects.filter(pk=message.pk).update(attempts=1)
    a_message(2, kind="webhook", next_try_at=ago(minutes=20))


def corrected_data() -> None:
    note_act(actor="verification", action="verify", what="data", key="", summary="3 entries published again")


BAD: list[tuple[str, Callable[[], object], State, str]] = [
    (f"fresh:{REFERENCE}", lambda: pulled(hours=23), OK, "Pulled 23 h"),
    (f"fresh:{REFERENCE}", lambda: pulled(hours=25), WARNING, "D&B deletes notifications that are not pulled by"),
    (f"fresh:{REFERENCE}", lambda: pulled(hours=61), CRITICAL, "D&B deletes notifications that are not pulled by"),
    (f"fresh:{REFERENCE}", lambda: pulled(hours=97), CRITICAL, "has been deleting"),
    (f"stopped:{REFERENCE}", stopped, CRITICAL, "00041"),
    (f"reading:{REFERENCE}", lambda: broken(ingest_stopped_reason="20 items in a row"), CRITICAL, "20 items"),
    (f"gap:{REFERENCE}", lambda: broken(gap_from=ago(days=5), gap_reason="Not pulled for 5 days"), WARNING, "5 days"),
    (f"replay:{REFERENCE}", lambda: broken(replay_mark="More share the time"), WARNING, "More share"),
    (
        "pulling",
        lambda: broken(consecutive_failures=1, last_error="answered 503"),
        WARNING,
        "the last pull failed: answered 503",
    ),
    ("pulling", lambda: broken(consecutive_failures=3, last_error="connection refused"), WARNING, "refused"),
    (f"fresh:{REFERENCE}", lambda: broken(next_pull_at=ago(minutes=20)), WARNING, "has not run"),
    (
        f"receivers:{TARGET}",
        lambda: a_refused_message(),
        WARNING,
        "2 attempts failed. Last error: answered 500. 1 message is being retried; 1 later message waits.",
    ),
    ("quota", lambda: broken(quota_used_up=True), CRITICAL, REFERENCE),
    ("in-doubt", lambda: a_call(DeliveryState.IN_DOUBT, called_at=ago(minutes=20)), OK, "1 call in doubt"),
    ("in-doubt", lambda: a_call(DeliveryState.IN_DOUBT, called_at=ago(hours=2)), WARNING, "2 h"),
    ("in-doubt", lambda: a_call(DeliveryState.IN_DOUBT, called_at=ago(hours=25)), CRITICAL, "1 d 1 h"),
    ("unread", lambda: a_call(DeliveryState.RECEIVED, received_at=ago(minutes=2)), OK, "1 delivery"),
    ("unread", lambda: a_call(DeliveryState.RECEIVED, received_at=ago(minutes=11)), WARNING, "11 min"),
    ("unread", lambda: a_call(DeliveryState.RECEIVED, received_at=ago(hours=2)), CRITICAL, "2 h"),
    ("unpublished", lambda: a_call(DeliveryState.INGESTED, ingested_at=ago(hours=2)), CRITICAL, "2 h"),
    ("dead-letters", a_dead_letter, WARNING, "1 item"),
    ("messages", lambda: a_message(next_try_at=ago(minutes=5)), OK, "No messages overdue"),
    ("messages", lambda: a_message(next_try_at=ago(minutes=20)), WARNING, "20 min"),
    ("messages", lambda: a_message(next_try_at=ago(hours=2)), CRITICAL, "2 h"),
    ("verification", corrected_data, WARNING, "3 entries published again"),
    (
        "dead-messages",
        lambda: a_message(kind="webhook", state=MessageState.DEAD, last_error="550 unknown"),
        WARNING,
        "550 unknown",
    ),
    (
        "dead-messages",
        lambda: a_message(state=MessageState.DEAD, event_type=WEBHOOK_TEST, last_error="status 500"),
        OK,
        "no message failed",
    ),
    ("sync", a_failed_sync, WARNING, "D&B is away"),
    ("jobs", lambda: a_beat(seconds=100), OK, "1 minute ago"),
    ("jobs", lambda: a_beat(seconds=130), WARNING, "for 2 minutes"),
    ("jobs", lambda: a_beat(seconds=170), CRITICAL, "for 2 minutes"),
    ("jobs", lambda: Heartbeat.objects.all().delete(), CRITICAL, "worker has not been started"),
    ("schedules", lambda: a_schedule(next_run=ago(minutes=5)), WARNING, "“Pull” is overdue by 5 min"),
    ("schedules", lambda: a_schedule(next_run=ago(minutes=15)), CRITICAL, "“Pull” is overdue by 15 min"),
    ("schedules", lambda: a_schedule(next_run=ago(days=1), repeats=0), OK, "No jobs overdue"),
    ("paused", lambda: a_schedule(repeats=0), WARNING, "Pull"),
    ("failed", a_failed_task, WARNING, "x.y"),
    ("throttle", lambda: a_slot(60), WARNING, "waits"),
    ("throttle", lambda: a_slot(600), CRITICAL, "waits"),
    ("dnb:default", lambda: a_probe(reason="timed out", failing_since=ago(minutes=3)), WARNING, "timed out"),
    ("dnb:default", lambda: a_probe(reason="timed out", failing_since=ago(minutes=11)), CRITICAL, "timed out"),
    ("dnb:default", lambda: a_probe(reason="00041", refused=True), CRITICAL, "does not accept the API key"),
    ("dnb:default", lambda: a_probe(reason="DNB_API_KEY is not set", refused=True), WARNING, "Not tested since"),
    ("dnb:default", lambda: a_probe(called_at=ago(hours=1)), UNKNOWN, "last tested"),
    ("clock:default", lambda: a_probe(clock_offset=-90), WARNING, "1 minute behind this"),
    ("clock:default", lambda: a_probe(clock_offset=7200), WARNING, "2 hours ahead of this"),
]


@pytest.mark.parametrize(("dedup_key", "make", "state", "words"), BAD)
def test_a_check(dedup_key: str, make: Callable[[], object], state: State, words: str) -> None:
    make()
    result = look_at(dedup_key)
    assert (result.state, words in result.sentence) == (state, True), result.sentence
    assert bool(result.do) or state in (OK, UNKNOWN)


def test_a_paused_pull_job_is_sent_to_channels_and_no_registration_is_late() -> None:
    Registration.objects.update(next_pull_at=ago(minutes=20))
    Schedule.objects.create(name="Pull due registrations", func=PULL_JOB, repeats=0)
    found = look_at("paused")
    assert found.state == WARNING and found.notify and "D&B deletes notifications" in found.sentence
    assert state_of(f"fresh:{REFERENCE}") == OK


def test_the_headline_counts_what_is_wrong() -> None:
    broken(gap_from=ago(days=5), gap_reason="Not pulled for 5 days")
    assert headline(all_checks()) == "Operational — 1 item needs attention, 2 items not set up"
    stopped()
    assert headline(all_checks()) == "1 critical problem and 1 warning"


def test_the_headline_counts_what_is_not_set_up() -> None:
    assert headline(all_checks()) == "Operational — 2 items not set up"


def test_the_headline_names_a_registration_that_a_person_paused_and_that_is_no_problem() -> None:
    broken(state=RegistrationState.PAUSED)
    results = all_checks()
    assert worst(results) == OK
    assert headline(results) == "Operational — 1 registration paused, 2 items not set up"
    assert summary(results) == "Operational — 1 registration paused, 2 items not set up."
    broken(gap_from=ago(days=5), gap_reason="Not pulled for 5 days")
    words = "Operational — 1 item needs attention, 1 registration paused, 2 items not set up."
    assert summary(all_checks()) == words


def test_what_has_the_same_cause_is_told_once_on_the_page() -> None:
    for reference in ("A", "B"):
        a_registration(reference, last_pulled_at=timezone.now(), state="stopped", stopped_reason="00041")
    wrong = [result for result in all_checks() if result.check == "stopped"]
    assert [(one.subject, also) for one, also in together(wrong)] == [("A", ["B"])]


def test_registrations_that_fail_stand_in_one_line() -> None:
    for number in range(7):
        a_registration(
            f"R{number}", last_pulled_at=timezone.now(), consecutive_failures=3 + number, last_error="timed out"
        )
    result = look_at("pulling")
    assert result.sentence == "R0, R1, R2, R3, R4 and others: 9 attempts in a row failed: timed out"
    assert result.shown == "7 failing"


def test_what_waits_for_a_receiver_that_fails_is_no_matter_of_jobs() -> None:
    a_refused_message()
    waiting = look_at("messages")
    assert (waiting.state, waiting.sentence) == (OK, "1 message is being retried; 1 later message waits.")
    result = look_at(f"receivers:{TARGET}")
    assert "Fix the receiver" in result.do and "Webhook" in result.title
    assert "state=undelivered" in result.messages_url


STATUS_KINDS: dict[str, dict[str, Any]] = {
    "well": {},
    "one pull failed": {"consecutive_failures": 1, "last_error": "D&B answered 503"},
    "many failed": {"consecutive_failures": 9, "last_error": "D&B answered 503"},
    "late": {"next_pull_at": ago(minutes=20)},
    "stopped": {"state": RegistrationState.STOPPED, "stopped_reason": "00041"},
    "gap": {"gap_from": ago(days=5), "gap_reason": "Not pulled for 5 days"},
    "reading stopped": {"ingest_stopped_reason": "20 items"},
    "replay": {"replay_mark": "More share the time"},
}


@pytest.mark.parametrize("name", STATUS_KINDS)
def test_front_page_and_health_agree_about_a_registration(name: str) -> None:
    broken(**STATUS_KINDS[name])
    row = Registration.objects.get()
    tones = {status(row).tone, *(tone for _, tone, _ in marks_of(row))}
    told = {result.tone for result in all_checks() if result.state >= WARNING}
    assert tones & {"warn", "bad"} == told


def test_a_slow_cadence_has_more_time() -> None:
    broken(cadence="hours", cadence_every=30)
    pulled(hours=40)
    assert state_of(f"fresh:{REFERENCE}") == OK
    pulled(hours=46)
    assert state_of(f"fresh:{REFERENCE}") == WARNING


def test_freshness_is_counted_on_dnbs_clock() -> None:
    a_probe(clock_offset=61 * 3600)
    assert state_of(f"fresh:{REFERENCE}") == CRITICAL


def test_what_was_never_pulled_is_unknown_until_it_is_late() -> None:
    broken(last_pulled_at=None, next_pull_at=ago(minutes=2))
    assert state_of(f"fresh:{REFERENCE}") == UNKNOWN
    broken(next_pull_at=ago(minutes=20))
    assert state_of(f"fresh:{REFERENCE}") == WARNING
    broken(state=RegistrationState.PAUSED)
    assert state_of(f"fresh:{REFERENCE}") == UNKNOWN


def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_KEY", "")
    result = look_at("configuration:default")
    assert result.state == CRITICAL
    assert "DNB_API_KEY" in result.sentence


def test_a_test_copy_that_would_drain_the_real_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_BASE_URL", "https://plus.dnb.com")
    assert state_of("configuration:default") == WARNING


def test_migrations_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "migrations_waiting", lambda: 2)
    result = look_at("database")
    assert (result.state, result.do) == (CRITICAL, "Run “.venv/bin/python manage.py migrate”.")


@pytest.mark.parametrize(("free", "state"), [(0.5e9, CRITICAL), (2e9, WARNING), (4e9, OK)])
def test_disk(free: float, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE", 1_000_000_000)
    monkeypatch.setattr(machine, "ROOM", 3_000_000_000)
    monkeypatch.setattr(machine, "free_space", lambda: (Path("/data"), int(free)))
    assert state_of("disk") == state


def test_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def queue_size(self) -> int:
            return 150

    monkeypatch.setattr(machine, "get_broker", Full)
    assert state_of("queue") == WARNING


def test_in_production_somebody_has_to_listen(settings: Any) -> None:
    assert state_of("listeners") == UNKNOWN
    settings.PRODUCTION = True
    assert state_of("listeners") == WARNING


def test_a_channel_that_is_not_confirmed_hears_of_no_problem() -> None:
    channel = a_channel(name="Credit team", notices=True)
    assert look_at("listeners").sentence == "1 channel receives problem notices."
    MailAddress.objects.all().delete()
    found = look_at("listeners")
    assert found.sentence == "No channel can receive problem notices: Credit team is not confirmed."
    assert (found.state, "EMAIL_URL" in found.do) == (WARNING, False)
    a_channel(name="On call", notices=True)
    assert look_at("listeners").state == OK, "the same address, confirmed"
    Channel.objects.filter(pk=channel.pk).update(active=False)
    assert look_at("listeners").number == 1


def test_without_an_email_server_a_channel_of_emails_hears_of_no_problem(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    a_channel(name="Credit team", notices=True)
    found = look_at("listeners")
    assert found.sentence == "No channel can receive problem notices: Credit team needs an email server."
    assert found.state == WARNING and "EMAIL_URL" in found.do


def in_use(**age: float) -> None:
    a_call(state=DeliveryState.PUBLISHED, received_at=ago(**age))


def a_backup(**age: float) -> None:
    note_act(actor="command", action="backup", what="backup", key="x", summary="x")
    AuditEntry.objects.update(at=ago(**age))


def test_in_production_there_has_to_be_a_backup(settings: Any) -> None:
    in_use(days=2)
    assert (state_of("backup"), look_at("backup").state_word) == (UNKNOWN, "Not set up")
    settings.PRODUCTION = True
    found = look_at("backup")
    assert (found.state, found.sentence, found.notify) == (WARNING, "No backup has been made.", True)
    assert "BACKUP_FOLDER" in found.do and "BACKUP_ELSEWHERE" in found.do
    settings.DEMO = True
    assert state_of("backup") == UNKNOWN
    settings.DEMO, settings.BACKUP_ELSEWHERE = False, True
    assert state_of("backup") == OK


def test_a_new_installation_has_a_day_for_its_first_backup(settings: Any) -> None:
    settings.PRODUCTION = True
    assert state_of("backup") == State.UNKNOWN
    in_use(hours=2)
    assert state_of("backup") == State.UNKNOWN


def test_a_backup_may_be_two_days_old(settings: Any) -> None:
    settings.PRODUCTION, settings.BACKUP_FOLDER = True, "/backups"
    in_use(days=9)
    a_backup(hours=47)
    found = look_at("backup")
    assert (found.state, found.sentence, found.number) == (OK, "The latest backup was made 1 day ago.", 47)
    AuditEntry.objects.update(at=ago(hours=49))
    found = look_at("backup")
    assert (found.state, found.do) == (WARNING, "Run “.venv/bin/python manage.py backup /backups” to see the error.")
    # The worker's own notice has told already (backup/daily.py).
    assert not found.notify
    settings.PRODUCTION = False
    assert state_of("backup") == OK


def test_a_look_costs_the_same_however_much_there_is(django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        a_registration(f"R{number}", last_pulled_at=timezone.now(), gap_from=ago(days=1), gap_reason="x")
    with django_assert_max_num_queries(22):
        all_checks()


def test_every_check_has_its_section_in_the_runbook() -> None:
    text = (ROOT / "docs/operate/troubleshooting.md").read_text()
    sections = set(re.findall(r'<a id="([a-z-]+)"></a>', text))
    known = {dedup_key.partition(":")[0] for dedup_key, *_ in BAD} | {result.check for result in all_checks()}
    assert known | {"silence", "found", "outside"} <= sections


def test_messages_that_wait_for_a_disabled_webhook_are_a_matter_of_health() -> None:
    endpoint, _ = create_endpoint(made_by="ann", name="CRM", url="https://crm.example", event_types="*")
    switch_off(endpoint, by="ann", reason="by ann")
    assert look_at("receivers").state == OK, "nothing waits for it"
    a_message(1, kind="webhook", target=endpoint.pk, next_try_at=None)
    a_message(2, kind="webhook", target=endpoint.pk, next_try_at=None)
    result = look_at(f"receivers:{endpoint.pk}")
    assert (result.title, result.state, result.is_mark) == ("Webhook CRM is disabled", WARNING, True)
    assert "2 messages are waiting. Enable the webhook to send the messages, or discard them." in result.sentence
    assert str(endpoint.pk) in result.messages_url
    discard(endpoint, by="ann")
    assert look_at("receivers").state == OK and not [one for one in all_checks() if one.subject == str(endpoint.pk)]


def test_the_job_counts_the_same_problems_as_the_page() -> None:
    later = timezone.now() + timedelta(minutes=5)
    for number in (1, 2):
        target = Heartbeat.key(str(number))
        a_message(number, kind="webhook", target=target, attempts=1, last_error="answered 500", next_try_at=later)
    results = all_checks()
    assert (len(wrong(results)), len(problems(results))) == (2, 1), "the same error of two receivers is one problem"
    assert headline(results) == "Operational — 1 item needs attention, 2 items not set up"
    assert summary(results) == f"{headline(results)}."


def test_the_job_knows_problems_that_it_did_not_look_for_this_minute() -> None:
    open_incident(dedup_key="dead-letters", title="Parsing errors", cause="1 item", state=WARNING)
    calm = [one for one in checks_of(begin_look(is_full=False)) if one.state < WARNING]
    assert summary(calm, left_out=open_problems(SLOW)) == "Operational — 1 item needs attention.", (
        "what is not set up is counted only where all is looked at"
    )


def test_a_deleted_channel_is_no_matter_of_health() -> None:
    later = timezone.now() + timedelta(minutes=5)
    a_message(1, attempts=2, last_error="answered 500", next_try_at=later)
    a_message(2, state=MessageState.DEAD, last_error="The channel was deleted.")
    assert look_at("receivers").state == OK and look_at("dead-messages").state == OK


def test_a_channel_that_took_a_test_after_it_failed_is_named_no_more() -> None:
    channel = a_channel(name="On call")
    later = timezone.now() + timedelta(minutes=5)
    message = a_message(1, target=channel.pk, attempts=1, last_error="answered 500", next_try_at=later)
    SendAttempt.objects.create(message=message, at=ago(minutes=2), error="answered 500")
    assert look_at(f"receivers:{channel.pk}").title == "Channel On call"
    Channel.objects.update(last_sent_at=ago(minutes=3))
    assert look_at(f"receivers:{channel.pk}").state == WARNING
    Channel.objects.update(last_sent_at=ago(minutes=1))
    assert look_at("receivers").state == OK
    assert look_at("messages").sentence == "1 message is being retried."


def test_without_an_email_server_health_names_that_before_a_channel_needs_it(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    result = look_at("receivers:mail-server")
    assert (result.state, result.state_word) == (UNKNOWN, "Not set up") and "EMAIL_URL" in result.do
    assert "Invitations, password links, reports and alerts by email require an email server." in result.sentence
    a_channel()
    assert look_at("receivers:email").state == WARNING
    assert not [one for one in all_checks() if one.check == "receivers" and one.state in (OK, UNKNOWN)]


def test_a_channel_of_emails_without_an_email_server_is_named(settings: Any) -> None:
    a_channel()
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    result = look_at("receivers:email")
    assert result.state == WARNING and "emails are only printed" in result.sentence


def test_a_channel_that_fails_for_want_of_an_email_server_is_not_told_to_correct_its_address(settings: Any) -> None:
    channel = a_channel()
    later = timezone.now() + timedelta(minutes=5)
    a_message(1, target=channel.pk, attempts=1, last_error="no email server is set up", next_try_at=later)
    assert "Correct the address" in look_at(f"receivers:{channel.pk}").do
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    do = look_at(f"receivers:{channel.pk}").do
    assert do.startswith("Set EMAIL_URL") and "Correct the address" not in do


def test_a_missing_key_is_no_answer_of_d_and_b_and_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    a_contract()
    a_probe(reason="DNB_API_KEY is not set.", refused=True)
    monkeypatch.delenv("DNB_API_KEY", raising=False)
    found = look_at("dnb:default")
    assert (found.state, found.state_word) == (UNKNOWN, "Not set up") and "does not accept" not in found.sentence
    assert state_of("configuration:default") == CRITICAL
