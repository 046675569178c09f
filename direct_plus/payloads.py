"""What Direct+ answers hold, typed (contract section 3). Whatever is not looked at stays the bytes that were sent."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from direct_plus import json_slicing
from direct_plus.duns import InvalidDuns, normalise_duns
from direct_plus.exact_json import REFUSALS, parse_json

# Real notifications nest about ten deep. What nests deeper than this would exhaust the stack of whoever walks it.
MAX_DEPTH = 200

BOM = b"\xef\xbb\xbf"
# As D&B nearly always writes a time; anything else is read with care.
_USUAL_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", re.ASCII)
_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? ?(?:(Z)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


class UnreadableItem(ValueError):
    """One notification that cannot be understood; `reason` says why in a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Split(msgspec.Struct, frozen=True):
    """A pull's or replay's answer, its notifications still unread."""

    items: list[bytes]
    has_list: bool
    transaction_id: str | None = None
    transaction_timestamp: str | None = None
    reference: str | None = None


class ElementChange(msgspec.Struct, frozen=True, gc=False):
    """One changed element; `previous` and `current` are JSON as sent, None where absent."""

    element: str
    previous: bytes | None
    current: bytes | None
    timestamp: str | None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One notification; `body` is all of it and `organization` that member, as sent."""

    type: str
    duns: str
    elements: tuple[ElementChange, ...] | None
    organization: bytes | None
    delivery_stamp: str | None
    retained_duns: str | None
    body: bytes


class Transaction(msgspec.Struct, frozen=True):
    id: str | None
    timestamp: str | None


class _Page(msgspec.Struct):
    notifications: list[Raw] | None = None
    transactionDetail: Raw = Raw(b"")
    inquiryDetail: Raw = Raw(b"")


class _Envelope(msgspec.Struct):
    transactionDetail: Raw = Raw(b"")


class _Element(msgspec.Struct):
    element: str
    previous: Raw = Raw(b"")
    current: Raw = Raw(b"")
    timestamp: str | None = None


class _Notification(msgspec.Struct):
    organization: Raw
    type: str | UnsetType = UNSET
    elements: list[_Element] | None = None
    deliveryTimeStamp: str | None = None


class _Organization(msgspec.Struct):
    duns: str


_PAGE = msgspec.json.Decoder(_Page)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_NOTIFICATION = msgspec.json.Decoder(_Notification)
_ORGANIZATION = msgspec.json.Decoder(_Organization)


def split_answer(body: bytes) -> Split | None:
    """Cut an answer into its notifications. None: torn, or no answer of this kind. Never raises."""
    body = body.removeprefix(BOM)
    try:
        page = _PAGE.decode(body)
    except REFUSALS:
        return _split_slowly(body)
    items = page.notifications
    detail, inquiry = bytes(page.transactionDetail), bytes(page.inquiryDetail)
    return _split([bytes(item) for item in items] if items is not None else None, detail, inquiry)


def transaction_of(body: bytes) -> Transaction:
    """Who answered and when, by D&B's clock, if the body is a whole JSON object that says so."""
    body = body.removeprefix(BOM)
    try:
        detail = bytes(_ENVELOPE.decode(body).transactionDetail)
    except REFUSALS:
        detail = _members(body).get("transactionDetail", b"")
    found = _members(detail)
    return Transaction(_text(found.get("transactionID")), _text(found.get("transactionTimestamp")))


def read_item(raw: bytes, default_type: str | None = None) -> Item:
    """Read one notification, or raise UnreadableItem. `default_type` is for lines of a seed file, which name none."""
    _refuse_bytes(raw)
    return _read_fast(raw, default_type) or _read_slowly(raw, default_type)


def delivery_stamp_of(raw: bytes) -> str | None:
    """Also of an item that is unreadable otherwise."""
    return _text(_members(raw).get("deliveryTimeStamp"))


@lru_cache(maxsize=4096)
def parse_stamp(text: str | None) -> datetime | None:
    """A time of D&B's in UTC, cut to the millisecond; without a zone it is taken as UTC. None: unreadable.

    Remembered, because one stamp often stands for a whole answer, and is needed again for ids.
    """
    if isinstance(text, str) and _USUAL_STAMP.fullmatch(text):
        return _usual_stamp(text)
    match = _STAMP.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    *numbers, fraction, _, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
        milliseconds = int((fraction or "0").ljust(3, "0")[:3])
        zone = timezone(offset) if offset else UTC
        return datetime(year, month, day, hour, minute, second, milliseconds * 1000, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _usual_stamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _split(items: list[bytes] | None, detail: bytes, inquiry: bytes) -> Split:
    said = _members(detail)
    return Split(
        items=items or [],
        has_list=items is not None,
        transaction_id=_text(said.get("transactionID")),
        transaction_timestamp=_text(said.get("transactionTimestamp")),
        reference=_text(_members(inquiry).get("reference")),
    )


def _split_slowly(body: bytes) -> Split | None:
    try:
        top = json_slicing.members(body)
        listed = top.get("notifications", b"null")
        # Anything but a list or null may hold notifications: that is no sign of an empty queue.
        items = None if listed == b"null" else json_slicing.elements(listed)
    except json_slicing.Torn:
        return None
    return _split(items, top.get("transactionDetail", b""), top.get("inquiryDetail", b""))


def _refuse_bytes(raw: bytes) -> None:
    if b"\0" in raw:
        raise UnreadableItem("The item contains a NUL byte, which JSON does not allow.")
    if json_slicing.nests_deeper_than(raw, MAX_DEPTH):
        raise UnreadableItem(f"The item is nested more than {MAX_DEPTH} levels deep.")
    try:
        raw.isascii() or raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableItem(f"The item is not UTF-8 at byte {error.start}.") from None


def _read_fast(raw: bytes, default_type: str | None) -> Item | None:
    """The common, well-formed case; None leaves the verdict to the slow way, which knows the reasons."""
    try:
        wire = _NOTIFICATION.decode(raw)
        duns = _ORGANIZATION.decode(wire.organization).duns
    except REFUSALS:
        return None
    item_type = default_type if wire.type is UNSET else wire.type
    if not item_type or not _is_word(item_type) or not (len(duns) == 9 and duns.isascii() and duns.isdigit()):
        return None
    elements = None if wire.elements is None else _fast_elements(wire.elements)
    if elements is None and (wire.elements is not None or item_type == "UPDATE"):
        return None
    organization = bytes(wire.organization)
    retained = _retained_duns(item_type, organization)
    return Item(item_type, duns, elements, organization, wire.deliveryTimeStamp, retained, raw)


def _is_word(text: str) -> bool:
    """Lone surrogates and control characters are not printable, and no database key either."""
    return text.isprintable() and not text.isspace() and text != ""


def _fast_elements(sent: list[_Element]) -> tuple[ElementChange, ...] | None:
    if not all(_is_word(one.element) for one in sent):
        return None
    return tuple(
        ElementChange(one.element, bytes(one.previous) or None, bytes(one.current) or None, one.timestamp)
        for one in sent
    )


def _read_slowly(raw: bytes, default_type: str | None) -> Item:
    top = _sound_members(raw)
    organization = top.get("organization", b"null")
    item_type = _item_type(top, default_type)
    return Item(
        type=item_type,
        duns=_duns_of(organization),
        elements=_slow_elements(item_type, top.get("elements", b"null")),
        organization=organization,
        delivery_stamp=_text(top.get("deliveryTimeStamp")),
        retained_duns=_retained_duns(item_type, organization),
        body=raw,
    )


def _sound_members(raw: bytes) -> dict[str, bytes]:
    """The slicer looks at brackets only, so the grammar inside is checked here."""
    try:
        if not isinstance(parse_json(raw), dict):
            raise UnreadableItem("The item is JSON, but not an object.")
        return json_slicing.members(raw)
    except UnreadableItem:
        raise
    except ValueError as error:
        raise UnreadableItem(f"The item is not JSON: {error}.") from None


def _item_type(top: dict[str, bytes], default_type: str | None) -> str:
    sent = top.get("type", b"null")
    if sent == b"null":
        if default_type is None:
            raise UnreadableItem("The item has no type.")
        return default_type
    word = parse_json(sent)
    if not (isinstance(word, str) and _is_word(word)):
        raise UnreadableItem("The type of the item is not a word.")
    return word


def _duns_of(organization: bytes) -> str:
    if organization == b"null":
        raise UnreadableItem("The item has no organization.")
    if not organization.startswith(b"{"):
        raise UnreadableItem("The organization of the item is not an object.")
    text = _text(json_slicing.members(organization).get("duns"))
    if text is None:
        raise UnreadableItem("The organization of the item has no D-U-N-S number.")
    try:
        return normalise_duns(text)
    except InvalidDuns as error:
        raise UnreadableItem(f"The D-U-N-S number is invalid: {error.reason}.") from None


def _slow_elements(item_type: str, sent: bytes) -> tuple[ElementChange, ...] | None:
    if sent == b"null":
        return () if item_type == "UPDATE" else None
    if sent.startswith(b"["):
        return tuple(_slow_element(one) for one in json_slicing.elements(sent))
    if item_type == "UPDATE":
        raise UnreadableItem("The elements of the item are not a list.")
    return None


def _slow_element(sent: bytes) -> ElementChange:
    if not sent.startswith(b"{"):
        raise UnreadableItem("An element of the item is not an object.")
    found = json_slicing.members(sent)
    path = parse_json(found.get("element", b"null"))
    if not (isinstance(path, str) and _is_word(path)):
        raise UnreadableItem("An element of the item has no path.")
    return ElementChange(path, found.get("previous"), found.get("current"), _text(found.get("timestamp")))


def _retained_duns(item_type: str, organization: bytes) -> str | None:
    if item_type != "TRANSFER":
        return None
    control = _members(_members(organization).get("dunsControlStatus", b""))
    try:
        transfers = json_slicing.elements(control.get("dunsTransfers", b""))
        named = (_text(_members(transfer).get("retainedDUNS")) for transfer in transfers)
        return next((normalise_duns(text) for text in named if text), None)
    except ValueError:
        return None


def _members(raw: bytes) -> dict[str, bytes]:
    try:
        return json_slicing.members(raw)
    except json_slicing.Torn:
        return {}


def _text(sent: bytes | None) -> str | None:
    """A scalar as text; numbers keep the form in which they came."""
    if sent is None or sent == b"null" or sent[:1] in (b"{", b"["):
        return None
    if not sent.startswith(b'"'):
        return sent.decode(errors="replace")
    try:
        return str(parse_json(sent))
    except ValueError:
        return None
