"""The frame of every page: reached without a mouse, searched from anywhere, and of use on a phone."""

import statistics
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from dnbmon_site.accounts.models import User
from monitoring.models import Alert
from portfolio.models import ProposalKind
from portfolio.proposals.create import Sign, propose
from tests.builders.alerts import raised
from tests.builders.browser_pages import log_in, see
from tests.builders.companies import a_company, duns_numbers
from tests.builders.deliveries import delivered_news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROWS = 5
HEADER = 64
PHONE: Any = {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def ann(transactional_db: None) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")


def test_the_first_tab_leads_past_the_menu(page: Page, live_server: Any) -> None:
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/company/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    assert page.locator("main").count() == 1
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_have_count(0)


def test_ctrl_k_leads_to_an_action(page: Page, live_server: Any) -> None:
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/company/")
    page.keyboard.press("Control+k")
    page.get_by_role("searchbox", name="Search pages, actions and companies").press_sequentially("create rule")
    expect(page.locator("#command-results-list")).to_contain_text("Create alert rule")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/monitoring/alertrule/add/")


def test_an_address_leads_to_a_part_of_a_page_below_its_tabs(page: Page, live_server: Any) -> None:
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/health/#jobs")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    expect(page.get_by_role("heading", name="Jobs View schedules")).to_be_in_viewport()


def test_all_entries_of_an_administrator_s_menu_fit_a_small_desk(browser: Browser, live_server: Any) -> None:
    with browser.new_page(viewport={"width": 1366, "height": 900}) as page:
        log_in(page, live_server.url)
        menu = page.get_by_role("navigation", name="Main menu")
        for name in ("Overview", "Alert rules", "Users", "Help"):
            expect(menu.get_by_role("link", name=name, exact=True)).to_be_in_viewport(ratio=1)


def test_a_chip_removes_its_filter(page: Page, live_server: Any) -> None:
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/company/?country=GB&q=acme")
    page.get_by_role("list", name="Active filters").get_by_role("link", name="United Kingdom").click()
    page.wait_for_url("**/portfolio/company/?q=acme")


def test_escape_closes_the_filters_also_from_a_field_with_choices(page: Page, live_server: Any) -> None:
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/company/")
    page.get_by_role("button", name="Filters").click()
    filters = page.locator("#changelist-filter")
    filters.locator(".select2-selection--multiple").first.click()
    expect(page.locator(".select2-container--open").first).to_be_attached()
    page.keyboard.press("Escape")
    expect(filters).to_be_visible()
    page.keyboard.press("Escape")
    expect(filters).to_be_hidden()


@pytest.mark.parametrize("width", [700, 1366])
def test_the_panels_above_a_list_open_beside_the_menu(browser: Browser, live_server: Any, width: int) -> None:
    with browser.new_page(viewport={"width": width, "height": 900}) as page:
        log_in(page, live_server.url)
        page.goto(f"{live_server.url}/portfolio/company/")
        page.locator("summary", has_text="Save filter").click()
        panel, content = (page.locator(place).bounding_box() for place in (".dm-menu[open] > form", ".dm-kept"))
        assert panel and content and panel["x"] >= content["x"]
        assert panel["x"] + panel["width"] <= content["x"] + content["width"]


def test_a_phone_shows_five_rows_and_targets_of_24_pixels(browser: Browser, live_server: Any) -> None:
    a_rule()
    delivered_news()
    raised()
    Alert.objects.update(exposure=181_500_00)
    numbers = duns_numbers(12)
    for position, duns in enumerate(numbers):
        a_company(duns, f"Company with quite a long name {position} Ltd", city="Newcastle upon Tyne", country="GB")
        a_subject(duns)
    registration = a_registration()
    propose([Sign(ProposalKind.TRANSFER, registration.pk, duns, numbers[0], "1", MOMENT) for duns in numbers[1:]])
    with browser.new_page(viewport=PHONE) as page:
        log_in(page, live_server.url)
        for path in ("portfolio/company/", "monitoring/alertrule/", "monitoring/alert/", "portfolio/proposal/"):
            page.goto(f"{live_server.url}/{path}")
            see(page, f"shell-{path.strip('/').replace('/', '-')}")
            rows = page.locator("#result_list tr.data-row")
            heights = rows.evaluate_all("(rows) => rows.map((row) => row.offsetHeight)")
            assert statistics.median(heights) * ROWS <= PHONE["height"] - HEADER, path
            assert small_targets(page) == [], path


def small_targets(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["target-size"]}).response["violations"]
    return [node["html"][:120] for one in found for node in one["nodes"]]
