"""What a contract's key may use, as D&B stated last. What is not stated is unknown, and nothing stands in code."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from direct_plus.entitlements import Entitled, KeyRights, read_entitlements
from direct_plus.exact_json import parse_json
from portfolio.models import Contract, Entitlements


def key_rights(contract: Contract) -> KeyRights:
    """Nothing while D&B was not asked, and where its answer cannot be read."""
    return rights_in(Entitlements.objects.filter(pk=contract.pk).values_list("answer", flat=True).first() or "")


def rights_in(answer: str) -> KeyRights:
    try:
        return read_entitlements(parse_json(answer), today())
    except ValueError:
        return KeyRights()


def known_entitlements() -> list[tuple[Contract, Entitlements]]:
    """Of every contract, also where D&B was not asked yet."""
    known = Entitlements.objects.in_bulk()
    contracts = Contract.objects.order_by("name")
    return [(one, known.get(one.pk) or Entitlements(contract=one)) for one in contracts]


def days_left(rights: KeyRights) -> int | None:
    """Until D&B's contract ends."""
    return (rights.expires - today()).days if rights.expires else None


def entitled(contract: Contract, product_or_block: str) -> bool | None:
    """Whether the key may use a product, or a block as it is named in calls (companyinfo_L2_v1) or in part
    (companyinfo_L2, companyinfo). None: unknown.

    What is not listed is only then not permitted, if others of its block are listed, or other blocks are: products may
    be listed under names that calls do not have.
    """
    rights, asked = key_rights(contract), product_or_block.casefold()
    found = [item for item in rights.items if asked in _names(item)]
    if found:
        return any(_is_valid(item) for item in found)
    name, _, below = asked.partition("_l")
    same = [item for item in rights.blocks if item.name.casefold() == name]
    if not below or not rights.blocks:
        return None
    # A higher level may include a lower one, and a block without a stated level may have any.
    return None if any(not item.level or item.level > f"L{below[0]}" for item in same) else False


def block_version(contract: Contract, block: str, level: int | str) -> str | None:
    """The block at a level as calls name it, such as companyinfo_L2_v1; None where the version is unknown."""
    asked = f"L{str(level).upper().removeprefix('L')}"
    found = [
        item
        for item in key_rights(contract).blocks
        if (item.name.casefold(), item.level) == (block.casefold(), asked) and item.version and _is_valid(item)
    ]
    return max(found, key=lambda item: _parts(item.version)).id if found else None


def today() -> date:
    return timezone.now().date()


def _names(item: Entitled) -> set[str]:
    """From its name alone to all that is stated."""
    parts = [part for part in (item.name, item.level, item.version) if part]
    return {"_".join(parts[: count + 1]).casefold() for count in range(len(parts))}


def _is_valid(item: Entitled) -> bool:
    return item.expires is None or item.expires >= today()


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.removeprefix("v").split(".") if part]
