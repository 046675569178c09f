"""Whom alerts reach: channels that take every rule's alerts, and rules, channels and the front page that warn."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import signing
from django.test import Client
from django.utils import timezone

from core.cached_counts import update_counts
from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from monitoring.alerts.reach import unnotified
from monitoring.models import AlertRule, Channel, Frequency, OutboxMessage, Severity
from monitoring.outbox.permitted_addresses import SALT
from portfolio.models import Subject
from tests.builders.alerts import raised
from tests.builders.channels import a_channel, channel_form, listen, said_yes
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed, news
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule, rule_form
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db
CONSOLE = "django.core.mail.backends.console.EmailBackend"
NO_CHANNEL = "1 rule of high or critical severity has no channel"


def heard_by() -> list[Any]:
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)), news())
    raised()
    return list(OutboxMessage.objects.values_list("target", flat=True))


# Which messages a channel takes


def test_a_channel_made_with_what_the_form_proposes_is_notified_by_every_rule_of_weight(ann: Client) -> None:
    proposed = ann.get("/monitoring/channel/add/").context["adminform"].form
    assert proposed["all_rules"].value() is True
    assert proposed["min_severity"].value() == Severity.HIGH
    assert proposed["notices"].value() is True
    ann.post("/monitoring/channel/add/", channel_form(all_rules="on", min_severity=Severity.HIGH.value))
    channel = Channel.objects.get()
    a_rule(severity=Severity.HIGH)
    assert heard_by() == [channel.pk]


def test_a_channel_takes_no_lighter_alerts_than_it_says() -> None:
    a_channel(all_rules=True, min_severity=Severity.HIGH)
    a_rule(severity=Severity.MEDIUM)
    assert heard_by() == []


def test_a_channel_that_a_rule_names_too_is_notified_once() -> None:
    channel = a_channel(a_rule(), all_rules=True)
    assert heard_by() == [channel.pk]


def test_a_channel_that_was_switched_off_takes_nothing() -> None:
    a_channel(all_rules=True, active=False)
    a_rule()
    assert heard_by() == []


# Rules


def test_a_rule_that_notifies_nobody_says_so(ann: Client) -> None:
    rule = a_rule(notify_owner=False)
    page = f"/monitoring/alertrule/{rule.pk}/change/"
    assert "Alerts from this rule appear only under Alerts." in text_of(ann.get(page))
    assert 'None available yet. <a href="/monitoring/channel/add/">Add channel</a>' in ann.get(page).text
    trial = f"/monitoring/alertrule/{rule.pk}/try/"
    assert "Alerts from this rule appear only under Alerts." in text_of(ann.get(trial))
    assert "No notifications" in text_of(ann.get("/monitoring/alertrule/"))
    a_channel(rule, name="Team")
    assert "Also notified: Team." in text_of(ann.get(page))
    assert all("No notifications are sent" not in text_of(ann.get(one)) for one in (page, trial))


def test_a_rule_that_notifies_owners_says_who_is_left_out(ann: Client) -> None:
    rule = a_rule()
    text = text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/change/"))
    assert "Owners only" in text_of(ann.get("/monitoring/alertrule/"))
    words = "No channel receives alerts from this rule, so no one is notified about companies without an owner."
    assert words in text
    AlertRule.objects.filter(pk=rule.pk).update(notify_users="ann")
    text = text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/change/"))
    assert "Also notified: ann" in text and words not in text
    assert "Not emailed" not in text
    User.objects.filter(username="ann").update(email="")
    AlertRule.objects.filter(pk=rule.pk).update(notify_users="ann, bob")
    words = "Not emailed: ann (no email address and no own channel), bob (not an active user who can view alerts)"
    for page in ("", f"{rule.pk}/change/"):
        assert words in text_of(ann.get(f"/monitoring/alertrule/{page}"))


def test_recipients_of_a_rule_who_get_no_email_are_named_with_the_reason(ann: Client, settings: Any) -> None:
    rule = a_rule(notify_users="ann")
    User.objects.update(email="ann@example.com", invited_at=timezone.now(), last_login=None)
    pages = [f"/monitoring/alertrule/{rule.pk}/change/", f"/monitoring/alertrule/{rule.pk}/try/"]
    invited = "invitation not accepted, so cannot view alerts yet"
    for text in [text_of(ann.get(page)) for page in pages]:
        assert f"Also notified: ann ({invited}), the company's owner." in text and "Not emailed" not in text
    settings.EMAIL_BACKEND = CONSOLE
    server = "no email server is set up"
    for text in [text_of(ann.get(page)) for page in [*pages, "/monitoring/alertrule/"]]:
        assert f"Not emailed: ann ({server}, {invited}), the company's owner ({server})" in text
        assert "emails are only printed" in text and "Alerts are not emailed until then." in text
        assert "Also notified" not in text


def test_a_ticked_channel_that_takes_only_heavier_alerts_is_named(ann: Client) -> None:
    channel = a_channel(name="Team", min_severity=Severity.CRITICAL)
    answer = ann.post("/monitoring/alertrule/add/", rule_form(channels=[str(channel.pk)]), follow=True)
    words = "“Team” only receives alerts of severity critical. This rule's alerts are high, so they are not sent there."
    assert words in text_of(answer)
    rule = AlertRule.objects.get(name="Names")
    AlertRule.objects.filter(pk=rule.pk).update(active=True)
    assert words in text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/change/"))


# Channels


def test_a_channel_that_no_rule_reaches_says_so_and_takes_what_it_could(ann: Client) -> None:
    a_rule()
    channel = a_channel(min_severity=Severity.HIGH)
    page = f"/monitoring/channel/{channel.pk}/change/"
    text = text_of(ann.get(page))
    assert "No alerts" in text and "1 rule raises alerts of severity high or higher." in text and "OK" not in text
    assert "No alerts" in text_of(ann.get("/monitoring/channel/"))
    text = text_of(ann.post(f"/monitoring/channel/{channel.pk}/do/take-all/", follow=True))
    assert "Not tested" in text and "Alerts from all rules of severity high or higher: Out of business" in text
    Channel.objects.update(last_sent_at=timezone.now())
    text = text_of(ann.get(page))
    assert "OK" in text and "Not tested" not in text
    assert AuditEntry.objects.filter(summary="Channel Mail receives alerts from all rules").exists()
    assert heard_by() == [channel.pk]


def test_a_digest_that_has_nothing_to_say_says_so(ann: Client) -> None:
    rule = a_rule()
    ann.post("/monitoring/channel/add/", channel_form(frequency="daily"))
    channel = Channel.objects.get()
    page = f"/monitoring/channel/{channel.pk}/change/"
    assert "no entries yet; an empty digest is not sent" in text_of(ann.get(page))
    listen(rule, channel)
    heard_by()
    assert "1 entry so far" in text_of(ann.get(page))


def test_an_own_channel_without_rules_says_what_it_gets(ann: Client) -> None:
    a_rule()
    channel = a_channel(person=User.objects.get(), frequency=Frequency.DAILY)
    text = text_of(ann.get(f"/monitoring/channel/{channel.pk}/change/"))
    assert "ann receives only assigned alerts and alerts about companies they own." in text
    assert "Receive alerts from all rules" in text


def test_a_channel_of_notices_names_them_and_one_that_is_new_what_it_does_not_send(ann: Client) -> None:
    rule = a_rule()
    channel = a_channel(notices=True)
    page = f"/monitoring/channel/{channel.pk}/change/"
    assert "Receives Problems of D&B Monitoring, and portfolio notices" in text_of(ann.get(page))
    listen(rule, channel)
    text = text_of(ann.get(page))
    assert "Receives Alerts from Out of business; Problems of D&B Monitoring, and portfolio notices" in text
    assert "Alerts raised before it was added are not sent." in text


# The front page


def test_the_front_page_warns_until_a_channel_is_there(ann: Client) -> None:
    a_rule()
    # Before the first pull the guided start asks for a channel.
    a_registration(last_pulled_at=timezone.now())
    update_counts("unnotified")
    text = text_of(ann.get("/"))
    assert NO_CHANNEL in text and "Out of business: no one is notified about companies without an owner." in text
    said_yes("ann@example.com")
    ann.post("/monitoring/channel/add/", channel_form(all_rules="on", min_severity=Severity.HIGH.value))
    assert NO_CHANNEL not in text_of(ann.get("/"))
    ann.post(
        "/monitoring/channel/",
        {"action": "delete_selected", "_selected_action": [str(Channel.objects.get().pk)], "post": "yes"},
    )
    assert NO_CHANNEL in text_of(ann.get("/"))


def test_a_channel_whose_reader_has_not_said_yes_is_nobody_yet(ann: Client) -> None:
    """The rule, the channel and the front page warn until somebody has followed the link."""
    rule = a_rule()
    ann.post("/monitoring/channel/add/", channel_form(name="Team", address="team@example.com", all_rules="on"))
    waits = "Waiting for team@example.com to confirm. The link is in the confirmation email."
    channel = f"/monitoring/channel/{Channel.objects.get().pk}/change/"
    pages = ["/", channel, f"/monitoring/alertrule/{rule.pk}/change/"]
    # Before the guided start is dismissed its step names the channel.
    assert waits in text_of(ann.get("/")) and "1 channel awaiting" not in text_of(ann.get("/"))
    a_registration(last_pulled_at=timezone.now())
    ann.post("/start/dismiss/")
    front, own, page = (text_of(ann.get(path)) for path in pages)
    assert NO_CHANNEL in front and "Select a channel in the rules" not in front
    assert "1 channel awaiting confirmation" in front and "Team: no recipient has confirmed the address yet." in front
    assert "Awaiting confirmation" in own and waits in own and "Error" not in own
    assert "Awaiting confirmation" in text_of(ann.get("/monitoring/channel/"))
    assert "No channel receives alerts from this rule" not in page and waits not in page
    assert "“Team” will receive its alerts once the address is confirmed." in page
    ann.post(f"/monitoring/channel/confirm/{signing.dumps('team@example.com', salt=SALT)}/")
    front, own, page = (text_of(ann.get(path)) for path in pages)
    assert (
        NO_CHANNEL not in front and "Not tested" in own and "notified: Team" in page and "once the address" not in page
    )


def test_a_channel_of_problems_only_that_waits_is_no_cure_for_rules(ann: Client) -> None:
    a_rule()
    a_registration(last_pulled_at=timezone.now())
    ann.post("/start/dismiss/")
    ann.post("/monitoring/channel/add/", channel_form(name="Team", address="team@example.com", notices="on"))
    texts = {need.title: need.text for need in ann.get("/").context["needs"]}
    assert "Team" not in texts[NO_CHANNEL] and "Select a channel in the rules" in texts[NO_CHANNEL]
    assert texts["1 channel awaiting confirmation"].startswith("Team: no recipient has confirmed")


def test_without_an_email_server_a_confirmed_address_is_nobody_too(ann: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = CONSOLE
    rule = a_rule()
    channel = a_channel(rule, name="Team")
    a_registration(last_pulled_at=timezone.now())
    ann.post("/start/dismiss/")
    update_counts("unnotified")
    title = "1 rule of high or critical severity notifies no one"
    (text,) = [need.text for need in ann.get("/").context["needs"] if need.title == title]
    assert "users and owners of companies receive no emails because no email server is set up." in text
    assert "Team: emails are not sent because no email server is set up. Set EMAIL_URL" in text
    page = text_of(ann.get(f"/monitoring/alertrule/{rule.pk}/change/"))
    assert "will receive its alerts once an email server is set up." in page
    page = text_of(ann.get(f"/monitoring/channel/{channel.pk}/change/"))
    assert "Not sent" in page and "emails are only printed" in page and "Send test message" not in page


def test_without_an_email_server_each_reader_is_offered_what_they_can_do(client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = CONSOLE
    rule = a_rule()
    a_registration(last_pulled_at=timezone.now())
    update_counts("unnotified")
    asks = "Ask your administrator to set up an email server"
    for role, may_operate in (("Analyst", False), ("Operator", True)):
        reader = User.objects.create_user(role, is_staff=True)
        reader.groups.set(Group.objects.filter(name=role))
        client.force_login(reader)
        (need,) = [need for need in client.get("/").context["needs"] if "no one" in need.title]
        assert need.act == "Add channel" and "dd a chat channel" in need.text
        assert ("EMAIL_URL" in need.text, asks in need.text) == (may_operate, not may_operate)
        if not may_operate:
            page = client.get(f"/monitoring/alertrule/{rule.pk}/change/").text
            assert f"{asks}." in page and "#data-and-email" not in page


def test_the_front_page_names_only_the_way_that_its_reader_may_go(client: Client) -> None:
    a_rule()
    a_channel(min_severity=Severity.CRITICAL)
    update_counts("unnotified")
    for role, may_rule in (("Operator", False), ("Administrator", True)):
        reader = User.objects.create_user(role, is_staff=True)
        reader.groups.set(Group.objects.filter(name=role))
        client.force_login(reader)
        text = text_of(client.get("/"))
        assert NO_CHANNEL in text and ("Select a channel in the rules" in text) == may_rule


def test_the_front_page_warns_only_those_who_can_do_something(client: Client) -> None:
    a_rule()
    update_counts("unnotified")
    client.force_login(User.objects.create_user("bob", is_staff=True))
    assert NO_CHANNEL not in text_of(client.get("/"))


def test_owners_are_enough_where_every_company_has_one(settings: Any) -> None:
    a_rule()
    registration = a_registration()
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)))
    key = Subject.key(registration.pk, DUNS)
    Subject.objects.create(id=key, registration=registration, company_id=DUNS, requested=True)
    assert unnotified()["rules"] == ["Out of business"]
    Subject.objects.update(owner="ann@example.com")
    assert unnotified()["rules"] == []
    settings.EMAIL_BACKEND = CONSOLE
    assert unnotified()["rules"] == ["Out of business"], "no email leaves, to an owner neither"


def test_a_user_of_a_rule_is_notified_only_where_something_reaches_them(ann: Client, settings: Any) -> None:
    User.objects.update(email="ann@example.com")
    a_rule(notify_users="ann")
    assert unnotified()["rules"] == []
    settings.EMAIL_BACKEND = CONSOLE
    assert unnotified()["rules"] == ["Out of business"]
    a_channel(name="Chat", address="json://chat.acme.example/hook", person=User.objects.get())
    assert unnotified()["rules"] == []


def test_light_rules_may_go_unheard() -> None:
    a_rule(severity=Severity.MEDIUM, notify_owner=False)
    assert unnotified()["rules"] == []
