"""Answers of Direct+ for tests, as bytes and as `Answer`s."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from requests.structures import CaseInsensitiveDict

from direct_plus.transport import Answer

NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)
DUNS = "804735132"
DETAIL = {"transactionID": "rrt-1", "transactionTimestamp": "2026-01-08T11:06:47.941Z", "inLanguage": "en-US"}


def a_notification(type: str = "UPDATE", duns: str = DUNS, **more: Any) -> dict[str, Any]:
    stamp = {"deliveryTimeStamp": "2026-01-08T11:06:48.292Z"}
    elements = {"elements": [an_element()]} if type == "UPDATE" else {}
    return {"type": type, "organization": {"duns": duns}, **elements, **stamp, **more}


def an_element(path: str = "organization.primaryName", previous: Any = "OLD", current: Any = "NEW") -> dict[str, Any]:
    return {"element": path, "previous": previous, "current": current, "timestamp": "2026-01-07T01:23:13Z"}


def a_page(*items: bytes, reference: str = "ACME") -> bytes:
    head = json.dumps({"transactionDetail": DETAIL, "inquiryDetail": {"reference": reference}})[:-1].encode()
    return head + b', "notifications": [' + b", ".join(items) + b"]}"


def an_error(code: str, message: str = "No.", **more: Any) -> dict[str, Any]:
    return {"transactionDetail": DETAIL, "error": {"errorCode": code, "errorMessage": message, **more}}


def information(code: str, message: str = "Done.") -> dict[str, Any]:
    return {"transactionDetail": DETAIL, "information": {"code": code, "message": message}}


def an_answer(
    status: int = 200,
    body: bytes | dict[str, Any] = b"",
    headers: Mapping[str, str] | None = None,
    failure: str | None = None,
    timed_out: bool = False,
) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent: CaseInsensitiveDict[str] = CaseInsensitiveDict(headers or {})
    return Answer(status, sent, content, failure, NOW, NOW, NOW, timed_out=timed_out)
