"""Direct+ as methods, one an endpoint. Every failure is raised from the tree in `errors`, except where the answer
itself is what the caller stores: `pull` and `replay` hand it over whatever it is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote

from direct_plus.duns import normalise_duns
from direct_plus.errors import DirectPlusError, NotFound, Told, UnknownPath, Unreadable
from direct_plus.payloads import parse_json, parse_stamp, transaction_of
from direct_plus.session import Kind, Session, error_of
from direct_plus.transport import Answer

REGISTRATIONS = "/v1/monitoring/registrations"
LARGEST_PAGE = 100  # contract section 3
LARGEST_BATCH = 1_000_000  # contract section 4
SLOWEST_UPLOAD = 100_000  # bytes a second, on top of the time limit

SubjectPath = Literal["subjects", "duns"]


class Outcome(StrEnum):
    """What became of one D-U-N-S number, told from codes alone (contract section 4)."""

    DONE = "done"
    PRESENT = "present"
    ALREADY = "already"
    ABSENT = "absent"
    PENDING = "pending"
    INVALID = "invalid"
    DELETED = "deleted"
    TRANSFERRED = "transferred"
    UNKNOWN = "unknown"
    UNCLEAR = "unclear"  # a success with a code nobody described: check by GET


OUTCOMES: dict[str, Outcome] = {
    "21113": Outcome.DONE,
    "21114": Outcome.DONE,
    "21110": Outcome.PRESENT,
    "21108": Outcome.PENDING,
    "21012": Outcome.ALREADY,
    "21005": Outcome.ABSENT,
    "10003": Outcome.INVALID,
    "40002": Outcome.DELETED,
    "40003": Outcome.TRANSFERRED,
    **dict.fromkeys(("10200", "40001"), Outcome.UNKNOWN),
}
# "Not found" means the entry of the list when that is asked for, and the company when it is to be added.
NOT_FOUND = "10001"


@dataclass(frozen=True, slots=True)
class SubjectAnswer:
    duns: str
    outcome: Outcome
    code: str | None
    message: str
    replacement: str | None
    heard_at: datetime | None

    @property
    def present(self) -> bool:
        """In the registration now, as far as this answer tells."""
        return self.outcome in (Outcome.PRESENT, Outcome.ALREADY)


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """D&B took the list; what became of each number is told later, in a file or by asking."""

    count: int
    outcome: Outcome
    code: str | None
    message: str
    transaction_id: str | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegistrationDetail:
    reference: str
    state: str | None
    suppressed: bool | None
    notification_type: str | None
    delivery_trigger: str | None
    delivery_frequency: str | None
    destination_type: str | None
    product_id: str | None
    version_id: str | None
    description: str | None
    order_reason: str | None
    emails: tuple[str, ...]
    seed_data: bool | None
    file_transfer_profile: str | None
    created_at: datetime | None
    updated_at: datetime | None
    raw: dict[str, Any]
    raw_text: str
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class MatchCandidate:
    duns: str
    name: str
    country: str | None
    address: str
    confidence: int | None
    raw: dict[str, Any]


class DirectPlus:
    def __init__(self, session: Session, subject_path: SubjectPath = "subjects") -> None:
        self.session = session
        self._subject_path = subject_path

    # Registrations (contract section 2)

    def registrations(self) -> list[str]:
        document, answer = self._ask(Kind.READ, "GET", REGISTRATIONS)
        messages = document.get("messages")
        references = messages.get("references") or [] if isinstance(messages, dict) else None
        if not isinstance(references, list):
            raise _unreadable(answer, "it holds no list of references")
        return [reference for reference in references if isinstance(reference, str)]

    def registration(self, reference: str) -> RegistrationDetail:
        document, answer = self._ask(Kind.READ, "GET", _registration(reference))
        if not isinstance(_at(document, "messages"), dict):
            raise _unreadable(answer, "it holds no registration")
        return _detail(reference, document, answer)

    def activate(self, reference: str) -> dict[str, Any]:
        return self._ask(Kind.SWITCH, "DELETE", f"{_registration(reference)}/suppress", may_be_empty=True)[0]

    def suppress(self, reference: str) -> dict[str, Any]:
        return self._ask(Kind.SWITCH, "POST", f"{_registration(reference)}/suppress", may_be_empty=True)[0]

    def export_subjects(self, reference: str) -> dict[str, Any]:
        """Ask for the list; it comes later as a DunsExport file (contract section 5)."""
        path = f"{REGISTRATIONS}/export/{_segment(reference)}/{self._subject_path}"
        return self._ask(Kind.SWITCH, "GET", path, may_be_empty=True)[0]

    # Notifications (contract section 3)

    def pull(self, reference: str, *, limit: int) -> Answer:
        """Take notifications off D&B's queue. Made once; whatever comes back is the answer."""
        path = f"{_registration(reference)}/notifications"
        return self.session.call(Kind.PULL, "GET", path, params={"maxNotifications": _page(limit)})

    def replay(self, reference: str, *, since: datetime, limit: int) -> Answer:
        """Once more what was pulled with a delivery time after `since`. Made once; the caller pages."""
        path = f"{_registration(reference)}/notifications/replay"
        params = {"replayStartTimestamp": _stamp(since), "maxNotifications": _page(limit)}
        return self.session.call(Kind.REPLAY, "GET", path, params=params)

    # Subjects (contract section 4)

    def add_subject(self, reference: str, duns: str, customer_reference: str | None = None) -> SubjectAnswer:
        body = {"customerReference": customer_reference} if customer_reference else None
        return self._subject("POST", reference, duns, not_found=Outcome.UNKNOWN, json=body)

    def remove_subject(self, reference: str, duns: str) -> SubjectAnswer:
        return self._subject("DELETE", reference, duns, not_found=Outcome.ABSENT)

    def check_subject(self, reference: str, duns: str) -> SubjectAnswer:
        return self._subject("GET", reference, duns, not_found=Outcome.ABSENT)

    def add_subjects(self, reference: str, duns: Iterable[str]) -> BatchAnswer:
        return self._batch(reference, duns, verb="add")

    def remove_subjects(self, reference: str, duns: Iterable[str]) -> BatchAnswer:
        return self._batch(reference, duns, verb="remove")

    # Beside monitoring (contract section 6)

    def entitlements(self) -> dict[str, Any]:
        return self._ask(Kind.READ, "GET", "/v1/entitlements")[0]

    def refresh_check(self, duns: str, *, product_id: str, version_id: str, reference_date: date) -> bool:
        """Whether D&B's data of a company changed since a day."""
        params = {
            "productId": product_id,
            "versionId": version_id,
            "referenceDate": reference_date.strftime("%Y-%m-%d"),
        }
        document, answer = self._ask(Kind.READ, "GET", f"/v1/data/refreshCheck/{normalise_duns(duns)}", params=params)
        found = next((value for value in _everywhere(document, "hasRefreshedData") if isinstance(value, bool)), None)
        if found is None:
            raise _unreadable(answer, "hasRefreshedData is missing")
        return found

    def data_blocks(self, duns: str, *, block_ids: Iterable[str], order_reason: str | None = None) -> dict[str, Any]:
        params = {"blockIDs": ",".join(block_ids)}
        if order_reason:
            params["orderReason"] = order_reason
        return self._ask(Kind.READ, "GET", f"/v1/data/duns/{normalise_duns(duns)}", params=params)[0]

    def match(
        self,
        *,
        name: str,
        country: str,
        street: str | None = None,
        city: str | None = None,
        postal_code: str | None = None,
        limit: int | None = None,
    ) -> list[MatchCandidate]:
        """Companies that may be meant, the likeliest first as D&B sorts them."""
        wanted = {
            "name": name,
            "countryISOAlpha2Code": country,
            "streetAddressLine1": street,
            "addressLocality": city,
            "postalCode": postal_code,
            "candidateMaximumQuantity": limit and str(limit),
        }
        params = {key: value for key, value in wanted.items() if value}
        try:
            document, _ = self._ask(Kind.READ, "GET", "/v1/match/cleanseMatch", params=params)
        except UnknownPath:
            raise
        except NotFound:
            return []
        return list(_candidates(document))

    def _ask(
        self, kind: Kind, method: str, path: str, *, may_be_empty: bool = False, **how: Any
    ) -> tuple[dict[str, Any], Answer]:
        answer = self.session.call(kind, method, path, **how)
        error = error_of(answer)
        if error is not None:
            raise error
        if may_be_empty and not answer.body.strip():
            return {}, answer
        return _document(answer), answer

    def _subject(self, method: str, reference: str, duns: str, *, not_found: Outcome, **how: Any) -> SubjectAnswer:
        number = normalise_duns(duns)
        kind = Kind.READ if method == "GET" else Kind.SUBJECT
        path = f"{_registration(reference)}/{self._subject_path}/{number}"
        answer = self.session.call(kind, method, path, **how)
        error = error_of(answer)
        if error is not None:
            return _refused_subject(number, error, not_found, answer)
        code, message = _information(answer)
        outcome = _verdict(code, not_found) or Outcome.UNCLEAR
        return SubjectAnswer(number, outcome, code, message, None, answer.heard_at)

    def _batch(self, reference: str, duns: Iterable[str], *, verb: Literal["add", "remove"]) -> BatchAnswer:
        numbers = [normalise_duns(number) for number in duns]
        if not 1 <= len(numbers) <= LARGEST_BATCH:
            raise ValueError(f"a batch holds 1 to {LARGEST_BATCH:,} numbers, not {len(numbers):,}")
        path, part = self._batch_address(reference, verb)
        listing = "".join(f"{number}\n" for number in numbers).encode()
        files = {part: ("subjects.txt", listing, "text/plain")}
        timeout = self.session.timeout + len(listing) / SLOWEST_UPLOAD
        _, answer = self._ask(Kind.BATCH, "PATCH", path, may_be_empty=True, files=files, timeout=timeout)
        code, message = _information(answer)
        outcome = _verdict(code) or Outcome.UNCLEAR
        return BatchAnswer(len(numbers), outcome, code, message, _transaction_id(answer), answer.heard_at)

    def _batch_address(self, reference: str, verb: str) -> tuple[str, str]:
        if self._subject_path == "duns":
            return f"{_registration(reference)}/duns/{verb}", "duns"
        return f"{_registration(reference)}/subjects", f"{verb}SubjectIDs"


def _registration(reference: str) -> str:
    return f"{REGISTRATIONS}/{_segment(reference)}"


def _segment(text: str) -> str:
    # A dot segment would be folded away and the call would land on another endpoint.
    if text.strip() in ("", ".", ".."):
        raise ValueError(f"{text!r} is no reference")
    return quote(text, safe="")


def _page(limit: int) -> str:
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page holds 1 to {LARGEST_PAGE} notifications, not {limit}")
    return str(limit)


def _stamp(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone says nothing to D&B")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = parse_json(answer.body)
    except ValueError:
        raise _unreadable(answer, "it is not JSON") from None
    if not isinstance(document, dict):
        raise _unreadable(answer, "it is JSON, but not an object")
    return document


def _unreadable(answer: Answer, reason: str) -> Unreadable:
    message = f"the answer cannot be used: {reason}"
    return Unreadable(Told(answer.status, None, message, (), None, answer.heard_at, answer.headers, answer.body))


def _verdict(code: str | None, not_found: Outcome | None = None) -> Outcome | None:
    return not_found if code == NOT_FOUND else OUTCOMES.get(code or "")


def _refused_subject(duns: str, error: DirectPlusError, not_found: Outcome, answer: Answer) -> SubjectAnswer:
    """A verdict on this number is an answer; everything else is a failure of the call."""
    outcome = _verdict(error.code, not_found)
    if outcome is None:
        raise error
    return SubjectAnswer(duns, outcome, error.code, error.message, getattr(error, "replacement", None), answer.heard_at)


def _information(answer: Answer) -> tuple[str | None, str]:
    if not answer.body.strip():
        return None, ""
    for information in _everywhere(_document(answer), "information"):
        if isinstance(information, dict):
            code = information.get("code")
            return None if code is None else str(code), str(information.get("message") or "")
    return None, ""


def _transaction_id(answer: Answer) -> str | None:
    return transaction_of(answer.body).id


def _at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _everywhere(document: Any, name: str) -> Iterator[Any]:
    """Values of a member whose place the contract leaves open, the outermost first."""
    waiting = [document]
    while waiting:
        now = waiting.pop(0)
        if isinstance(now, dict):
            if name in now:
                yield now[name]
            waiting += now.values()


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _yes(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _detail(reference: str, document: dict[str, Any], answer: Answer) -> RegistrationDetail:
    messages = document["messages"]
    said: dict[str, Any] = messages.get("registration") if isinstance(messages.get("registration"), dict) else {}
    return RegistrationDetail(
        reference=_word(said.get("reference")) or reference,
        state=_word(messages.get("state")),
        suppressed=_yes(messages.get("notificationsSuppressed")),
        notification_type=_word(said.get("notificationType")),
        delivery_trigger=_word(said.get("deliveryTrigger")),
        delivery_frequency=_word(said.get("deliveryFrequency")),
        destination_type=_word(_at(said, "destination", "type")),
        product_id=_word(said.get("productId")),
        version_id=_word(said.get("versionId")),
        description=_word(said.get("description")),
        order_reason=_word(said.get("orderReason")),
        emails=_emails(said.get("email")),
        seed_data=_yes(said.get("seedData")),
        file_transfer_profile=_word(said.get("fileTransferProfile")),
        created_at=parse_stamp(said.get("createdDate")),
        updated_at=parse_stamp(said.get("lastUpdatedDate")),
        raw=document,
        raw_text=answer.body.decode(errors="replace"),
        heard_at=answer.heard_at,
    )


def _emails(sent: Any) -> tuple[str, ...]:
    """One string, joined by commas."""
    return tuple(filter(None, (one.strip() for one in sent.split(",")))) if isinstance(sent, str) else ()


def _candidates(document: dict[str, Any]) -> Iterator[MatchCandidate]:
    sent = document.get("matchCandidates")
    for candidate in sent if isinstance(sent, list) else []:
        duns = _at(candidate, "organization", "duns")
        if not isinstance(duns, str):
            continue
        organization = candidate["organization"]
        confidence = _at(candidate, "matchQualityInformation", "confidenceCode")
        address = organization.get("primaryAddress")
        yield MatchCandidate(
            duns=duns,
            name=_word(organization.get("primaryName")) or "",
            country=_word(_at(address, "addressCountry", "isoAlpha2Code") or organization.get("countryISOAlpha2Code")),
            address=_address(address),
            confidence=confidence if isinstance(confidence, int) else None,
            raw=candidate,
        )


def _address(sent: Any) -> str:
    parts = (
        _at(sent, "streetAddress", "line1"),
        _at(sent, "postalCode"),
        _at(sent, "addressLocality", "name"),
        _at(sent, "addressRegion", "abbreviatedName") or _at(sent, "addressRegion", "name"),
    )
    return ", ".join(part for part in parts if isinstance(part, str) and part)
