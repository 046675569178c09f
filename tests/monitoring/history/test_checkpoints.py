"""A company read from its checkpoints is what a plain fold of all its events gives, whatever comes late or moves."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.db import insert_new
from monitoring.history import checkpoints
from monitoring.history.checkpoint_content import FORMAT, packed, unpacked
from monitoring.history.checkpoints import forget, known_at
from monitoring.history.known import Known
from monitoring.history.score_series import MOST, ScoreSeries
from monitoring.history.state import CompanyState, Event, events_of
from monitoring.models import HistoryCheckpoint
from portfolio.models import Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.queries import rows_read
from tests.builders.registrations import a_registration
from tests.builders.times import MOMENT, stamp
from tests.engines import engine

pytestmark = pytest.mark.django_db
FAILURE = "organization.dnbAssessment.failureScore.nationalPercentile"
DAYS = 30


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 3)


def plain(moment: datetime | None) -> Known:
    known = Known()
    events = events_of([DUNS])[DUNS]
    for _ in known.take([event for event in events if moment is None or event.moment <= moment]):
        pass
    return known


def renamed(day: float, current: Any, previous: Any = "Acme Ltd") -> dict[str, Any]:
    return an_update(an_element("organization.primaryName", previous, current, stamp(days=day)))


def scored(day: float, previous: int, current: int) -> dict[str, Any]:
    return an_update(an_element(FAILURE, previous, current, stamp(days=day)))


def a_past(days: int = 10) -> None:
    delivered(a_seed(delivered=stamp()), *(scored(day, day - 1, day) for day in range(1, days)))


def whole() -> list[float]:
    rows = HistoryCheckpoint.objects.filter(is_whole=True, company=DUNS).order_by("until")
    return [(until - MOMENT) / timedelta(days=1) for until in rows.values_list("until", flat=True)]


def a_stream(chance: random.Random, registrations: list[Registration]) -> Iterator[tuple[Registration, list[Any]]]:
    """Changes, documents, reviews and deletions of 30 days, out of order, repeated, and by two registrations."""
    for _ in range(12):
        items = []
        for _ in range(chance.randint(1, 4)):
            day, value = chance.randint(0, DAYS) + chance.choice((0, 0.25)), chance.randint(1, 9)
            kind = chance.choice(("name", "name", "score", "seed", "notice"))
            if kind == "seed":
                score = {"dnbAssessment": {"failureScore": {"nationalPercentile": value}}}
                items.append(a_seed(delivered=stamp(days=day), **chance.choice(({}, score, {"fax": str(value)}))))
            elif kind == "notice":
                name = chance.choice(("DELETE", "UNDELETE", "UNDER_REVIEW", "REVIEWED"))
                items.append(a_notice(name, delivered=stamp(days=day)))
            elif kind == "score":
                items.append(scored(day, chance.randint(1, 9), value))
            else:
                items.append(renamed(day, f"N{value}", f"N{chance.randint(1, 9)}"))
        yield chance.choice(registrations), items


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("number", range(2))
def test_what_is_read_from_checkpoints_is_the_plain_fold(number: int) -> None:
    chance, used = random.Random(number), 0
    registrations = [a_registration("ONE"), a_registration("TWO", full_product=bool(number))]
    for registration, items in a_stream(chance, registrations):
        delivered(*items, registration=registration)
        moment = MOMENT + timedelta(days=chance.randint(0, DAYS))
        used += HistoryCheckpoint.objects.filter(is_whole=True).count()
        assert known_at(DUNS, None, moment) == [plain(None), plain(moment)]
    assert used


@pytest.mark.usefixtures("often")
def test_what_is_kept_is_read_again_to_the_letter() -> None:
    """With what differs from what was known, a review, what an array keeps from its place, and amounts."""
    limit = {"maximumRecommendedLimit": {"value": 1200.50, "currency": "EUR"}, "standardRating": {"rating": "4A1"}}
    delivered(a_seed(delivered=stamp(), phones=[{"a": 1}], dnbAssessment=limit))
    delivered(
        renamed(5, "B", "SOMETHING ELSE"),
        an_update(an_element("organization.phones.a", 1, 2, stamp(days=6))),
        a_notice("UNDER_REVIEW", delivered=stamp(days=7)),
        a_notice("DELETE", delivered=stamp(days=8)),
    )
    known = plain(None)
    assert known.state.mismatches and known.state.unplaced and known.review and known.state.status
    assert unpacked(packed(known)) == known


@pytest.mark.usefixtures("often")
def test_they_stand_after_so_many_events_and_are_made_where_they_are_missed() -> None:
    a_past(5)
    known_at(DUNS, None)
    assert whole() == []
    a_past(12)
    known_at(DUNS, None)
    assert whole() == [2, 5, 8]


@pytest.mark.usefixtures("often")
def test_never_within_a_moment() -> None:
    same = [an_element(f"organization.thing{number}", "a", "b", stamp(days=1)) for number in range(7)]
    delivered(a_seed(delivered=stamp()), an_update(*same), renamed(2, "B"))
    known_at(DUNS, None)
    assert whole() == [1]


@pytest.mark.usefixtures("often")
def test_none_where_all_of_it_happened_at_one_moment() -> None:
    delivered(an_update(*(an_element(f"organization.thing{number}", "a", "b", stamp(days=1)) for number in range(7))))
    assert known_at(DUNS, None) == [plain(None)] and whole() == []


@pytest.mark.usefixtures("often")
def test_what_comes_late_removes_those_that_lack_it() -> None:
    a_past()
    known_at(DUNS, None)
    assert whole() == [2, 5, 8]
    delivered(renamed(9.5, "B"))
    assert whole() == [2, 5, 8]
    delivered(renamed(5, "C"))
    assert whole() == [2]
    delivered(a_seed(OTHER, delivered=stamp()))
    assert whole() == [2]


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("when", ["read", "kept"])
def test_what_comes_while_one_is_made_keeps_it_from_counting(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Between the reading of its events and its end, or before they are read: an event that is there is read."""
    a_past()
    step = {"read": "_later", "kept": "_fill"}[when]
    original = getattr(checkpoints, step)

    def interrupted(*arguments: Any) -> Any:
        if HistoryCheckpoint.objects.exists():
            monkeypatch.undo()
            monkeypatch.setattr(checkpoints, "EVERY", 3)
            delivered(renamed(5, "LATE"))
        return original(*arguments)

    monkeypatch.setattr(checkpoints, step, interrupted)
    known_at(DUNS, None)
    assert whole() == [2]
    known_at(DUNS, None)
    assert whole() == [2, 5, 8] and known_at(DUNS, None) == [plain(None)]


@pytest.mark.usefixtures("often")
def test_one_that_was_made_of_one_that_goes_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is begun when the others to be removed have been looked up, and they are not removed yet."""
    a_past(8)
    known_at(DUNS, None)
    a_past(12)
    original = checkpoints._remove

    def read_before(keys: Any) -> None:
        monkeypatch.setattr(checkpoints, "_remove", original)
        known_at(DUNS, None)
        assert whole() == [2, 5, 8]
        original(keys)

    monkeypatch.setattr(checkpoints, "_remove", read_before)
    delivered(renamed(1, "LATE"))
    assert known_at(DUNS, None) == [plain(None)]


@pytest.mark.usefixtures("often")
def test_what_a_killed_process_has_begun_never_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    a_past()
    monkeypatch.setattr(checkpoints, "_fill", lambda *arguments: None)
    known_at(DUNS, None)
    assert HistoryCheckpoint.objects.count() == 3 and whole() == []
    monkeypatch.undo()
    monkeypatch.setattr(checkpoints, "EVERY", 3)
    assert known_at(DUNS, None) == [plain(None)]
    assert HistoryCheckpoint.objects.count() == 3 and whole() == [2, 5, 8]


@pytest.mark.usefixtures("often")
def test_two_who_make_the_same_at_once_leave_one_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    a_past()
    original = insert_new

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(checkpoints, "insert_new", original)
        assert known_at(DUNS, None) == [plain(None)]
        return original(*arguments)

    monkeypatch.setattr(checkpoints, "insert_new", late)
    assert known_at(DUNS, None) == [plain(None)]
    assert HistoryCheckpoint.objects.count() == 3 and whole() == [2, 5, 8]


@pytest.mark.usefixtures("often")
def test_one_that_goes_while_it_is_read_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    a_past()
    known_at(DUNS, None)
    original = checkpoints._contents

    def gone(bases: Any) -> Any:
        monkeypatch.setattr(checkpoints, "_contents", original)
        forget({}, {DUNS})
        return original(bases)

    monkeypatch.setattr(checkpoints, "_contents", gone)
    assert known_at(DUNS, None) == [plain(None)]


@pytest.mark.usefixtures("often")
def test_one_of_another_version_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    a_past()
    known_at(DUNS, None)
    monkeypatch.setattr(checkpoints, "FORMAT", FORMAT + 1)
    assert whole() == [2, 5, 8] and known_at(DUNS, None) == [plain(None)]
    assert set(HistoryCheckpoint.objects.values_list("format", flat=True)) == {FORMAT + 1}


def test_what_is_kept_of_scores_does_not_grow_with_the_past() -> None:
    """But tells how they began, the last lowest and highest, and the last moves."""
    series, moments = ScoreSeries(), [MOMENT + timedelta(hours=number) for number in range(5000)]
    values = [Decimal(100 if number == 2001 else 0 if number == 3003 else 10 + number % 7) for number in range(5000)]
    for moment, value in zip(moments, values, strict=True):
        document = {"dnbAssessment": {"failureScore": {"nationalPercentile": value}, "rating": str(value)}}
        event = Event(uuid.uuid4(), moment, (moment,), "element", uuid.uuid4(), path=FAILURE, previous=50)
        series.note(event, CompanyState(document=document))
    points = series.numbers[FAILURE].points
    assert len(points) <= MOST and len(series.ratings["organization.dnbAssessment.rating"]) <= MOST
    assert points[:2] == [(moments[0], Decimal(50)), (moments[0], Decimal(10))]
    assert {(moments[2001], Decimal(100)), (moments[3003], Decimal(0))} <= set(points)
    assert points[-4:] == [*zip(moments[-4:], values[-4:], strict=True)]


@pytest.mark.skipif(engine() == "mongodb", reason="rows are counted where they leave a cursor")
@pytest.mark.usefixtures("often")
def test_a_long_past_costs_no_more_than_a_short_one() -> None:
    def cost(days: int) -> int:
        a_past(days)
        known_at(DUNS, None)
        with rows_read() as found:
            known_at(DUNS, None, MOMENT + timedelta(days=days / 2))
        return found.rows - HistoryCheckpoint.objects.count()

    assert cost(60) <= cost(24)
