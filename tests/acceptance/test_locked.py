"""Another program writes to the SQLite file while an answer is to be stored."""

import pytest

from tests.acceptance.world import House
from tests.engines import engine

pytestmark = pytest.mark.skipif(engine() != "sqlite", reason="only SQLite has one lock for all")


@pytest.mark.slow
@pytest.mark.parametrize("patience", [20, 0.5])
def test_nothing_is_lost_while_the_database_is_locked(house: House, patience: float) -> None:
    """With less patience than the lock lasts the answer cannot be stored, and comes back by replay."""
    house.pull()
    house.emit(15)
    house.control.set_fault("delay", on="pull", seconds=0.4, times=1)
    puller = house.start("pull", patience=patience)
    locker = house.nursery.start("hold_the_lock", url=house.control.base_url, reference=house.reference, seconds=5)
    assert puller.answer()["settled"]
    locker.answer()
    verdict = house.settle()
    assert verdict["notifications"] == 15
    assert verdict["recovered"] == (0 if patience > 5 else 1)
