"""Making something happen: the company changes, and every registration that watches it is told."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from direct_plus.sandbox.http.dates import SECOND, read_stamp
from direct_plus.sandbox.state import companies, document_changes, membership, notification_payloads, registrations
from direct_plus.sandbox.state.event_catalog import HAPPENINGS
from direct_plus.sandbox.state.world import World

BARE = {"delete": "DELETE", "undelete": "UNDELETE", "under_review": "UNDER_REVIEW", "reviewed": "REVIEWED",
        "exit": "EXIT", "enter": "ENTER", "removed": "REMOVED"}  # fmt: skip
OTHERS = ("change", "seed", "transfer", "type")


def kinds() -> list[str]:
    return sorted([*HAPPENINGS, *BARE, *OTHERS])


def happen(
    world: World, kind: str, duns: str, *, at: str | None = None, seed: int | None = None, **details: Any
) -> list[int]:
    """The sequence numbers of what was emitted."""
    when = (read_stamp(at) if at else None) or world.clock.now()
    with world.store.transaction():
        if kind in HAPPENINGS:
            random = Random(seed) if seed is not None else world.faults.random
            day = datetime.fromtimestamp(when / 1_000, UTC).strftime("%Y-%m-%d")
            changes = HAPPENINGS[kind](companies.document(world, duns), random, day)
            return change(world, duns, {**changes, **details.get("changes", {})}, when, details.get("apart", 0))
        return _other(world, kind, duns, when, details)


def _other(world: World, kind: str, duns: str, when: int, details: dict[str, Any]) -> list[int]:
    if kind == "change":
        return change(world, duns, details["changes"], when, details.get("apart", 0))
    if kind == "seed":
        return _tell(world, duns, notification_payloads.seed_text(companies.document(world, duns)))
    if kind == "transfer":
        return _transfer(world, duns, details.get("retained") or companies.fresh_numbers(world, 1)[0])
    if kind == "type":
        return _tell(world, duns, notification_payloads.bare_text(details["type"], duns))
    return _bare(world, kind, duns, details)


def change(world: World, duns: str, changes: dict[str, Any], at: int, apart: float = 0) -> list[int]:
    """Changes keep their order: what a company under review lives through shows in the SEED after it."""
    document = companies.document(world, duns)
    elements = document_changes.change(document, changes, at, round(apart * SECOND))
    if not elements:
        return []
    companies.keep(world, document)
    if companies.in_review(world, duns):
        return []
    return _tell(world, duns, notification_payloads.update_text(duns, elements), document)


def _tell(world: World, duns: str, raw: bytes, document: companies.Document | None = None) -> list[int]:
    """In FULL_PRODUCT mode every change comes as a SEED."""
    told: list[int] = []
    for reference in membership.watchers(world, duns):
        full = document is not None and registrations.field(world, reference, "notificationType") == "FULL_PRODUCT"
        told += notification_payloads.send(
            world, reference, notification_payloads.seed_text(document) if full and document is not None else raw
        )
    return told


def _transfer(world: World, duns: str, retained: str) -> list[int]:
    companies.mark(world, [duns], "transferred", retained)
    return _tell(world, duns, notification_payloads.transfer_text(duns, retained))


def _bare(world: World, kind: str, duns: str, details: dict[str, Any]) -> list[int]:
    """After UNDELETE and REVIEWED a SEED may follow; ENTER comes with one, EXIT and REMOVED end the watch."""
    raw = notification_payloads.bare_text(BARE[kind], duns)
    if kind == "enter":
        return _enter(world, duns, raw, details)
    told = _tell(world, duns, raw)
    if kind in ("delete", "undelete"):
        companies.mark(world, [duns], "deleted" if kind == "delete" else "")
    if kind in ("under_review", "reviewed"):
        companies.set_review(world, duns, kind == "under_review")
    if kind in ("undelete", "reviewed") and details.get("seed_follows", True):
        told += _tell(world, duns, notification_payloads.seed_text(companies.document(world, duns)))
    if kind in ("exit", "removed"):
        for reference in membership.watchers(world, duns):
            membership.leave(world, reference, [duns])
    return told


def _enter(world: World, duns: str, raw: bytes, details: dict[str, Any]) -> list[int]:
    reference = details["reference"]
    seqs = notification_payloads.send(world, reference, raw)
    membership.join(world, reference, [duns])
    return seqs
