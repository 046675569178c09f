"""Pages in a real browser."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

# Set to a folder to look at what the browser saw.
SHOTS = os.environ.get("BROWSER_SHOTS", "")


def log_in(page: Page, url: str) -> None:
    page.goto(url)
    page.fill("#id_username", "ann")
    page.fill("#id_password", "secret words")
    page.click("button[type=submit]")


def complaints_of(page: Page) -> list[str]:
    """Errors in the console and of scripts, as they come."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def see(page: Page, name: str) -> None:
    """Nothing sticks out to the side; a picture where one is wanted."""
    assert page.viewport_size is not None
    page.wait_for_selector("body", state="attached")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}-{page.viewport_size['width']}.png"), full_page=True)


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out, with the first place of each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
    ]
