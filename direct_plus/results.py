"""What Direct+ answers, typed: registrations, subjects and companies (contract sections 2 to 6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from direct_plus.payloads import parse_stamp
from direct_plus.transport import Answer


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
    dnb_time: datetime | None

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
    dnb_time: datetime | None


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
    dnb_time: datetime | None


def outcome_of(code: str | None, not_found: Outcome | None = None) -> Outcome | None:
    return not_found if code == NOT_FOUND else OUTCOMES.get(code or "")


def value_at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def values_everywhere(document: Any, name: str) -> Iterator[Any]:
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


def detail(reference: str, document: dict[str, Any], answer: Answer) -> RegistrationDetail:
    messages = document["messages"]
    said: dict[str, Any] = messages.get("registration") if isinstance(messages.get("registration"), dict) else {}
    return RegistrationDetail(
        reference=_word(said.get("reference")) or reference,
        state=_word(messages.get("state")),
        suppressed=_yes(messages.get("notificationsSuppressed")),
        notification_type=_word(said.get("notificationType")),
        delivery_trigger=_word(said.get("deliveryTrigger")),
        delivery_frequency=_word(said.get("deliveryFrequency")),
        destination_type=_word(value_at(said, "destination", "type")),
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
        dnb_time=answer.dnb_time,
    )


def _emails(sent: Any) -> tuple[str, ...]:
    """One string, joined by commas."""
    return tuple(filter(None, (one.strip() for one in sent.split(",")))) if isinstance(sent, str) else ()
