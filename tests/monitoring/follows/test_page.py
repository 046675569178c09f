"""“My notifications”, and the button “Follow” on other pages."""

from datetime import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from core.cached_counts import update_counts
from core.models import AuditEntry, SavedFilter
from dnbmon_site.accounts.models import User
from monitoring.follows import follow as follows
from monitoring.follows.preferences import pause
from monitoring.follows.subjects import filters_for, subject_of
from monitoring.models import (
    Follow,
    FollowKind,
    Frequency,
    MailAddress,
    MessageState,
    NotificationPreference,
    OutboxMessage,
    Severity,
)
from monitoring.outbox.permitted_addresses import confirm
from monitoring.outbox.queue import send_due_messages
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.follows import a_follow, a_follower, followed, is_waiting, prefers, sent_mails
from tests.builders.notifications import news
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.times import soon
from tests.builders.units import a_unit
from tests.servers.mail_servers import Mailbox

pytestmark = pytest.mark.django_db
PAGE = "/my/notifications/"


@pytest.fixture
def bob() -> User:
    return a_follower()


@pytest.fixture
def browser(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client


def follow(browser: Client, what: str, **values: Any) -> Any:
    return browser.post(PAGE, {"act": "follow", "what": what, **values}, follow=True)


def test_the_button_of_a_company_follows_and_its_page_says_so(browser: Client) -> None:
    a_company()
    there = f"/portfolio/company/{DUNS}/change/"
    page = browser.get(there)
    assert "Unfollow" not in text_of(page) and 'name="min_severity"' in page.content.decode()
    page = follow(browser, f"company:{DUNS}", next=there)
    assert page.redirect_chain == [(there, 302)]
    text = text_of(page)
    assert "You follow Acme Ltd: severity High or higher, immediately." in text and "Unfollow" in text
    row = Follow.objects.get()
    browser.post(PAGE, {"act": "unfollow", "key": str(row.pk), "next": there}, follow=True)
    assert not Follow.objects.exists()
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["follow", "unfollow"]


def test_a_group_has_the_button_too(browser: Client) -> None:
    a_company(global_ultimate=OTHER)
    a_company(OTHER, "Örsted", global_ultimate=OTHER)
    there = f"/portfolio/group/{OTHER}/"
    assert "Follow" in text_of(browser.get(there))
    follow(browser, f"group:{OTHER}")
    text = text_of(browser.get(PAGE))
    assert "Group of Örsted" in text and "Corporate group" in text


def test_a_saved_filter_is_followed_from_its_list(browser: Client) -> None:
    values = {"listing": "portfolio.company", "query": "country=GB", "created_at": timezone.now()}
    row = SavedFilter.objects.create(name="British", owner="bob", **values)
    link = f"/my/notifications/?follow=filter:{row.pk}"
    assert link in browser.get("/core/savedfilter/").content.decode()
    assert f'value="filter:{row.pk}" selected' in browser.get(link).content.decode()
    follow(browser, f"filter:{row.pk}", min_severity=Severity.LOW.value, frequency="daily")
    assert Follow.objects.get().min_severity == Severity.LOW
    row.delete()
    text = text_of(browser.get(PAGE))
    assert "Inactive" in text and "British" in text and "The item was deleted" in text


def test_a_business_unit_is_offered_its_own_filters_and_registrations_without_pages_it_does_not_have(bob: User) -> None:
    values = {"listing": "portfolio.company", "query": "country=GB", "owner": "eve", "shared": True}
    own, other = a_unit("Credit", a_registration(), people=[bob]), a_unit("Buying")
    for name, unit in (("Ours", own), ("Theirs", other), ("All", None)):
        SavedFilter.objects.create(name=name, unit=unit, created_at=timezone.now(), **values)
    person = User.objects.get(pk=bob.pk)
    assert [row.name for row in filters_for(person)] == ["Ours"]
    asked = subject_of(person, FollowKind.REGISTRATION, str(a_registration().pk))
    assert (asked.name, asked.url) == (a_registration().reference, "")


def test_the_same_again_changes_how_it_is_followed(browser: Client) -> None:
    row = a_registration()
    follow(browser, f"registration:{row.pk}")
    page = browser.get(PAGE).content.decode()
    assert f'aria-label="Frequency: {row.reference}"' in page and f'value="registration:{row.pk}"><select' in page
    follow(browser, f"registration:{row.pk}", min_severity=Severity.MEDIUM.value, frequency="weekly")
    found = Follow.objects.get()
    assert (found.min_severity, found.frequency) == (Severity.MEDIUM, Frequency.WEEKLY)


@pytest.mark.parametrize(
    "what", ["company:999999999", "registration:nonsense", "filter:x", "shoes:44", "country:XX", ""]
)
def test_what_is_not_there_cannot_be_followed(browser: Client, what: str) -> None:
    page = follow(browser, what)
    assert page.status_code == 200 and not Follow.objects.exists()
    assert "dm-error" in page.content.decode()


def test_another_users_follow_stays(browser: Client) -> None:
    row = a_follow(a_follower("eve"))
    browser.post(PAGE, {"act": "unfollow", "key": str(row.pk)})
    assert Follow.objects.count() == 1


def test_it_leads_back_to_pages_of_this_site_only(browser: Client) -> None:
    a_company()
    page = browser.post(PAGE, {"act": "follow", "what": f"company:{DUNS}", "next": "https://evil.example/"})
    assert page["Location"] == PAGE


def settings(**values: Any) -> dict[str, Any]:
    kept = {"act": "save", "own_severity": Severity.HIGH.value, "own_frequency": "at_once", "digest_day": 0}
    return {**kept, **values}


def test_how_is_saved_and_recorded(browser: Client, bob: User) -> None:
    channel = a_channel(person=bob, address="bob@example.com")
    values = {"channel": str(channel.pk), "quiet_from": "20:00", "quiet_until": "07:00"}
    severity = Severity.CRITICAL.value
    values["own_severity"] = str(severity)
    browser.post(PAGE, settings(**values))
    row = NotificationPreference.objects.get(person=bob)
    assert (row.channel_id, row.quiet_from, row.quiet_until) == (channel.pk, time(20), time(7))
    assert (row.own_severity, row.own_companies) == (severity, False)
    assert AuditEntry.objects.get().action == "edit notifications"


def test_half_quiet_hours_and_channels_of_others_are_refused(browser: Client) -> None:
    other = a_channel(person=a_follower("eve"), address="eve@example.com")
    page = browser.post(PAGE, settings(quiet_from="20:00", channel=str(other.pk)))
    text = text_of(page)
    assert "Enter both the start and the end of the quiet hours." in text
    assert "Select a valid choice" in text


def test_paused_it_says_why_and_is_resumed(browser: Client, bob: User) -> None:
    a_follow(bob)
    pause(bob, "3 messages in a row were not delivered.")
    delivered(news())
    followed()
    text = text_of(browser.get(PAGE))
    assert "Paused since" in text and "3 messages in a row were not delivered." in text
    browser.post(PAGE, {"act": "resume"})
    delivered(news(hours=1))
    assert len(sent_mails()) == 1


def test_latest_messages_say_what_they_were_about(browser: Client, bob: User) -> None:
    a_follow(bob)
    delivered(news(), news("organization.telephone", [], ["1"]))
    sent_mails()
    text = text_of(browser.get(PAGE))
    assert "Sent" in text and f"{DUNS}" in text


def test_the_link_in_a_message_pauses_after_a_question(client: Client, bob: User) -> None:
    a_follow(bob)
    delivered(news())
    followed()
    send_due_messages(soon(), at_once=1)
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("Unsubscribe: ")).split(": ")[1]
    address = "/" + link.split("/", 3)[3]
    assert "Unsubscribe" in text_of(client.get(address))
    assert NotificationPreference.objects.get(person=bob).paused_at is None
    assert "Resume" in text_of(client.post(address))
    assert NotificationPreference.objects.get(person=bob).paused_at


def test_who_may_not_see_changes_cannot_follow() -> None:
    a_company()
    client = Client()
    client.force_login(a_person("view_company", username="eve"))
    assert "Follow" not in text_of(client.get(f"/portfolio/company/{DUNS}/change/")).replace("Followed", "")
    assert "You do not have permission to view changes." in text_of(follow(client, f"company:{DUNS}"))


def test_a_follow_shows_as_inactive_when_the_right_is_gone(browser: Client, bob: User) -> None:
    a_company()
    a_follow(bob)
    bob.groups.clear()
    text = text_of(browser.get(PAGE))
    assert "Inactive" in text and "you no longer have permission" in text


def test_an_address_that_bounces_is_named_on_the_page_until_a_message_arrives(
    browser: Client, bob: User, mailbox: Mailbox
) -> None:
    a_follow(bob)
    delivered(news())
    followed()
    mailbox.refusal = "550 No such mailbox"
    send_due_messages(soon(), at_once=1)
    text = text_of(browser.get(PAGE))
    assert "The last message was not delivered: The email server responded with code 550." in text
    mailbox.refusal = ""
    OutboxMessage.objects.update(next_try_at=timezone.now())
    send_due_messages(soon(), at_once=1)
    assert mailbox.envelopes == [["bob@example.com"]]
    assert mailbox.header("Subject").startswith("[Critical] ")
    assert "You follow: " in mailbox.part("plain") and f"/portfolio/company/{DUNS}/change/" in mailbox.part("html")
    assert "was not delivered" not in text_of(browser.get(PAGE))


@pytest.mark.parametrize("what", ["tag:" + "x" * 501, "tag:a\0b", "tag:", "tag: ", "company:\0", "shoe:1", "filter:x"])
def test_what_cannot_be_followed_is_refused_in_words(browser: Client, what: str) -> None:
    page = follow(browser, what)
    assert page.status_code == 200 and not Follow.objects.exists()
    assert page.context["form"].errors["what"]
    assert browser.get(PAGE, {"follow": what}).status_code == 200


def test_the_limit_is_for_new_ones_only(browser: Client, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follows, "MOST", 1)
    follow(browser, "tag:one")
    follow(browser, "tag:one", frequency="daily")
    assert Follow.objects.get().frequency == Frequency.DAILY
    assert "You already follow 1 items." in text_of(follow(browser, "tag:two"))


def test_confirming_an_address_sends_what_waited_for_it(bob: User) -> None:
    channel = a_channel(person=bob, address="elsewhere@example.com")
    prefers(bob, channel=channel)
    MailAddress.objects.update(confirmed_at=None)
    a_follow(bob)
    delivered(news())
    followed()
    send_due_messages(soon(), at_once=1)
    row = OutboxMessage.objects.get(target=bob.pk)
    assert (row.attempts, row.state) == (1, MessageState.WAITING) and is_waiting(row)
    confirm("elsewhere@example.com")
    send_due_messages(soon(), at_once=1)
    row.refresh_from_db()
    assert row.state == MessageState.SENT


def test_without_an_address_the_page_leads_to_where_one_is_added(browser: Client, bob: User) -> None:
    a_company()
    User.objects.filter(pk=bob.pk).update(email="")
    page = browser.get(PAGE)
    assert "Ask your administrator for an email address." in text_of(page)
    assert "Add an email address" not in text_of(page)
    said = text_of(follow(browser, f"company:{DUNS}"))
    assert "You follow “Acme Ltd”. No message reaches you yet. My notifications" in said
    assert browser.post(PAGE, {"act": "address", "email": "bob@example.com"}).status_code == 403
    eve = a_person(username="eve", role="Administrator")
    browser.force_login(eve)
    page = browser.get(PAGE)
    assert (
        "/monitoring/channel/add/" in page.content.decode()
        and browser.get("/monitoring/channel/add/").status_code == 200
    )
    assert "Ask your administrator" not in text_of(page)
    said = follow(browser, f"company:{DUNS}").content.decode()
    assert f'<a href="{PAGE}">Add an email address</a>' in said


def test_who_may_edit_users_adds_their_own_address_there(browser: Client, settings: Any) -> None:
    eve, carl = a_person(username="eve", role="Administrator"), a_follower("carl")
    browser.force_login(eve)
    page = browser.post(PAGE, {"act": "address", "email": carl.email.upper()})
    assert "A user with this email address already exists." in text_of(page)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No email server is set up" not in text_of(page)
    page = browser.post(PAGE, {"act": "address", "email": "eve@example.com"}, follow=True)
    assert page.redirect_chain == [(PAGE, 302)] and "Email to eve@example.com" in text_of(page)
    assert "No email server is set up: emails are only printed" in text_of(page)
    assert AuditEntry.objects.get().action == "user.changed"
    a_company()
    said = follow(browser, f"company:{DUNS}", next=f"/portfolio/company/{DUNS}/change/")
    assert "No email server is set up: emails are only printed" in text_of(said)
    assert browser.post(PAGE, {"act": "address", "email": "eve@other.example"}).status_code == 403


def test_countries_of_the_companies_are_offered_first(browser: Client) -> None:
    a_company(country="SE")
    update_counts("countries")
    groups = dict(browser.get(PAGE).context["form"].fields["what"].choices)
    assert groups["Countries of the companies"] == [("country:SE", "Sweden")]
    assert ("country:DE", "Germany") in groups["Other countries"]
    assert ("country:SE", "Sweden") not in groups["Other countries"]
