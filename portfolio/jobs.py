"""What runs by itself for the portfolio."""

from __future__ import annotations

import logging
import uuid

from core.cached_counts import tally
from core.exports.files import remove_old, write_waiting
from core.exports.files import work_on as work_on_export
from direct_plus.errors import DirectPlusError
from portfolio.connecting import NotConfigured
from portfolio.contract_year import remind, remove_planned
from portfolio.models import Contract
from portfolio.syncing import discover_registrations

logger = logging.getLogger(__name__)


def look_after_years() -> int:
    """Carry out removals planned until today, and remind people of anniversaries; returns how many were removed."""
    removed = remove_planned()
    if removed:
        tally("held")
    remind()
    return removed


def write_export(key: str) -> bool:
    """Write one export now; `write_exports` picks it up where this is lost."""
    return work_on_export(uuid.UUID(key))


def write_exports() -> int:
    """Write what waits, and remove what is older than a week; returns how many files were written."""
    remove_old()
    return write_waiting()


def discover() -> int:
    """Look for new registrations in every contract; returns how many are new."""
    found = 0
    for contract in Contract.objects.all():
        try:
            found += len(discover_registrations(contract).new)
        except (DirectPlusError, NotConfigured) as error:
            logger.warning("registrations of %s could not be read: %s", contract, error)
    return found
