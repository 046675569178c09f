"""What a key may use, read from D&B's answer to `/v1/entitlements` (contract section 6).

How that answer is laid out is open. So it is looked through for what its members are called, wherever they stand; what
is not found stays unknown, and nothing is made up.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

# Members by their names without case, blanks and lines: "blockID", "block_id" and "BlockId" are one.
BLOCK_NAMES = ("blockid", "datablockid", "blockname", "datablockname", "datablock", "block")
PRODUCT_NAMES = ("productid", "productcode", "productname", "product", "id", "name", "code")
LEVELS = ("level", "blocklevel", "productlevel", "datablocklevel", "levels")
VERSIONS = ("version", "versionid", "blockversion", "productversion", "datablockversion", "versions")
CONTRACT_TYPES = ("contracttype", "subscriptiontype", "agreementtype", "entitlementtype")
# Of lists whose entries are products or blocks.
LISTS = re.compile(r"block|product|entitlement")
# Of objects that may hold them by their names.
KEYED = re.compile(r"blocks|products")
END = re.compile(r"expir|enddate|validto|validuntil|terminationdate|endson")
BLOCK = re.compile(r"([A-Za-z][A-Za-z0-9]*)_L([0-9])(?:_v?([0-9][0-9.]*))?", re.ASCII)
PRODUCT = re.compile(r"([A-Za-z0-9-]+)_v([0-9][0-9.]*)", re.ASCII)
DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
YES, NO = ("true", "y", "yes", "1", "available", "allowed"), ("false", "n", "no", "0", "not available", "not allowed")
DEEPEST = 20


@dataclass(frozen=True, slots=True, order=True)
class Entitled:
    """A data block at a level, or a product. What D&B does not state is empty or None."""

    name: str = ""
    level: str = ""
    version: str = ""
    is_block: bool = False
    is_monitorable: bool | None = None
    expires: date | None = None

    @property
    def id(self) -> str:
        """As D&B's calls name it, such as companyinfo_L2_v1."""
        return "_".join(part for part in (self.name, self.level, self.version) if part)


@dataclass(frozen=True, slots=True)
class KeyRights:
    """All that was found."""

    contract_type: str = ""
    expires: date | None = None
    items: tuple[Entitled, ...] = ()

    @property
    def blocks(self) -> list[Entitled]:
        return [item for item in self.items if item.is_block]

    @property
    def products(self) -> list[Entitled]:
        return [item for item in self.items if not item.is_block]


def read_entitlements(document: Any, today: date) -> KeyRights:
    """`today` chooses among several ends: the next one."""
    found = list(_items(document, "", Entitled(), 0))
    distinct = {(item.id.casefold(), item.is_block): item for item in reversed(found)}
    items = sorted(distinct.values(), key=lambda item: (item.name.casefold(), item.level, item.version))
    ends = list(_contract_ends(document)) or [item.expires for item in items if item.expires]
    coming = [end for end in ends if end >= today]
    expires = min(coming) if coming else max(ends, default=None)
    return KeyRights(_contract_type(document), expires, tuple(items))


def _items(node: Any, place: str, above: Entitled, depth: int) -> Iterator[Entitled]:
    """Products and blocks in a part of the answer; `above` holds what the parts around it state for all of theirs."""
    if depth > DEEPEST:
        return
    if isinstance(node, list):
        for entry in node:
            yield from _entry(entry, place, above, depth)
    elif isinstance(node, Mapping):
        for name, member in node.items():
            if isinstance(member, Mapping) and KEYED.search(place):
                yield from _entry({"id": name, **member}, place, above, depth)
            elif isinstance(member, (list, Mapping)) and _plain(name) not in (*LEVELS, *VERSIONS):
                yield from _items(member, _plain(name), above, depth + 1)


def _entry(entry: Any, place: str, above: Entitled, depth: int) -> Iterator[Entitled]:
    if isinstance(entry, str) and LISTS.search(place):
        if name := _text(entry):
            yield _named(name, replace(above, is_block="block" in place))
    elif isinstance(entry, Mapping):
        members = {_plain(name): value for name, value in entry.items()}
        stated = _stated(members, above)
        name, is_block = _name_in(members, place)
        if name:
            yield from _at_levels(_named(name, replace(stated, is_block=is_block)), members)
        yield from _items(entry, place, stated, depth + 1)


def _name_in(members: Mapping[str, Any], place: str) -> tuple[str, bool]:
    """What an entry is called, and whether that makes it a data block."""
    for names in (BLOCK_NAMES, PRODUCT_NAMES if LISTS.search(place) else PRODUCT_NAMES[:4]):
        for name in names:
            if text := _text(members.get(name)):
                kind = _text(members.get("type")) + place
                return text, names is BLOCK_NAMES or "block" in kind.casefold()
    return "", False


def _named(text: str, stated: Entitled) -> Entitled:
    """Level and version may stand in the name."""
    if found := BLOCK.fullmatch(text):
        version = _version(found[3]) or stated.version
        return replace(stated, name=found[1], level=f"L{found[2]}", version=version, is_block=True)
    if found := PRODUCT.fullmatch(text):
        return replace(stated, name=found[1], version=_version(found[2]))
    return replace(stated, name=text)


def _stated(members: Mapping[str, Any], above: Entitled) -> Entitled:
    may = next((yes for name, value in members.items() if "monitor" in name and (yes := _yes(value)) is not None), None)
    end = next((day for name, value in members.items() if END.search(name) and (day := _day(value))), None)
    return replace(
        above,
        version=next((_version(members[name]) for name in VERSIONS if members.get(name)), above.version),
        is_monitorable=above.is_monitorable if may is None else may,
        expires=end or above.expires,
    )


def _at_levels(item: Entitled, members: Mapping[str, Any]) -> Iterator[Entitled]:
    """One for each level that the entry states; the level in its name counts where it states none."""
    levels = next((members[name] for name in LEVELS if members.get(name)), None)
    if levels is None:
        yield item
    for level in levels if isinstance(levels, list) else [] if levels is None else [levels]:
        inner = {_plain(name): value for name, value in level.items()} if isinstance(level, Mapping) else {}
        number = next((inner[name] for name in (*LEVELS, "id", "name") if inner.get(name)), level)
        yield replace(_stated(inner, item), level=_level(number) or item.level, is_block=True)


def _contract_ends(node: Any, place: str = "", depth: int = 0) -> Iterator[date]:
    """Ends that are stated for more than one product or block."""
    if depth > DEEPEST:
        return
    if isinstance(node, list):
        for entry in node:
            yield from _contract_ends(entry, place, depth + 1)
    elif isinstance(node, Mapping):
        members = {_plain(name): value for name, value in node.items()}
        if not _name_in(members, place)[0]:
            yield from (day for name, value in members.items() if END.search(name) and (day := _day(value)))
        for name, value in members.items():
            if isinstance(value, (list, Mapping)) and name not in LEVELS and not KEYED.search(name):
                yield from _contract_ends(value, name if isinstance(value, list) else "", depth + 1)


def _contract_type(node: Any, place: str = "", depth: int = 0) -> str:
    if depth > DEEPEST or not isinstance(node, (list, Mapping)):
        return ""
    entries = [(place, entry) for entry in node] if isinstance(node, list) else []
    if isinstance(node, Mapping):
        members = {_plain(name): value for name, value in node.items()}
        names = (*CONTRACT_TYPES, "type") if "contract" in place else CONTRACT_TYPES
        if found := next((text for name in names if (text := _text(members.get(name)))), ""):
            return found
        entries = list(members.items())
    return next((text for name, member in entries if (text := _contract_type(member, name, depth + 1))), "")


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).casefold())


def _text(value: Any) -> str:
    """Also of D&B's pairs of a description and a code."""
    if isinstance(value, Mapping):
        members = {_plain(name): member for name, member in value.items()}
        value = members.get("description") or members.get("name") or members.get("code")
    return value.strip()[:200] if isinstance(value, str) else ""


def _yes(value: Any) -> bool | None:
    text = str(value).strip().casefold() if isinstance(value, (bool, str, int)) else ""
    return True if text in YES else False if text in NO else None


def _day(value: Any) -> date | None:
    found = DAY.match(value) if isinstance(value, str) else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _level(value: Any) -> str:
    found = re.fullmatch(r"(?:l|level)?\s*([0-9])", str(value).strip().casefold(), re.ASCII)
    return f"L{found[1]}" if found else ""


def _version(value: Any) -> str:
    """The last of several."""
    if isinstance(value, list):
        value = max(map(str, value), default="")
    found = re.fullmatch(r"v?([0-9][0-9.]*)", str(value or "").strip().casefold(), re.ASCII)
    return f"v{found[1]}" if found else ""
