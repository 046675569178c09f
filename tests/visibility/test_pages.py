"""Signed in as a person of one unit with every permission: no page or file shows what only the other unit has."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core.lists.listings import LISTINGS
from tests.engines import engine
from tests.visibility.marks import DUNS, SEARCHED, marks_in
from tests.visibility.walk import about, addresses, alike, got, text_of
from tests.visibility.world import OWN_NAME, SHARED, World

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(engine() != "sqlite", reason="The rules are tested on every engine; all pages on one."),
]
# They end the session, and what follows would be asked by a stranger.
ENDS = ("/logout/",)
QUERIES = ("", f"?q={SEARCHED}", f"?q={DUNS[:8]}", f"?term={SEARCHED}", "?registration={registration}")


def pages(world: World) -> list[Any]:
    found, unfilled = addresses(world, without="/api/v1/")
    assert unfilled == [], "say what stands for their parameters in tests/visibility/walk.py"
    return [one for one in found if one.path not in ENDS]


def test_no_page_shows_anothers(world: World, person: Client) -> None:
    person.raise_request_exception = False
    wrong = []
    for address in pages(world):
        for query in QUERIES if not address.route.parameters else ("",):
            path = address.path + query.format(registration=world.other.pk)
            answer = got(person, path)
            found = marks_in(text_of(answer), world.keys, asked=path)
            if found or answer.status_code >= 500:
                wrong.append((path, answer.status_code, found))
    assert wrong == [], "\n".join(map(str, wrong))


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
