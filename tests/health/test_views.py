"""/health/live and /health/ready."""

import pytest
from django.db import OperationalError
from django.test import Client

from health import views


def test_live_needs_no_database(client: Client) -> None:
    answer = client.get("/health/live")
    assert (answer.status_code, answer.content) == (200, b"alive\n")


@pytest.mark.django_db
def test_ready(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_not_ready_while_migrations_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "migrations_waiting", lambda: True)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert b"migrate" in answer.content


def test_not_ready_without_the_database_and_silent_about_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> bool:
        raise OperationalError("connection to secret-host with password=hunter2 failed")

    monkeypatch.setattr(views, "migrations_waiting", refused)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.content == b"The database cannot be reached.\n"
