"""django-q2's pages: a schedule that would stop all others is refused, and jobs can be paused."""

import re
from datetime import timedelta
from typing import Any, get_type_hints

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.tasks import async_task

from core.models import AuditEntry
from dnbmon_site.worker import admin as worker_admin
from dnbmon_site.worker.schedules import JOBS, install_schedules, is_own, refuse_foreign
from health import schedule_status
from health.job_results import DONE
from tests.builders.pages import text_of

COUNT = "monitoring.jobs.count_days"
pytestmark = pytest.mark.django_db


def a_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "mine", "func": COUNT, "schedule_type": "I", "minutes": 5, "repeats": -1,
        "next_run_0": "2026-01-01", "next_run_1": "00:00", **fields,
    }  # fmt: skip


def test_only_jobs_of_the_program_can_be_scheduled(admin: Client) -> None:
    answer = admin.post(
        "/django_q/schedule/add/", a_form(func="os.system", args="'id'", kwargs="x=1", hook="os.system")
    )
    assert answer.status_code == 200 and not Schedule.objects.exists()
    assert admin.post("/django_q/schedule/add/", a_form(args="'id'", hook="os.system")).status_code == 302
    row = Schedule.objects.get()
    assert (row.args, row.kwargs, row.hook) == (None, None, None)
    assert "os.system" not in text_of(admin.get(f"/django_q/schedule/{row.pk}/change/"))


def test_a_second_schedule_of_a_name_is_refused(admin: Client) -> None:
    """The worker finds those of its table by their names."""
    install_schedules()
    answer = admin.post("/django_q/schedule/add/", a_form(name="Update daily statistics"))
    assert "A schedule with this name exists" in text_of(answer)


def test_runs_of_long_ago_are_not_made_up_for(admin: Client) -> None:
    began = timezone.now()
    admin.post("/django_q/schedule/add/", a_form(next_run_0="1901-01-02"))
    assert Schedule.objects.get().next_run >= began - timedelta(seconds=1)


def test_a_kind_of_schedule_that_cannot_be_carried_out_is_refused(admin: Client) -> None:
    assert admin.post("/django_q/schedule/add/", a_form(schedule_type="C")).status_code == 200
    assert not Schedule.objects.exists()


def test_a_refused_schedule_is_neither_run_nor_resumed_until_a_job_is_chosen(admin: Client) -> None:
    row = Schedule.objects.create(name="old", func="os.system", args="'id'")
    refuse_foreign()
    for action in ("resume", "run_now"):
        answer = admin.post("/django_q/schedule/", {"action": action, "_selected_action": [row.pk]}, follow=True)
        assert "does not run a job of D&B Monitoring" in text_of(answer)
    assert not OrmQ.objects.exists() and Schedule.objects.get().repeats == 0
    assert "Disabled" in text_of(admin.get("/django_q/schedule/"))
    admin.post(f"/django_q/schedule/{row.pk}/change/", a_form(name="old"))
    assert is_own(Schedule.objects.get()) and Schedule.objects.get().repeats == -1


def test_what_is_done_to_jobs_is_audited(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_admin, "ask_worker", lambda *what, **how: None)
    admin.post("/django_q/schedule/add/", a_form())
    row = Schedule.objects.get()
    admin.post(f"/django_q/schedule/{row.pk}/change/", a_form(minutes=7))
    admin.post(f"/django_q/schedule/{row.pk}/delete/", {"post": "yes"})
    Task.objects.create(id="x", name="mine", func=COUNT, started=timezone.now(), stopped=timezone.now(), success=False)
    admin.post("/django_q/failure/", {"action": "resubmit", "_selected_action": ["x"]})
    acts = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert [word.partition(" ")[0] for word in acts] == ["add", "edit", "delete", "task.rerun"]
    edited = AuditEntry.objects.get(action__startswith="edit")
    assert '"minutes": 5' in edited.before and '"minutes": 7' in edited.after


def test_schedules_are_paused_and_resumed(admin: Client) -> None:
    install_schedules()
    keys = [str(key) for key in Schedule.objects.values_list("pk", flat=True)]
    form = {"action": "pause", "_selected_action": keys}
    assert "No registration is pulled until" in text_of(admin.post("/django_q/schedule/", form))
    for action, repeats in (("pause", 0), ("resume", -1)):
        admin.post("/django_q/schedule/", {"action": action, "_selected_action": keys, "confirmed": "yes"})
        assert set(Schedule.objects.values_list("repeats", flat=True)) == {repeats}


def test_the_list_of_schedules_tells_how_the_last_run_went(admin: Client, django_assert_max_num_queries: Any) -> None:
    install_schedules()
    task = Task.objects.create(
        id="0" * 32, name="n", func="f", started=timezone.now(), stopped=timezone.now(), success=False, result="broken"
    )
    Schedule.objects.filter(name="Update daily statistics").update(task=task.pk, repeats=0, next_run=timezone.now())
    Schedule.objects.filter(pk=Schedule.objects.latest("pk").pk).update(next_run=timezone.now())
    with django_assert_max_num_queries(12):
        page = admin.get("/django_q/schedule/")
    text = text_of(page)
    assert "Failed just now" in text and "Paused" in text and "every minute" in text
    assert "When resumed" in text, "as on the page of health"
    assert "every hour" in text and "every day" in text and "every 60" not in text
    *running, paused = page.context["cl"].result_list
    assert paused.name == "Update daily statistics", "paused ones are last, whatever their time"
    assert [row.next_run for row in running] == sorted(row.next_run for row in running)


def test_a_schedule_runs_now(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(schedule_status, "ask_worker", lambda *args, **kwargs: called.append((args, kwargs)))
    row = Schedule.objects.create(name="mine", func="monitoring.jobs.count_days")
    admin.post("/django_q/schedule/", {"action": "run_now", "_selected_action": [str(row.pk)]})
    assert called == [(("monitoring.jobs.count_days",), {"task_name": "mine"})]


@pytest.mark.parametrize("model", [Success, Failure])
def test_tasks_are_listed_and_shown(admin: Client, model: Any) -> None:
    now = timezone.now()
    row = Task.objects.create(
        id="1" * 32, name="n", func="f", started=now, stopped=now, success=model is Success, result={"x": 1}
    )
    path = f"/django_q/{model._meta.model_name}"
    assert "0.00 s" in text_of(admin.get(f"{path}/"))
    assert admin.get(f"{path}/{row.pk}/change/").status_code == 200


VERIFIED = "22,000 publications verified, 1,100 entries published again; 150,000 companies verified, 120 corrected"


@pytest.mark.parametrize(
    ("job", "result", "words"),
    [
        ("monitoring.jobs.pull_due", 3, "3 registrations pulled"),
        ("monitoring.jobs.pull_due", 1, "1 registration pulled"),
        ("monitoring.jobs.send_due", 1200, "1,200 messages sent"),
        ("portfolio.jobs.work_on_import", "applied", "Applied"),
        ("portfolio.jobs.write_export", True, "Done"),
        ("a.job.of.before", 8, "8 processed"),
        ("monitoring.jobs.pull_due", 0, "Nothing to do"),
        ("portfolio.jobs.write_export", False, "Nothing to do"),
        ("monitoring.jobs.process_published", None, "Done"),
        ("portfolio.exposure.work.read_upload", "failed", "Failed"),
        ("monitoring.jobs.verify", VERIFIED, VERIFIED),
    ],
)
def test_a_result_is_shown_with_what_it_counts(admin: Client, job: str, result: Any, words: str) -> None:
    now = timezone.now()
    row = Task.objects.create(id="4" * 32, name="n", func=job, started=now, stopped=now, success=True, result=result)
    assert words in text_of(admin.get("/django_q/success/"))
    assert words in text_of(admin.get(f"/django_q/success/{row.pk}/change/"))
    Schedule.objects.create(name="a job", func=job, task=row.pk)
    assert words in text_of(admin.get("/health/"))


def test_jobs_are_found_by_the_names_that_are_shown(admin: Client) -> None:
    install_schedules()
    now = timezone.now()
    times = {"started": now, "stopped": now, "success": True}
    Task.objects.create(id="5" * 32, name="four-random-words", func="monitoring.jobs.process_published", **times)
    Task.objects.create(id="6" * 32, name="other", func="monitoring.jobs.send_due", **times)
    page = admin.get("/django_q/success/?q=process published")
    assert [row.func for row in page.context["cl"].result_list] == ["monitoring.jobs.process_published"]
    schedules = admin.get("/django_q/schedule/?q=send messages").context["cl"].result_list
    assert [row.func for row in schedules] == ["monitoring.jobs.send_due"]


def test_a_failed_job_shows_what_went_wrong_and_not_where(admin: Client) -> None:
    now, result = timezone.now(), "D&B is away : Traceback (most recent call last): File x.py"
    Task.objects.create(id="7" * 32, name="n", func=COUNT, started=now, stopped=now, success=False, result=result)
    page = text_of(admin.get("/django_q/failure/"))
    assert "D&B is away" in page and "Traceback" not in page


@pytest.mark.parametrize("job", [name for _, name, _ in JOBS])
def test_each_count_of_a_scheduled_job_has_words(job: str) -> None:
    """A job that returns a text says itself what it did."""
    returns = get_type_hints(import_string(job))["return"]
    assert returns is str or job in DONE


def test_failed_tasks_run_again(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(worker_admin, "ask_worker", lambda *args, **kwargs: called.append(args))
    now = timezone.now()
    row = Task.objects.create(id="2" * 32, name="n", func=COUNT, started=now, stopped=now, success=False)
    foreign = Task.objects.create(id="3" * 32, name="n", func="os.system", started=now, stopped=now, success=False)
    form = {"action": "resubmit", "_selected_action": [row.pk, foreign.pk]}
    assert "were not rerun" in text_of(admin.post("/django_q/failure/", form, follow=True))
    assert called == [(COUNT,)] and list(Task.objects.all()) == [foreign]


def test_the_queue_is_shown(admin: Client) -> None:
    async_task(COUNT)
    assert OrmQ.objects.count() == 1
    assert "Update daily statistics" in text_of(admin.get("/django_q/ormq/"))


def test_a_badge_says_in_words_when_the_last_run_ended(admin: Client) -> None:
    install_schedules()
    done = Task.objects.create(
        id="0" * 32, name="x", func=COUNT, started=timezone.now(), stopped=timezone.now(), success=True
    )
    Schedule.objects.filter(name="Update daily statistics").update(task=done.pk)
    page = admin.get("/django_q/schedule/").content.decode()
    assert "Succeeded" in page and "just now" in page
    assert "&lt;time" not in page


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/django_q/schedule/", "Add schedule"),
        ("/django_q/schedule/add/", "Add schedule"),
        ("/django_q/success/", "0 finished jobs"),
        ("/auth/group/", "Add role"),
        ("/auth/group/add/", "Add role"),
    ],
)
def test_pages_use_our_words_for_what_other_packages_store(admin: Client, path: str, words: str) -> None:
    text = text_of(admin.get(path))
    assert words in text and not re.search(r"Add Scheduled task|Successful tasks|Add group", text)


def test_a_schedule_is_called_as_its_job(admin: Client) -> None:
    admin.post("/django_q/schedule/add/", a_form(name="Update daily statistics"))
    row = Schedule.objects.get()
    for page in ("change", "delete"):
        assert "Update daily statistics" in text_of(admin.get(f"/django_q/schedule/{row.pk}/{page}/"))
    assert AuditEntry.objects.get().summary.startswith("Schedule Update daily statistics")


def test_what_ran_and_what_waits_is_called_as_its_job(admin: Client) -> None:
    now = timezone.now()
    Task.objects.create(id="x", name="red-fish-two-nine", func=COUNT, started=now, stopped=now, success=True)
    async_task(COUNT)
    OrmQ.objects.create(key="dnbmon", payload="broken")
    for path in ("/django_q/success/", "/django_q/success/x/change/", "/django_q/ormq/"):
        answer = admin.get(path)
        assert answer.status_code == 200 and "Update daily statistics" in text_of(answer)
        assert "red-fish" not in text_of(answer)
