"""A workbook of a kilobyte or two that grows without end: its import fails with a reason, and nobody else notices."""

import html
import re

from tests.attacks.production import Browser, Production
from tests.builders.workbooks import a_hostile_workbook
from tests.process_table import family
from tests.support import wait_until

PREPARE = """
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration
a_contract(cap=100)
print(a_registration("ATTACKED_01").pk)
"""


def test_a_workbook_made_to_grow_takes_no_worker_down(production: Production) -> None:
    registration = production.inside(PREPARE)
    browser = production.person("workbook-attacker", superuser=True)
    before = family(production.running.process.pid)
    for content in (a_hostile_workbook(reach="r ="), a_hostile_workbook(shared=1_000_000)):
        assert "memory" in reason_of(browser, registration, content)
    # The same processes as before, and none of them has grown by it.
    assert set(before) <= set(family(production.running.process.pid))


def reason_of(browser: Browser, registration: str, content: bytes) -> str:
    form = {"registration": registration, "mode": "add"}
    answer = browser.submit("/portfolio/subjectimport/upload/", {**form}, files={"file": ("list.xlsx", content)})
    assert answer.status_code == 302, answer.text
    address, page = re.sub(r"^https?://[^/]+", "", answer.headers["Location"]), [""]

    def has_failed() -> bool:
        page[0] = html.unescape(browser.ask(address).text)
        return "Failed: file not readable" in page[0]

    wait_until(has_failed, timeout=120, what="a reason")
    return page[0]
