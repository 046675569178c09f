"""What can be applied to a company's projection without its past, and what asks for a fold."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from monitoring.history.state import CompanyState, Event
from monitoring.history.summary import SUMMARY, Projection, advanced, restored, stored
from monitoring.models import Kind, Source
from monitoring.story_order import WAYS, story_place
from tests.builders.times import MOMENT

REGISTRATION = uuid.UUID(int=7)


def an_event(minutes: float, source: Source = Source.PULL, **fields: Any) -> Event:
    moment = MOMENT + timedelta(minutes=minutes)
    key = uuid.UUID(int=round(minutes) + 1000)
    place = story_place(REGISTRATION, moment, f"{WAYS[source]}{'0' * 31}", 0)
    kind = fields.pop("kind", Kind.ELEMENT)
    return Event(key, moment, (moment, 1, place, key.int), kind, REGISTRATION, **fields)


def a_change(minutes: float, path: str = SUMMARY[0], current: Any = "B") -> Event:
    return an_event(minutes, path=path, current=current)


def a_document(minutes: float, **members: Any) -> Event:
    return an_event(minutes, kind=Kind.BASELINE, seed=members)


def a_projection() -> Projection:
    last = a_change(0)
    return Projection(CompanyState(document={"primaryName": "B"}), last.order)


@pytest.mark.parametrize("minutes", [-1, 0])
def test_what_is_not_behind_the_last_event_asks_for_a_fold(minutes: float) -> None:
    assert advanced(a_projection(), [a_change(minutes)]) is None


def test_what_is_behind_it_is_applied() -> None:
    found = advanced(a_projection(), [a_change(1, current="C")])
    assert found and found.state.document == {"primaryName": "C"}


def test_the_beginning_of_a_condensed_history_asks_for_a_fold() -> None:
    snapshot = an_event(1, kind=Kind.BASELINE, seed={"primaryName": "C"}, carried={REGISTRATION: {"primaryName"}})
    assert advanced(a_projection(), [snapshot]) is None


@pytest.mark.parametrize(
    ("path", "is_overlapped"),
    [("organization.primaryName", True), ("organization", True), ("organization.primaryAddress", False)],
)
def test_a_document_may_lack_what_changed_shortly_before_in_what_it_carries(path: str, is_overlapped: bool) -> None:
    projection = a_projection()
    projection.note(a_change(0, path))
    assert projection.is_overlapped(a_document(1, primaryName="A")) is is_overlapped


def test_of_a_list_that_no_column_shows_only_that_it_is_there_is_kept() -> None:
    projection = a_projection()
    projection.state.document["primaryAddress"] = [{"addressLocality": {"name": "Leeds"}}]
    found = restored(stored(projection))
    assert found and found.state.document == {"primaryName": "B", "primaryAddress": []}


def test_a_fetched_document_lacks_nothing() -> None:
    projection = a_projection()
    projection.note(a_change(0))
    fetched = an_event(1, Source.FETCH, kind=Kind.BASELINE, seed={"primaryName": "A"})
    assert fetched.is_fetched and not projection.is_overlapped(fetched)


def test_only_changes_touch_members() -> None:
    projection = a_projection()
    projection.note(a_document(1, primaryName="A"))
    assert projection.touched == {}


@pytest.mark.parametrize(("days", "is_kept"), [(3, True), (4, True), (4.01, False)])
def test_what_was_touched_is_kept_as_long_as_a_document_may_lack_it(days: float, is_kept: bool) -> None:
    projection = a_projection()
    projection.touched["primaryName"] = MOMENT - timedelta(days=days)
    found = restored(stored(projection))
    assert found and ("primaryName" in found.touched) is is_kept


def test_of_what_documents_carried_only_what_columns_show_is_kept() -> None:
    projection, other = a_projection(), uuid.UUID(int=8)
    projection.state.carried = {REGISTRATION: {"primaryName", "telephone"}, other: {"telephone"}}
    found = restored(stored(projection))
    assert found and found.state.carried == {REGISTRATION: {"primaryName"}}
