"""Takes the images of the documents from a demo of its own, so that they stay true: `make screenshots`.

With names, only those: `make screenshots ARGS="inbox alert"`. Pages are found by their addresses, so that a changed
word breaks nothing. An image that cannot be taken is reported, and the command ends with 1. Not taken here: the PDF of
a report, and health in states that the demo does not get into (all `health-*`).
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from os import environ
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = (1366, 900), (390, 844)
PATIENCE = 300
LARGEST = 200_000

T = TypeVar("T")

ALERT = r"/monitoring/alert/[^/?]+/change/"
COMPANY = r"/portfolio/company/\d+/change/"
DECISION = r"/monitoring/decision/[^/?]+/change/"
GROUP = r"/portfolio/group/\d+/"
RULE = r"/monitoring/alertrule/[^/?]+/change/"
SYNC = r"/portfolio/syncrun/[^/?]+/change/"

MESSY = ROOT / "examples" / "suppliers_messy.xlsx"
# D&B's sandbox refuses numbers that end with 00 to 03, each for another reason.
MIXED = "D-U-N-S\n" + "\n".join(
    f"{number:09d}" for number in (*range(412_650_817, 412_650_829), *range(530_118_700, 530_118_704))
)


@dataclass(frozen=True, slots=True)
class Shot:
    """An image: the address of its page, or of the page with a link to it. `{name}` stands for what `prepare` made."""

    name: str
    start: str
    link: str = ""
    query: str = ""
    size: tuple[int, int] = DESKTOP


SHOTS = (
    Shot("front-page", "/", size=(1366, 780)),
    Shot("front-page-phone", "/", size=PHONE),
    Shot("inbox", "/monitoring/alert/", size=(1366, 800)),
    Shot("alert", "/monitoring/alert/?q=Lone+Star+Process", ALERT),
    Shot("alert-phone", "/monitoring/alert/?q=Lone+Star+Process", ALERT, size=PHONE),
    Shot("company", "{company}"),
    Shot("dossier", "{bankrupt}", size=(1366, 1000)),
    Shot("company-phone", "{company}", size=PHONE),
    Shot("company-as-of", "{company}", query="?as_of={before}"),
    Shot("lists-columns", "{saved}", size=(1366, 760)),
    Shot("rule-trial", "{rule}"),
    Shot("channel", "/monitoring/channel/add/"),
    Shot("my-notifications", "/my/notifications/"),
    Shot("import", "{import}"),
    Shot("find", "{found}", size=(1366, 760)),
    Shot("data-fetch", "{refresh}", size=(1366, 560)),
    Shot("entitlements", "/portfolio/entitlements/", size=(1366, 760)),
    Shot("call-budgets", "/portfolio/callbudget/", size=(1366, 640)),
    Shot("delivered-files", "/monitoring/deliveredfile/", size=(1366, 760)),
    Shot("adopt", "{adopt}"),
    Shot("sync", "/portfolio/syncrun/", SYNC),
    Shot("drift", "{drift}", size=(1366, 1100)),
    Shot("proposals", "/portfolio/proposal/", size=(1366, 640)),
    Shot("decision", "/monitoring/decision/?state=final", DECISION, size=(1366, 1000)),
    Shot("contract-year", "/portfolio/contract/year/", size=(1366, 820)),
    Shot("contract-review", "/portfolio/review/", size=(1366, 1000)),
    Shot("group", "{group}", size=(1366, 840)),
    Shot("family-tree", "{tree}", size=(1366, 820)),
    Shot("portfolio-risk", "/portfolio/risk/", size=(1366, 1100)),
    Shot("portfolio-movement", "/portfolio/risk/movement/", size=(1366, 1100)),
    Shot("report", "/monitoring/reportschedule/report/"),
    Shot("invite", "/accounts/user/add/"),
    Shot("business-unit", "/core/businessunit/add/", size=(1366, 760)),
    Shot("reviews", "/monitoring/duereview/", size=(1366, 760)),
    Shot("health", "/health/"),
)


def main(names: list[str]) -> int:
    shots = [shot for shot in SHOTS if not names or shot.name in names]
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder)) as (url, user, password),
        sync_playwright() as play,
        play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as browser,
    ):
        cookies = str(Path(folder) / "cookies.json")
        places = sign_in_and_prepare(browser, url, user, password, cookies)
        missed = [shot.name for shot in shots if not take(browser, url, cookies, places, shot)]
    print(f"Not taken: {', '.join(missed)}." if missed else f"{len(shots)} images are in {IMAGES}.")
    return bool(missed)


# The demo


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, str, str]]:
    """A demo on a free port, with its user and password as it prints them."""
    port, output = free_port(), folder / "output"
    command = [sys.executable, "manage.py", "up", "--demo", "--port", str(port), "--demo-folder", str(folder / "demo")]
    with output.open("w") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env={**environ, "ENV_FILE": "/dev/null"}, stdout=stream)
    try:
        yield f"http://127.0.0.1:{port}", *access(process, output)
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def access(process: subprocess.Popen[bytes], output: Path) -> tuple[str, str]:
    def printed() -> re.Match[str] | None:
        if process.poll() is not None:
            raise RuntimeError(f"The demo has not started:\n{output.read_text()}")
        return re.search(r"User\s+(\S+).*?Password\s+(\S+)", output.read_text(), re.DOTALL)

    found = wait_for(printed, "the demo")
    return found[1], found[2]


def wait_for(find: Callable[[], T | None], what: str) -> T:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(2)
    raise RuntimeError(f"Waited {PATIENCE} seconds for {what}.")


# What the pages need


def sign_in_and_prepare(browser: Browser, url: str, user: str, password: str, cookies: str) -> Mapping[str, str]:
    with browser.new_page(base_url=url) as page:
        page.goto("/login/")
        page.fill("[name=username]", user)
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda address: "/login" not in address)
        page.context.storage_state(path=cookies)
        return prepare(page)


def prepare(page: Page) -> dict[str, str]:
    """Addresses of pages that need data first: an import that is checked, and a sync that D&B has answered."""
    wait_for(lambda: link_on(page, "/monitoring/alert/?severity=4", ALERT), "a critical alert")
    key_accounts, suppliers = registration(page, "ACME_KEY_ACCOUNTS"), registration(page, "ACME_SUPPLIERS")
    messy = upload(page, suppliers, file=MESSY)
    upload(page, suppliers, text=MIXED)
    confirm(page)
    wait_for(lambda: is_synced(page), "D&B's answer to the import")
    return {
        "before": str(date.today() - timedelta(days=10)),
        "company": company(page),
        "group": link_on(page, link_on(page, "/portfolio/company/?q=Rheintal", COMPANY) or "", GROUP) or "",
        "tree": family_tree(page),
        "rule": (link_on(page, "/monitoring/alertrule/", RULE) or "").replace("/change/", "/try/"),
        "import": messy,
        "saved": saved_filter(page),
        "found": found(page),
        "refresh": refresh(page),
        "bankrupt": bankrupt(page),
        "adopt": f"/portfolio/syncrun/adopt/{key_of(key_accounts)}/",
        "drift": f"/portfolio/syncrun/drift/{key_of(suppliers)}/",
    }


def family_tree(page: Page) -> str:
    """The address of a family tree, once it is fetched."""
    duns = key_of(link_on(page, "/portfolio/company/?q=Weser", COMPANY) or "")
    page.goto(f"/monitoring/familytree/request/?kind=full&company={duns}")
    page.click("button[name=confirmed]")
    page.wait_for_selector("#live[data-refresh=never]", state="attached", timeout=PATIENCE * 1000)
    return f"/portfolio/family-tree/{duns}/"


def registration(page: Page, reference: str) -> str:
    page.goto("/portfolio/registration/")
    return page.locator(f"main a[href*='/change/']:has-text('{reference}')").first.get_attribute("href") or ""


def key_of(address: str) -> str:
    return address.split("/")[-3]


def upload(page: Page, registration: str, file: Path | None = None, text: str = "") -> str:
    """The address of the import, once its rows are checked."""
    page.goto(f"/portfolio/subjectimport/upload/?registration={key_of(registration)}")
    if file:
        page.set_input_files("#id_file", file)
    page.fill("#id_text", text)
    page.click("form:has(#id_file) button:not([type=button])")
    page.wait_for_url(re.compile(r"/portfolio/subjectimport/[^/]+/change/"))
    page.wait_for_selector("#live[data-refresh=never]", state="attached", timeout=PATIENCE * 1000)
    return page.url


def confirm(page: Page) -> None:
    """Enter the number of new billable companies that the page of a checked import shows."""
    found = re.search(r"([\d,]+)\s+new billable", page.inner_text("main"))
    page.fill("#number", found[1] if found else "0")
    page.press("#number", "Enter")


def saved_filter(page: Page) -> str:
    """The address of a list with a filter that was saved."""
    page.goto("/portfolio/company/?country=DE")
    page.click("details:has(#saved-name) summary")
    page.fill("#saved-name", "German companies")
    page.press("#saved-name", "Enter")
    page.wait_for_load_state()
    return page.url


def is_synced(page: Page) -> bool:
    """D&B has answered for every number."""
    page.goto(link_on(page, "/portfolio/syncrun/", SYNC) or "/portfolio/syncrun/")
    return page.locator("[data-progress=done]").count() > 0


def company(page: Page) -> str:
    """That of a critical alert: its page has most to show."""
    page.goto(link_on(page, "/monitoring/alert/?severity=4", ALERT) or "/monitoring/alert/")
    return link(page, COMPANY) or link_on(page, "/portfolio/company/", COMPANY) or ""


def found(page: Page) -> str:
    """The address of a search at D&B with candidates."""
    page.goto("/portfolio/companysearch/find/")
    page.fill("#id_name", "Rheintal")
    page.select_option("#id_country", "DE")
    page.click("button[value=match]")
    page.wait_for_url(re.compile(r"/portfolio/companysearch/[^/]+/change/"))
    return page.url


def refresh(page: Page) -> str:
    """The address at which the calls of a data fetch are shown before they are made."""
    page.goto(company(page))
    return page.locator("a[href*='/datafetch/request/']").first.get_attribute("href") or ""


def bankrupt(page: Page) -> str:
    """The dossier of a company that went out of business in the last weeks."""
    address = link_on(page, "/portfolio/company/?q=Lone+Star+Process", COMPANY) or ""
    return f"{address.replace('/change/', '/dossier/')}?since={date.today() - timedelta(days=90)}"


def link_on(page: Page, address: str, pattern: str) -> str | None:
    response = page.goto(address)
    if response is None or not response.ok:
        raise RuntimeError(f"{address} cannot be opened.")
    return link(page, pattern)


def link(page: Page, pattern: str) -> str | None:
    addresses: list[str] = page.eval_on_selector_all("main a[href]", "links => links.map(one => one.pathname)")
    return next((address for address in addresses if re.search(pattern, address)), None)


# Images


def take(browser: Browser, url: str, cookies: str, places: Mapping[str, str], shot: Shot) -> bool:
    size: ViewportSize = {"width": shot.size[0], "height": shot.size[1]}
    context = browser.new_context(base_url=url, storage_state=cookies, reduced_motion="reduce", viewport=size)
    try:
        return arrive(context.new_page(), (shot.start + shot.query).format_map(places), shot)
    except Error as error:
        print(f"{shot.name}: {error}")
        return False
    finally:
        context.close()


def arrive(page: Page, address: str, shot: Shot) -> bool:
    response = page.goto(address)
    if shot.link:
        response = page.goto(link(page, shot.link) or "/404")
    if response is None or not response.ok:
        return False
    # Pages that renew themselves are never idle.
    page.wait_for_load_state("load")
    page.wait_for_selector("[data-later]", state="detached")
    page.wait_for_timeout(700)
    path = IMAGES / f"{shot.name}.png"
    page.screenshot(path=path, animations="disabled")
    if path.stat().st_size > LARGEST:
        print(f"{path.name} has {path.stat().st_size:,} bytes: show less of the page.")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
