"""Which data blocks are fetched: of those that the contract includes, by the entitlements that D&B reports."""

from __future__ import annotations

from django.utils.translation import gettext

from portfolio.entitlements.rights import block_version, key_rights
from portfolio.models import Contract

# What tells a monitored company's state; other blocks cost more than they say about it.
WANTED = (
    *("companyinfo", "hierarchyconnections", "principalscontacts", "financialstrengthinsight", "paymentinsight"),
    *("eventfilings", "companyfinancials"),
)


class NoBlocks(Exception):
    """No block is known that could be fetched; the message says what to do."""


def blocks_of(contract: Contract) -> list[str]:
    """Each wanted block at the highest level that the contract includes."""
    found = [block for name in WANTED if (block := _highest(contract, name))]
    if not found:
        raise NoBlocks(
            gettext(
                "D&B has not reported any data blocks for contract “%(contract)s”. Update them under “Entitlements”."
            )
            % {"contract": contract.name}
        )
    return found


def _highest(contract: Contract, name: str) -> str | None:
    blocks = [item for item in key_rights(contract).blocks if item.name.casefold() == name and item.level]
    levels = sorted({item.level for item in blocks}, reverse=True)
    return next((found for level in levels if (found := block_version(contract, name, level))), None)
