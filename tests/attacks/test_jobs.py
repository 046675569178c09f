"""Nobody has the worker run anything but the program's own jobs, and strangers have it run nothing."""

import re
from pathlib import Path

import pytest

from tests.attacks.production import Browser, Production
from tests.support import wait_until

EMPTY = "The queue is empty"
# What somebody who can write to the database, and even knows SECRET_KEY, would leave there: each line makes its file.
DOCTORED = """
import base64, os, pickle
from datetime import timedelta
from django.conf import settings
from django.core import signing
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.scheduler import scheduler
from picklefield.fields import PickledObject

class Touch:
    def __init__(self, name): self.command = f"touch {folder}/{{name}}"
    def __reduce__(self): return os.system, (self.command,)

class Pickled:
    def dumps(self, value): return pickle.dumps(value)

now = timezone.now()
def kept(name): return PickledObject(base64.b64encode(pickle.dumps(Touch(name))).decode())
for success in (True, False):
    Task.objects.create(id=f"{{success:032}}", name="doctored", func="a.b", hook="os.abort", started=now, stopped=now,
                        success=success, args=kept("args"), kwargs=kept("kwargs"), result=kept("result"))
def queue(task, how):
    payload = signing.dumps(task, key=settings.SECRET_KEY, salt="dnbmon", serializer=how)
    OrmQ.objects.create(key="dnbmon", payload=payload, lock=now)
task = dict(id="0" * 32, name="doctored", func="os.system", args=("touch {folder}/queue",), kwargs={{}})
queue(Touch("unpickled"), Pickled)
queue({{**task, "started": now}}, Pickled)
queue({{**task, "started": now.isoformat()}}, signing.JSONSerializer)
for extras in (dict(func="os.system", args="'touch {folder}/schedule',"),
               dict(func="os.system", args="'touch {folder}/sync',", kwargs="q_options={{'sync': True}}"),
               dict(func="health.jobs.beat", hook="os.abort"), dict(func="health.jobs.beat", args="(")):
    due = dict(name="doctored", schedule_type="I", minutes=600, next_run=now - timedelta(minutes=1))
    Schedule.objects.create(**due, **extras)
    scheduler()
"""
AFTER = """
from dnbmon_site.operations.doctor.machine import schedules
from dnbmon_site.worker.schedules import refuse_foreign
from django_q.models import Schedule, Task
refuse_foreign()
rows = Schedule.objects.filter(name="doctored")
print(rows.count(), rows.exclude(repeats=0).count(), sum("doctored" in found.what for found in schedules()))
rows.delete()
Task.objects.filter(name="doctored").delete()
"""
COUNTED = "from django_q.models import Task; print(Task.objects.filter(name__startswith='Update counts').count())"


@pytest.fixture
def admin(production: Production) -> Browser:
    return production.person("jobs-admin", superuser=True)


def wait_for_an_empty_queue(admin: Browser) -> None:
    wait_until(lambda: EMPTY in admin.ask("/django_q/ormq/").text, timeout=60, what="the queue to be empty")


def test_nothing_but_the_programs_own_jobs_runs(production: Production, admin: Browser, tmp_path: Path) -> None:
    form = {"name": "mine", "func": "os.system", "args": f"'touch {tmp_path}/form',", "schedule_type": "I",
            "minutes": 1, "repeats": -1, "next_run_0": "2026-01-01", "next_run_1": "00:00"}  # fmt: skip
    assert admin.submit("/django_q/schedule/add/", dict(form)).status_code == 200
    # Strangers' acts are sent to sign in, and nothing is counted for them: only for those who were here before.
    wait_for_an_empty_queue(admin)
    counted = production.inside(COUNTED)
    stranger = production.stranger()
    stranger.ask("/login/")
    for _ in range(5):
        assert stranger.submit("/portfolio/subject/").status_code == 302
    production.inside(DOCTORED.format(folder=tmp_path))
    for page in ("success/", "failure/", "ormq/", "schedule/", f"success/{True:032}/change/", "failure/?q=doctored"):
        assert admin.ask(f"/django_q/{page}").status_code in (200, 302), page
    assert admin.ask("/health/").status_code in (200, 503)
    keys = re.findall(r'name="_selected_action" value="([^"]+)"', admin.ask("/django_q/failure/?q=doctored").text)
    admin.submit("/django_q/failure/", {"action": "resubmit", "_selected_action": keys})
    wait_for_an_empty_queue(admin)
    assert list(tmp_path.iterdir()) == []
    assert production.inside(AFTER).splitlines() == ["4 0 4"]
    assert production.inside(COUNTED) == counted
