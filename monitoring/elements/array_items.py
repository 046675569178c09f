"""Arrays compared item by item: which were added, removed and changed. Paths number no items; what identifies one is
a table by the array's name, and arrays that are not in it are compared as multisets."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

from monitoring.elements.json_paths import comparable, is_empty, value_at

Members = tuple[str, ...]
TYPE = "typeDnBCode|typeDescription|type"
PERSON: Members = ("duns", "fullName|name")
DESCRIBED: Members = ("dnbCode|description",)
LANGUAGE = "language.dnbCode|language.description"
SCOPE = "informationScopeDnBCode|informationScopeDescription"
ADDRESS: Members = ("startDate", "streetAddress.line1", "addressLocality.name", "postalCode")
# A statement follows that of an earlier day; of events, another day is another event.
STATEMENT_DATE = "financialStatementToDate"
FILING: Members = ("filingReference|filingNumber|referenceNumber|caseNumber", "filingDate|referenceDate", TYPE)
# By the array's name: the members that together identify an item, as paths within it; of several names that "|"
# separates, the first that the item has.
IDENTITIES: Mapping[str, Members] = {
    "activities": (LANGUAGE, "description"),
    "addresses": (TYPE,),
    "banks": ("duns", "name"),
    "beneficialOwners": ("beneficialOwnerID|memberID|duns", "name"),
    "branches": ("duns",),
    "certifications": (TYPE, "certificateNumber"),
    "currentPrincipals": PERSON,
    "dunsTransfers": ("transferredDUNS", "retainedDUNS"),
    "email": ("address",),
    "familyTreeRolesPlayed": DESCRIBED,
    "fax": ("isdCode", "faxNumber"),
    "financials": (STATEMENT_DATE, SCOPE, "financialStatementDuration"),
    "formerPrimaryAddresses": ADDRESS,
    "formerPrimaryNames": ("name", "startDate"),
    "formerRegisteredAddresses": ADDRESS,
    "formerRegisteredNames": ("name", "startDate"),
    "industryCodes": (TYPE, "code"),
    "jobTitles": ("title",),
    "minorityOwners": ("duns|name",),
    "mostRecentPrincipals": PERSON,
    "mostSeniorPrincipals": PERSON,
    "multilingualPrimaryName": (LANGUAGE,),
    "multilingualRegisteredNames": (LANGUAGE,),
    "multilingualTradestyleNames": (LANGUAGE, "priority"),
    "nonMarketableReasons": DESCRIBED,
    "numberOfEmployees": (SCOPE,),
    "otherAddresses": (TYPE,),
    "registrationNumbers": (TYPE, "registrationNumber"),
    "responsibilities": DESCRIBED,
    "riskEvents": ("eventID|id", TYPE, "eventDate|date"),
    "sanctions": ("listName", "listingDate", "name"),
    "scoreCommentary": DESCRIBED,
    "shareholders": ("duns|name",),
    "socioEconomicInformation": (TYPE, "description"),
    "stockExchanges": ("tickerName", "exchangeName.description|exchangeName", "exchangeCountry.isoAlpha2Code"),
    "telephone": ("isdCode", "telephoneNumber"),
    "tradeStyleNames": ("name",),
    "unspscCodes": ("code",),
    "websiteAddress": ("url|domainName",),
    "yearlyRevenue": ("currency",),
    **dict.fromkeys(("bankruptcies", "claims", "filings", "financingEvents", "insolvencies", "judgments"), FILING),
    **dict.fromkeys(("liens", "liquidations", "suits", "suspensionsOfPayments"), FILING),
}


@dataclass(slots=True)
class ItemChanges:
    """What became of an array's items; an item that changed is given before and after."""

    added: list[Any] = field(default_factory=list)
    removed: list[Any] = field(default_factory=list)
    changed: list[tuple[Any, Any]] = field(default_factory=list)


def item_changes(path: str, previous: Any, current: Any) -> ItemChanges:
    """Items that stayed alike are in no list, wherever they stand now. What is no array is an array of itself. Many of
    D&B's arrays never hold more than one object: unless its identity differs, that is the one that changed."""
    before, after, members = as_items(previous), as_items(current), identity_of(path)
    removed, added = _without(before, after), _without(after, before)
    is_only = len(before) == len(after) == len(removed) == len(added) == 1
    if (
        is_only
        and isinstance(before[0], dict)
        and isinstance(after[0], dict)
        and _is_same(members, before[0], after[0])
    ):
        return ItemChanges(changed=[(before[0], after[0])])
    return _paired(members, removed, added)


def _is_same(members: Members, item: Any, other: Any) -> bool:
    """Whether nothing identifies them, or the same does."""
    return _key(members, item) == _key(members, other)


def as_items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def identity_of(path: str) -> Members:
    return IDENTITIES.get(path.rpartition(".")[2], ())


def named_by(path: str, item: Any) -> list[Any]:
    """The values by which people know an item."""
    values = (_member(item, names) for names in identity_of(path) if names != TYPE)
    return [value for value in values if comparable(value)]


def _key(members: Members, item: Any) -> tuple[str, ...]:
    """By which an item is known; nothing where it has none of the members."""
    values = tuple(comparable(_member(item, names)) for names in members)
    return values if any(values) else ()


def _member(item: Any, names: str) -> Any:
    found = (value_at(item, name) if isinstance(item, dict) else None for name in names.split("|"))
    return next((value for value in found if comparable(value)), None)


def _without(items: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The items that are not among the others, each as often as it is missing there."""
    left = Counter(map(comparable, others))
    found = []
    for item in items:
        key = comparable(item)
        if left[key]:
            left[key] -= 1
        elif key:
            found.append(item)
    return found


def _paired(members: Members, removed: list[Any], added: list[Any]) -> ItemChanges:
    """Of items known by the same values, one removed and one added are one that changed."""
    found = ItemChanges()
    waiting: defaultdict[tuple[str, ...], deque[int]] = defaultdict(deque)
    for number, item in enumerate(removed):
        waiting[_key(members, item)].append(number)
    for item in added:
        key = _key(members, item)
        if key and waiting[key]:
            found.changed.append((removed[waiting[key].popleft()], item))
        else:
            found.added.append(item)
    found.removed = [removed[number] for number in sorted(chain(*waiting.values()))]
    return found


def item_pairs(path: str, previous: Any, current: Any) -> Iterator[tuple[Any, Any]]:
    """Items before and after, None where there is no such. What nothing identifies is paired by its place among those
    that changed, and so is the only item of an array; amounts of different currencies never are."""
    if previous is None:
        # As in a whole document, which nothing came before.
        yield from ((None, item) for item in as_items(current) if not is_empty(item))
        return
    for before, after in _item_pairs(path, previous, current):
        if _is_other_currency(before, after):
            yield from ((before, None), (None, after))
        else:
            yield before, after


def _item_pairs(path: str, previous: Any, current: Any) -> Iterator[tuple[Any, Any]]:
    found, members = item_changes(path, previous, current), identity_of(path)
    yield from found.changed
    if members and max(len(as_items(previous)), len(as_items(current))) > 1:
        rest = _paired(tuple(name for name in members if name != STATEMENT_DATE), found.removed, found.added)
        yield from rest.changed
        yield from ((item, None) for item in rest.removed)
        yield from ((None, item) for item in rest.added)
    else:
        yield from zip_longest(found.removed, found.added)


def _is_other_currency(before: Any, after: Any) -> bool:
    known, new = (comparable(_member(item, "currency")) for item in (before, after))
    return bool(known and new) and known != new
