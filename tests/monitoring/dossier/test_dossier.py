"""The dossier has a line for all that happened to a company, from every kind of row, in the order of time."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.text import moment_text
from monitoring.alerts.actions import acknowledge, assign, close, comment_on, reopen
from monitoring.alerts.digests import send_digests
from monitoring.alerts.workflow.snooze import snooze
from monitoring.dossier.lines import Topic
from monitoring.follows.entries import message_of
from monitoring.models import (
    Alert,
    Change,
    Channel,
    DataFetch,
    Decision,
    DecisionKind,
    DecisionState,
    Delivery,
    DigestItem,
    FetchedCompany,
    FetchedState,
    Frequency,
    MessageState,
    Notification,
    OutboxMessage,
    PersonalEvent,
    Review,
    SendAttempt,
    TargetKind,
)
from portfolio.companies.notes import add_note, describe_company, remove_note
from portfolio.models import Company, Membership, Proposal, ProposalKind, ProposalState
from tests.builders.alerts import a_raised_alert, an_alert
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.dossiers import a_dossier, a_span, lines_about, texts
from tests.builders.elements import STATUS, an_element
from tests.builders.exposures import exposure
from tests.builders.messages import a_message
from tests.builders.notifications import a_seed, an_update
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.story import phone_seed, phone_update
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT, ago, stamp

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
WHO = ("Notified", "Message to", "Acknowledged", "Closed")


# What happened at D&B


def test_a_change_says_when_it_happened_and_when_it_arrived() -> None:
    delivery = delivered(an_update(an_element(STATUS, "A", "B", stamp(days=1)), delivered=stamp(days=2)))
    Delivery.objects.filter(pk=delivery.pk).update(sha256="ab" * 32)
    [line] = lines_about(Topic.CHANGE)
    assert line.at == MOMENT + timedelta(days=1)
    delivery.refresh_from_db()
    assert [value for _, value in line.details] == [
        MOMENT + timedelta(days=2),
        delivery.received_at,
        delivery.published_at,
        "No message was sent.",
        "No user has acknowledged this change: no alert was raised.",
    ]
    change, notification = Change.objects.get(), Notification.objects.get()
    assert [(one.kind, one.key, one.sha256) for one in line.sources] == [
        ("change", str(change.pk), ""),
        ("notification", str(notification.pk), ""),
        ("delivery", str(delivery.pk), "ab" * 32),
    ]


def test_a_fact_that_two_registrations_report_is_one_line() -> None:
    phone_seed("1", 1)
    phone_seed("2", 3)
    phone_update("1", "2", 2)
    found = [line for line in lines_about(Topic.CHANGE) if "→" in line.text]
    [line] = found
    assert [label for label, _ in line.details if "Reported" in label] == [
        "Reported in ONE through a pull from D&B",
        "Reported in WHOLE from a comparison of two documents",
    ]
    assert len(line.sources) == 5


def test_a_change_from_before_that_arrived_in_these_days_is_there() -> None:
    delivered(an_update(an_element(STATUS, "A", "B", stamp(days=1)), delivered=stamp(days=2)))
    today = timezone.localdate()
    [line] = lines_about(Topic.CHANGE, span=a_span(today, today))
    assert line.details[0] == ("Date outside the period", "included because it was recorded in the period")
    assert "Date outside the period" not in dict(lines_about(Topic.CHANGE)[0].details)
    week_ago = today - timedelta(days=7)
    assert lines_about(Topic.CHANGE, span=a_span(week_ago, week_ago)) == []


def test_noise_is_minor() -> None:
    delivered(an_update(an_element("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-01-02")))
    [line] = lines_about(Topic.CHANGE)
    assert line.is_minor and a_dossier().minor == 1


# Alerts, and who was notified


def test_an_alert_and_all_that_users_did_with_it() -> None:
    alert, bob = a_raised_alert(), a_person(username="bob")
    assign([alert.pk], to=bob, by="ann")
    acknowledge([alert.pk], by="bob")
    close([alert.pk], by="bob", reason="acted", text="Called them.")
    assert texts(Topic.ALERT) == ["Alert raised: Operating status Active → Out of business"]
    assert [(line.text, line.who) for line in lines_about(Topic.HANDLING)] == [
        ("Alert assigned to bob", "ann"),
        ("Alert acknowledged", "bob"),
        ("Alert closed: Acted on", "bob"),
        ("Comment on closing: Called them.", "bob"),
    ]


def test_alerts_and_changes_state_who_was_notified_and_who_acknowledged_or_that_no_user_was() -> None:
    alert, followed = a_raised_alert(), a_person(username="eve")
    channel, change = a_channel(name="Credit team"), Change.objects.get(element=STATUS)

    def stated() -> list[list[Any]]:
        """Of the alert, then of its change."""
        found = (*lines_about(Topic.ALERT), *lines_about(Topic.CHANGE))
        lines = [line for line in found if "Out of business" in line.text]
        return [[one for one in line.details if one[0].startswith(WHO)] for line in lines]

    none_sent, no_user = ("Notified", "No message was sent."), "No user has acknowledged this"
    assert stated() == [
        [none_sent, ("Acknowledged", f"{no_user} alert.")],
        [none_sent, ("Acknowledged", f"{no_user} change.")],
    ]
    about: dict[str, Any] = {
        "event_type": "alert.raised",
        "company": DUNS,
        "payload": json.dumps({"alert": str(alert.pk)}),
    }
    row = a_message(**about)
    OutboxMessage.objects.filter(pk=row.pk).update(target=channel.pk)
    assert ("Message to Channel Credit team", "Waiting") in stated()[0] and none_sent in stated()[0]
    OutboxMessage.objects.filter(pk=row.pk).update(state=MessageState.SENT, sent_at=NOON)
    event = {"person": followed, "change": change.pk, "company": DUNS, "event": "follow:1"}
    now = timezone.now()
    PersonalEvent.objects.create(id=PersonalEvent.key(followed.pk, change.pk), due_at=now, created_at=now, **event)
    sent = message_of(followed.pk, "follow:1", now)
    sent.state, sent.sent_at = MessageState.SENT, NOON + timedelta(hours=1)
    sent.save(force_insert=True)
    acknowledge([alert.pk], by="ann")
    at = Alert.objects.get(pk=alert.pk).acknowledged_at
    of_alert = [("Notified: Channel Credit team", NOON), ("Acknowledged by ann", at)]
    assert stated() == [of_alert, [of_alert[0], ("Notified: User eve", NOON + timedelta(hours=1)), of_alert[1]]]
    assert "Followed change sent to User eve" in texts(Topic.MESSAGE)
    reopen([alert.pk], by="eve")
    assert ("Acknowledged", f"{no_user} alert since it was reopened.") in stated()[0]


def test_messages_that_are_deleted_by_now_are_not_denied(settings: Any) -> None:
    old = an_alert(100)
    settings.RECORDS_KEEP_DAYS = 60
    [line] = lines_about(Topic.ALERT)
    assert old.title in line.text
    assert dict(line.details)["Notified"] == "No message is kept. Messages are deleted after 60 days."


def test_a_reopened_alert_still_says_who_had_closed_it() -> None:
    alert = a_raised_alert()
    acknowledge([alert.pk], by="ann")
    close([alert.pk], by="bob", reason="noise")
    reopen([alert.pk], by="eve")
    assert [(line.text, line.who) for line in lines_about(Topic.HANDLING)] == [
        ("Alert acknowledged", "ann"),
        ("Alert closed: Not relevant", "bob"),
        ("Alert reopened", "eve"),
        ("Reopened.", "eve"),
    ]


def test_what_a_user_writes_is_a_comment_whatever_it_begins_with() -> None:
    alert = a_raised_alert()
    comment_on([alert.pk], by="eve", text="Reopened. They have filed again.")
    assert [(line.text, line.is_minor) for line in lines_about(Topic.HANDLING)] == [
        ("Comment: Reopened. They have filed again.", False)
    ]


def test_a_snooze_has_its_time_also_after_it_has_ended() -> None:
    alert, until = a_raised_alert(), timezone.now() + timedelta(days=3)
    snooze([alert.pk], by="ann", until=until, wakes_if_worse=True, text="Paid on Monday.")
    close([alert.pk], by="bob", reason="known")
    snoozed, closed = lines_about(Topic.HANDLING)
    assert snoozed.text == f"Alert snoozed until {moment_text(until)}" and snoozed.who == "ann"
    assert until - timedelta(days=3, minutes=1) < snoozed.at <= closed.at
    [(label, comment)] = snoozed.details
    assert label == "Comment" and str(comment).endswith("or until the situation gets worse. Paid on Monday.")


def test_a_summary_with_the_company_in_it_is_an_alert_about_it() -> None:
    alert = a_raised_alert()
    Alert.objects.filter(pk=alert.pk).update(company=None, kind="flood", title="Many alerts")
    assert texts(Topic.ALERT) == ["Alert raised: Many alerts"]


def test_who_was_sent_what_and_when() -> None:
    channel = a_channel(name="Credit team")
    row = a_message(event_type="alert.raised", company=DUNS, state=MessageState.SENT, sent_at=ago(minutes=1))
    OutboxMessage.objects.filter(pk=row.pk).update(target=channel.pk)
    row.refresh_from_db()
    a_company(DUNS)
    SendAttempt.objects.create(message=row, at=ago(minutes=2), error="Timeout")
    SendAttempt.objects.create(message=row, at=ago(minutes=1), status=200)
    [line] = lines_about(Topic.MESSAGE)
    assert line.text == "Alert sent to Channel Credit team" and line.at == row.sent_at
    assert [label for label, _ in line.details] == ["Queued", "Failed attempt (Timeout)", "Delivered, response 200"]
    assert not line.is_minor


@pytest.mark.parametrize(
    ("state", "words"),
    [(MessageState.WAITING, "waiting to be sent"), (MessageState.DEAD, "not delivered"), ("cancelled", "cancelled")],
)
def test_what_was_not_sent_is_said(state: str, words: str) -> None:
    a_company(DUNS)
    a_message(event_type="alert.raised", company=DUNS, state=state)
    assert texts(Topic.MESSAGE) == [f"Alert for Channel (deleted): {words}"]


def test_a_digest_with_an_alert_of_the_company() -> None:
    channel = a_channel(a_rule(), name="Morning", frequency=Frequency.DAILY, next_digest_at=ago(minutes=1))
    alert = an_alert()
    DigestItem.objects.create(id=alert.pk, channel=channel, alert=alert, created_at=ago(hours=1))
    assert send_digests() == 1
    assert texts(Topic.MESSAGE) == ["Digest for Channel Morning: waiting to be sent"]


def test_an_assignment_is_a_message_about_the_company() -> None:
    alert, bob = a_raised_alert(), a_person(username="bob")
    bob.email = "bob@example.com"
    bob.save()
    assign([alert.pk], to=bob, by="ann")
    assert "Alert assignment for Channel Email to bob: waiting to be sent" in texts(Topic.MESSAGE)
    assert Channel.objects.filter(person=bob).exists()


def test_what_a_webhook_took_is_minor() -> None:
    a_company(DUNS)
    sent: dict[str, Any] = {
        "company": DUNS,
        "state": MessageState.SENT,
        "sent_at": timezone.now(),
        "kind": TargetKind.WEBHOOK,
    }
    a_message(event_type="change.published", **sent)
    assert [line.is_minor for line in lines_about(Topic.MESSAGE)] == [True]


# What users wrote and decided


def test_notes_and_edits_also_of_a_note_that_was_removed() -> None:
    company = a_subject().company
    kept = add_note(company=company, text="Pays late.", by="ann")
    gone = add_note(company=company, text="Wrong company.", by="ann")
    assert kept and gone
    remove_note(company=company, key=gone.pk, by="bob")
    describe_company(company=company, tags="key", owner="ann", by="ann")
    assert [(line.text, line.who) for line in lines_about(Topic.NOTE)] == [("Pays late.", "ann")]
    assert [line.who for line in lines_about(Topic.EDIT)] == ["bob", "ann"]
    assert f"{DUNS}: tags and owner changed" in texts(Topic.EDIT)


def test_monitoring_periods_proposals_and_requests() -> None:
    row = a_subject(
        requested_by="ann", requested_at=NOON, monitored_since=date(2026, 2, 1), monitored_until=date(2026, 4, 1)
    )
    key = Membership.key(row.pk, date(2025, 5, 1))
    period = {"registration": row.registration, "company": row.company, "since": date(2025, 5, 1)}
    Membership.objects.create(id=key, until=date(2025, 6, 1), **period)
    Proposal.objects.create(
        id=key, kind=ProposalKind.DELETE, company=row.company, reason="Deleted", state=ProposalState.DISMISSED,
        created_at=NOON, decided_by="bob", decided_at=NOON + timedelta(hours=1), note="Still needed",
    )  # fmt: skip
    assert texts(Topic.MONITORING) == [
        "Monitored in ACME_LOD_01 from this day",
        "Last day of monitoring in ACME_LOD_01",
        "Monitored in ACME_LOD_01 from this day",
        "Existing monitoring in ACME_LOD_01 adopted",
        "Last day of monitoring in ACME_LOD_01",
    ]
    assert texts(Topic.PROPOSAL) == ["Proposal: Deleted at D&B: remove the company", "Proposal dismissed"]


def test_a_request_that_began_the_monitoring_is_not_an_adoption() -> None:
    a_subject(requested_by="ann", requested_at=NOON, monitored_since=NOON.date())
    assert "Monitoring requested in ACME_LOD_01" in texts(Topic.MONITORING)


def test_data_fetches() -> None:
    registration = a_registration()
    a_company(DUNS)
    fetch = DataFetch.objects.create(
        contract=registration.contract, confirmed_calls=1, requested_by="ann", requested_at=NOON
    )
    FetchedCompany.objects.create(
        id=fetch.pk, fetch=fetch, company_id=DUNS, registration=registration, state=FetchedState.ACCEPTED,
        called_at=NOON, decided_by="bob", decided_at=NOON + timedelta(hours=1),
    )  # fmt: skip
    assert [(line.text, line.who) for line in lines_about(Topic.DATA_FETCH)] == [
        ("Data fetched from D&B", "ann"),
        ("Fetched data: Accepted", "bob"),
    ]


def test_exposure_as_imports_changed_it() -> None:
    a_company(DUNS)
    exposure(f"{DUNS};100", as_of=date(2026, 1, 31))
    exposure(f"{DUNS};100", as_of=date(2026, 2, 28))
    exposure(f"{DUNS};250.50", as_of=date(2026, 3, 31))
    exposure(f"{OTHER};1", as_of=date(2026, 4, 30))
    assert texts(Topic.EXPOSURE) == [
        "Receivables: none → EUR 100.00",
        "Receivables: EUR 100.00 → EUR 250.50",
        "Receivables: EUR 250.50 → none",
    ]


def test_a_decision_precedes_an_exposure_that_was_applied_after_it() -> None:
    company = a_company(DUNS)
    Decision.objects.create(
        company=company, number=1, kind=DecisionKind.LIMIT, amount_cents=10_000, currency="EUR", reason="New",
        decided_by="ann", decided_at=timezone.now(), state=DecisionState.FINAL,
    )  # fmt: skip
    exposure(f"{DUNS};250", as_of=timezone.localdate())
    found = a_dossier()
    decided, stake = (line for line in found.lines if line.topic in (Topic.DECISION, Topic.EXPOSURE))
    assert decided.topic == Topic.DECISION and ("Exposure", "Unknown") in decided.details
    assert not stake.is_day and stake.details[0][0] == "As of"
    figures = {one.name: (one.before, one.after) for one in found.figures}
    assert figures["decision"] == ("None", "Limit EUR 100") and figures["limit_exceeded"] == ("", "EUR 150")


def test_exposure_before_and_after() -> None:
    a_company(DUNS)
    exposure(f"{DUNS};100", as_of=date(2026, 1, 31))
    exposure(f"{DUNS};250", as_of=date(2026, 3, 31))
    found = a_dossier(a_span(date(2026, 3, 31), date(2026, 4, 1))).figures
    assert [(one.before, one.after) for one in found if one.name.startswith("exposure")] == [
        ("EUR 100.00", "EUR 250.00")
    ]
    assert not a_dossier(a_span(date(2026, 1, 30), date(2026, 2, 1))).knows_before, (
        "no amount is nothing to compare with"
    )


def test_a_decision_with_the_figures_that_were_known_and_a_review() -> None:
    company = a_company(DUNS)
    known = '{"as_of": "2026-03-31T11:00:00Z", "figures": {"failure_class": 5}, "alerts": [], "exposure": {}}'
    decided = {"reason": "Insolvency is near", "decided_by": "ann", "decided_at": NOON, "known": known}
    Decision.objects.create(company=company, number=1, kind=DecisionKind.STOP, **decided)
    key = Review.key(DUNS, None)
    Review.objects.create(id=key, company=company, reviewed_by="bob", reviewed_at=NOON + timedelta(days=1), note="Fine")
    [line] = lines_about(Topic.DECISION)
    assert line.who == "ann" and "Stop" in line.text
    assert ("Reason", "Insolvency is near") in line.details and ("Failure score class", "5") in line.details
    [review] = lines_about(Topic.REVIEW)
    assert review.who == "bob" and ("Note", "Fine") in review.details


@pytest.mark.parametrize(
    ("state", "second", "words"),
    [
        (DecisionState.PROPOSED, "", "Proposed by ann, takes effect once confirmed: Hold"),
        (DecisionState.FINAL, "bob", "Proposed by ann, later confirmed by bob: Hold"),
        (DecisionState.REFUSED, "bob", "Proposed by ann, later refused by bob: Hold"),
    ],
)
def test_a_proposed_decision_says_how_it_stands(state: str, second: str, words: str) -> None:
    Decision.objects.create(
        company=a_company(DUNS), number=1, kind=DecisionKind.HOLD, reason="Late", decided_by="ann", decided_at=NOON,
        needs_second="Critical.", state=state, confirmed_by=second,
    )  # fmt: skip
    assert texts(Topic.DECISION) == [words]


# The whole


def test_all_lines_are_in_the_order_of_time() -> None:
    company = a_subject(monitored_since=date(2026, 1, 1)).company
    delivered(a_seed(delivered=stamp()), an_update(an_element(STATUS, "A", "B", stamp(days=1))))
    exposure(f"{DUNS};100", as_of=date(2026, 1, 31))
    add_note(company=company, text="Pays late.", by="ann")
    found = a_dossier().lines
    assert [line.at for line in found] == sorted(line.at for line in found)
    assert {line.topic for line in found} >= {Topic.CHANGE, Topic.EXPOSURE, Topic.NOTE, Topic.MONITORING}


def test_the_first_and_the_last_day_belong_to_it_and_no_moment_beyond() -> None:
    company = a_company(DUNS)
    for moment in (NOON.replace(hour=0), NOON.replace(hour=23, minute=59, second=59)):
        Review.objects.create(id=Review.key(DUNS, None), company=company, reviewed_by="a", reviewed_at=moment)
        day = date(2026, 3, 31)
        assert len(lines_about(Topic.REVIEW, span=a_span(day, day))) == 1
        for other in (day - timedelta(days=1), day + timedelta(days=1)):
            assert lines_about(Topic.REVIEW, span=a_span(other, other)) == []
        Review.objects.all().delete()


def test_the_company_before_and_after() -> None:
    parent = {"parent": {"duns": OTHER, "primaryName": "Holding AG"}}
    delivered(a_seed(delivered=stamp(), primaryName="Acme Ltd", corporateLinkage=parent))
    delivered(an_update(an_element("organization.primaryName", "Acme Ltd", "Acme plc", stamp(days=3))))
    third = (MOMENT + timedelta(days=3)).date()
    name, owner = [one for one in a_dossier(a_span(third, third)).figures if one.name in ("name", "parent")]
    assert owner.after == f"{OTHER} Holding AG"
    assert (name.before, name.after, name.has_changed) == ("Acme Ltd", "Acme plc", True)


def test_it_takes_no_more_queries_for_more_lines(django_assert_max_num_queries: AtMost) -> None:
    delivered(a_seed(delivered=stamp()))
    for number in range(30):
        delivered(an_update(an_element("organization.telephone", number, number + 1, stamp(hours=number))))
        an_alert(number)
        a_message(number, company=DUNS, event_type="alert.raised")
    company = Company.objects.get(pk=DUNS)
    add_note(company=company, text="Pays late.", by="ann")
    exposure(f"{DUNS};100")
    # One for each kind of rows that it reads; what is reported, and who is named, takes a second one.
    with django_assert_max_num_queries(26):
        assert len(a_dossier().lines) > 90
