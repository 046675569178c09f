"""Readers of publications: nobody who reads them can be forgotten where all are needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.apps import apps
from django.db.models import TextField

from core.models import Notice
from dnbmon_site.accounts.models import User
from monitoring.models import ConsumerOffset, ScheduledExport, WebhookEndpoint
from monitoring.publications import consumers
from monitoring.publications.consumers import (
    Follower,
    PublicationConsumer,
    all_consumers,
    consumed_by_all,
    mend_places,
    models_with_places,
    rewind_consumers,
)
from tests.support import PROGRAM, ROOT

# Marks that count no publications.
OTHERS = {
    "monitoring/publications/consumers.py",
    "monitoring/alerts/default_rules.py",
    "monitoring/rebuild/verification.py",
    "monitoring/webhooks/portfolio_events.py",
    "dnbmon_site/operations/backup/older_names.py",
}
IN_A_NEW_PROCESS = """
import django
django.setup()
from monitoring.publications.consumers import all_consumers
print(*[reader.name for reader in all_consumers()], sep="\\n")
"""


def sources() -> dict[str, str]:
    files = [file for layer in PROGRAM for file in (ROOT / layer).rglob("*.py")]
    return {
        str(file.relative_to(ROOT)): file.read_text() for file in files if not {"migrations", "models"} & {*file.parts}
    }


def test_every_reader_in_the_source_is_known_to_any_process() -> None:
    written = {name for text in sources().values() for name in re.findall(r'PublicationConsumer\("([^"]+)"\)', text)}
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "dnbmon_site.settings"}
    command = [sys.executable, "-c", IN_A_NEW_PROCESS]
    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert set(said.splitlines()) == written
    assert "daily delays" in written


def test_nobody_reads_publications_by_a_mark_of_another_kind() -> None:
    assert {name for name, text in sources().items() if re.search(r"\bConsumerOffset\b", text)} == OTHERS


@pytest.mark.django_db
def test_all_are_set_back_and_none_is_passed_over() -> None:
    assert consumed_by_all() == 0
    for consumer in all_consumers():
        assert consumer.move(consumer.position(), 9)
    assert consumed_by_all() == 9
    rewind_consumers(4)
    assert {consumer.position() for consumer in all_consumers()} == {4}


def test_who_stands_at_a_publication_has_said_so() -> None:
    """A model with a place in the feed, or with the number that somebody has seen, is a follower."""
    status = {
        model
        for model in apps.get_models()
        if any(field.name == "seen_sequence" for field in model._meta.concrete_fields)
        or any(isinstance(field, TextField) and field.name == "cursor" for field in model._meta.concrete_fields)
    }
    assert status <= set(models_with_places())
    assert {User, WebhookEndpoint, ScheduledExport} <= status


def test_followers_are_set_back_and_mended_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_followers", {})
    told: list[Any] = []
    Follower(Notice, rewind=told.append, mend=lambda: told.append("mended"))
    assert models_with_places() == [ConsumerOffset, Notice]
    mend_places()
    consumers._followers[Notice].rewind(4)
    assert told == ["mended", 4]


@pytest.mark.django_db
def test_who_has_not_read_the_newest_is_behind() -> None:
    consumer = PublicationConsumer("alerts")
    assert consumer.is_behind(1) and not consumer.is_behind(0)
    consumer.move(0, 1)
    assert not consumer.is_behind(1)


@pytest.mark.django_db
def test_of_two_who_move_a_mark_one_does() -> None:
    consumer = PublicationConsumer("alerts")
    position = consumer.position()
    assert consumer.move(position, 3)
    assert not consumer.move(position, 5)
    assert ConsumerOffset.objects.get(pk="alerts").position == 3
