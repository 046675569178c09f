"""Companies as D&B holds them: their documents, and numbers that are invalid, deleted, transferred or unknown."""

import json
import re
from collections.abc import Iterable
from typing import Any

from direct_plus.sandbox.state.world import World

Document = dict[str, Any]
NINE_DIGITS = re.compile(r"[0-9]{9}")
# coprime to 10**9, so that counting on yields each number once, well spread and a tenth with a leading zero
STRIDE, OFFSET = 618_033_989, 12_345_678
MARKS = {"invalid": "10003", "deleted": "40002", "transferred": "40003", "unknown": "10001"}
# of unheard-of numbers, where some are refused
ONE_IN = 100
REFUSED = dict(enumerate(sorted(MARKS.values())))
_LONG = re.compile(r'"value": (\d{8,}(?:\.\d+)?)(?=[,}])')
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def document(world: World, duns: str) -> Document:
    row = world.store.row("SELECT document FROM company WHERE duns = ?", duns)
    if row is None or row["document"] is None:
        return plain(duns)
    stored: Document = json.loads(row["document"])
    return stored


def keep(world: World, organization: Document) -> str:
    """Store a company's whole document; what is known beside it stays."""
    duns = str(organization["duns"])
    world.store.run(
        "INSERT INTO company (duns, document, changed_at) VALUES (?, ?, ?)"
        " ON CONFLICT (duns) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at",
        duns, json.dumps(organization), world.clock.now(),
    )  # fmt: skip
    return duns


def mark(world: World, duns: Iterable[str], kind: str, retained: str = "") -> None:
    """Make numbers `invalid`, `deleted`, `transferred` (to `retained`), `unknown`, refused by a code, or sound ("")."""
    if kind and kind not in MARKS and not kind.isdigit():
        raise ValueError(f"unknown mark: {kind}")
    sql = (
        "INSERT INTO company (duns, mark, retained) VALUES (?, ?, ?)"
        " ON CONFLICT (duns) DO UPDATE SET mark = excluded.mark, retained = excluded.retained"
    )
    world.store.many(sql, ((number, kind, retained) for number in duns))


def set_review(world: World, duns: str, value: bool) -> None:
    sql = (
        "INSERT INTO company (duns, in_review) VALUES (?, ?)"
        " ON CONFLICT (duns) DO UPDATE SET in_review = excluded.in_review"
    )
    world.store.run(sql, duns, value)


def in_review(world: World, duns: str) -> bool:
    return bool(world.store.number("SELECT in_review FROM company WHERE duns = ?", duns))


def trouble(world: World, duns: str) -> tuple[str, str] | None:
    """Why D&B does not take this number: the code, and the number that replaces it."""
    if not NINE_DIGITS.fullmatch(duns):
        return "10003", ""
    row = world.store.row("SELECT mark, retained FROM company WHERE duns = ?", duns)
    if row is None:
        return _trouble_of_unheard(world.switches["unknown_duns"], duns)
    return (MARKS.get(row["mark"], row["mark"]), row["retained"]) if row["mark"] else None


def _trouble_of_unheard(reading: str, duns: str) -> tuple[str, str] | None:
    if reading == "some":
        code = REFUSED.get(int(duns) % ONE_IN)
        return (code, another(duns) if code == MARKS["transferred"] else "") if code else None
    return (MARKS["unknown"], "") if reading == "refuse" else None


def another(duns: str) -> str:
    """A number that belongs to this one, always the same."""
    return f"{(int(duns) * STRIDE + OFFSET) % 10**9:09d}"


def fresh_numbers(world: World, count: int) -> list[str]:
    """Numbers not used before; the same in every new sandbox."""
    first = int(world.store.recall("numbers_used", 0))
    world.store.remember("numbers_used", first + count)
    return [f"{(number * STRIDE + OFFSET) % 10**9:09d}" for number in range(first, first + count)]


def plain(duns: str) -> Document:
    """A believable document for any number, always the same."""
    seed = int(duns) if duns.isdigit() else 0
    return {
        "duns": duns,
        "dunsControlStatus": {
            "operatingStatus": {"description": "Active", "dnbCode": 9074},
            "isMarketable": True,
            "isDelisted": False,
        },
        "primaryName": f"Company {duns} Ltd",
        "countryISOAlpha2Code": ("GB", "US", "DE", "FR")[seed % 4],
        "primaryAddress": {
            "addressCountry": {"isoAlpha2Code": ("GB", "US", "DE", "FR")[seed % 4]},
            "addressLocality": {"name": ("London", "Springfield", "Hamburg", "Lyon")[seed % 4]},
            "streetAddress": {"line1": f"{seed % 200 + 1} High Street"},
        },
        "telephone": [{"telephoneNumber": f"20{duns[:7]}", "isdCode": "44", "isUnreachable": False}],
        "numberOfEmployees": [{"value": seed % 5000 + 1}],
        "dnbAssessment": {
            "failureScore": {
                "nationalPercentile": seed % 100 + 1,
                "classScore": seed % 5 + 1,
                "scoreDate": "2026-01-01",
            }
        },
    }


def text(value: Any) -> bytes:
    """JSON as D&B writes it: large amounts come as `3.0251016094E8`."""
    return _LONG.sub(_exponent, _ENCODER.encode(value)).encode("utf-8", "surrogatepass")


def _exponent(match: re.Match[str]) -> str:
    digits, _, fraction = match[1].partition(".")
    mantissa = (digits[1:] + fraction).rstrip("0") or "0"
    return match[0].replace(match[1], f"{digits[0]}.{mantissa}E{len(digits) - 1}")
