"""Help: the handbook's pages for the reader, opened inside the program, and terms that lead into the glossary."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from health.help_page import SECTIONS, title_of
from health.runbook_page import FOLDER, found, rendered
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.support import ROOT

pytestmark = pytest.mark.django_db
TASKS = ["Tasks", "Reference"]


def sections(client: Client) -> list[str]:
    return [str(title) for title, _ in client.get("/help/").context["sections"]]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("Viewer", TASKS),
        ("Portfolio manager", TASKS),
        ("Operator", [*TASKS, "Operation", "Integration"]),
        ("Administrator", [*TASKS, "Operation", "Integration"]),
    ],
)
def test_each_role_finds_the_pages_of_its_tasks(client: Client, role: str, expected: list[str]) -> None:
    client.force_login(a_person(role=role))
    assert sections(client) == expected


def test_every_page_opens_and_shows_the_way_back(admin: Client) -> None:
    text = admin.get("/help/").content.decode()
    links = re.findall(r'<li><a href="(/help/[^"]+)"', text)
    assert len(links) == sum(len(section.pages) for section in SECTIONS)
    for link in links:
        answer = admin.get(link)
        assert answer.status_code == 200 and '<li><a href="/help/">Help</a></li>' in answer.content.decode(), link


def test_images_and_links_of_a_page_lead_on(client: Client) -> None:
    client.force_login(a_person(role="Viewer"))
    page = client.get("/help/use/investigate-an-alert.md").content.decode()
    assert 'src="../images/alert.png"' in page and 'href="alerts.md"' in page
    assert client.get("/help/images/alert.png")["Content-Type"] == "image/png"


def test_every_page_of_use_and_of_operation_is_offered() -> None:
    offered = {path for section in SECTIONS for path, _ in section.pages}
    there = {
        f"{folder}/{file.name}" for folder in ("use", "operate", "integrate") for file in (FOLDER / folder).glob("*.md")
    }
    assert there <= offered and all(map(title_of, offered))


def test_help_is_in_the_menu_of_every_page(client: Client) -> None:
    client.force_login(a_person(role="Viewer"))
    for path in ("/", "/portfolio/company/", "/help/use/roles.md"):
        assert '<a href="/help/"' in client.get(path).content.decode()
    assert "Help" in text_of(client.get("/help/"))
    client.logout()
    assert client.get("/help/")["Location"].startswith("/login/")


def test_every_term_that_a_page_asks_about_stands_in_the_glossary() -> None:
    used = {
        anchor
        for file in (ROOT / "templates").rglob("*.html")
        for anchor in re.findall(r'what_is _\("[^"]+"\) "([^"]+)"', file.read_text())
    }
    _, glossary = rendered(found("use/glossary.md"), 0)
    assert len(used) >= 5 and [one for one in used if f'<a id="{one}"></a>' not in glossary] == []


def test_users_and_developers_have_no_word_twice() -> None:
    """A word that users meet is explained for them; developers find there only its name in the code."""
    ours, theirs = (words_of(found(path).read_text()) for path in ("use/glossary.md", "develop/glossary.md"))
    assert len(ours) >= 25 and len(theirs) >= 40 and ours & theirs == set()


def words_of(glossary: str) -> set[str]:
    """Without those that are links to the other glossary."""
    return set(re.findall(r'^\| (?:<a id="[^"]+"></a>)?([^|\[]+?) \|', glossary, re.MULTILINE)) - {"word"}


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring/element/",
        "/portfolio/registration/",
        "/portfolio/proposal/",
        "/monitoring/delivery/",
        "/monitoring/alert/",
        "/monitoring/change/",
    ],
)
def test_a_page_links_its_terms(admin: Client, path: str) -> None:
    assert re.search(
        r'href="/help/use/glossary.md#[a-z-]+">What does “[a-z ]+” mean\?', admin.get(path).content.decode()
    )
