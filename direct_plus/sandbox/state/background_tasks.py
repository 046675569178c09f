"""What happens later by the sandbox's clock: batches that are applied, lists that are exported."""

from collections.abc import Callable

from direct_plus.sandbox.http.dates import SECOND
from direct_plus.sandbox.state.world import World

Runner = Callable[[World, str, str], None]
RUNNERS: dict[str, Runner] = {}


def runs(kind: str) -> Callable[[Runner], Runner]:
    """Registers what carries out one kind of errand, given the reference and the lines."""

    def register(runner: Runner) -> Runner:
        RUNNERS[kind] = runner
        return runner

    return register


def add(world: World, kind: str, reference: str, lines: str = "", *, delay: float) -> None:
    due = world.clock.now() + round(delay * SECOND)
    sql = "INSERT INTO errand (kind, reference, lines, due_at) VALUES (?, ?, ?, ?)"
    world.store.run(sql, kind, reference, lines, due)


def due(world: World) -> int:
    return world.store.number("SELECT count(*) FROM errand WHERE done_at IS NULL AND due_at <= ?", world.clock.now())


def run_due(world: World) -> int:
    """Carry out what is due, oldest first; an errand broken off by a crash is carried out again."""
    done = 0
    while True:
        with world.store.lock:
            row = world.store.row(
                "SELECT * FROM errand WHERE done_at IS NULL AND due_at <= ? ORDER BY due_at, number LIMIT 1",
                world.clock.now(),
            )
            if row is None:
                return done
            RUNNERS[row["kind"]](world, row["reference"], row["lines"])
            world.store.run(
                "UPDATE errand SET done_at = ?, lines = '' WHERE number = ?", world.clock.now(), row["number"]
            )
        done += 1
