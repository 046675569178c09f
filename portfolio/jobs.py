"""What runs by itself for the portfolio."""

from __future__ import annotations

import logging

from direct_plus.errors import DirectPlusError
from portfolio.connecting import NotConfigured
from portfolio.models import Contract
from portfolio.syncing import discover_registrations

logger = logging.getLogger(__name__)


def discover() -> int:
    """Look for new registrations in every contract; returns how many are new."""
    found = 0
    for contract in Contract.objects.all():
        try:
            found += len(discover_registrations(contract).new)
        except (DirectPlusError, NotConfigured) as error:
            logger.warning("registrations of %s could not be read: %s", contract, error)
    return found
