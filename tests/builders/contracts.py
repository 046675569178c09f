"""Contracts with D&B."""

from typing import Any

from portfolio.models import Contract


def a_contract(**fields: Any) -> Contract:
    contract, _ = Contract.objects.get_or_create(name=fields.pop("name", "default"))
    for name, value in fields.items():
        setattr(contract, name, value)
    contract.save()
    return contract
