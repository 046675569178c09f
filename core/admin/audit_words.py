"""The description of an entry of the audit log as pages show it: companies by name and number."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from core.models import AuditEntry

# By other apps: what companies with these D-U-N-S numbers are called.
NAMES: list[Callable[[Collection[str]], Mapping[str, str]]] = []
# Not in parentheses, where it follows a name, and not as a part of a longer word.
NUMBER = re.compile(r"(?<![\w(/.,-])\d{9}(?![\w-])")
# Longer lists stay as they are: names would hide how they differ.
MOST_NAMED = 2


def describe(rows: Iterable[AuditEntry]) -> None:
    """Give each row its description, with the names of today; they are looked up together."""
    several = list(rows)
    numbers = {number for row in several for number in _numbers(row)}
    names: dict[str, str] = {}
    for look_up in NAMES if numbers else ():
        names.update(look_up(numbers))
    for row in several:
        row.described = _described(row, names)  # type: ignore[attr-defined]


def description(row: AuditEntry) -> str:
    if not hasattr(row, "described"):
        describe([row])
    return str(row.described)  # type: ignore[attr-defined]


def _numbers(row: AuditEntry) -> set[str]:
    found = set(NUMBER.findall(row.summary))
    return ({row.key} if row.what == "company" else set()) | (found if len(found) <= MOST_NAMED else set())


def _described(row: AuditEntry, names: Mapping[str, str]) -> str:
    name = names.get(row.key, "") if row.what == "company" else ""
    if name and name in row.summary and row.key not in row.summary:
        return row.summary.replace(name, f"{name} ({row.key})", 1)
    known = {number: names[number] for number in _numbers(row) if number in names}
    return NUMBER.sub(lambda found: _named(found[0], known), row.summary)


def _named(number: str, names: Mapping[str, str]) -> str:
    return f"{names[number]} ({number})" if number in names else number
