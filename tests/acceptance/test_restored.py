"""The recovery drill: backed up under load, everything gone, restored, released, replayed: equal to D&B's ledger."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from direct_plus.sandbox.run import Sandbox
from tests.acceptance.processes import nursery
from tests.acceptance.world import House, credentials
from tests.engines import engine, with_databases
from tests.servers.webhook_receivers import Receiver
from tests.support import wait_until

OWN = {"sqlite": ["sqlite"], "postgres": ["postgres"]}.get(engine(), [])


@pytest.fixture
def empty_place(sandbox: Sandbox, process_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[[House], House]]:
    """Another machine with an empty database that talks to the same D&B."""
    databases, name = with_databases(), f"dnbmon_{uuid.uuid4().hex[:12]}"
    env = {**process_env, "DATABASE_URL": databases.fresh(name)} | credentials(sandbox.url, 1000)
    folder = tmp_path / "other"
    folder.mkdir()
    with ExitStack() as stack:
        started = stack.enter_context(nursery(env, folder, timeout=0.8, margin=0.1))
        yield lambda house: House(sandbox.control, started, stream=house.stream)
    databases.drop(name)


@pytest.mark.slow
@pytest.mark.parametrize("format", [*OWN, "rows"])
def test_what_was_lost_with_the_database_comes_back(
    format: str, house: House, empty_place: Callable[[House], House], receiver: Receiver, tmp_path: Path
) -> None:
    house.nursery.do("watch", url=receiver.url)
    house.emit(25)
    house.pull()
    house.nursery.do("tell")
    backed_up_under_load(house, tmp_path / "backups", format)
    house.emit(25)
    house.pull()
    house.nursery.do("tell")
    lost, before = house.nursery.do("known"), list(receiver.ids)
    receiver.got.clear()

    other = empty_place(house)
    assert other.nursery.do("put_back", place=str(tmp_path / "backups")) == [house.reference]
    found = other.nursery.do("known")
    assert found["state"] == ["paused"]
    assert set(found["notifications"]) < set(lost["notifications"]), "the backup is older than what was lost"
    assert found["sent"] and set(found["alerts"]) <= set(lost["alerts"])

    other.emit(20)
    other.do("release")
    other.pull()
    assert "wrong" not in (verdict := other.judge()), verdict["wrong"]
    other.nursery.do("tell")
    now = other.nursery.do("known")
    assert_nothing_twice(lost, found, now, before, receiver.ids)
    assert other.nursery.do("read_everything_again") == 0
    assert other.nursery.do("known") == now


def backed_up_under_load(house: House, place: Path, format: str) -> None:
    """While a pull goes on."""
    house.control.set_fault("delay", seconds=0.2, on="pull")
    house.emit(60)
    puller = house.start("pull")
    wait_until(lambda: any(call["dequeued"] for call in house.control.calls()[-1:]), what="the first page")
    assert puller.ended() is None
    house.nursery.do("back_up", place=str(place), format=format)
    assert puller.answer()["settled"]
    house.control.clear_faults()


def assert_nothing_twice(
    lost: dict[str, Any], found: dict[str, Any], now: dict[str, Any], told_before: list[str], told_since: list[str]
) -> None:
    assert set(lost["notifications"]) < set(now["notifications"])
    assert set(lost["alerts"]) < set(now["alerts"]), "the same alerts, by the same keys, and the new ones"
    assert len(set(now["alerts"])) == len(now["alerts"])
    again = set(told_since) & set(found["sent"])
    assert not again, f"{len(again)} messages that the backup knew as sent were sent again"
    assert set(told_before) | set(told_since) == set(now["sent"]) | set(lost["sent"])
    assert len(set(told_since)) == len(told_since)
