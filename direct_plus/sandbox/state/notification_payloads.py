"""Notifications made from companies: how each type looks, and which registrations get it."""

import json
from collections.abc import Iterable
from typing import Any

from direct_plus.sandbox.state import companies, notification_queue, registrations
from direct_plus.sandbox.state.world import World


def seed(world: World, reference: str, numbers: Iterable[str]) -> None:
    """The full baseline of each; SEEDs come even while a registration is suppressed."""
    raws = (seed_text(companies.document(world, duns)) for duns in numbers)
    notification_queue.emit(world, reference, raws)


def seed_text(organization: companies.Document) -> bytes:
    return companies.text({"type": "SEED", "organization": organization})


def update_text(duns: str, elements: list[dict[str, Any]]) -> bytes:
    return companies.text({"type": "UPDATE", "organization": {"duns": duns}, "elements": elements})


def bare_text(kind: str, duns: str) -> bytes:
    """DELETE, UNDELETE, UNDER_REVIEW, REVIEWED, EXIT, ENTER, REMOVED, and types nobody knows yet."""
    return companies.text({"type": kind, "organization": {"duns": duns}})


def transfer_text(duns: str, retained: str) -> bytes:
    transfer = {"transferredDUNS": duns, "retainedDUNS": retained, "transferReason": {"description": "Merged"}}
    organization = {"duns": duns, "dunsControlStatus": {"dunsTransfers": [transfer]}}
    return companies.text({"type": "TRANSFER", "organization": organization})


def send(world: World, reference: str, raw: bytes) -> list[int]:
    """Queue one; held back while the registration is suppressed."""
    return notification_queue.emit(world, reference, [raw], held=registrations.suppressed(world, reference))


def send_exactly(world: World, reference: str, raws: list[bytes]) -> list[int]:
    """Queue these texts, whatever they are."""
    if not registrations.suppressed(world, reference):
        return notification_queue.emit(world, reference, raws)
    return [seq for raw in raws for seq in notification_queue.emit(world, reference, [raw], held=not _is_seed(raw))]


def _is_seed(raw: bytes) -> bool:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "SEED"
