"""Which data blocks are fetched: of those that the contract includes, by the entitlements that D&B reports."""

from __future__ import annotations

import re

from django.utils.translation import gettext

from portfolio.models import Contract, Entitlements

# What tells a monitored company's state; other blocks cost more than they say about it.
WANTED = (
    *("companyinfo", "hierarchyconnections", "principalscontacts", "financialstrengthinsight", "paymentinsight"),
    *("eventfilings", "companyfinancials"),
)
BLOCK = re.compile(r"\b([a-z]+)_L([0-9])_v([0-9]+)\b")


class NoBlocks(Exception):
    """No block is known that could be fetched; the message says what to do."""


def blocks_of(contract: Contract) -> list[str]:
    """Each wanted block at the highest level and version."""
    row = Entitlements.objects.filter(pk=contract.pk).first()
    highest: dict[str, tuple[int, int]] = {}
    for name, level, version in BLOCK.findall(row.answer if row else ""):
        highest[name] = max(highest.get(name, (0, 0)), (int(level), int(version)))
    found = [f"{name}_L{highest[name][0]}_v{highest[name][1]}" for name in WANTED if name in highest]
    if not found:
        raise NoBlocks(
            gettext("D&B has not reported any data blocks for contract “%(contract)s”. Update its entitlements first.")
            % {"contract": contract.name}
        )
    return found
