"""Behind “@” in a comment, users are chosen by name with the keyboard or the mouse."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from tests.builders.alerts import an_alert
from tests.builders.browser_pages import complaints_of, log_in, see, serious
from tests.builders.people import a_person

pytestmark = [pytest.mark.browser, pytest.mark.one_engine, pytest.mark.django_db(transaction=True)]


def test_a_colleague_is_mentioned_by_a_few_letters(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    for username, first in (("mmeier", "Maria"), ("bob", "Marco")):
        person = a_person("view_alert", "acknowledge_alert", username=username)
        User.objects.filter(pk=person.pk).update(first_name=first, last_name="Meier")
    heard = complaints_of(page)
    log_in(page, f"{live_server.url}/monitoring/alert/{an_alert().pk}/change/")
    text, users = page.get_by_label("Add a comment"), page.get_by_role("listbox", name="Users")
    text.press_sequentially("Please look, @mar")
    expect(users.get_by_role("option")).to_have_count(2)
    assert serious(page) == []
    see(page, "mention")
    text.press("ArrowDown")
    second = users.get_by_role("option", selected=True).get_attribute("data-name")
    text.press("Enter")
    expect(text).to_have_value(f"Please look, @{second} ")
    expect(users).to_be_hidden()
    text.press_sequentially("and @mmei")
    users.get_by_role("option").click()
    expect(text).to_have_value(f"Please look, @{second} and @mmeier ")
    text.press_sequentially("x@mar")
    expect(users).to_be_hidden()
    button = page.get_by_role("button", name="Comment")
    place = button.bounding_box()
    text.press_sequentially(" @mmei")
    expect(users.get_by_role("option")).to_have_count(1)
    assert button.bounding_box() == place, "the list moves nothing"
    text.press_sequentially("er")
    expect(users).to_be_hidden()
    button.click()
    expect(page.get_by_text("No comments yet.")).to_have_count(0)
    assert heard == []
