"""Nobody pulls for days: what D&B still has is caught up, and what it has dropped is said, never silent."""

from datetime import datetime, timedelta

from tests.acceptance.world import House

DAY = 86_400


def test_after_two_days_the_next_run_catches_up(house: House) -> None:
    house.emit(10)
    house.pull()
    house.emit(15)
    house.control.move_clock(DAY)
    house.emit(15)
    house.control.move_clock(DAY)
    house.pull()
    verdict = house.settle()
    assert (verdict["notifications"], verdict["gap"]) == (40, "")


def test_after_five_days_the_gap_is_marked_and_the_rest_is_there(house: House) -> None:
    house.emit(10)
    house.pull()
    before = moment(house.do("registration")["last_pulled_at"])
    house.emit(15)
    house.control.move_clock(3 * DAY)
    house.emit(12)
    house.control.move_clock(2 * DAY)
    house.pull()
    row = house.do("registration")
    assert moment(row["gap_from"]) == before
    assert moment(row["gap_until"]) - before > timedelta(hours=23)
    assert "has deleted" in row["gap_reason"] and "seed" in row["gap_reason"]
    assert len([entry for entry in house.control.ledger(house.reference) if entry["lost_at"]]) == 15
    assert house.settle()["notifications"] == 22


def test_everything_dropped_lies_within_the_marked_gap(house: House) -> None:
    house.pull()
    for _ in range(6):
        house.emit(5)
        house.control.move_clock(DAY)
    house.pull()
    row = house.do("registration")
    lost = [entry["queued_at"] for entry in house.control.ledger(house.reference) if entry["lost_at"]]
    assert lost
    assert moment(row["gap_from"]) <= at(min(lost)) <= at(max(lost)) <= moment(row["gap_until"])
    house.settle()


def test_a_doubt_too_old_for_replay_is_marked(house: House) -> None:
    house.emit(5)
    house.pull()
    house.do("add_call_in_doubt", days=16)
    house.pull()
    row = house.do("registration")
    assert "14 days" in row["gap_reason"]
    assert moment(row["gap_until"]) - moment(row["gap_from"]) > timedelta(days=1)
    assert house.settle()["notifications"] == 5


def test_a_doubt_that_grew_old_in_an_outage_is_marked(house: House) -> None:
    house.emit(5)
    house.control.set_fault("drop", on="pull", times=1)
    house.control.set_fault("replay_refused")
    house.do("pull", until=1)
    house.control.clear_faults()
    house.control.move_clock(15 * DAY)
    house.pull()
    assert "14 days" in house.do("registration")["gap_reason"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def at(milliseconds: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(milliseconds=milliseconds)
