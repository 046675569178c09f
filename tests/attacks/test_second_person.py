"""The second person cannot be done without: not by another name, not by plans for tomorrow, not by small portions."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.attacks.production import Browser, Production
from tests.support import wait_until

CAP, LISTED = 5, 80

PREPARE = """
import json
from core.ids import time_first_id
from portfolio.models import Contract, Registration, Subject
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.companies import duns_numbers
contract = a_contract(name="second", cap={cap}, removal_share=10)
registration = a_registration("SECOND_PERSON", contract=contract, adopted=True)
rows = [a_subject(duns, registration) for duns in duns_numbers({listed})]
print(json.dumps(dict(registration=str(registration.pk), new=duns_numbers({listed} + 60)[{listed}:],
    keys=[str(row.pk) for row in rows], duns=[row.company_id for row in rows])))
"""
LOOK = """
from portfolio.models import Subject
rows = Subject.objects.filter(registration="{registration}")
print(rows.filter(requested=True).count(), rows.filter(remove_on__isnull=False).count())
"""
ENDS = ("Applied", "Awaiting second approval")
STATE = re.compile(r"Awaiting second approval|Applied|Awaiting confirmation|Being applied")


@pytest.fixture(scope="module")
def prepared(production: Production) -> dict[str, list[str]]:
    code = PREPARE.format(cap=CAP, listed=LISTED)
    found: dict[str, list[str]] = json.loads(production.inside(code))
    return found


@pytest.fixture(scope="module")
def manager(production: Production) -> Browser:
    return production.person("second-manager", "Portfolio manager", "Approver")


def state_of(browser: Browser, page: str) -> str:
    found = STATE.search(browser.ask(page).text)
    return found.group() if found else ""


def imported(browser: Browser, prepared: dict[str, list[str]], duns: list[str], mode: str = "add") -> str:
    """Uploaded and confirmed; the import's page."""
    page = read(browser, prepared, duns, mode)
    confirm(browser, page, len(duns))
    wait_until(lambda: state_of(browser, page) in ENDS, timeout=60, what="an end")
    return page


def read(browser: Browser, prepared: dict[str, list[str]], duns: list[str], mode: str = "add") -> str:
    given: dict[str, object] = {"registration": prepared["registration"], "mode": mode, "text": "\n".join(duns)}
    answer = browser.submit("/portfolio/subjectimport/upload/", given)
    assert answer.status_code == 302, answer.text
    page = answer.headers["Location"]
    wait_until(lambda: state_of(browser, page).startswith("Awaiting confirmation"), timeout=60, what="the reading")
    return page


def confirm(browser: Browser, page: str, number: int) -> None:
    browser.submit(page.replace("/change/", "/do/confirm/"), {"number": str(number)})


def test_small_imports_a_new_name_and_plans_for_tomorrow(
    production: Production, manager: Browser, prepared: dict[str, list[str]]
) -> None:
    new = prepared["new"]
    states = [state_of(manager, imported(manager, prepared, new[start : start + 4])) for start in (0, 4, 8)]
    assert states == ["Applied", "Awaiting second approval", "Awaiting second approval"], "4 + 4 + 4 with a cap of 5"

    page = imported(manager, prepared, new[12:20])
    rename = "User.objects.filter(username='second-manager').update(username='second-manager-renamed')"
    production.inside(f"from dnbmon_site.accounts.models import User; {rename}")
    manager.submit(page.replace("/change/", "/do/approve/"))
    assert state_of(manager, page) == "Awaiting second approval"

    tomorrow = f"{timezone.now().date() + timedelta(days=1):%Y-%m-%d}"
    for start in (0, 40):
        manager.submit("/portfolio/subject/plan/", {"key": prepared["keys"][start : start + 40], "day": tomorrow})
    requested, planned = production.inside(LOOK.format(**prepared)).split()
    assert (int(requested), int(planned)) == (LISTED + 4, 0)

    address = "/api/v1/registrations/SECOND_PERSON/subjects/?contract=second&duns="
    removed = [
        len(manager.ask(address + duns, "DELETE", headers={"X-CSRFToken": manager.token()}).json()["removed"])
        for duns in prepared["duns"][:12]
    ]
    assert sum(removed) == 8, "one by one no more than ten percent"
    assert state_of(manager, imported(manager, prepared, prepared["duns"][12:13], "remove")).startswith(
        "Awaiting second"
    )


@pytest.mark.every_engine
def test_tabs_at_the_same_moment_get_no_more_than_one(production: Production, prepared: dict[str, list[str]]) -> None:
    production.person("tabs-manager", "Portfolio manager")
    tabs = [production.signed_in("tabs-manager") for _ in range(4)]
    portions = [prepared["new"][start : start + 4] for start in (20, 24, 28, 32)]
    pages = [read(tab, prepared, portion) for tab, portion in zip(tabs, portions, strict=True)]
    with ThreadPoolExecutor(len(tabs)) as at_once:
        list(at_once.map(confirm, tabs, pages, [4] * len(tabs)))
    wait_until(lambda: all(state_of(tabs[0], page) in ENDS for page in pages), timeout=60, what="an end of all")
    assert [state_of(tabs[0], page) for page in pages].count("Applied") <= 1, "4 and 4 with a cap of 5"


def test_a_list_that_d_and_b_never_wrote(manager: Browser, prepared: dict[str, list[str]]) -> None:
    """Whoever brings “D&B's list” could say by it that companies are billed already, and add them for nothing."""
    invented = prepared["new"][36:56]
    page = f"/portfolio/syncrun/adopt/{prepared['registration']}/"
    files = {"file": ("export.txt", "\n".join(prepared["duns"] + invented).encode())}
    preview = manager.submit(page, {"numbers": ""}, files=files).text
    shown = dict(re.findall(r'<input type="hidden" name="(name|dnb_time|gone)" value="([^"]*)"', preview))
    numbers = " ".join(prepared["duns"] + invented)
    manager.submit(f"{page}list/", {**shown, "numbers": numbers, "extent": "complete"})
    assert "20 of them not previously known" in manager.ask(page).text
    assert state_of(manager, imported(manager, prepared, invented)) == "Awaiting second approval"
