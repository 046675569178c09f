"""What an answer to a pull means (docs/develop/direct_plus.md#pulling): it decides, never a guess."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext

from direct_plus.payloads import Split, split_answer
from direct_plus.transport import Answer

UNKNOWN_PATH = {"00037", "00038"}
REFUSALS = {400, 401, 403, 429}


class Meaning(StrEnum):
    RECEIVED = "received"
    DRAINED = "drained"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class Decision:
    meaning: Meaning
    reason: str = ""
    code: str = ""
    split: Split | None = None


def decide(answer: Answer) -> Decision:
    """The decision on a pull or a replay page."""
    if not answer.sent:
        code, message = error_of(answer.body)
        told = f"{answer.status}{f' {code}' if code else ''} {message}"
        refusal = gettext("D&B did not issue an access token: %(answer)s") % {"answer": told} if answer.status else ""
        return Decision(Meaning.NOT_SENT, refusal or answer.failure or gettext("D&B could not be reached."), code or "")
    if answer.failure:
        return Decision(Meaning.IN_DOUBT, answer.failure)
    if answer.status == 200:
        return decide_content(answer.body)
    code, message = error_of(answer.body)
    reason = _reason(answer.status, code, message)
    if answer.status == 404 and code is not None and code not in UNKNOWN_PATH:
        return Decision(Meaning.DRAINED, reason, code)
    if answer.status == 404 or answer.status in REFUSALS:
        return Decision(Meaning.REFUSED, reason, code or "")
    return Decision(Meaning.IN_DOUBT, reason, code or "")


def _reason(status: int | None, code: str | None, message: str) -> str:
    words = {"status": status, "code": code}
    if code:
        text = gettext("D&B returned HTTP %(status)s with code %(code)s") % words
    else:
        text = gettext("D&B returned HTTP %(status)s") % words
    return f"{text}: {message}" if message else f"{text}."


def decide_content(body: bytes) -> Decision:
    """The decision on the whole body of a 200."""
    split = split_answer(body)
    if split is None:
        return Decision(Meaning.IN_DOUBT, gettext("The response is incomplete or not a JSON object."))
    if not split.items:
        return Decision(Meaning.DRAINED, "", split=split)
    return Decision(Meaning.RECEIVED, split=split)


def error_of(body: bytes) -> tuple[str | None, str]:
    """Code and message of an error in D&B's envelope; the code is None where it is no such envelope."""
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(parsed, dict):
        return None, ""
    error = parsed.get("error")
    if isinstance(error, dict):
        return str(error.get("errorCode") or ""), str(error.get("errorMessage") or "")
    fault = parsed.get("fault")
    if isinstance(fault, dict):
        return None, str(fault.get("faultstring") or "")
    return ("", "") if "transactionDetail" in parsed else (None, "")
