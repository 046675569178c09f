"""What the sandbox answers: status, headers and body, in D&B's envelope or in a gateway's shapes."""

import json
from dataclasses import dataclass, replace
from typing import Any

from direct_plus.sandbox.http.dates import stamp

JSON = "application/json;charset=utf-8"
HTML = "text/html"
GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

MESSAGES = {
    "00002": "The service is not available at this time.",
    "00003": "The request is missing a mandatory parameter.",
    "00004": "You are not authorised to use this service.",
    "00037": "The requested resource could not be found.",
    "00038": "The requested resource does not exist.",
    "00040": "The given auth token is expired.",
    "00041": "The provided credentials or token are not valid.",
    "00045": "Too many calls per second.",
    "00050": "The call quota is used up.",
    "10001": "Nothing was found for the request.",
    "10002": "A parameter of the request is not valid.",
    "10003": "The D-U-N-S number is not valid.",
    "21005": "The D-U-N-S number is not in the registration.",
    "21012": "The D-U-N-S number is already in the registration.",
    "21108": "The request was accepted and is pending.",
    "21110": "The D-U-N-S number is in the registration.",
    "21113": "The D-U-N-S number was added.",
    "21114": "The D-U-N-S number was removed.",
    "40002": "The D-U-N-S number was deleted.",
    "40003": "The D-U-N-S number was transferred.",
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON
    code: str | None = None

    def with_headers(self, *headers: tuple[str, str]) -> "Answer":
        return replace(self, headers=(*self.headers, *headers))


class Refusal(Exception):
    """Raised anywhere while a call is worked on: ends it with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.code)
        self.answer = answer


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def message(code: str | None) -> str:
    return MESSAGES.get(code or "", "The request could not be fulfilled.")


def transaction(now: int, number: int) -> dict[str, str]:
    return {
        "transactionID": f"rrt-{number:016x}-b-eu-1-2-{number % 97}",
        "transactionTimestamp": stamp(now),
        "inLanguage": "en-US",
    }


def envelope(now: int, number: int, status: int = 200, code: str | None = None, **members: Any) -> Answer:
    return Answer(status, dump({"transactionDetail": transaction(now, number), **members}), code=code)


def error_body(now: int, number: int, code: str | None, details: dict[str, str] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"errorCode": code} if code is not None else {}
    error["errorMessage"] = message(code)
    if details:
        error["errorDetails"] = [{"parameter": name, "description": text} for name, text in details.items()]
    return {"transactionDetail": transaction(now, number), "error": error}


def error(now: int, number: int, status: int, code: str | None, details: dict[str, str] | None = None) -> Answer:
    return Answer(status, dump(error_body(now, number, code, details)), code=code)


def shaped(now: int, number: int, status: int, code: str | None, shape: str) -> Answer:
    """An error in one of the shapes that come: D&B's own, two of a gateway, or nothing at all."""
    if shape == "fault":
        fault = {"fault": {"faultstring": message(code), "detail": {"errorcode": "messaging.adaptors.http.flow.Error"}}}
        return Answer(status, dump(fault))
    if shape == "string":
        return Answer(status, dump({"error": "invalid_request", "error_description": message(code)}))
    if shape == "html":
        return Answer(status, GATEWAY_PAGE, content_type=HTML)
    if shape == "empty":
        return Answer(status, b"", content_type=HTML)
    return error(now, number, status, code)
