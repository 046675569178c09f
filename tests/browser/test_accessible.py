"""axe finds nothing serious on any kind of page, at a desk and on a phone in the dark; the keyboard does what a mouse
does."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core.lists.saved_filters import save_filter
from dnbmon_site.accounts.models import User
from monitoring.models import Alert, Delivery, Element, Notification
from portfolio.models import Tier
from tests.builders.alerts import raised
from tests.builders.browser_pages import complaints_of, log_in, see, serious
from tests.builders.decisions import a_decision, a_tiered_company
from tests.builders.deliveries import delivered_news
from tests.builders.family_trees import THIRD, a_tree
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.units import a_unit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Each look costs seconds: these have both sizes and both color schemes, and the desk every other page.
LOOKS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
# One page of each kind; in braces are keys of rows.
PAGES = (
    *("", "portfolio/company/804735132/change/", "health/", "monitoring/reportschedule/report/?period=2026-W10"),
    *("monitoring/alert/", "monitoring/change/", "monitoring/change/?columns=name,told", "monitoring/notification/"),
    *("portfolio/company/?country=GB", "portfolio/company/export/", "portfolio/registration/", "portfolio/subject/"),
    *("portfolio/group/804735132/", "portfolio/review/", "portfolio/review/unchanged/"),
    *("core/savedfilter/", "portfolio/subjectimport/upload/", "portfolio/contract/year/", "monitoring/element/"),
    *("portfolio/syncrun/drift/{registration}/", "portfolio/syncrun/adopt/{registration}/"),
    *("portfolio/registration/{registration}/change/", "monitoring/notification/{notification}/change/"),
    *("monitoring/delivery/{delivery}/change/", "monitoring/alertrule/add/", "monitoring/scheduledexport/add/"),
    *("portfolio/company/804735132/dossier/", "portfolio/risk/", "portfolio/risk/companies/"),
    *("accounts/user/add/", "django_q/schedule/", "password_change/", "my/", "accounts/user/", "accounts/apikey/"),
    *("my/notifications/", "monitoring/alert/{alert}/change/", "monitoring/alertrule/{rule}/effectiveness/"),
    *("monitoring/duereview/", "monitoring/decision/", "monitoring/decision/decide/804735132/", "monitoring/tierrule/"),
    *("monitoring/decision/{decision}/change/", "monitoring/tierimport/upload/", "monitoring/reviewsettings/"),
    *(
        "monitoring/familytree/",
        "portfolio/family-tree/100000000/",
        "portfolio/company/400000000/change/?tab=ownership",
    ),
    *("core/businessunit/", "core/businessunit/add/", "monitoring/deliveredfile/upload/", "monitoring/datafetch/"),
    *("portfolio/companysearch/find/", "portfolio/exposureimport/overview/", "portfolio/companysearch/"),
)
PLAIN = ("password_reset/", "offline")


@pytest.fixture(params=list(LOOKS))
def page(request: Any, browser: Browser) -> Iterator[Page]:
    with browser.new_page(**LOOKS[request.param]) as page:
        page.set_default_timeout(15_000)
        yield page


def some_of_everything() -> dict[str, Any]:
    registration = a_registration()
    rule = a_rule()
    delivered_news()
    raised()
    a_tiered_company(THIRD, Tier.CRITICAL, set_days_ago=200, name="Third SAS", country="FR")
    a_tree(registration.contract)
    a_unit("Credit", registration, people=[a_person(username="bob")])
    save_filter(listing="portfolio.company", name="Britain", query="country=GB", columns="", shared=True, by="ann")
    notification, delivery = Notification.objects.first(), Delivery.objects.first()
    assert notification and delivery and Element.objects.exists()
    keys = {"registration": registration.pk, "notification": notification.pk, "delivery": delivery.pk, "rule": rule.pk}
    return keys | {"alert": Alert.objects.get().pk, "decision": a_decision().pk}


def test_nothing_keeps_anybody_out(page: Page, live_server: Any, request: pytest.FixtureRequest) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    keys = some_of_everything()
    heard = complaints_of(page)
    wrong: dict[str, list[str]] = {}
    for path in PLAIN:
        page.goto(f"{live_server.url}/{path}")
        wrong[path] = serious(page)
        see(page, f"accessible-{path.strip('/')}")
    page.goto(live_server.url)
    wrong["login"] = serious(page)
    log_in(page, live_server.url)
    for path in PAGES if "phone" in request.node.name else PAGES[::2]:
        page.goto(f"{live_server.url}/{path.format(**keys)}")
        wrong[path] = serious(page)
    page.goto(f"{live_server.url}/api/docs/")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wrong["api/docs/"] = serious(page)
    assert {path: found for path, found in wrong.items() if found} == {}
    # The health page is 503 where no worker runs.
    assert [said for said in heard if "503" not in said] == []


def test_the_keyboard_opens_what_a_mouse_opens(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    delivered_news()
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/company/")
    filters = page.get_by_role("button", name="Filters")
    filters.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.keyboard.press("Escape")
    columns = page.locator("summary", has_text="Columns")
    columns.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="D-U-N-S")).to_be_visible()
