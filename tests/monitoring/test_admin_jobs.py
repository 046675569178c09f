"""django-q2's pages: a schedule that would stop all others is refused, and jobs can be paused."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from dnbmon_site import jobs_admin
from dnbmon_site.jobs_admin import read_keywords, read_literal
from dnbmon_site.models import User
from dnbmon_site.schedules import install_schedules
from health import scheduling
from portfolio.models import AuditEntry
from tests.monitoring.test_admin import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    return client


def a_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "mine", "func": "monitoring.jobs.count_days", "schedule_type": "I", "minutes": 5, "repeats": -1,
        "next_run_0": "2026-01-01", "next_run_1": "00:00", **fields,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["foo", "1, foo", "open('x')", "(", "'", "1 +", "x=1"])
def test_arguments_that_cannot_be_read_are_refused(admin: Client, text: str) -> None:
    answer = admin.post("/django_q/schedule/add/", a_form(args=text))
    assert answer.status_code == 200
    assert "cannot be read" in text_of(answer)
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("text", ["x=foo", "x=", "1", "x=1, **y", "{1: 2}", "x=open('y')"])
def test_keyword_arguments_that_cannot_be_read_are_refused(admin: Client, text: str) -> None:
    answer = admin.post("/django_q/schedule/add/", a_form(kwargs=text))
    assert answer.status_code == 200
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(("args", "kwargs"), [("", ""), ("1, 'x', [2]", "a=1, b='c'"), ("'one'", "{'a': 1}")])
def test_plain_values_are_taken(admin: Client, args: str, kwargs: str) -> None:
    answer = admin.post("/django_q/schedule/add/", a_form(args=args, kwargs=kwargs))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert Schedule.objects.get().name == "mine"


def test_literals() -> None:
    assert read_literal("1, 2") == (1, 2)
    assert read_keywords("a=1, b=[2]") == {"a": 1, "b": [2]}
    with pytest.raises(ValidationError):
        read_keywords("{**x}")


def test_what_is_done_to_jobs_is_audited(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_admin, "async_task", lambda *what, **how: None)
    admin.post("/django_q/schedule/add/", a_form())
    row = Schedule.objects.get()
    admin.post(f"/django_q/schedule/{row.pk}/change/", a_form(minutes=7))
    admin.post(f"/django_q/schedule/{row.pk}/delete/", {"post": "yes"})
    Task.objects.create(id="x", name="mine", func="a.b", started=timezone.now(), stopped=timezone.now(), success=False)
    admin.post("/django_q/failure/", {"action": "resubmit", "_selected_action": ["x"]})
    acts = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert [word.partition(" ")[0] for word in acts] == ["add", "edit", "delete", "task.rerun"]
    edited = AuditEntry.objects.get(action__startswith="edit")
    assert '"minutes": 5' in edited.before and '"minutes": 7' in edited.after


def test_schedules_are_paused_and_resumed(admin: Client) -> None:
    install_schedules()
    keys = [str(key) for key in Schedule.objects.values_list("pk", flat=True)]
    for action, repeats in (("pause", 0), ("resume", -1)):
        admin.post("/django_q/schedule/", {"action": action, "_selected_action": keys})
        assert set(Schedule.objects.values_list("repeats", flat=True)) == {repeats}


def test_the_list_of_schedules_tells_how_the_last_run_went(admin: Client, django_assert_max_num_queries: Any) -> None:
    install_schedules()
    task = Task.objects.create(
        id="0" * 32, name="n", func="f", started=timezone.now(), stopped=timezone.now(), success=False, result="broken"
    )
    Schedule.objects.filter(name="Count the days").update(task=task.pk, repeats=0)
    with django_assert_max_num_queries(12):
        text = text_of(admin.get("/django_q/schedule/"))
    assert "failed" in text and "Paused" in text and "every minute" in text


def test_a_schedule_runs_now(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(scheduling, "async_task", lambda *args, **kwargs: called.append((args, kwargs)))
    row = Schedule.objects.create(name="mine", func="f", args="1", kwargs="a=2")
    admin.post("/django_q/schedule/", {"action": "run_now", "_selected_action": [str(row.pk)]})
    assert called == [(("f", 1), {"a": 2, "task_name": "mine"})]


@pytest.mark.parametrize("model", [Success, Failure])
def test_tasks_are_listed_and_shown(admin: Client, model: Any) -> None:
    now = timezone.now()
    row = Task.objects.create(
        id="1" * 32, name="n", func="f", started=now, stopped=now, success=model is Success, result={"x": 1}
    )
    path = f"/django_q/{model._meta.model_name}"
    assert "0.00 s" in text_of(admin.get(f"{path}/"))
    assert admin.get(f"{path}/{row.pk}/change/").status_code == 200


def test_failed_tasks_run_again(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(jobs_admin, "async_task", lambda *args, **kwargs: called.append(args))
    now = timezone.now()
    row = Task.objects.create(id="2" * 32, name="n", func="f", started=now, stopped=now, success=False)
    admin.post("/django_q/failure/", {"action": "resubmit", "_selected_action": [row.pk]})
    assert called == [("f",)] and not Task.objects.exists()


def test_the_queue_is_shown(admin: Client) -> None:
    from django_q.tasks import async_task

    async_task("monitoring.jobs.count_days")
    assert OrmQ.objects.count() == 1
    assert "monitoring.jobs.count_days" in text_of(admin.get("/django_q/ormq/"))
