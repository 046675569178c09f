"""What tests do with the sandbox's D&B: queue items, and look at the calls it got."""

from collections.abc import Iterable
from typing import Any

from direct_plus.sandbox.control.client import SandboxControl
from tests.builders.registrations import REFERENCE


def emit(control: SandboxControl, items: Iterable[Any], reference: str = REFERENCE) -> None:
    """Queue these at D&B, which stamps them when they are pulled."""
    control.emit(reference, [_unstamped(item) for item in items])


def _unstamped(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in item.items() if name != "deliveryTimeStamp"}


def calls_of(control: SandboxControl, *kinds: str) -> list[dict[str, Any]]:
    return [call for call in control.calls() if call["kind"] in (kinds or ("subject", "batch"))]
