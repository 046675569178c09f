"""The browser is told what pages may load, and no page asks for more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dnbmon_site.accounts.models import User
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.deliveries import delivered_news
from tests.servers.openid_providers import Provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("", "portfolio/company/", "portfolio/subjectimport/upload/", "portfolio/contract/year/", "axes/accesslog/",
         "accounts/user/add/", "monitoring/channel/add/", "password_change/", "api/docs/problems/")  # fmt: skip


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_page(viewport={"width": 1280, "height": 900}) as page:
        page.set_default_timeout(15_000)
        yield page


def test_no_page_asks_for_more_than_its_policy_allows(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    delivered_news()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    for path in PAGES:
        page.goto(f"{live_server.url}/{path}")
        page.wait_for_load_state("load")
        assert heard == [], path


def test_a_rules_form_adds_an_element_without_a_script_in_the_page(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    delivered_news()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/monitoring/alertrule/add/")
    page.locator(".dm-elements .select2-search__field").click()
    page.locator(".select2-results__option[role=option]").first.click()
    expect(page.locator(".dm-elements .select2-selection__choice")).to_have_count(1)
    assert heard == []


def test_the_api_can_be_tried_on_its_page(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/api/docs/")
    for key, path, status in (("companies", "", "200"), ("company", "804735132", "404"), ("lookup", "", "200")):
        form = page.locator(f"#{key} form")
        page.locator(f"#{key} > summary").click()
        page.locator(f"#{key}").get_by_text("Try it").click()
        if path:
            form.get_by_label("duns").fill(path)
        form.get_by_role("button", name="Send request").click()
        expect(form.get_by_role("status").locator("strong")).to_contain_text(status)
    heard = [text for text in heard if "404" not in text]
    assert heard == []


def test_who_is_locked_out_is_told_so(page: Page, live_server: Any, settings: Any) -> None:
    settings.AXES_ENABLED = True
    page.goto(f"{live_server.url}/login/")
    for _ in range(5):
        page.fill("#id_username", "ann")
        page.fill("#id_password", "wrong")
        page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("Too many failed logins")
    see(page, "locked")


def test_a_button_leads_to_the_sign_in_service_and_back(page: Page, live_server: Any, provider: Provider) -> None:
    assert not User.objects.exists()
    heard = complaints_of(page)
    page.goto(f"{live_server.url}/portfolio/company/")
    see(page, "sign-in")
    page.get_by_role("link", name="Sign in with your company's account").click()
    expect(page).to_have_url(f"{live_server.url}/portfolio/company/")
    assert heard == []
