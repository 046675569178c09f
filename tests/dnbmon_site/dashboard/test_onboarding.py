"""The guided start: each step's state comes from what is there, and the key is tested at D&B over the network."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from core.models import AuditEntry
from direct_plus.sandbox.run import Sandbox, start_sandbox
from dnbmon_site.accounts.models import User
from health.incidents.lifecycle import open_incident
from health.models import Probe
from monitoring.models import MailAddress
from monitoring.pull.admin import actions
from portfolio.models import Contract
from tests.builders.channels import a_channel
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.probes import a_probe
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
TITLES = (
    *("Enter the key and secret", "Test the key", "Choose registrations"),
    *("Adopt D&B's list", "Invite users", "Choose notifications"),
)


@pytest.fixture(autouse=True)
def pulls(settings: Settings) -> None:
    settings.DNB_PULL = True


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
    monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
    return monkeypatch


@pytest.fixture
def sandbox(keyed: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with start_sandbox() as found:
        keyed.setenv("DNB_BASE_URL", found.url)
        yield found


def asked_for_entitlements() -> bool:
    return [row.func() for row in OrmQ.objects.all()] == ["portfolio.entitlements.fetch.update_entitlements"]


def states(client: Client) -> list[str]:
    """Of the six steps, in their order."""
    guide = client.get("/").context["guide"]
    assert tuple(step.title for step in guide.steps) == TITLES
    return [step.state.value for step in guide.steps]


def test_with_nothing_there_the_credentials_come_first(admin: Client) -> None:
    assert states(admin) == ["next", *["waiting"] * 5]
    text = text_of(admin.get("/"))
    assert "Get started 0 of 6 steps done" in text and "(.env) as DNB_API_KEY and DNB_API_SECRET." in text
    assert "press Ctrl-C or run “make stop”, and run the same “make start” command again." in text
    assert "Find registrations" not in text and "Dismiss this guide" not in text
    assert 'href="/help/use/connect-to-dnb.md"' in admin.get("/").text


def test_with_credentials_the_key_is_to_be_tested(admin: Client, keyed: object) -> None:
    assert states(admin) == ["done", "next", *["waiting"] * 4]
    page = admin.get("/")
    assert 'action="/start/test-key/"' in page.text and 'action="/portfolio/registration/look/"' not in page.text
    first, *_, fourth = [step.text for step in page.context["guide"].steps[:4]]
    assert first.endswith("are set. The next step tests them.") and fourth.endswith("when a registration is started.")
    a_contract()
    a_probe()
    page = admin.get("/")
    assert 'action="/portfolio/registration/look/"' in page.text and "The next step tests them" not in page.text


@pytest.mark.parametrize(
    ("probe", "state", "words"),
    [
        ({}, "done", "D&B accepted the API key"),
        ({"refused": True, "reason": "HTTP 401."}, "problem", "does not accept the key. Correct the API key"),
        ({"reason": "No connection."}, "problem", "could not be reached or returned an error. Check the network"),
        ({"answered_at": None}, "next", "Tests the login to D&B with your API key."),
    ],
)
def test_the_key_is_as_dnb_answered_last(
    admin: Client, keyed: object, probe: dict[str, Any], state: str, words: str
) -> None:
    a_contract()
    a_probe(**probe)
    assert states(admin)[1] == state
    assert words in text_of(admin.get("/"))


def test_registrations_and_their_lists(admin: Client, keyed: object) -> None:
    a_contract()
    a_probe()
    a_registration(state="paused")
    assert states(admin)[2:4] == ["next", "waiting"]
    assert "Choose registrations" in admin.get("/").context["guide"].steps[2].button.words
    row = a_registration(state="active")
    assert states(admin)[2:4] == ["done", "next"]
    button = admin.get("/").context["guide"].steps[2].button
    assert (button.words, button.link) == ("View registrations", "/portfolio/registration/")
    assert f'href="/portfolio/syncrun/adopt/{row.pk}/?from=guide"' in admin.get("/").content.decode()
    a_registration(adopted=True)
    assert states(admin)[2:5] == ["done", "done", "next"]


def test_a_registration_that_dnb_stopped_is_a_problem(admin: Client, keyed: object) -> None:
    a_contract()
    a_probe()
    a_registration(state="stopped", stopped_reason="The contract has ended.")
    assert states(admin)[2] == "problem"
    assert "D&B stopped ACME_LOD_01: The contract has ended." in text_of(admin.get("/"))


def test_an_address_that_may_not_see_the_account_is_a_problem(admin: Client, keyed: object, settings: Settings) -> None:
    settings.DEVELOPMENT = False
    a_contract(base_url="https://elsewhere.example.com")
    assert states(admin)[0] == "problem"
    assert "elsewhere.example.com is not an address of D&B" in text_of(admin.get("/"))


def test_what_is_a_step_is_not_shown_as_a_task_too(admin: Client) -> None:
    open_incident(dedup_key="configuration:default", title="Configuration", cause="DNB_API_KEY is not set.")
    open_incident(dedup_key="disk:", title="Disk space", cause="Almost full.")
    assert [need.title for need in admin.get("/").context["needs"]] == ["Disk space"]
    admin.force_login(a_person("change_incident"))
    assert len(admin.get("/").context["needs"]) == 2


def test_a_channel_that_nobody_has_confirmed_receives_nothing_yet(admin: Client) -> None:
    a_channel(address="team@example.com")
    MailAddress.objects.update(confirmed_at=None)
    assert states(admin)[5] == "waiting"
    assert "Waiting for team@example.com to confirm." in text_of(admin.get("/"))


def test_what_was_found_before_the_key_was_set_is_no_answer_of_dnb(admin: Client, keyed: object) -> None:
    a_probe(reason="DNB_API_KEY is not set.", refused=True, answered_at=None)
    assert states(admin)[:2] == ["done", "next"]


def test_people_and_channels(admin: Client) -> None:
    a_person()
    assert states(admin)[4:] == ["done", "waiting"]
    a_channel(all_rules=True)
    assert states(admin)[4:] == ["done", "done"]


def test_a_channel_of_emails_is_a_problem_without_an_email_server(admin: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert states(admin)[5] == "waiting"
    a_channel(all_rules=True)
    assert states(admin)[5] == "problem"
    assert "emails are only printed in the terminal" in text_of(admin.get("/"))
    a_channel(address="https://hooks.slack.com/services/T0/B0/key")
    assert states(admin)[5] == "done"


def test_invited_users_are_no_users_yet(admin: Client) -> None:
    bob = User.objects.create_user("bob", "bob@example.com", invited_at=timezone.now())
    assert "1 user invited." in text_of(admin.get("/")) and "Other users have access" not in text_of(admin.get("/"))
    User.objects.filter(pk=bob.pk).update(last_login=timezone.now())
    assert "Other users have access." in text_of(admin.get("/"))


def test_a_missing_worker_is_named_before_anything_is_pulled(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No worker is running" not in text_of(admin.get("/"))
    monkeypatch.setattr("dnbmon_site.dashboard.onboarding.no_worker", lambda: True)
    assert "No worker is running" in text_of(admin.get("/"))
    assert actions.no_worker() is False


def test_readers_see_no_guide_but_what_will_be_here(client: Client) -> None:
    client.force_login(a_person(role="Viewer"))
    page = client.get("/")
    assert page.context["guide"] is None and "No data yet" in text_of(page)
    assert client.post("/start/test-key/").status_code == 403
    assert client.post("/start/dismiss/").status_code == 403


# Dismissing it


def finished() -> None:
    a_registration(adopted=True, last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    a_person()
    a_channel(all_rules=True)


def test_it_stays_until_it_is_dismissed(admin: Client) -> None:
    finished()
    assert "All steps are done 6 of 6 steps done" in text_of(admin.get("/"))
    assert admin.get("/start/dismiss/").status_code == 405
    assert admin.post("/start/dismiss/")["Location"] == "/"
    assert admin.get("/").context["guide"] is None
    found = "/?guide=show#guide"
    assert found in admin.get("/search/", {"s": "get started"}).text and found in admin.get("/help/").text
    page = text_of(admin.get("/?guide=show"))
    assert "All steps are done 6 of 6 steps done" in page and "Dismiss this guide" not in page
    assert AuditEntry.objects.get(action="guided-start.dismiss").summary == "Guided start dismissed"


def test_the_demo_needs_none(admin: Client, settings: Settings) -> None:
    settings.DEMO = True
    finished()
    assert admin.get("/").context["guide"] is None


def test_it_costs_few_queries(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    for number in range(3):
        a_registration(f"ACME_{number}", adopted=True)
    with django_assert_max_num_queries(14):
        admin.get("/")


# Testing the key


def test_a_good_key_is_accepted_and_nothing_is_taken(admin: Client, sandbox: Sandbox) -> None:
    page = admin.post("/start/test-key/", follow=True)
    assert "D&B accepted the key." in text_of(page)
    assert asked_for_entitlements()
    assert states(admin)[:3] == ["done", "done", "next"]
    assert [call["path"] for call in sandbox.control.calls()] == ["/v2/token"]


def test_a_wrong_key_is_named_and_a_right_one_makes_it_good(
    admin: Client, sandbox: Sandbox, keyed: pytest.MonkeyPatch
) -> None:
    keyed.setenv("DNB_API_SECRET", "a-slip")
    text = text_of(admin.post("/start/test-key/", follow=True))
    assert "D&B does not accept the key." in text and "HTTP 401" in text
    assert states(admin)[1] == "problem"
    keyed.setenv("DNB_API_SECRET", "sandbox-secret")
    admin.post("/start/test-key/")
    assert states(admin)[1] == "done" and Probe.objects.get().failing_since is None


def test_settings_that_changed_are_to_be_tested_again(
    admin: Client, sandbox: Sandbox, keyed: pytest.MonkeyPatch
) -> None:
    a_contract()
    keyed.setenv("DNB_API_SECRET", "a-slip")
    text = text_of(admin.post("/start/test-key/", follow=True))
    assert text.count("HTTP 401") == 1 and "Find registrations" not in text and not asked_for_entitlements()
    keyed.setenv("DNB_API_SECRET", "sandbox-secret")
    assert states(admin)[:2] == ["done", "next"]
    text = text_of(admin.get("/"))
    assert "The settings changed since the last test. Test the key again." in text and "does not accept" not in text
    admin.post("/start/test-key/")
    assert states(admin)[1] == "done"
    keyed.setenv("DNB_API_SECRET", "a-slip")
    assert states(admin)[1] == "next", "an accepted key is no proof for another"
    assert "slip" not in Probe.objects.get().fingerprint


def test_an_address_where_nobody_answers(admin: Client, keyed: pytest.MonkeyPatch) -> None:
    keyed.setenv("DNB_BASE_URL", "http://127.0.0.1:9")
    text = text_of(admin.post("/start/test-key/", follow=True))
    assert "D&B could not be reached" in text and "then test again." in text
    assert states(admin)[1] == "problem" and not Probe.objects.get().refused


def test_without_credentials_the_test_names_the_setting(admin: Client) -> None:
    assert "DNB_API_KEY is not set" in text_of(admin.post("/start/test-key/", follow=True))


# What is left beside the steps


def test_an_adopted_list_without_d_and_bs_complete_one_is_named(admin: Client, keyed: object) -> None:
    row = a_registration(adopted=True, list_received_at=None)
    step = admin.get("/").context["guide"].steps[3]
    assert "complete list has not been received for ACME_LOD_01" in step.text and "at least" in step.text
    assert step.is_done and step.button.link == f"/portfolio/syncrun/adopt/{row.pk}/?from=guide#export-file"
    a_registration(adopted=True)
    assert admin.get("/").context["guide"].steps[3].button is None


def test_what_remains_after_the_steps_is_listed_with_links(admin: Client, settings: Settings) -> None:
    finished()
    settings.PRODUCTION = False
    page = admin.get("/")
    assert "Still open" in text_of(page) and "Setup is complete" not in text_of(page)
    links = [one.link for one in page.context["guide"].remaining]
    assert [link.split("/")[1:3] for link in links][0] == ["portfolio", "contract"]
    assert "/help/operate/backup.md" in links
    settings.PRODUCTION, settings.BACKUP_ELSEWHERE = True, True
    Contract.objects.update(anniversary="2026-03-01")
    assert admin.get("/").context["guide"].remaining == []


def test_the_guide_names_dnb_pull_for_the_real_dnb_only(
    admin: Client, keyed: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ENVIRONMENT, settings.DNB_PULL = "development", False
    keyed.setenv("DNB_BASE_URL", "https://plus.dnb.com")
    a_registration(last_pulled_at=timezone.now())
    assert states(admin)[2] == "problem" and "DNB_PULL=yes" in text_of(admin.get("/"))
    keyed.setenv("DNB_BASE_URL", "http://127.0.0.1:9")
    assert states(admin)[2] == "done"
