"""Schedules keep their rows when a job is renamed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django_q.models import Schedule

from dnbmon_site.worker.schedules import JOBS, NAMES_BEFORE, install_schedules

pytestmark = pytest.mark.django_db


def test_a_job_that_is_renamed_keeps_its_row_and_stays_paused() -> None:
    row = Schedule.objects.create(name="Pull what is due", func="monitoring.jobs.pull_due", repeats=0)
    install_schedules()
    row.refresh_from_db()
    assert (row.name, row.repeats) == ("Pull due registrations", 0)
    assert Schedule.objects.count() == len(JOBS)


def test_where_both_names_are_there_the_older_row_goes() -> None:
    install_schedules()
    Schedule.objects.create(name="Look after health", func="health.jobs.look_after")
    install_schedules()
    assert Schedule.objects.filter(func="health.jobs.look_after").count() == 1
    assert Schedule.objects.count() == len(JOBS)


def test_every_older_name_leads_to_a_job_of_now() -> None:
    assert set(NAMES_BEFORE.values()) <= {name for name, _, _ in JOBS}


def test_the_operations_guide_lists_every_job_and_its_interval() -> None:
    text = (Path(settings.BASE_DIR) / "docs/operate/operations.md").read_text()
    table = text.partition("| job | every | purpose |")[2].partition("\n\n")[0]
    listed = dict(re.findall(r"^\| ([^|]+) \| ([^|,]+)", table.partition("|---|---|---|")[2], re.M))
    names = {1: "minute", 60: "hour", 24 * 60: "day"}
    assert {name: every.strip() for name, every in listed.items()} == {
        name: names.get(minutes, f"{minutes} minutes") for name, _, minutes in JOBS
    }


def test_the_runbook_gives_the_interval_of_the_job_that_sends() -> None:
    text = " ".join((Path(settings.BASE_DIR) / "docs/operate/troubleshooting.md").read_text().split())
    minutes = next(minutes for name, _, minutes in JOBS if name == "Send messages")
    assert f"“Send messages” runs every {minutes} minutes" in text
