"""Registrations in the admin: how each stands, pulling, pausing, cadence."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from core.cached_counts import update_counts
from core.models import AuditEntry
from core.text import ago, days_and_hours, span
from direct_plus.errors import DirectPlusError, Told
from dnbmon_site.accounts.models import User
from monitoring import jobs
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.pull.admin import actions
from monitoring.pull.puller import Outcome, PullResult
from portfolio.dnb_client import NotConfigured
from portfolio.models import Cadence, Registration, RegistrationState, SubjectState
from portfolio.registrations.discover import Discovery
from portfolio.registrations.pull_job import PULL_JOB
from portfolio.registrations.status import cadence_words, countdown, loss_sentence, status
from tests.builders.companies import OTHER
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
LIST = "/portfolio/registration/"


def page(row: Registration) -> str:
    return f"{LIST}{row.pk}/change/"


def act(client: Client, row: Registration, action: str) -> Any:
    return client.post(f"{LIST}{row.pk}/do/{action}/", follow=True)


def test_the_list_says_how_each_stands(admin: Client) -> None:
    now = timezone.now()
    paused = a_registration(state="paused", last_pulled_at=now - timedelta(days=1, hours=20))
    Delivery.objects.create(registration=paused, source=Source.PULL, state=DeliveryState.IN_DOUBT)
    text = text_of(admin.get(LIST))
    assert "ACME_LOD_01" in text and "Acme suppliers" in text and "Paused" in text
    assert "in 2 d 3 h" in text and "every 5 minutes" in text


def test_paused_pulls_are_said_on_the_list_and_on_the_page(admin: Client) -> None:
    row = a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    job = Schedule.objects.create(name="Pull due registrations", func=PULL_JOB, repeats=0)
    for path in (LIST, page(row)):
        answer = admin.get(path)
        assert "Pulls paused" in text_of(answer) and "within 4 days" in text_of(answer)
        assert f'action="/health/jobs/{job.pk}/resume/"' in answer.content.decode()
    admin.post(f"/health/jobs/{job.pk}/resume/")
    assert "Pulls paused" not in text_of(admin.get(LIST)) and "Active" in text_of(admin.get(LIST))


def test_a_pull_that_waits_for_a_worker_is_said(admin: Client) -> None:
    row = a_registration()
    assert "Pull requested" not in text_of(admin.get(LIST))
    act(admin, row, "pull-now")
    assert "Pull requested" in text_of(admin.get(LIST)) and "Pull requested" in text_of(admin.get(page(row)))


def test_the_list_begins_with_what_needs_attention(admin: Client) -> None:
    a_registration("A_WELL", last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    failing = a_registration("Z_GAP", last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    Registration.objects.filter(pk=failing.pk).update(gap_from=timezone.now(), gap_reason="Days are missing.")
    for _ in range(2):
        Delivery.objects.create(registration=failing, source=Source.PULL, state=DeliveryState.IN_DOUBT)
    text = text_of(admin.get(LIST))
    assert text.index("Z_GAP") < text.index("A_WELL")
    assert "Data gap 2 calls in doubt" in text


def test_a_list_that_is_not_adopted_is_named_with_the_way_to_adopt_it(admin: Client) -> None:
    row = a_registration()
    answer = admin.get(LIST)
    assert "List not adopted Adopt list Not known yet" in text_of(answer)
    assert f"/portfolio/syncrun/adopt/{row.pk}/" in answer.content.decode()
    a_registration(adopted=True)
    assert "List not adopted" not in text_of(admin.get(LIST))


def test_a_list_that_is_adopted_but_incomplete_is_named_and_its_companies_are_counted_as_or_more(admin: Client) -> None:
    row = a_registration(adopted=True, list_received_at=None)
    a_subject(registration=row, state=SubjectState.MONITORED)
    update_counts("held")
    a_subject(OTHER, row, state=SubjectState.MONITORED)
    answer = admin.get(LIST)
    text = text_of(answer)
    assert "List incomplete Upload D&B's export file" in text and "At least 1" in text
    assert f"/portfolio/syncrun/adopt/{row.pk}/#export-file" in answer.text
    assert "may bill more companies than are counted" in text_of(admin.get(page(row)))
    a_registration(adopted=True, list_received_at=timezone.now())
    text = text_of(admin.get(LIST))
    assert "List incomplete" not in text and "At least" not in text
    assert "may bill more" not in text_of(admin.get(page(row)))


def test_companies_are_counted_now_where_none_were(admin: Client) -> None:
    row = a_registration()
    update_counts("held")
    assert "Not known yet" in text_of(admin.get(LIST))
    a_subject(registration=row)
    assert "At least 1" in text_of(admin.get(LIST))


def test_times_of_d_and_b_are_shown_as_all_others(admin: Client) -> None:
    told = {"createdDate": "2026-08-25 14:04:24", "email": "a@example.com,b@example.com"}
    row = a_registration(detail=json.dumps({"messages": {"registration": told}}))
    text = text_of(admin.get(page(row)))
    assert "Created at D&B 25 Aug 2026, 14:04" in text and "a@example.com, b@example.com" in text


def test_the_page_tells_everything(admin: Client, django_assert_max_num_queries: Any) -> None:
    row = a_registration(gap_from=timezone.now(), gap_until=timezone.now(), gap_reason="Days are missing.")
    with django_assert_max_num_queries(12):
        text = text_of(admin.get(page(row)))
    for words in ("Acme suppliers", "Days are missing.", "notificationsSuppressed", "Pull by D&B Monitoring"):
        assert words in text


def test_pull_now_asks_the_worker_even_when_paused(admin: Client) -> None:
    row = a_registration(state="paused", last_pulled_at=timezone.now())
    assert "Pulling ACME_LOD_01 now" in text_of(act(admin, row, "pull-now"))
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("monitoring.jobs.pull_now", (str(row.pk), "ann"))


def test_the_job_pulls_this_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    row, called = a_registration(state="paused"), []

    def pull_one(key: object, until: object, requested_by: str) -> PullResult:
        called.append(key)
        return PullResult(Outcome.DRAINED)

    monkeypatch.setattr(jobs, "pull_one", pull_one)
    assert jobs.pull_now(str(row.pk)) == "Pulled: 0 notifications."
    assert called == [row.pk] and not OrmQ.objects.exists()


def test_the_job_goes_on_later_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "pull_one", lambda key, until, by: PullResult(Outcome.OUT_OF_TIME))
    jobs.pull_now(str(a_registration().pk))
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("action", ["start", "pull-now"])
def test_the_first_pull_asks(admin: Client, action: str) -> None:
    row = a_registration(state="paused")
    assert "removes it from D&B's queue" in text_of(act(admin, row, action))
    selected = {"action": "start_selected", "_selected_action": [str(row.pk)]}
    assert "removes it from D&B's queue" in text_of(admin.post(LIST, selected, follow=True))
    row.refresh_from_db()
    assert row.state == RegistrationState.PAUSED and not OrmQ.objects.exists()
    answer = admin.post(f"{LIST}{row.pk}/do/start/", {"confirmed": "yes"}, follow=True)
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE and "The first pull begins" in text_of(answer)


def test_start_after_a_pause_resumes(admin: Client) -> None:
    now = timezone.now()
    row = a_registration(state="paused", paused_until=now + timedelta(days=1), last_pulled_at=now)
    assert ">Resume</button>" in admin.get(page(row)).content.decode()
    assert "1 registration resumed. The next pull" in text_of(act(admin, row, "start"))
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE and row.paused_until is None and row.next_pull_at


def test_reading_is_resumed(admin: Client) -> None:
    row = a_registration(ingest_stopped_reason="20 in a row.")
    act(admin, row, "resume-reading")
    row.refresh_from_db()
    assert row.ingest_stopped_reason == "" and row.ingest_window_from


def test_a_gap_is_dealt_with(admin: Client) -> None:
    row = a_registration(gap_from=timezone.now(), gap_until=timezone.now(), gap_reason="x", replay_mark="y")
    act(admin, row, "gap-dealt-with")
    row.refresh_from_db()
    assert (row.gap_from, row.gap_reason, row.replay_mark) == (None, "", "")


def test_an_unknown_action_is_not_found(admin: Client) -> None:
    assert act(admin, a_registration(), "explode").status_code == 404


@pytest.mark.parametrize("path", ["look/", "{key}/do/pull-now/", "{key}/do/start/"])
def test_a_get_does_nothing(admin: Client, path: str) -> None:
    assert admin.get(LIST + path.format(key=a_registration().pk)).status_code == 405


# Pause


def test_the_form_of_a_pause_shows_what_will_be_lost(admin: Client) -> None:
    row = a_registration(last_pulled_at=timezone.now() - timedelta(days=1))
    text = text_of(admin.get(f"{LIST}pause/?key={row.pk}"))
    assert "in 2 d 23 h" in text


def test_pause_until_a_time_in_the_readers_zone(admin: Client) -> None:
    User.objects.update(timezone="Asia/Tokyo")
    row = a_registration()
    day = (timezone.now() + timedelta(days=30)).date()
    admin.post(f"{LIST}pause/?key={row.pk}", {"duration": "until", "until": f"{day}T09:00"})
    row.refresh_from_db()
    assert row.state == RegistrationState.PAUSED
    assert row.paused_until and row.paused_until.isoformat() == f"{day}T00:00:00+00:00"


def test_a_pause_of_some_hours_is_shown_with_its_user_and_reason(admin: Client) -> None:
    User.objects.update(timezone="Asia/Tokyo")
    row = a_registration(last_pulled_at=timezone.now())
    assert "Time zone: Asia/Tokyo, where it is now" in text_of(admin.get(f"{LIST}pause/?key={row.pk}"))
    admin.post(f"{LIST}pause/?key={row.pk}", {"duration": "2", "reason": "D&B maintenance"})
    row.refresh_from_db()
    assert row.paused_until
    assert abs(row.paused_until - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)
    for path in (LIST, page(row)):
        assert "Paused by ann: D&B maintenance" in text_of(admin.get(path))
    assert "Change end of pause" in text_of(admin.get(page(row)))
    assert AuditEntry.objects.get().summary.endswith(": D&B maintenance")
    act(admin, row, "start")
    assert "D&B maintenance" not in text_of(admin.get(page(row)))


def test_a_pause_until_a_time_needs_the_time(admin: Client) -> None:
    row = a_registration()
    text = text_of(admin.post(f"{LIST}pause/?key={row.pk}", {"duration": "until", "until": ""}))
    assert "Enter the time at which the pause ends." in text
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE


def test_a_pause_that_loses_notifications_needs_a_second_confirmation(admin: Client) -> None:
    row = a_registration(last_pulled_at=timezone.now())
    given = {"duration": "until", "until": f"{(timezone.now() + timedelta(days=10)).date()}T09:00"}
    text = text_of(admin.post(f"{LIST}pause/?key={row.pk}", given))
    assert "D&B deletes the notifications from before" in text and "Pause although D&B deletes" in text
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE
    admin.post(f"{LIST}pause/?key={row.pk}", given | {"accept_loss": "on"})
    row.refresh_from_db()
    assert row.state == RegistrationState.PAUSED


def test_a_pause_until_the_end_of_today_ends_in_the_readers_zone(admin: Client) -> None:
    User.objects.update(timezone="Asia/Tokyo")
    row = a_registration(last_pulled_at=timezone.now())
    admin.post(f"{LIST}pause/?key={row.pk}", {"duration": "today"})
    row.refresh_from_db()
    assert row.paused_until and row.paused_until.astimezone(UTC).strftime("%H:%M") == "14:59"


def test_a_requested_pull_names_its_user_on_its_delivery(admin: Client) -> None:
    row = a_registration(last_pulled_at=timezone.now())
    requested = Delivery.objects.create(
        registration=row, source=Source.PULL, state=DeliveryState.PUBLISHED, requested_by="ann"
    )
    Delivery.objects.create(registration=row, source=Source.PULL, state=DeliveryState.PUBLISHED)
    assert text_of(admin.get("/monitoring/delivery/")).count("requested by ann") == 1
    assert "Requested by ann" in text_of(admin.get(f"/monitoring/delivery/{requested.pk}/change/"))
    assert "Pull requested by ann" in text_of(admin.get(page(row)))


def test_the_list_shows_the_end_of_a_pause_in_the_readers_zone(admin: Client) -> None:
    User.objects.update(timezone="Asia/Tokyo")
    a_registration(state="paused", paused_until=datetime(2099, 1, 2, tzinfo=UTC))
    assert "Paused until 2 Jan 2099, 09:00" in text_of(admin.get(LIST))


def test_pause_until_somebody_starts_it(admin: Client) -> None:
    """The page hides the time with this duration: what was entered before does not count."""
    row = a_registration()
    admin.post(f"{LIST}pause/?key={row.pk}", {"duration": "", "until": "2099-01-01T00:00"})
    row.refresh_from_db()
    assert row.state == RegistrationState.PAUSED and row.paused_until is None


def test_a_pause_cannot_end_in_the_past(admin: Client) -> None:
    row = a_registration()
    assert "in the past" in text_of(
        admin.post(f"{LIST}pause/?key={row.pk}", {"duration": "until", "until": "2020-01-01T00:00"})
    )
    row.refresh_from_db()
    assert row.state == RegistrationState.ACTIVE


def test_what_is_no_registration_is_not_found(admin: Client) -> None:
    assert admin.get(f"{LIST}pause/?key=rubbish").status_code == 404


def test_many_are_pulled_started_and_paused_from_the_list(admin: Client) -> None:
    rows = [a_registration(name, state="paused") for name in ("A_01", "B_01")]
    chosen = {"_selected_action": [str(row.pk) for row in rows]}
    admin.post(LIST, {"action": "start_selected", "confirmed": "yes", **chosen})
    assert set(Registration.objects.values_list("state", flat=True)) == {"active"}
    admin.post(LIST, {"action": "pull_selected", **chosen})
    assert OrmQ.objects.count() == 2
    answer = admin.post(LIST, {"action": "pause_selected", **chosen})
    assert str(rows[0].pk) in answer["Location"] and str(rows[1].pk) in answer["Location"]


# Looking for registrations


def a_refusal() -> DirectPlusError:
    return DirectPlusError(Told(403, "00044", "No way in.", (), None, None, {}, b""))


def test_looking_tells_what_was_found(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Discovery(seen=["A", "B"], new=["B"], failed={"A": "no answer"})
    monkeypatch.setattr(actions, "discover_registrations", lambda contract: found)
    text = text_of(admin.post(f"{LIST}look/", follow=True))
    assert "2 registrations at D&B. New: 1." in text and "A could not be loaded: no answer" in text


@pytest.mark.parametrize("error", [NotConfigured("DNB_API_KEY is not set."), a_refusal()])
def test_trouble_in_looking_is_told(admin: Client, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(contract: object) -> None:
        raise error

    monkeypatch.setattr(actions, "discover_registrations", fail)
    assert str(error) in text_of(admin.post(f"{LIST}look/", follow=True))


# Rights


def a_person(*names: str) -> User:
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def test_pulling_has_a_right_of_its_own(client: Client) -> None:
    row = a_registration(state="paused")
    client.force_login(a_person("view_registration", "change_registration"))
    for answer in (act(client, row, "start"), client.post(f"{LIST}look/"), client.get(f"{LIST}pause/?key={row.pk}")):
        assert answer.status_code == 403
    assert "Pull now" not in text_of(client.get(page(row)))
    row.refresh_from_db()
    assert row.state == RegistrationState.PAUSED


def test_who_may_pull_may_not_change_the_cadence(client: Client) -> None:
    row = a_registration(state="paused")
    client.force_login(a_person("view_registration", "pull_registration"))
    assert act(client, row, "start").status_code == 200
    assert client.post(page(row), cadence()).status_code == 403


# Cadence


def cadence(**fields: Any) -> dict[str, Any]:
    return {
        "cadence": "minutes",
        "cadence_every": 5,
        "cadence_time": "",
        "cadence_zone": "UTC",
        "page_size": 100,
        **fields,
    }


def test_a_new_cadence_acts_at_once(admin: Client) -> None:
    row = a_registration(next_pull_at=timezone.now() + timedelta(hours=40))
    answer = admin.post(page(row), cadence(cadence_every=10))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row.refresh_from_db()
    assert row.cadence_every == 10
    assert row.next_pull_at and row.next_pull_at < timezone.now() + timedelta(minutes=11)


def test_what_is_set_and_done_is_audited_and_the_form_shows_the_defaults(admin: Client) -> None:
    row = a_registration(state="paused", gap_from=timezone.now(), gap_reason="Left for five days.")
    told = text_of(admin.get(page(row)))
    assert "Default: 5." in told and "Default: 100." in told
    admin.post(page(row), cadence(cadence_every=10))
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after, entry.actor) == ('{"cadence_every": 5}', '{"cadence_every": 10}', "ann")
    for action in ("start", "pull-now", "gap-dealt-with", "resume-reading"):
        admin.post(f"{LIST}{row.pk}/do/{action}/", {"confirmed": "yes"})
    admin.post(f"{LIST}pause/?key={row.pk}", {"until": ""})
    acts = list(AuditEntry.objects.exclude(pk=entry.pk).order_by("id").values_list("action", flat=True))
    words = ("start", "pull-now", "gap-dealt-with", "resume-reading", "pause")
    assert acts == [f"registration.{word}" for word in words]
    assert "Left for five days." in AuditEntry.objects.get(action="registration.gap-dealt-with").before


def test_a_daily_pull_in_its_own_zone(admin: Client) -> None:
    row = a_registration()
    daily = cadence(cadence="daily", cadence_time="06:30", cadence_zone="Europe/Berlin")
    assert admin.post(page(row), daily).status_code == 302
    row.refresh_from_db()
    assert row.cadence_time == time(6, 30)
    assert cadence_words(row) == "daily at 06:30 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"cadence": "hours", "cadence_every": 49}, "Enter at most 48 hours"),
        ({"cadence": "daily"}, "Enter the time of day"),
        ({"cadence_zone": "Mars/Base"}, "is not a time zone"),
        ({"page_size": 101}, "less than or equal to 100"),
        ({"cadence_every": 0}, "greater than or equal to 1"),
    ],
)
def test_what_would_lose_data_is_refused(admin: Client, fields: dict[str, Any], error: str) -> None:
    answer = admin.post(page(a_registration()), cadence(**fields))
    assert answer.status_code == 200 and error in text_of(answer)


def test_saving_leaves_alone_what_a_worker_writes(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    row = a_registration(fence=1)
    original = Registration.full_clean

    def meanwhile(self: Registration, *args: Any, **kwargs: Any) -> None:
        Registration.objects.filter(pk=row.pk).update(fence=7)
        original(self, *args, **kwargs)

    monkeypatch.setattr(Registration, "full_clean", meanwhile)
    admin.post(page(row), cadence(page_size=10))
    row.refresh_from_db()
    assert (row.page_size, row.fence) == (10, 7)


# Words


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
        (timedelta(hours=3, minutes=10), "3 h 10 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_spans(delta: timedelta, text: str) -> None:
    assert days_and_hours(delta) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "a moment"), (60, "1 minute"), (7300, "2 hours"), (90000, "1 day"), (4e7, "1 year")]
)
def test_one_unit_will_do(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_times_ago_and_to_come() -> None:
    now = timezone.now()
    assert [ago(now + timedelta(**delta), now) for delta in ({"hours": -2}, {"minutes": 5}, {"seconds": 3})] == [
        "2 hours ago",
        "in 5 minutes",
        "just now",
    ]


def test_an_active_registration_is_in_no_danger() -> None:
    now = timezone.now()
    row = Registration(state="active", last_pulled_at=now, next_pull_at=now)
    assert status(row).word == "Active" and countdown(row) == ""


def test_a_pause_that_ends_in_time_is_in_no_danger() -> None:
    now = timezone.now()
    row = Registration(state="paused", last_pulled_at=now, paused_until=now + timedelta(hours=14))
    assert countdown(row) == "" and "nothing is lost if pulling resumes by" in status(row).sentence
    assert countdown(row, pulls_paused=True).startswith("in 3 d 23 h")
    row.paused_until = now + timedelta(days=5)
    assert countdown(row).startswith("in 3 d 23 h") and status(row).sentence == ""
    row.paused_until = None
    assert countdown(row).startswith("in 3 d 23 h")


def test_loss_is_told_before_and_after() -> None:
    now = timezone.now()
    assert "Never pulled" in loss_sentence(Registration())
    assert "are not pulled by" in loss_sentence(Registration(last_pulled_at=now - timedelta(days=1)))
    assert "Start pulling now" in loss_sentence(Registration(last_pulled_at=now - timedelta(days=9)))


def test_cadences_in_words() -> None:
    assert cadence_words(Registration(cadence=Cadence.HOURS, cadence_every=1)) == "every hour"
    assert cadence_words(Registration(cadence=Cadence.MINUTES, cadence_every=5)) == "every 5 minutes"


# Contracts


def test_numbers_of_contracts_have_separators(admin: Client) -> None:
    a_contract(contracted_number=6000, cap=1000)
    assert "6,000 1,000" in text_of(admin.get("/portfolio/contract/"))


def test_a_contract_keeps_its_name(admin: Client) -> None:
    a_contract()
    form = {
        "prefix": "DNB",
        "calls_per_second": 3,
        "overlap": "00:05:00",
        "recovery_delay": "00:15:00",
        "name": "other",
    }
    form |= {"cap": 100, "removal_share": 10, "batch_threshold": 50}
    assert admin.post("/portfolio/contract/default/change/", form).status_code == 302
    assert a_contract().calls_per_second == 3
    assert admin.post("/portfolio/contract/default/delete/", {"post": "yes"}).status_code == 403


def test_one_that_was_never_started_is_started_by_a_button_and_not_pulled(admin: Client, client: Client) -> None:
    row = a_registration(state="paused")
    button = f'formaction="{LIST}{row.pk}/do/start/"'
    assert button in admin.get(LIST).text and "Pull now" not in text_of(admin.get(page(row)))
    a_registration(state="active", last_pulled_at=timezone.now())
    assert button not in admin.get(LIST).text and "Pull now" in text_of(admin.get(page(row)))
    client.force_login(User.objects.create_user("viewer", is_staff=True))
    assert button not in client.get(LIST).text
