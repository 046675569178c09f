"""Direct+ as methods, one an endpoint. Every failure is raised from the tree in `errors`, except where the answer
itself is what the caller stores: `pull`, `replay`, `data_blocks` and family trees hand it over whatever it is."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Literal
from urllib.parse import quote

from direct_plus.candidates import CompanyQuery, MatchCandidate, candidates
from direct_plus.duns import normalise_duns
from direct_plus.errors import DirectPlusError, NotFound, Told, UnknownPath, Unreadable
from direct_plus.exact_json import parse_json
from direct_plus.payloads import transaction_of
from direct_plus.reference_data import ReferenceCategory, reference_categories, reference_codes
from direct_plus.results import (
    BatchAnswer,
    Outcome,
    RegistrationDetail,
    SubjectAnswer,
    detail,
    outcome_of,
    value_at,
    values_everywhere,
)
from direct_plus.session import Kind, Session, error_of
from direct_plus.transport import Answer

REGISTRATIONS = "/v1/monitoring/registrations"
REFERENCE_DATA = "/v1/referenceData"
LARGEST_PAGE = 100  # contract section 3
LARGEST_TREE_PAGE = 1_000
LARGEST_BATCH = 1_000_000  # contract section 4
SLOWEST_UPLOAD = 100_000  # bytes a second, on top of the time limit

SubjectPath = Literal["subjects", "duns"]


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
            raise _unreadable(answer, "it contains no list of references")
        return [reference for reference in references if isinstance(reference, str)]

    def registration(self, reference: str) -> RegistrationDetail:
        document, answer = self._ask(Kind.READ, "GET", _registration(reference))
        if not isinstance(value_at(document, "messages"), dict):
            raise _unreadable(answer, "it contains no registration")
        return detail(reference, document, answer)

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

    # Beside monitoring (contract section 6). What may cost is sent once (`Kind.PAID`).

    def entitlements(self) -> dict[str, Any]:
        return self._ask(Kind.READ, "GET", "/v1/entitlements")[0]

    def refresh_check(self, duns: str, *, product_id: str, version_id: str, reference_date: date) -> bool:
        """Whether D&B's data of a company changed since a day."""
        params = {
            "productId": product_id,
            "versionId": version_id,
            "referenceDate": reference_date.strftime("%Y-%m-%d"),
        }
        document, answer = self._ask(Kind.PAID, "GET", f"/v1/data/refreshCheck/{normalise_duns(duns)}", params=params)
        found = next(
            (value for value in values_everywhere(document, "hasRefreshedData") if isinstance(value, bool)), None
        )
        if found is None:
            raise _unreadable(answer, "hasRefreshedData is missing")
        return found

    def data_blocks(self, duns: str, *, block_ids: Iterable[str], order_reason: str | None = None) -> Answer:
        """A company's data now. Whatever comes back is the answer, which the caller stores before it is read; a
        transferred company's is not followed, since another company's data is another decision."""
        params = {"blockIDs": ",".join(block_ids)}
        if order_reason:
            params["orderReason"] = order_reason
        return self.session.call(Kind.PAID, "GET", f"/v1/data/duns/{normalise_duns(duns)}", params=params)

    def upward_tree(self, duns: str) -> Answer:
        """The owners of a company up to its global ultimate. Whatever comes back is the answer, which the caller
        stores before it is read."""
        return self.session.call(Kind.PAID, "GET", f"/v1/familyTreeUpward/{normalise_duns(duns)}")

    def family_tree(self, duns: str, *, page: int) -> Answer:
        """A page of the whole family of a company, from 1, without branches; the same holds for the answer."""
        params = {
            "page[number]": str(page),
            "page[size]": str(LARGEST_TREE_PAGE),
            "exclusionCriteria": "Branches",
        }
        return self.session.call(Kind.PAID, "GET", f"/v1/familyTree/{normalise_duns(duns)}", params=params)

    def reference_categories(self) -> list[ReferenceCategory]:
        document, _ = self._ask(Kind.PAID, "GET", f"{REFERENCE_DATA}/categories")
        return list(reference_categories(document))

    def reference_codes(self, category: str, *, language: str) -> dict[str, str]:
        """The words of a category's codes."""
        path = f"{REFERENCE_DATA}/category/{_segment(category)}"
        document, _ = self._ask(Kind.PAID, "GET", path, params={"languageCode": language})
        return reference_codes(document)

    def match(self, query: CompanyQuery, *, limit: int | None = None) -> list[MatchCandidate]:
        """Companies that may be meant, the likeliest first as D&B sorts them. May be billed: it is asked once."""
        params = query.params() | ({"candidateMaximumQuantity": str(limit)} if limit else {})
        return self._found("/v1/match/cleanseMatch", params, "matchCandidates")

    def typeahead(self, beginning: str, *, country: str = "", limit: int | None = None) -> list[MatchCandidate]:
        """Companies by the beginning of their name, without a confidence. May be billed: it is asked once."""
        params = {"searchTerm": beginning}
        if country:
            params["countryISOAlpha2Code"] = country
        if limit:
            params["candidateMaximumQuantity"] = str(limit)
        return self._found("/v1/search/typeahead", params, "searchCandidates")

    def _found(self, path: str, params: dict[str, str], member: str) -> list[MatchCandidate]:
        try:
            document, _ = self._ask(Kind.PAID, "GET", path, params=params)
        except NotFound as error:
            if isinstance(error, UnknownPath) or not error.is_from_dnb:
                raise
            return []
        return list(candidates(document, member))

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
        outcome = outcome_of(code, not_found) or Outcome.UNCLEAR
        return SubjectAnswer(number, outcome, code, message, None, answer.dnb_time)

    def _batch(self, reference: str, duns: Iterable[str], *, verb: Literal["add", "remove"]) -> BatchAnswer:
        numbers = [normalise_duns(number) for number in duns]
        if not 1 <= len(numbers) <= LARGEST_BATCH:
            raise ValueError(f"a batch can contain 1 to {LARGEST_BATCH:,} numbers, not {len(numbers):,}")
        path, part = self._batch_address(reference, verb)
        listing = "".join(f"{number}\n" for number in numbers).encode()
        files = {part: ("subjects.txt", listing, "text/plain")}
        timeout = self.session.timeout + len(listing) / SLOWEST_UPLOAD
        _, answer = self._ask(Kind.BATCH, "PATCH", path, may_be_empty=True, files=files, timeout=timeout)
        code, message = _information(answer)
        outcome = outcome_of(code) or Outcome.UNCLEAR
        return BatchAnswer(len(numbers), outcome, code, message, transaction_of(answer.body).id, answer.dnb_time)

    def _batch_address(self, reference: str, verb: str) -> tuple[str, str]:
        if self._subject_path == "duns":
            return f"{_registration(reference)}/duns/{verb}", "duns"
        return f"{_registration(reference)}/subjects", f"{verb}SubjectIDs"


def _registration(reference: str) -> str:
    return f"{REGISTRATIONS}/{_segment(reference)}"


def _segment(text: str) -> str:
    # A dot segment would be folded away and the call would land on another endpoint.
    if text.strip() in ("", ".", ".."):
        raise ValueError(f"{text!r} is not a reference")
    return quote(text, safe="")


def _page(limit: int) -> str:
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page can contain 1 to {LARGEST_PAGE} notifications, not {limit}")
    return str(limit)


def _stamp(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time for D&B needs a time zone")
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
    message = f"the response is invalid: {reason}"
    return Unreadable(Told(answer.status, None, message, (), None, answer.dnb_time, answer.headers, answer.body))


def _refused_subject(duns: str, error: DirectPlusError, not_found: Outcome, answer: Answer) -> SubjectAnswer:
    """A verdict on this number is an answer; everything else is a failure of the call."""
    outcome = outcome_of(error.code, not_found)
    if outcome is None:
        raise error
    return SubjectAnswer(duns, outcome, error.code, error.message, getattr(error, "replacement", None), answer.dnb_time)


def _information(answer: Answer) -> tuple[str | None, str]:
    if not answer.body.strip():
        return None, ""
    for information in values_everywhere(_document(answer), "information"):
        if isinstance(information, dict):
            code = information.get("code")
            return None if code is None else str(code), str(information.get("message") or "")
    return None, ""
