"""Killed in the middle, again and again: every wanted company is added once, and none that nobody confirmed."""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from portfolio.models import AccessToken, Registration, Subject, SubjectState
from tests.builders.companies import duns_numbers
from tests.builders.subjects import request_monitoring, withdraw_request
from tests.engines import engine
from tests.support import managed, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
COUNT = 120 if engine() == "mongodb" else 600
KILLS = 5
# How many numbers go one by one: all of them, or none.
ONE_BY_ONE, AS_FILES = 1_000_000, 50


def environment() -> dict[str, str]:
    from django.conf import settings
    from django.db import connection

    env = {**os.environ, "DNB_TIMEOUT": "2"}
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return {**env, "DATABASE_URL": f"sqlite:///{name}"}
    base, _, options = os.environ["DATABASE_URL"].partition("?")
    assert settings.DATABASES
    return {**env, "DATABASE_URL": f"{base.rpartition('/')[0]}/{name}{'?' if options else ''}{options}"}


@pytest.mark.parametrize("threshold", [ONE_BY_ONE, AS_FILES])
def test_killed_five_times(
    adopted: Registration,
    control: SandboxControl,
    tmp_path: Path,
    threshold: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DNB_DOUBT_AFTER_MINUTES", "0")
    # Written here too, so that the row which only the other processes write is cleaned away afterwards.
    AccessToken.objects.all().delete()
    control.switch("batch_delay_seconds", 0)
    adopted.contract.batch_threshold = threshold
    adopted.contract.save()
    there, requested = duns_numbers(30, first=700_000_000), duns_numbers(COUNT)
    control.add_companies(adopted.reference, there, seed=False)
    request_monitoring(adopted, there)
    Subject.objects.update(state=SubjectState.MONITORED, monitored_since="2026-01-01", checked_at="2026-01-01T00:00Z")
    withdraw_request(adopted, there)
    request_monitoring(adopted, requested)
    never = duns_numbers(20, first=800_000_000)
    request_monitoring(adopted, never)
    withdraw_request(adopted, never)
    for kill in range(KILLS):
        kill_somewhere(control, tmp_path / f"{kill}.log", random.Random(kill))
    finish(adopted)
    control.wait_idle()
    assert control.subjects(adopted.reference) == requested
    assert set(Subject.objects.filter(requested=True).values_list("state", flat=True)) == {SubjectState.MONITORED}
    effective = Counter(call["path"] for call in control.calls() if call["code"] == "21113")
    assert not effective or max(effective.values()) == 1
    seeds = Counter(entry["raw"].partition('"duns":')[2][:12].strip(' "')[:9] for entry in control.ledger())
    assert len(seeds) == COUNT and set(seeds.values()) == {1}
    assert not set(seeds) & {*never, *there}


def kill_somewhere(control: SandboxControl, log: Path, chance: random.Random) -> None:
    before = len(control.calls())
    with managed("sync_portfolio", env=environment(), log=log) as running:
        wait_until(
            lambda: len(control.calls()) > before + 1 or running.process.poll() is not None, timeout=60, what="a call"
        )
        time.sleep(chance.uniform(0, 0.3))
        running.kill_all()
    free_the_hold()


def free_the_hold() -> None:
    """As if the minutes had passed after which a killed process no longer holds the sync."""
    from core.leases import NOBODYS
    from core.models import Lease

    Lease.objects.update(**NOBODYS)


def finish(registration: Registration) -> None:
    from portfolio.sync.progress import open_run
    from portfolio.sync.run import sync

    for _ in range(20):
        # A server may carry out the last word of a killed process after its end.
        free_the_hold()
        sync(registration, everything=True)
        if open_run(registration) is None:
            return
    raise AssertionError("it does not end")
