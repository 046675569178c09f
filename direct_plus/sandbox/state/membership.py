"""Who is in which registration; joining emits a SEED, a refused line of a batch becomes an Exceptions line."""

from collections.abc import Iterable, Sequence

from direct_plus.sandbox.state import background_tasks, companies, delivered_files, notification_payloads, registrations
from direct_plus.sandbox.state.world import World

MOST_LINES = 1_000_000


def members(world: World, reference: str) -> list[str]:
    rows = world.store.rows("SELECT duns FROM subject WHERE reference = ? ORDER BY duns", reference)
    return [row["duns"] for row in rows]


def listed(world: World, reference: str, duns: str) -> bool:
    return world.store.row("SELECT 1 FROM subject WHERE reference = ? AND duns = ?", reference, duns) is not None


def watchers(world: World, duns: str) -> list[str]:
    return [row["reference"] for row in world.store.rows("SELECT reference FROM subject WHERE duns = ?", duns)]


def join(
    world: World, reference: str, numbers: Iterable[str], customer: str | None = None, *, seed: bool | None = None
) -> list[str]:
    """Those that were not in yet; each gets its SEED unless the switch or the caller says no."""
    now = world.clock.now()
    with world.store.transaction():
        sql = "INSERT OR IGNORE INTO subject VALUES (?, ?, ?, ?)"
        added = [duns for duns in numbers if world.store.count(sql, reference, duns, customer, now)]
        if world.switches["seed_on_add"] if seed is None else seed:
            notification_payloads.seed(world, reference, added)
    return added


def leave(world: World, reference: str, numbers: Iterable[str]) -> list[str]:
    sql = "DELETE FROM subject WHERE reference = ? AND duns = ?"
    with world.store.transaction():
        return [duns for duns in numbers if world.store.count(sql, reference, duns)]


@background_tasks.runs("add")
def add_batch(world: World, reference: str, text: str) -> None:
    lines = text.split("\n") if text else []
    with world.store.transaction():
        troubles = {duns: companies.trouble(world, duns) for duns in lines}
        sound = [duns for duns in lines if troubles[duns] is None]
        added = set(join(world, reference, sound))
        refused = [_line(duns, *trouble) for duns in lines if (trouble := troubles[duns]) is not None]
        _report(world, reference, refused + _repeated(sound, added))


@background_tasks.runs("remove")
def remove_batch(world: World, reference: str, text: str) -> None:
    lines = text.split("\n") if text else []
    with world.store.transaction():
        removed = set(leave(world, reference, lines))
        _report(world, reference, [_line(duns, "21005", "") for duns in lines if duns not in removed])


@background_tasks.runs("export")
def export(world: World, reference: str, _lines: str) -> None:
    if registrations.receives_files(world, reference):
        delivered_files.write_parts(world, reference, "DunsExport", members(world, reference), MOST_LINES)


def _repeated(sound: Sequence[str], added: set[str]) -> list[str]:
    """Lines of numbers that were in already, also by an earlier line."""
    left = set(added)
    repeated = []
    for duns in sound:
        if duns in left:
            left.discard(duns)
        else:
            repeated.append(_line(duns, "21012", ""))
    return repeated


def _line(duns: str, code: str, retained: str) -> str:
    return f"{duns}\t{code}\t{retained or delivered_files.message(code)}"


def _report(world: World, reference: str, refused: list[str]) -> None:
    """A pull-only customer without a file destination never sees these."""
    if refused and registrations.receives_files(world, reference):
        delivered_files.exceptions(world, reference, refused)
