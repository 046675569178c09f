"""The page of health, incidents with notes, jobs, metrics: what they show, and to whom."""

from __future__ import annotations

import json
import re
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule, Task
from pymongo.errors import ServerSelectionTimeoutError

from core.models import AuditEntry
from dnbmon_site.accounts import roles
from dnbmon_site.accounts.models import ApiKey
from dnbmon_site.worker.schedules import install_schedules
from health.checks.registry import all_checks
from health.checks.result import Result
from health.history.samples import start_of
from health.incidents import lifecycle
from health.incidents.lifecycle import open_incident
from health.job_results import NO_BACKUP_FOLDER
from health.models import IncidentNote, Sample, Span, State
from health.runbook_page import FOLDER, found, rendered
from health.schedule_status import REFUSED, all_jobs
from health.views import AWAY, what_is_missing
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.pull_job import PULL_JOB
from tests.builders.deliveries import a_published_call
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.times import ago
from tests.support import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]
MAY = (roles.OPERATOR, roles.ADMINISTRATOR)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(a_person(role=roles.OPERATOR))
    return client


def stop_it() -> None:
    Registration.objects.update(state=RegistrationState.STOPPED, stopped_reason="00041 not authorised")


@pytest.mark.parametrize("role", roles.ROLES)
def test_who_may_see_it(role: str, client: Client) -> None:
    client.force_login(a_person(role=role))
    assert client.get("/health/").status_code == (200 if role in MAY else 403)
    install_schedules()
    job = Schedule.objects.order_by("id").first()
    assert client.post(f"/health/jobs/{job.pk}/pause/", {"confirmed": "yes"}).status_code == (
        302 if role in MAY else 403
    )
    assert Schedule.objects.filter(repeats=0).count() == (role in MAY)


def test_who_is_not_signed_in_is_sent_to_the_door(client: Client) -> None:
    assert client.get("/health/")["Location"].startswith("/login/")
    assert client.post("/health/jobs/1/pause/")["Location"].startswith("/login/")


def test_it_shows_everything(operator: Client) -> None:
    install_schedules()
    a_published_call(took=0.5, visible=0.2)
    now = timezone.now()
    Task.objects.create(id="t" * 32, name="t", func="x.y", started=now, stopped=now, success=False, result="boom <b>")
    open_incident(dedup_key="disk", title="Disk is full", cause="0.4 GB are free.")
    text = operator.get("/health/").content.decode()
    for word in (
        "Pulled 3 min ago",
        "Availability",
        "Received to visible",
        "Disk is full",
        "Pull due registrations",
        "boom &lt;b",
    ):
        assert word in text


def test_it_answers_503_when_critical_and_shows_all_the_same(operator: Client) -> None:
    stop_it()
    answer = operator.get("/health/")
    assert answer.status_code == 503
    assert "00041 not authorised" in answer.content.decode()


def test_it_begins_with_what_is_wrong_since_when_and_what_to_do(operator: Client) -> None:
    stop_it()
    open_incident(dedup_key="stopped:ACME_LOD_01", title="Stopped", cause="It is stopped.")
    text = operator.get("/health/").content.decode()
    head = text[text.index('aria-label="Status"') : text.index('aria-label="Checks"')]
    assert "1 critical problem" in head and "Registration ACME_LOD_01" in head and "Started <" in head
    assert "Correct the problem that D&amp;B reports" in head
    assert 'href="/help/operate/troubleshooting.md#stopped"' in head


def test_the_handbook_is_read_inside_the_program(operator: Client) -> None:
    text = operator.get("/help/operate/troubleshooting.md").content.decode()
    assert all(f'<a id="{result.check}"></a>' in text for result in all_checks())
    assert 'id="health"' in operator.get("/help/operate/operations.md").content.decode()
    moved = operator.get("/help/troubleshooting.md")
    assert (moved.status_code, moved["Location"]) == (301, "/help/operate/troubleshooting.md")
    image = operator.get("/help/images/health.png")
    assert image["Content-Type"] == "image/png" and b"".join(image.streaming_content)  # type: ignore[attr-defined]
    for path in ("missing.md", "../manage.py", "images"):
        assert operator.get(f"/help/{path}").status_code == 404
    operator.logout()
    assert operator.get("/help/operate/troubleshooting.md")["Location"].startswith("/login/")


def test_links_of_the_handbook_lead_somewhere() -> None:
    for file in sorted(FOLDER.rglob("*.md")):
        _, body = rendered(file, 0)
        for target in re.findall(r'(?:href|src)="([^":]+)"', body):
            path, _, anchor = target.partition("#")
            aim = found(str(file.parent / path if path else file))
            if anchor and aim.suffix == ".md":
                assert f'id="{anchor}"' in rendered(aim, 0)[1], f"{file.name} links {target}"


def test_the_handbook_links_between_its_folders_and_not_out_of_them() -> None:
    _, body = rendered(FOLDER / "develop" / "architecture.md", 0)
    assert 'href="../operate/backup.md"' in body
    _, body = rendered(FOLDER / "develop" / "data_model.md", 0)
    assert 'href="invariants.md#ids-from-content"' in body and 'href="../../' not in body


def test_as_json(operator: Client) -> None:
    stop_it()
    answer = operator.get("/health/", headers={"Accept": "application/json"})
    told = answer.json()
    assert (answer.status_code, told["state"]) == (503, "critical")
    assert {check["check"] for check in told["checks"]} >= {"fresh", "stopped", "disk", "jobs", "dnb"}


def test_a_key_reads_it_as_json(client: Client) -> None:
    _, plain = ApiKey.issue(name="watcher", scopes="metrics")
    _, other = ApiKey.issue(name="other", scopes="read")
    assert client.get("/health/", headers={"Authorization": f"Bearer {plain}"}).json()["state"] == "ok"
    assert client.get("/health/", headers={"Authorization": f"Bearer {other}"}).status_code == 403
    assert client.get("/health/", headers={"Authorization": "Bearer dnbmon_x_y"}).status_code == 401


def test_without_the_database_it_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **more: Any) -> Any:
        raise OperationalError("password=hunter2")

    monkeypatch.setattr("dnbmon_site.operations.health_access.health", away)
    monkeypatch.setattr("health.views.migrations_waiting", away)
    monkeypatch.setattr("dnbmon_site.http.middleware.zone_of", away)
    client.raise_request_exception = False
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (503, b"The database cannot be reached.\n")
    page = client.get("/health/", headers={"Accept": "text/html"}).content.decode()
    assert "<h1>The database cannot be reached.</h1>" in page and "manage.py migrate" in page
    page = client.get("/portfolio/company/", headers={"Accept": "text/html"}).content.decode()
    assert "The database cannot be reached." in page and "manage.py" not in page
    answer = client.get("/api/v1/companies/")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The database cannot be reached.")


def test_a_backup_without_a_folder_is_no_success(operator: Client) -> None:
    now = timezone.now()
    row = Schedule.objects.create(func="x.y", name="Back up the database", schedule_type="I", minutes=60, task="t" * 32)
    Task.objects.create(
        id=row.task, name="t", func="x.y", started=now, stopped=now, success=True, result=NO_BACKUP_FOLDER
    )
    for path in ("/health/", "/django_q/schedule/"):
        jobs = text_of(operator.get(path)).partition("Back up the database")[2]
        assert "Not set up" in jobs and "Succeeded" not in jobs
    Task.objects.update(result="A backup has started.")
    assert "Succeeded" in text_of(operator.get("/health/")).partition("Back up the database")[2]


def test_jobs_are_paused_resumed_and_run_and_it_is_written_down(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("health.schedule_status.ask_worker", lambda func, *a, **k: sent.append(func))
    install_schedules()
    job = Schedule.objects.get(func="monitoring.jobs.pull_due")
    assert "No registration is pulled until" in text_of(operator.post(f"/health/jobs/{job.pk}/pause/"))
    for verb in ("pause", "pause", "resume", "run-now"):
        form = {"confirmed": "yes", "back": "/?registration=x"}
        assert operator.post(f"/health/jobs/{job.pk}/{verb}/", form)["Location"] == "/?registration=x"
    elsewhere = operator.post(f"/health/jobs/{job.pk}/resume/", {"back": "https://elsewhere.example/"})
    assert elsewhere["Location"] == "/health/#jobs"
    shown = operator.get("/health/").text
    assert shown.index('id="jobs"') < shown.index("“Pull due registrations”") < shown.index('data-part="jobs"')
    assert ">every 2 minutes</td>" in shown, "how often messages are sent"
    assert sent == ["monitoring.jobs.pull_due"]
    actions = list(AuditEntry.objects.order_by("id").values_list("action", "actor"))
    assert actions == [("schedule.pause", "bob"), ("schedule.resume", "bob"), ("schedule.run", "bob")]
    assert operator.post(f"/health/jobs/{job.pk}/stop/").status_code == 404
    assert operator.post("/health/jobs/nonsense/pause/").status_code == 404
    assert operator.get(f"/health/jobs/{job.pk}/pause/").status_code == 405


def test_all_pages_call_the_same_jobs_overdue(operator: Client) -> None:
    install_schedules()
    now, on_time = timezone.now(), Schedule.objects.get(func="monitoring.jobs.pull_due")
    Schedule.objects.update(next_run=now + timedelta(hours=1))
    Schedule.objects.filter(pk=on_time.pk).update(next_run=now - timedelta(minutes=2))
    for path in ("/health/", "/django_q/schedule/"):
        assert "due now" in (text := text_of(operator.get(path))) and "overdue by" not in text
    assert "No jobs overdue" in text_of(operator.get("/health/"))
    Schedule.objects.filter(pk=on_time.pk).update(next_run=now - timedelta(minutes=4))
    for path in ("/health/", "/django_q/schedule/"):
        assert "overdue by 4 minutes" in (text := text_of(operator.get(path))) and "due now" not in text
    assert "“Pull due registrations” is overdue by 4 min" in text_of(operator.get("/health/"))


def test_a_pause_is_asked_how_long_and_why_and_is_shown_with_that(operator: Client) -> None:
    install_schedules()
    job = Schedule.objects.get(func="monitoring.jobs.send_due")
    asked = operator.post(f"/health/jobs/{job.pk}/pause/", {"back": "/health/"})
    assert "Pause the job “Send messages”?" in text_of(asked) and 'name="reason"' in asked.text
    assert 'name="back" value="/health/"' in asked.text
    late = {"confirmed": "yes", "duration": "until", "until": "2020-01-01T10:00"}
    assert "This time is in the past" in text_of(operator.post(f"/health/jobs/{job.pk}/pause/", late))
    far = {"confirmed": "yes", "duration": "until", "until": "9999-12-31T23:59"}
    assert "one year at most" in text_of(operator.post(f"/health/jobs/{job.pk}/pause/", far))
    form = {"confirmed": "yes", "duration": "2", "reason": "New email server"}
    said = text_of(operator.post(f"/health/jobs/{job.pk}/pause/", form, follow=True))
    assert "“Send messages” is paused until" in said
    assert "Paused by bob, until" in said and said.count(": New email server") == 2, "in the check and in the table"
    assert "New email server" in text_of(operator.get("/django_q/schedule/"))
    many = {"action": "pause", "_selected_action": [str(row.pk) for row in Schedule.objects.exclude(func=PULL_JOB)[:3]]}
    assert "Pause 3 jobs?" in text_of(operator.post("/django_q/schedule/", many))
    operator.post("/django_q/schedule/", {**many, "confirmed": "yes"})
    assert Schedule.objects.filter(repeats=0).count() >= 3


def test_a_job_that_is_paused_takes_new_terms_or_says_that_nothing_changed(operator: Client) -> None:
    install_schedules()
    job = Schedule.objects.get(func="monitoring.jobs.send_due")
    page, form = f"/health/jobs/{job.pk}/pause/", {"confirmed": "yes"}
    assert "“Send messages” is paused." in text_of(operator.post(page, form, follow=True))
    assert "No changes made: “Send messages” was already paused" in text_of(operator.post(page, form, follow=True))
    said = text_of(operator.post(page, {**form, "duration": "2"}, follow=True))
    assert "“Send messages” is paused until" in said and "Paused by bob, until" in said


def test_a_job_that_does_not_run_here_is_not_paused(operator: Client) -> None:
    job = Schedule.objects.create(name="Foreign", func="x.y", cluster=REFUSED, next_run=timezone.now())
    said = text_of(operator.post(f"/health/jobs/{job.pk}/pause/", {"confirmed": "yes"}, follow=True))
    assert "does not run a job of D&B Monitoring" in said and "is paused." not in said


def test_the_page_names_the_job_that_runs_next(operator: Client) -> None:
    now = timezone.now()
    for name, minutes, repeats in (("Later", 30, -1), ("Sooner", 10, -1), ("Paused", 5, 0)):
        Schedule.objects.create(name=name, func="x.y", next_run=now + timedelta(minutes=minutes), repeats=repeats)
    assert "Next job: Sooner, in " in text_of(operator.get("/health/"))


def test_a_job_that_is_under_way_shows_how_it_went_before() -> None:
    row = Schedule.objects.create(name="Pull", func="x.y", task="n" * 32, next_run=timezone.now())
    (job,) = all_jobs()
    assert (job.last, job.is_under_way) == (None, True)
    for minutes in (2, 1):
        times = dict.fromkeys(("started", "stopped"), ago(minutes=minutes))
        Task.objects.create(id=f"{minutes}" * 32, name="x", func="x.y", group="Pull", success=True, **times)
    (job,) = all_jobs()
    assert job.last and (job.last.id, job.is_under_way) == ("1" * 32, True)
    Schedule.objects.filter(pk=row.pk).update(task="2" * 32)
    (job,) = all_jobs()
    assert job.last and (job.last.id, job.is_under_way) == ("2" * 32, False)


def test_notes_are_kept_with_an_incident(operator: Client) -> None:
    row = open_incident(dedup_key="disk", title="Disk is full", cause="0.4 GB are free.")
    assert row is not None
    page = f"/health/incident/{row.pk}/"
    operator.post(f"{page}do/note/", {"text": "Removed old backups."})
    operator.post(f"{page}do/note/", {"text": "  "})
    assert [note.author for note in IncidentNote.objects.all()] == ["bob"]
    assert "Removed old backups." in operator.get(f"{page}change/").content.decode()
    assert AuditEntry.objects.get().action == "incident.note"
    assert "Disk is full" in operator.get("/health/incident/").content.decode()


def test_the_page_costs_a_bounded_number_of_queries(operator: Client, django_assert_max_num_queries: Any) -> None:
    """Each table that something can wait in is looked at once, whatever is in it."""
    install_schedules()
    operator.get("/health/")
    with django_assert_max_num_queries(33):
        operator.get("/health/")


# Metrics


def scraped(client: Client) -> str:
    _, plain = ApiKey.issue(name="prometheus", scopes="metrics")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {plain}"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_metrics_need_a_key_with_the_scope(client: Client) -> None:
    _, plain = ApiKey.issue(name="other", scopes="read")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {plain}"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401


def test_metrics_tell_what_the_checks_tell(client: Client) -> None:
    a_published_call(took=0.5, visible=0.2, count=7)
    stop_it()
    text = scraped(client)
    assert 'dnbmon_check_state{check="stopped",subject="ACME_LOD_01"} 3.0' in text
    assert "dnbmon_health_state 3.0" in text
    assert 'dnbmon_pull_seconds{quantile="0.95"} 0.5' in text
    assert "dnbmon_notifications_read 7.0" in text
    age = re.search(r'dnbmon_registration_age_seconds{registration="ACME_LOD_01"} ([\d.]+)', text)
    assert age and 170 < float(age[1]) < 200


def test_metrics_cost_a_bounded_number_of_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    _, plain = ApiKey.issue(name="prometheus", scopes="metrics")
    with django_assert_max_num_queries(29):
        client.get("/metrics", headers={"Authorization": f"Bearer {plain}"})


def test_every_metric_of_dashboard_and_rules_is_exported(client: Client) -> None:
    folder = ROOT / "docs/monitoring"
    files = [folder / "grafana-dashboard.json", folder / "prometheus-alerts.yml"]
    json.loads(files[0].read_text())
    named = {name for file in files for name in re.findall(r"\bdnbmon_[a-z_]+\b", file.read_text())}
    exported = set(re.findall(r"^# TYPE (\w+)", scraped(client), re.M))
    assert len(named) > 10
    assert named - exported == set()


def test_alert_rules_name_a_section_of_the_runbook() -> None:
    runbook = (ROOT / "docs/operate/troubleshooting.md").read_text()
    rules = (ROOT / "docs/monitoring/prometheus-alerts.yml").read_text()
    sections = re.findall(r"docs/operate/troubleshooting\.md#([a-z-]+)", rules)
    assert len(sections) == rules.count("- alert:")
    assert [name for name in sections if f'<a id="{name}">' not in runbook] == []


def test_trouble_goes_to_channels_through_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    from monitoring.alerts.routing import send_notices
    from monitoring.models import Channel, OutboxMessage

    monkeypatch.setattr(lifecycle, "ask_worker", lambda *args, **more: "")
    Channel.objects.create(name="ops", notices=True, active=True, created_at=timezone.now())
    for state in (State.CRITICAL, State.CRITICAL, State.OK):
        lifecycle.follow([Result("disk", "Disk", state, "0.4 GB are free.")], [])
        send_notices()
    assert OutboxMessage.objects.count() == 2


def test_a_database_that_is_busy_is_said_and_read_all_the_same(
    client: Client, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: Any, **more: Any) -> Any:
        raise OperationalError("database is locked")

    _, plain = ApiKey.issue(name="watcher", scopes="metrics")
    with monkeypatch.context() as patched:
        patched.setattr("django.db.models.query.QuerySet.update", busy)
        answer = client.get("/health/", headers={"Authorization": f"Bearer {plain}"})
        assert answer.json()["state"] == "ok"
    monkeypatch.setattr("health.status_page.page_context", busy)
    operator.raise_request_exception = False
    answer = operator.get("/health/", headers={"Accept": "text/html"})
    assert answer.status_code == 503 and "The database is busy" in answer.content.decode()


def test_a_mongodb_that_is_away_is_told_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> Any:
        raise ServerSelectionTimeoutError("no server")

    monkeypatch.setattr("health.checks.migrations.MigrationExecutor", away)
    assert what_is_missing() == AWAY


def test_availability_says_for_how_many_days_it_is_known(operator: Client) -> None:
    assert "days of data" not in operator.get("/health/").content.decode()
    for days in (0, 1, 2):
        at = start_of((timezone.now() - timedelta(days=days)).astimezone(UTC).date())
        Sample.objects.create(
            id=Sample.key(Span.DAY, at), span=Span.DAY, at=at, expected=1440, seen=1440, critical=0, numbers="{}"
        )
    text = operator.get("/health/").content.decode()
    assert "Last 90 days (3 days of data)" in text and "<small>Today</small>" in text


@pytest.mark.parametrize("role", [roles.VIEWER, roles.ANALYST, roles.MANAGER])
def test_who_reads_the_data_sees_how_fresh_it_is(role: str, client: Client) -> None:
    client.force_login(a_person(role=role))
    text = client.get("/").content.decode()
    fresh = text[text.index('id="fresh"') :]
    assert "ACME_LOD_01" in fresh and "Last pull" in fresh and "Active" in fresh
    links = re.findall(r'href="(/portfolio/[^"]+)"', fresh[: fresh.index("</section>")])
    assert links and all(client.get(link).status_code == 200 for link in links)
    assert "/health/" not in text, "no rights on the machinery come with it"


def test_the_front_page_tells_what_health_has_found(operator: Client) -> None:
    open_incident(dedup_key="receivers:x", title="Webhook CRM", cause="2 tries failed.", state=State.WARNING)
    open_incident(dedup_key="stopped:ACME_LOD_01", title="Registration ACME_LOD_01", cause="Stopped.")
    text = operator.get("/").content.decode()
    needs = text[text.index("Needs attention") : text.index('id="fresh"')]
    assert "Webhook CRM" in needs and "2 tries failed." in needs
    assert "Registration ACME_LOD_01" not in needs, "the page tells of registrations itself"
