"""Whatever shape a failure comes in, it becomes a branch of the tree and a clear message."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_plus import errors
from direct_plus.errors import DirectPlusError
from direct_plus.session import error_of
from tests.builders.direct_plus_answers import NOW, an_answer, an_error


def error_from(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> DirectPlusError:
    error = error_of(an_answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()}))
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("status", "code", "branch"),
    [
        (401, "00040", errors.TokenExpired),
        (401, "00041", errors.NotAuthorised),
        (401, "00004", errors.NotAuthorised),
        (401, "00014", errors.NotAuthorised),
        (401, "00044", errors.NotAuthorised),
        (401, "00012", errors.NotAuthorised),
        (403, "99999", errors.NotAuthorised),
        (400, "00003", errors.BadRequest),
        (400, "10002", errors.BadRequest),
        (400, "00005", errors.ContractDates),
        (404, "00037", errors.UnknownPath),
        (404, "00038", errors.UnknownPath),
        (404, "10001", errors.UnknownDuns),
        (404, "40105", errors.UnknownDuns),
        (404, "21111", errors.NotFound),
        (429, "00045", errors.TooManyCalls),
        (429, "00046", errors.TooManyCalls),
        (429, "00050", errors.QuotaUsedUp),
        (429, "12345", errors.TooManyCalls),
        (500, "00002", errors.ServerTrouble),
        (503, "00035", errors.ServerTrouble),
        (502, "12345", errors.ServerTrouble),
        (410, "40002", errors.Gone),
        (301, "40003", errors.Transferred),
        (418, "12345", errors.BadRequest),
    ],
)
def test_each_code_has_its_branch(status: int, code: str, branch: type[DirectPlusError]) -> None:
    error = error_from(status, an_error(code))
    assert type(error) is branch
    assert (error.status, error.code, error.message) == (status, code, "No.")


def test_the_code_decides_over_the_status() -> None:
    assert type(error_from(400, an_error("00050"))) is errors.QuotaUsedUp
    assert type(error_from(500, an_error("00040"))) is errors.TokenExpired
    assert type(error_from(404, an_error("00045"))) is errors.TooManyCalls


def test_a_code_that_came_as_a_number_gets_its_zeros_back() -> None:
    assert error_from(401, b'{"error": {"errorCode": 40, "errorMessage": "x"}}').code == "00040"


@pytest.mark.parametrize(
    ("status", "branch"),
    [
        (301, errors.Unreadable),
        (304, errors.Unreadable),
        (400, errors.BadRequest),
        (401, errors.NotAuthorised),
        (403, errors.NotAuthorised),
        (404, errors.NotFound),
        (408, errors.ServerTrouble),
        (410, errors.Gone),
        (429, errors.TooManyCalls),
        (500, errors.ServerTrouble),
        (504, errors.ServerTrouble),
    ],
)
def test_without_a_code_the_status_decides(status: int, branch: type[DirectPlusError]) -> None:
    assert type(error_from(status)) is branch


def test_everything_that_was_said_is_kept() -> None:
    details = [{"parameter": "maxNotifications", "description": "too large"}]
    body = json.dumps(an_error("10002", "Wrong parameter.", errorDetails=details)).encode()
    error = error_from(400, body)
    assert (error.details, error.transaction_id, error.dnb_time, error.body) == (details, "rrt-1", NOW, body)
    assert str(error) == (
        "Wrong parameter. (maxNotifications: too large) (HTTP 400, 10002) [transaction rrt-1]"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"fault": {"faultstring": "Rate limit quota violation"}}', "Rate limit quota violation"),
        (b'{"error": "invalid_request", "error_description": "Bad key"}', "Bad key"),
        (b'{"error": "invalid_request"}', "invalid_request"),
        (b'{"message": "Forbidden"}', "Forbidden"),
        (b'{"error": {}}', "no message"),
        (b"", "the response is empty"),
        (b" \r\n", "the response is empty"),
        (b"upstream connect error", "the response is not a Direct+ error: upstream connect error"),
        (b"<html><head><title>502 Bad\n Gateway</title></head>", "the response is a web page: 502 Bad Gateway"),
        (b"<html><style>p {}</style><p>Sorry, <b>down</b></p>", "the response is a web page: Sorry, down"),
        (b"<html></html>", "the response is a web page: without text"),
        (b"[1, 2]", "the response is not a Direct+ error: [1, 2]"),
        (b"\xff\x00\x07binary", "the response is not a Direct+ error: \N{REPLACEMENT CHARACTER} binary"),
    ],
)
def test_every_shape_gives_a_clear_message(body: bytes, message: str) -> None:
    error = error_from(502, body)
    assert error.message == message
    assert str(error) == f"{message} (HTTP 502)"


def test_long_messages_are_cut() -> None:
    assert len(str(error_from(500, b"x" * 10_000))) < 250


def test_a_torn_answer_is_unreachable_whatever_its_status() -> None:
    error = error_of(an_answer(500, b"{", failure="incomplete: 1 of 9 bytes received"))
    assert type(error) is errors.Unreachable
    assert str(error) == "no complete response from Direct+: incomplete: 1 of 9 bytes received (HTTP 500)"
    assert error.body == b"{"


def test_a_timeout_is_a_branch_of_its_own() -> None:
    error = error_of(an_answer(0, failure="timed out after 30 s", timed_out=True))
    assert type(error) is errors.TimedOut
    assert error.status is None


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_whole_success_is_no_error(status: int) -> None:
    assert error_of(an_answer(status)) is None


def test_a_success_that_veils_an_error_is_that_error() -> None:
    assert type(error_from(200, an_error("00034"))) is errors.ServerTrouble
    assert type(error_from(200, an_error("12345"))) is errors.Unreadable


@pytest.mark.parametrize(
    "body", [b'{"a": "\\"errorCode\\""}', b'{"deep": {"errorCode": "00034"}}', b'{"errorCode": "1"}']
)
def test_an_error_code_elsewhere_in_a_success_is_none(body: bytes) -> None:
    assert error_of(an_answer(200, body)) is None


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("Thu, 08 Jan 2026 11:07:48 GMT", 60.0),
        ("Thu, 08 Jan 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
    ],
)
def test_how_long_to_wait_comes_in_seconds_or_as_a_date(sent: str, seconds: float | None) -> None:
    error = error_from(429, an_error("00046"), Retry_After=sent, Date="Thu, 08 Jan 2026 11:06:48 GMT")
    assert isinstance(error, errors.TooManyCalls)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("location", "replacement"),
    [
        ("https://plus.dnb.com/v1/data/duns/150483782?blockIDs=x", "150483782"),
        ("/v1/data/duns/15-048-3782", "150483782"),
        ("/v1/data/duns/150483782/more", "150483782"),
    ],
)
def test_a_redirect_to_another_number_is_a_transfer(location: str, replacement: str) -> None:
    error = error_from(301, Location=location)
    assert isinstance(error, errors.Transferred)
    assert error.replacement == replacement


def test_other_redirects_are_unreadable() -> None:
    assert type(error_from(301, Location="https://login.example/")) is errors.Unreadable
    assert type(error_from(301, Location="/v1/data/duns/12345")) is errors.Unreadable


def test_the_replacement_is_else_in_the_details() -> None:
    details = [{"parameter": "duns", "description": "804735132 was transferred to 150483782."}]
    error = error_from(400, an_error("40003", errorDetails=details))
    assert isinstance(error, errors.Transferred)
    assert error.replacement == "150483782"
    bare = error_from(400, an_error("40003"))
    assert isinstance(bare, errors.Transferred)
    assert bare.replacement is None


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    last = ""
    for line in (errors.__doc__ or "").splitlines():
        if "──" not in line:
            continue
        name = line.split("── ")[1].split()[0]
        drawn[name] = last if line[0] in "│ " else "DirectPlusError"
        last = name if line[0] not in "│ " else last
    classes = [
        item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, DirectPlusError)
    ]  # fmt: skip
    real = {item.__name__: item.__mro__[1].__name__ for item in classes if item is not DirectPlusError}
    assert drawn == real


def test_times_of_http_are_read() -> None:
    assert errors.parse_http_date("Thu, 08 Jan 2026 11:06:48 GMT") == datetime(2026, 1, 8, 11, 6, 48, tzinfo=UTC)
    assert errors.parse_http_date("Thu, 08 Jan 2026 12:06:48 +0100") == datetime(2026, 1, 8, 11, 6, 48, tzinfo=UTC)


@given(st.integers(300, 599), st.binary(max_size=200), st.text(st.characters(min_codepoint=32, max_codepoint=255)))
def test_no_answer_makes_it_raise(status: int, body: bytes, header: str) -> None:
    for sent in (body, b'{"error": {"errorDetails": [{"description": 1}], "errorCode": ' + body + b"}}"):
        error = error_from(status, sent, Location=header, Retry_After=header, Date=header)
        assert str(error)
