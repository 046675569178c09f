"""The front page: what needs a person, what happened last, how fresh it is; and what to do when there is nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from dnbmon_site.models import User
from dnbmon_site.schedules import install_schedules
from monitoring.jobs import count_days
from monitoring.models import Delivery, DeliveryState, Source
from portfolio.models import ProposalKind, SubjectImport
from portfolio.proposing import Sign, propose
from tests.builders import DUNS, a_registration, an_element, an_update, delivered, stamp
from tests.monitoring.test_admin import text_of
from tests.portfolio.subjects import a_person, a_subject

pytestmark = pytest.mark.django_db
AtMost = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    return client


def test_with_nothing_there_it_says_what_to_do(admin: Client) -> None:
    text = text_of(admin.get("/"))
    assert "Give it your credentials" in text and "DNB_API_KEY" in text
    assert "Look for registrations" not in text.replace("Look for your registrations", "")


def test_the_next_step_is_a_button(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_KEY", "key")
    monkeypatch.setenv("DNB_API_SECRET", "secret")
    assert "/portfolio/registration/look/" in admin.get("/").content.decode()
    a_registration(state="paused")
    assert "Choose a registration" in text_of(admin.get("/"))


def test_it_opens_with_few_queries(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    recent_news()
    with django_assert_max_num_queries(16):
        text = text_of(admin.get("/"))
    assert "Critical NEW NAME LTD" in text.replace("804735132", "NEW NAME LTD") or "Critical" in text
    assert "1 critical in 7 days" in text


def recent_news() -> None:
    now = timezone.now()
    element = an_element("organization.legalEvents.hasOpenBankruptcy", False, True, stamp(now, hours=-1))
    delivered(an_update(element, delivered=stamp(now)), at=stamp(now))
    count_days()


def test_the_last_heavy_changes_are_told(admin: Client) -> None:
    recent_news()
    assert "804735132 804735132 Open bankruptcy no → yes" in text_of(admin.get("/"))


def test_the_chart_shows_days_and_weights(admin: Client) -> None:
    recent_news()
    page = admin.get("/").content.decode()
    assert page.count("<title>") >= 30 and "1 critical change" in page


def test_the_living_part_comes_alone(admin: Client) -> None:
    recent_news()
    page = admin.get("/?part=live").content.decode()
    assert 'id="live"' in page and "<html" not in page


NOW = timezone.now()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "stopped", "stopped_reason": "D&B said no."}, "stopped by D&B D&B said no."),
        ({"gap_from": NOW, "gap_until": NOW, "gap_reason": "Days are missing."}, "gap Days are missing."),
        ({"ingest_stopped_reason": "20 in a row."}, "reading stopped 20 in a row."),
        ({"replay_mark": "More than 100 share a time."}, "replay incomplete More than 100 share a time."),
        ({"failures": 3, "trouble": "No answer."}, "in trouble No answer."),
        ({"next_pull_at": NOW - timedelta(hours=1)}, "late It was due"),
        ({"state": "paused", "last_pulled_at": NOW - timedelta(days=2)}, "loss in 1 d 23 h"),
        ({"state": "paused", "last_pulled_at": NOW - timedelta(days=5)}, "loss now"),
    ],
)
def test_what_needs_a_person(admin: Client, fields: dict[str, Any], expected: str) -> None:
    a_registration(**fields)
    recent_news_of_another()
    assert f"ACME_LOD_01: {expected}" in text_of(admin.get("/"))


def recent_news_of_another() -> None:
    delivered(an_update(), registration=a_registration("OTHER_01"))
    count_days()


def test_doubts_and_unreadable_items_are_named(admin: Client) -> None:
    delivered(an_update(an_element(timestamp=stamp(NOW))), '{"torn":1}')
    Delivery.objects.create(registration=a_registration(), source=Source.PULL, state=DeliveryState.DOUBTFUL)
    count_days()
    text = text_of(admin.get("/"))
    assert "1 call in doubt" in text and "1 item could not be read" in text


def test_a_worker_that_does_not_run_is_named(admin: Client) -> None:
    recent_news()
    install_schedules()
    assert "No worker runs" not in text_of(admin.get("/"))
    Schedule.objects.update(next_run=timezone.now() - timedelta(minutes=10))
    assert "No worker runs" in text_of(admin.get("/"))


def test_what_waits_for_a_decision_is_named(admin: Client) -> None:
    registration = a_registration(adopted=True)
    a_subject(registration=registration)
    a_subject("150483782", registration, state="refused")
    propose([Sign(ProposalKind.DELETE, registration.pk, DUNS)])
    now = timezone.now()
    for state in ("read", "awaiting_approval"):
        SubjectImport.objects.create(registration=registration, state=state, created_by="eve", created_at=now)
    recent_news_of_another()
    text = text_of(admin.get("/"))
    assert "1 proposal to decide" in text and "1 company refused by D&B" in text
    assert "1 import to confirm" in text and "1 import to approve as a second person" in text
    for role, words in (("Viewer", "What changed"), ("Approver", "1 import to approve")):
        admin.force_login(a_person(username=role, role=role))
        text = text_of(admin.get("/"))
        assert words in text and "to decide" not in text and "refused by D&B" not in text


def test_nothing_to_do_is_said_too(admin: Client) -> None:
    a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    assert "Everything is pulled, read and in order." in text_of(admin.get("/"))


def test_the_demonstration_is_marked_on_every_page(admin: Client, settings: Settings) -> None:
    settings.DEMO = True
    for path in ("/", "/monitoring/change/", "/portfolio/registration/"):
        assert "Demonstration" in text_of(admin.get(path))
    admin.logout()
    assert "Demonstration" in text_of(admin.get("/login/"))


def test_people_see_only_what_they_may(client: Client) -> None:
    recent_news()
    client.force_login(User.objects.create_user("bob", is_staff=True))
    text = text_of(client.get("/"))
    assert "Open bankruptcy" not in text and "Schedules" not in text
