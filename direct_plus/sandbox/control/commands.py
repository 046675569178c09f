"""The control verbs that steer the world: registrations, companies, happenings, time, readings, faults, files."""

import base64
from pathlib import Path
from typing import Any

from direct_plus.sandbox.api import tokens
from direct_plus.sandbox.control.registry import verb
from direct_plus.sandbox.http import faults
from direct_plus.sandbox.http.responses import dump
from direct_plus.sandbox.state import (
    background_tasks,
    companies,
    delivered_files,
    events,
    membership,
    notification_payloads,
    notification_queue,
    options,
    registrations,
)
from direct_plus.sandbox.state.world import World


@verb
def add_registration(world: World, reference: str, **fields: Any) -> None:
    """Create or change a registration."""
    registrations.add(world, reference, **fields)


@verb
def add_companies(
    world: World, reference: str, companies: list[Any] | None = None, count: int = 0, seed: bool = True
) -> list[str]:
    """Put companies into a registration: numbers, whole documents, or a count of new ones."""
    _must_know(world, reference)
    with world.store.transaction():
        numbers = [_number(world, one) for one in companies or []] + _fresh(world, count)
        membership.join(world, reference, numbers, seed=seed)
    return numbers


def _number(world: World, company: Any) -> str:
    return companies.keep(world, company) if isinstance(company, dict) else str(company)


def _fresh(world: World, count: int) -> list[str]:
    return companies.fresh_numbers(world, count) if count else []


@verb
def remove_companies(world: World, reference: str, companies: list[str]) -> list[str]:
    """Take companies out of a registration without a word."""
    return membership.leave(world, reference, companies)


@verb
def subjects(world: World, reference: str) -> list[str]:
    """The numbers in a registration."""
    return membership.members(world, reference)


@verb
def mark(world: World, duns: list[str], kind: str, retained: str = "") -> None:
    """Make numbers invalid, deleted, transferred, unknown, refused by a code, or sound again ("")."""
    companies.mark(world, duns, kind, retained)


@verb
def company(world: World, duns: str) -> dict[str, Any]:
    """The company's document as it stands."""
    return companies.document(world, duns)


@verb
def emit(world: World, reference: str, raw: list[str]) -> list[int]:
    """Queue exactly these notifications; each text in base64."""
    _must_know(world, reference)
    return notification_payloads.send_exactly(world, reference, [base64.b64decode(text) for text in raw])


@verb
def happen(world: World, kind: str, duns: str, **details: Any) -> list[int]:
    """Let something happen to a company."""
    return events.happen(world, kind, duns, **details)


@verb
def happenings(_world: World) -> list[str]:
    """What can happen."""
    return events.kinds()


@verb
def clock_now(world: World) -> int:
    """The sandbox's time, in milliseconds."""
    return world.clock.now()


@verb
def move_clock(world: World, seconds: float) -> int:
    """Move the clock, and carry out what is due by then."""
    world.traffic.settle()
    now = world.clock.move(seconds)
    tick(world)
    return now


@verb
def tick(world: World) -> int:
    """Carry out what is due."""
    notification_queue.drop_old(world)
    return background_tasks.run_due(world)


@verb
def set_fault(world: World, name: str, **params: Any) -> int:
    """Let something go wrong."""
    return world.faults.set(name, **params)


@verb
def storm(world: World, seed: int = 0, probability: float = 0.02, but: list[str] | None = None) -> None:
    """Every fault on, each at random."""
    world.faults.storm(seed=seed, probability=probability, but=tuple(but or ()))


@verb
def clear_faults(world: World, name: str | None = None) -> None:
    """No more faults, or none of this name."""
    world.faults.clear(name)


@verb
def fault_list(world: World) -> list[dict[str, Any]]:
    """The faults that are set."""
    return world.faults.all()


@verb
def fault_kinds(_world: World) -> dict[str, Any]:
    """The faults there are, with their parameters."""
    return {name: {"stage": kind.stage, "about": kind.about, **kind.defaults} for name, kind in faults.KINDS.items()}


@verb
def switch(world: World, name: str, value: Any) -> None:
    """Choose a reading of the contract."""
    world.switches.set(name, value)


@verb
def switch_values(world: World) -> dict[str, Any]:
    """How the switches stand."""
    return world.switches.all()


@verb
def switch_kinds(_world: World) -> dict[str, str]:
    """What the switches mean."""
    return {name: switch.about for name, switch in options.SWITCHES.items()}


@verb
def set_credentials(world: World, key: str, secret: str, alone: bool = True) -> None:
    """The key and secret that are right, alone or beside the others."""
    world.store.remember("credentials", {**({} if alone else world.credentials), key: secret})


@verb
def expire_tokens(world: World) -> int:
    """All tokens are expired from now on."""
    return tokens.expire_all(world)


@verb
def suppress(world: World, reference: str, value: bool = True) -> None:
    """Suppress a registration, or activate it."""
    registrations.set_suppressed(world, reference, value)


@verb
def deliver(world: World, reference: str, kind: str, per_file: int = 1_000_000, folder: str = "") -> list[str]:
    """Write SEEDFILE (of all companies), NOTIFICATION (of what waits) or DunsExport files now, and send them to a
    folder, where one is named."""
    _must_know(world, reference)
    paths = _written(world, reference, kind, per_file)
    if folder:
        delivered_files.send(paths, Path(folder))
    return _names(paths)


def _written(world: World, reference: str, kind: str, per_file: int) -> list[Path]:
    if kind == "NOTIFICATION":
        return delivered_files.deliver_waiting(world, reference, per_file=per_file)
    numbers = membership.members(world, reference)
    if kind == "DunsExport":
        return delivered_files.write_parts(world, reference, kind, numbers, per_file)
    if kind != "SEEDFILE":
        raise ValueError(kind)
    lines = (dump({"organization": companies.document(world, duns)}) for duns in numbers)
    return delivered_files.seed_files(world, reference, lines, per_file=per_file)


@verb
def files(world: World) -> list[str]:
    """Everything in the out folder."""
    return _names(path for path in sorted(world.out.iterdir()) if path.suffix != ".partial")


def _names(paths: Any) -> list[str]:
    return [str(path) for path in paths]


@verb
def out_folder(world: World) -> str:
    """Where files are delivered."""
    return str(world.out)


@verb
def reset(world: World) -> None:
    """Forget everything but credentials and tokens."""
    world.reset()


@verb
def stop(_world: World) -> None:
    """End the sandbox."""


def _must_know(world: World, reference: str) -> None:
    """A slip in a test must not queue into nowhere."""
    if reference not in registrations.references(world):
        raise ValueError(f"unknown registration: {reference}")
