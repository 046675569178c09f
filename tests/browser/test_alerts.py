"""A rule made in a browser, tried on the past, switched on; what it raises is looked after, and messages are left."""

import re
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from monitoring.models import Alert, AlertRule, Channel
from monitoring.outbox.addresses import unsubscribe_link
from tests.builders.alerts import raised
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered, delivered_news
from tests.builders.notifications import a_notice, a_seed
from tests.builders.times import stamp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_a_rule_to_a_closed_alert(page: Page, live_server: Any) -> None:  # noqa: F811
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    AlertRule.objects.all().delete()
    a_channel(name="Credit team", address="credit@example.com")
    delivered_news()
    raised()
    heard = complaints_of(page)
    log_in(page, f"{live_server.url}/monitoring/alertrule/add/")
    see(page, "rule-empty")
    make_a_rule(page)
    see(page, "rule-tried")
    page.get_by_role("button", name="Enable rule").click()
    expect(page.locator(".dm-head")).to_contain_text("Enabled")
    see(page, "rule")
    page.get_by_role("button", name="Save and test on history").click()
    expect(page.locator(".dm-tiles")).to_contain_text("in 365 days")
    now = timezone.now()
    delivered(a_notice("DELETE", delivered=stamp(now)))
    delivered_news("Beta GmbH", hours=1)
    raised()
    page.goto(f"{live_server.url}/monitoring/alertrule/")
    see(page, "rules")
    handle_the_alert(page, live_server.url)
    assert heard == []


def make_a_rule(page: Page) -> None:  # noqa: F811
    page.fill("#id_name", "No longer in business")
    page.get_by_label("Changed", exact=True).check()
    page.get_by_label("Deleted at D&B").check()
    page.get_by_text("Advanced: paths and wildcards").click()
    page.fill("#id_element_paths", "operating status")
    page.get_by_text("Add condition").click()
    page.get_by_label("Condition 1").select_option("becomes")
    page.get_by_label("Value 1").fill("Out of business")
    page.get_by_label("Credit team").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("Line 1, character 10")
    see(page, "rule-mistake")
    page.fill("#id_element_paths", "**.operatingStatus")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".dm-tiles")).to_contain_text("alert in 30 days")


def handle_the_alert(page: Page, url: str) -> None:  # noqa: F811
    page.goto(f"{url}/monitoring/alert/")
    see(page, "inbox")
    page.locator("#result_list tbody tr").get_by_role("link").first.click()
    see(page, "alert")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".dm-head .dm-badges")).to_contain_text("Acknowledged")
    page.fill("#id_text", "Orders are stopped.")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator("body")).to_contain_text("Orders are stopped.")
    page.fill("#id_text", "The contract ends.")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#id_text")).to_have_value("The contract ends.")
    see(page, "alert-close")
    page.get_by_label("Acted on").check()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("body")).to_contain_text("The contract ends.")
    see(page, "alert-closed")
    assert Alert.objects.filter(company=DUNS, state="closed").exists()


def test_a_channel_and_the_way_out_of_it(
    page: Page,  # noqa: F811
    live_server: Any,
    mailoutbox: list[EmailMessage],
) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    delivered(a_seed())
    heard = complaints_of(page)
    log_in(page, f"{live_server.url}/monitoring/channel/add/")
    page.fill("#id_name", "Ann's mail")
    page.fill("#id_address", "ann@example.com")
    see(page, "channel-empty")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("ann@example.com")
    expect(page.locator("body")).to_contain_text("Waiting for ann@example.com to confirm")
    see(page, "channels")
    say_yes(page, live_server.url, mailoutbox)
    channel = Channel.objects.get()
    page.goto(f"{live_server.url}/monitoring/channel/{channel.pk}/change/")
    page.get_by_role("button", name="Send test message").click()
    expect(page.locator("body")).to_contain_text("Test message sent to ann@example.com.")
    see(page, "channel")
    page.context.clear_cookies()
    page.goto(unsubscribe_link(channel).replace("http://localhost:8000", live_server.url))
    see(page, "unsubscribe")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.locator("body")).to_contain_text("No more messages are sent to “Ann's mail”")
    assert heard == []


def say_yes(page: Page, url: str, mails: list[EmailMessage]) -> None:  # noqa: F811
    """As whoever reads at the address: by the link of the mail, and its button."""
    (asked,) = mails
    (path,) = re.findall(r"http://localhost:8000(/\S+)", str(asked.body))
    page.goto(url + path)
    see(page, "confirm-address")
    page.get_by_role("button", name="Receive alerts").click()
    expect(page.locator("h1")).to_contain_text("Alerts confirmed")
