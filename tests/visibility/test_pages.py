"""Signed in as a person of one unit with every permission: no page or file shows what only the other unit has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from core.lists.listings import LISTINGS
from core.visibility import RULES
from dnbmon_site.accounts.models import User
from dnbmon_site.http.unit_pages import is_open
from monitoring.models import Publication
from tests.builders.family_trees import a_tree
from tests.engines import engine
from tests.visibility.marks import DUNS, SEARCHED, marks_in
from tests.visibility.routes import all_routes
from tests.visibility.walk import TOKENS, Address, about, addresses, alike, got, text_of
from tests.visibility.world import OWN_NAME, SHARED, World, receives_more

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(engine() != "sqlite", reason="The rules are tested on every engine; all pages on one."),
]
# They end the session, and what follows would be asked by a stranger.
ENDS = ("/logout/",)
# Pages with numbers.
NUMBERS = (
    *("/", "/?days=90", "/portfolio/risk/", "/monitoring/reportschedule/report/", "/portfolio/registration/"),
    *("/portfolio/company/", "/monitoring/change/", "/monitoring/change/?severity=all", "/monitoring/alert/?state=all"),
    # What open pages ask for.
    *("/?part=live", "/monitoring/change/pulse/"),
)
QUERIES = ("", f"?q={SEARCHED}", f"?q={DUNS[:8]}", f"?term={SEARCHED}", "?registration={registration}")


def pages(world: World) -> list[Any]:
    found, unfilled = addresses(world, without="/api/v1/")
    assert unfilled == [], "say what stands for their parameters in tests/visibility/walk.py"
    return [one for one in found if one.path not in ENDS]


def test_no_page_shows_anothers(world: World, person: Client) -> None:
    assert (wrong := shown_of_others(world, person, pages(world))) == [], "\n".join(map(str, wrong))


def shown_of_others(world: World, person: Client, walked: Iterable[Address]) -> list[tuple[str, int, list[str]]]:
    person.raise_request_exception = False
    wrong = []
    for address in walked:
        for query in QUERIES if not address.route.parameters else ("",):
            path = address.path + query.format(registration=world.other.pk)
            answer = got(person, path)
            found = marks_in(text_of(answer), world.keys, asked=path)
            if found or answer.status_code >= 500:
                wrong.append((path, answer.status_code, found))
    return wrong


def test_the_walk_fails_for_each_rule_that_is_taken_out(
    world: World, person: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each model that has a list which people of business units may open, or a page of its rows."""
    missed, tried = [], 0
    for model in RULES:
        own = f"/{model._meta.label_lower.replace('.', '/')}/"
        walked = [one for one in pages(world) if one.route.path in (own, f"{own}{{object_id}}/change/")]
        walked = [one for one in walked if opens(one.path)]
        if not walked or model not in world.rows:
            continue
        tried += 1
        with monkeypatch.context() as patched:
            patched.setitem(RULES, model, lambda scope, rows: rows)
            if not shown_of_others(world, person, walked):
                missed.append(model._meta.label)
    # Of exports, users open their own alone, whatever the rule shows.
    assert missed == ["core.Export"] and tried > 8, (missed, tried)


def test_no_number_counts_what_only_another_is_told(world: World, person: Client) -> None:
    """Numbers bear no mark: the pages with numbers stay as they are when the other unit receives more."""
    moment = timezone.now() + timedelta(minutes=5)
    # The first visit begins to count what is new.
    got(person, "/")
    before = numbers_at(person, moment)
    receives_more(world.other)
    assert [path for path, text in numbers_at(person, moment).items() if text != before[path]] == []


def numbers_at(person: Client, moment: datetime, paths: Iterable[str] = NUMBERS) -> dict[str, str]:
    with time_machine.travel(moment, tick=False):
        return {path: TOKENS.sub("", text_of(got(person, path))) for path in paths}


def test_no_page_shows_the_number_of_a_publication(world: World, person: Client) -> None:
    """Where a visit ended after the other unit's publication, links are those of one that ended before it."""
    own, theirs = (Publication.objects.get(registration=row.pk) for row in (world.own, world.other))
    moment, texts = timezone.now(), set[str]()
    for row in (own, theirs):
        mark = {"seen_sequence": row.sequence, "news_sequence": row.sequence}
        User.objects.filter(username="amy").update(seen_at=moment, news_since=moment, **mark)
        texts |= set(numbers_at(person, moment, ["/"]).values())
    assert len(texts) == 1 and f"published_after={own.delivery_id.hex}" in texts.pop()
    asked = [str(theirs.sequence), theirs.delivery_id.hex, "none"]
    listed: set[int] = {
        text_of(got(person, f"/monitoring/change/?published_after={one}")).count("dm-line") for one in asked
    }
    assert len(listed) == 1


def test_what_is_anothers_is_answered_like_what_is_not_there(world: World, person: Client) -> None:
    person.raise_request_exception = False
    wrong = []
    for address in pages(world):
        if address.path != address.unknown:
            theirs, nobodys = got(person, address.path), got(person, address.unknown)
            if theirs.status_code == 200 or alike(theirs, address) != alike(nobodys, address):
                wrong.append((address.path, theirs.status_code, nobodys.status_code))
    assert wrong == [], "\n".join(map(str, wrong))


def test_of_a_company_that_both_hold_no_page_shows_what_only_the_other_was_told(world: World, person: Client) -> None:
    paths = about(SHARED, without="/api/v1/")
    answers = {path: person.get(path) for path in [*paths, f"/portfolio/company/{SHARED}/dossier/?since=2020-01-01"]}
    shown = {path: text_of(answer) for path, answer in answers.items() if answer.status_code == 200}
    assert {path: marks_in(text, world.keys) for path, text in shown.items() if marks_in(text, world.keys)} == {}
    assert f"/portfolio/company/{SHARED}/dossier/" in shown and len(shown) > 4, "nothing would be found"


def test_nothing_leads_to_a_page_that_refuses(world: World, person: Client) -> None:
    """From the lists that are open, from one's own rows, and from the pages of a company that both hold."""
    upload = {"registration": str(world.own.pk), "mode": "add", "text": SHARED}
    imported: Any = person.post("/portfolio/subjectimport/upload/", upload)
    a_tree(world.own.contract, {SHARED: ""}, duns=SHARED, top=SHARED)
    lists = [route.path for route in all_routes() if not route.parameters and opens(route.path)]
    rows = [link for path in lists for link in links_in(got(person, path)) if link.endswith("/change/")]
    paths = {*lists, *rows, imported.headers["Location"], *about(SHARED, without="/api/")} - {*ENDS}
    wrong = {path: sorted(link for link in links_in(got(person, path)) if not opens(link)) for path in paths}
    left = sorted({link.rsplit("/", 3)[0] for links in wrong.values() for link in links})
    assert left == [], {path: links for path, links in wrong.items() if links}
    assert len(rows) > 10, "nothing would be found"


def opens(path: str) -> bool:
    match = resolve(path)
    return is_open(match.view_name) or match.route.startswith("api/") or not match.url_name


def links_in(answer: Any) -> set[str]:
    """Of this site, without what is asked there."""
    text = text_of(answer) if answer.status_code == 200 else ""
    return {link.split("?")[0].split("#")[0] for link in re.findall(r'href="(/[^"]*)"', text) if "/static/" not in link}


def test_nothing_is_done_to_anothers(world: World, person: Client) -> None:
    person.raise_request_exception = False
    before, wrong = values(world), []
    for address in pages(world):
        if not address.route.parameters:
            continue
        answer = person.post(address.path, {"post": "yes", "confirmed": "yes"})
        if marks_in(text_of(answer), world.keys, asked=address.path) or answer.status_code >= 500:
            wrong.append((address.path, answer.status_code))
    assert wrong == [], "\n".join(map(str, wrong))
    assert values(world) == before


def values(world: World) -> dict[Any, Any]:
    """Of the other unit's rows, as they are now."""
    return {model: model._default_manager.filter(pk=row.pk).values().first() for model, row in world.rows.items()}


def test_no_action_is_done_to_anothers(world: World, person: Client) -> None:
    person.raise_request_exception = False
    before, wrong = values(world), []
    for model, row in world.rows.items():
        path = f"/{model._meta.label_lower.replace('.', '/')}/"
        page: Any = person.get(path)
        for action in ("delete_selected", *actions_of(page)):
            given = {"action": action, "_selected_action": str(row.pk), "post": "yes", "confirmed": "yes"}
            answer = person.post(path, given)
            if marks_in(text_of(answer), world.keys, asked=str(row.pk)) or answer.status_code >= 500:
                wrong.append((path, action, answer.status_code))
    assert wrong == [], "\n".join(map(str, wrong))
    assert values(world) == before


def actions_of(page: Any) -> list[str]:
    form = (page.context or {}).get("action_form") if page.status_code == 200 else None
    return [name for name, _ in form.fields["action"].choices if name] if form else []


def test_no_file_holds_anothers(world: World, person: Client) -> None:
    wrong = []
    for name, listing in LISTINGS.items():
        for form in listing.formats:
            answer: Any = person.post(f"/{name.replace('.', '/')}/export/", {"format": form.value, "all_columns": "on"})
            if marks_in(text_of(answer), world.keys):
                wrong.append((name, form))
    assert wrong == [], "\n".join(map(str, wrong))


def test_who_looks_sees_their_own(world: World, person: Client) -> None:
    """Otherwise nothing would be found, because nothing is shown."""
    for path in ("portfolio/company", "monitoring/change", "monitoring/notification", "monitoring/alert"):
        assert OWN_NAME in text_of(person.get(f"/{path}/")), path


def test_who_sees_everything_finds_the_other_one_in_every_list(world: World, admin: Client) -> None:
    """Otherwise the world would lack what is looked for."""
    lacking = []
    for model in world.rows:
        answer = admin.get(f"/{model._meta.label_lower.replace('.', '/')}/")
        if answer.status_code == 200 and not marks_in(text_of(answer), world.keys):
            lacking.append(model._meta.label)
    # Its list shows what a job does, and not for what.
    assert lacking in ([], ["django_q.OrmQ"])
