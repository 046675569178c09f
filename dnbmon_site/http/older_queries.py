"""What filters and columns of lists were called before, in addresses and wherever such are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

ACTIONS = {"want": "request", "unwant": "withdraw", "dispatch.again": "message.again"}
COLUMNS = {"wanted": "requested", "wanted_by": "requested_by", "wanted_at": "requested_at"}
DELIVERY_STATES = {"asked": "called", "doubtful": "in_doubt", "repaired": "recovered"}
MESSAGE_STATES = {"parked": "dead"}
PURPOSES = {"repair": "recovery", "asked_for": "requested"}
VALIDATIONS = {"wanted": "requested", "repaired": "reformatted", "not_there": "not_monitored"}
# Of what the audit tells: all other kinds are called as they were.
KINDS = {"dispatch": "outboxmessage", "listcheck": "membershipcheck"}

NAMES = COLUMNS | {"verdict": "validation"}
# By the name of before.
VALUES: dict[str, Mapping[str, str]] = {
    "action": ACTIONS,
    "purpose": PURPOSES,
    "state": DELIVERY_STATES | MESSAGE_STATES,
    "verdict": VALIDATIONS,
    "what": KINDS,
}


def words_now(names: Mapping[str, str]) -> Callable[[str], str]:
    """Each of these words, wherever it stands between others."""
    pattern = re.compile(r"(?<![\w.-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w.-])")
    return lambda text: pattern.sub(lambda found: names[found.group()], text)


columns_now = words_now(COLUMNS)


def query_now(query: str) -> str:
    """As a list's address has it; the same where nothing in it had another name."""
    pairs = parse_qsl(query, keep_blank_values=True)
    now = [_pair_now(name, value) for name, value in pairs]
    return urlencode(now, safe=",") if now != pairs else query


def _pair_now(name: str, value: str) -> tuple[str, str]:
    if name == "columns":
        return name, columns_now(value)
    return NAMES.get(name, name), VALUES.get(name, {}).get(value, value)
