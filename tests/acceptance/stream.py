"""Notifications of every type, no two with the same content."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.times import stamp

BARE = (
    "DELETE",
    "UNDELETE",
    "UNDER_REVIEW",
    "REVIEWED",
    "EXIT",
    "ENTER",
    "REMOVED",
    "SOMETHING_NEW",
)
COMPANIES = 25


class Stream:
    """An endless source; each call takes the next."""

    def __init__(self, first: int = 0) -> None:
        self._items = _items(first)
        self._numbers = count(first)

    def take(self, how_many: int) -> list[dict[str, Any]]:
        return [_unstamped(item) for item in islice(self._items, how_many)]

    def unreadable(self) -> str:
        """One without a company."""
        return f'{{"type": "UPDATE", "number": {next(self._numbers)}}}'


def _items(number: int) -> Iterator[dict[str, Any]]:
    while True:
        yield _item(number)
        number += 1


def _item(number: int) -> dict[str, Any]:
    kind = number % 10
    if kind == 0:
        return a_seed(_shared(number), primaryName=f"Company {number} Ltd", numberOfEmployees=[{"value": number}])
    if kind == 1:
        return a_notice(BARE[number // 10 % len(BARE)], _own(number))
    if kind == 2 and number % 20 == 2:
        return a_transfer(_own(number), to=_shared(number))
    return _update(number)


def _update(number: int) -> dict[str, Any]:
    name = an_element(current=f"NAME {number}", timestamp=stamp(seconds=number))
    phone = an_element("organization.telephone", [], [{"telephoneNumber": str(number)}], stamp(seconds=number + 1))
    return an_update(*([name, phone] if number % 3 else [name]), duns=_shared(number))


def _shared(number: int) -> str:
    return f"{100_000_000 + number % COMPANIES}"


def _own(number: int) -> str:
    """A company to which nothing else happens."""
    return f"{200_000_000 + number}"


def _unstamped(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "deliveryTimeStamp"}
