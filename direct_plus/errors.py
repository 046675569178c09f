"""What can go wrong with Direct+. A caller handles a branch of this tree, never a status code.

DirectPlusError
├── Unreachable            no whole answer came: connection, torn answer
│   └── TimedOut           the time limit of the whole call passed
├── Unreadable             an answer came, but it is not what was asked for
├── NotAuthorised          the key, the token or the right is missing: asking again does not help
│   └── TokenExpired       a new token helps
├── BadRequest             the call itself is wrong
│   └── ContractDates      outside the dates of the contract with D&B
├── NotFound               nothing there
│   ├── UnknownPath        there is no such call: a slip in a setting, not an empty answer
│   └── UnknownDuns        D&B knows no such D-U-N-S number
├── Gone                   the company is deleted at D&B
├── Transferred            the company goes on under another D-U-N-S number: `replacement`
├── TooManyCalls           wait `retry_after` seconds and try again
├── QuotaUsedUp            nothing more until D&B's reset; tell people
└── ServerTrouble          D&B's side failed; whether it acted is not known

The error code decides, because the HTTP status is coarse (contract section 6).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from direct_plus.duns import InvalidDuns, normalise_duns
from direct_plus.exact_json import parse_json
from direct_plus.payloads import transaction_of


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says about its failure, whatever shape it came in."""

    status: int | None
    code: str | None
    message: str
    details: tuple[Any, ...]
    transaction_id: str | None
    dnb_time: datetime | None
    headers: Mapping[str, str]
    body: bytes


class DirectPlusError(Exception):
    def __init__(self, told: Told) -> None:
        super().__init__(_sentence(told))
        self.status = told.status
        self.code = told.code
        self.message = told.message
        self.details = list(told.details)
        self.transaction_id = told.transaction_id
        self.dnb_time = told.dnb_time
        self.body = told.body

    @property
    def is_from_dnb(self) -> bool:
        """Whether D&B itself says so: a gateway, or a wrong path, gives no code and no transaction."""
        return bool(self.code or self.transaction_id)


class Unreachable(DirectPlusError): ...


class TimedOut(Unreachable): ...


class Unreadable(DirectPlusError): ...


class NotAuthorised(DirectPlusError): ...


class TokenExpired(NotAuthorised): ...


class BadRequest(DirectPlusError): ...


class ContractDates(BadRequest): ...


class NotFound(DirectPlusError): ...


class UnknownPath(NotFound): ...


class UnknownDuns(NotFound): ...


class Gone(DirectPlusError): ...


class Transferred(DirectPlusError):
    def __init__(self, told: Told) -> None:
        super().__init__(told)
        self.replacement = replacement_in(told)


class TooManyCalls(DirectPlusError):
    def __init__(self, told: Told) -> None:
        super().__init__(told)
        self.retry_after = retry_after_in(told.headers)


class QuotaUsedUp(DirectPlusError): ...


class ServerTrouble(DirectPlusError): ...


# Contract sections 1, 4 and 6.
BY_CODE: dict[str, type[DirectPlusError]] = {
    "00040": TokenExpired,
    **dict.fromkeys(("00041", "00004", "00014", "00044", "00012"), NotAuthorised),
    **dict.fromkeys(("00003", "00008", "00010", "10002", "10003"), BadRequest),
    "00005": ContractDates,
    **dict.fromkeys(("00037", "00038"), UnknownPath),
    **dict.fromkeys(("10001", "40105", "10200", "40001"), UnknownDuns),
    "40002": Gone,
    "40003": Transferred,
    **dict.fromkeys(("00045", "00046"), TooManyCalls),
    "00050": QuotaUsedUp,
    **dict.fromkeys(("00002", "00034", "00035"), ServerTrouble),
}

_BY_STATUS: dict[int, type[DirectPlusError]] = {
    401: NotAuthorised,
    403: NotAuthorised,
    404: NotFound,
    408: ServerTrouble,
    410: Gone,
    429: TooManyCalls,
}

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.DOTALL | re.IGNORECASE)
_DUNS_IN_PATH = re.compile(r"/duns/([0-9-]{9,11})(?:[/?#]|$)", re.IGNORECASE)
_DUNS_IN_TEXT = re.compile(r"(?<![0-9])[0-9]{9}(?![0-9])")


def read_failure(status: int, headers: Mapping[str, str], body: bytes, dnb_time: datetime | None) -> Told:
    """Understand an answer that is no success: D&B's envelope, a gateway's, a token's, a web page or nothing."""
    document = _object(body)
    code, message, details = _enveloped(document) or _other_shape(document) or (None, _prose(body), ())
    identity = transaction_of(body).id
    return Told(status or None, code, message, details, identity, dnb_time, headers, body)


def error_for(told: Told) -> DirectPlusError:
    if told.code in BY_CODE:
        return BY_CODE[told.code](told)
    status = told.status or 0
    if status in (301, 308) and replacement_in(told):
        return Transferred(told)
    if status in _BY_STATUS:
        return _BY_STATUS[status](told)
    if status >= 500:
        return ServerTrouble(told)
    return BadRequest(told) if status >= 400 else Unreadable(told)


def replacement_in(told: Told) -> str | None:
    """The D-U-N-S number that goes on: in the place we were sent to, else in the details of the error."""
    found = _DUNS_IN_PATH.search(told.headers.get("Location", ""))
    if found:
        return _duns_or_none(found[1])
    named = _DUNS_IN_TEXT.findall(" ".join(str(detail.get("description", "")) for detail in told.details))
    return named[-1] if named else None


def retry_after_in(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by `Retry-After`, which holds either seconds or a date."""
    sent = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", sent):
        return float(sent)
    until = parse_http_date(sent)
    if until is None:
        return None
    now = parse_http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def parse_http_date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
        return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


_Parts = tuple[str | None, str, tuple[Any, ...]]


def _enveloped(document: dict[str, Any]) -> _Parts | None:
    error = document.get("error")
    if not isinstance(error, dict):
        return None
    code = error.get("errorCode")
    details = error.get("errorDetails")
    kept = tuple(detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else ()
    # A number lost its leading zeros on the way.
    text = str(code).zfill(5) if isinstance(code, int) and not isinstance(code, bool) else code
    return text if isinstance(text, str) else None, str(error.get("errorMessage") or "no message"), kept


def _other_shape(document: dict[str, Any]) -> _Parts | None:
    fault, error = document.get("fault"), document.get("error")
    if isinstance(fault, dict) and fault.get("faultstring"):
        return None, str(fault["faultstring"]), ()
    if isinstance(error, str):
        return None, str(document.get("error_description") or error), ()
    if isinstance(document.get("message"), str):
        return None, document["message"], ()
    return None


def _prose(body: bytes) -> str:
    text = body[:4_000].decode(errors="replace").strip()
    if not text:
        return "the response is empty"
    if not text.startswith("<"):
        return f"the response is not a Direct+ error: {_short(text)}"
    title = _TITLE.search(text)
    return f"the response is a web page: {_short(_TAG.sub(' ', title[2] if title else text)) or 'without text'}"


def _short(text: str) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= 200 else f"{words[:199]}…"


def _sentence(told: Told) -> str:
    where = ", ".join(str(part) for part in (told.status and f"HTTP {told.status}", told.code) if part)
    details = "; ".join(f"{d.get('parameter', '?')}: {d.get('description', '?')}" for d in told.details)
    transaction = f" [transaction {told.transaction_id}]" if told.transaction_id else ""
    return (
        _short(f"{told.message}{f' ({details})' if details else ''}") + (f" ({where})" if where else "") + transaction
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = parse_json(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _duns_or_none(text: str) -> str | None:
    try:
        return normalise_duns(text)
    except InvalidDuns:
        return None
