"""D&B's codes and their words. How D&B lays them out is open: they are found wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CODES = ("dnbCode", "code", "codeValue", "codeID", "categoryID", "categoryId", "categoryCode", "id", "value", "key")
WORDS = ("description", "codeDescription", "categoryName", "categoryDescription", "text", "name", "label")
# What stands beside the data in each of D&B's answers.
FRAME = ("transactionDetail", "inquiryDetail")


@dataclass(frozen=True, slots=True)
class ReferenceCategory:
    id: str
    name: str


def reference_categories(document: dict[str, Any]) -> Iterator[ReferenceCategory]:
    for code, words in _pairs(_data(document)):
        yield ReferenceCategory(code, words)


def reference_codes(document: dict[str, Any]) -> dict[str, str]:
    return dict(_pairs(_data(document)))


def _data(document: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in document.items() if name not in FRAME}


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    """Objects with a code and its words; names in a list; and objects whose names are the codes."""
    if isinstance(value, list):
        for item in value:
            yield from [(item, item)] if isinstance(item, str) and item else _pairs(item)
    elif isinstance(value, dict):
        code, words = _first(value, CODES), _first(value, WORDS)
        if code and words:
            yield code, words
        elif value and all(isinstance(text, str) for text in value.values()):
            yield from value.items()
        else:
            for member in value.values():
                yield from _pairs(member)


def _first(item: dict[str, Any], names: tuple[str, ...]) -> str:
    found = (item.get(name) for name in names)
    texts = (str(one).strip() for one in found if isinstance(one, str | int) and not isinstance(one, bool))
    return next((text for text in texts if text), "")
